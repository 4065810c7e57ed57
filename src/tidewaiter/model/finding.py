"""A rule that fired, with what a person needs to believe it and to act on it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "low", "medium", "high"]
Confidence = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    rule: str
    """Id of the rule; it never changes its meaning, and it names the rule's page."""
    severity: Severity
    confidence: Confidence
    where: str
    """The place: an offset in the content."""
    evidence: tuple[str, ...]
    """Printable sentences; what a peer sent stands in them escaped."""
    remedy: str
