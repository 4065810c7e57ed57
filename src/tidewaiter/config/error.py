"""What is wrong in a configuration file, where, and what was probably meant."""

from dataclasses import dataclass

from tidewaiter.model.sentence import visible


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that must be changed before the file can be used."""

    file: str
    """The file's name as the administrator gave it."""
    line: int
    """The first line, counted from 1, of the statement that holds the key, or of its table."""
    key: str
    """The dotted path of the key, as in `listener[0].address`; empty for the file as a whole."""
    message: str
    """What is wrong, and the nearest known key or the allowed values where there are some."""

    def __str__(self) -> str:
        """`FILE:LINE: KEY: MESSAGE`, the form that editors jump to: one line, whatever the file holds."""
        return visible(": ".join(filter(None, (f"{self.file}:{self.line}", self.key, self.message))))


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` holds every mistake that was found, by line."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        """Keep the mistakes in the order of the file."""
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes
