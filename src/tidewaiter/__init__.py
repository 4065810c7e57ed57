"""Tidewaiter: a mail gateway through which nothing can be smuggled, and the proof."""

from importlib.util import find_spec


def is_compiled() -> bool:
    """Tell whether what every message passes through runs compiled to C, or from the source (docs/decisions/0016)."""
    strict_reader = find_spec("tidewaiter.lines.scan")
    return strict_reader is not None and not str(strict_reader.origin).endswith(".py")
