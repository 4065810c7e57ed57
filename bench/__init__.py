"""Speed and memory, measured beside what users would pick instead: `python -m bench`.

`path` and `wire` measure parts alone, without a kernel or a socket between them.
"""
