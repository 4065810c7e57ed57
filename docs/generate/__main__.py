"""`python -m docs.generate`: what `make docs` runs."""

from docs.generate import write_all

write_all()
