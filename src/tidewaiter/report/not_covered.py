"""What does the proof not cover?  The sentences of `smuggling.proof`, in the user's language."""

from tidewaiter.i18n import spoken
from tidewaiter.smuggling.proof import NOT_COVERED


def not_covered() -> tuple[str, ...]:
    """One sentence for each of `smuggling.proof.NOT_COVERED`."""
    return tuple(map(spoken, NOT_COVERED))
