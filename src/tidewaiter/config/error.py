"""What is wrong in a configuration file, where, and what was probably meant."""

from collections.abc import Callable
from dataclasses import dataclass

from tidewaiter.model.sentence import Sentence, visible


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that must be changed before the file can be used."""

    file: str
    """The file's name as the administrator gave it."""
    line: int
    """The first line, counted from 1, of the statement that holds the key, or of its table."""
    key: str
    """The dotted path of the key, as in `listener[0].address`; empty for the file as a whole."""
    message: Sentence
    """What is wrong, and the nearest known key or the allowed values where there are some."""

    def __str__(self) -> str:
        """In English."""
        return self.said(str)

    def said(self, translate: Callable[[str], str]) -> str:
        """`FILE:LINE: KEY: MESSAGE`, the form that editors jump to: one line, whatever the file holds."""
        parts = (f"{self.file}:{self.line}", self.key, self.message.said(translate))
        return visible(": ".join(filter(None, parts)))


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` holds every mistake that was found, by line."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        """Keep the mistakes in the order of the file."""
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class WrongValueError(ValueError):
    """A value cannot be read; the sentence says what to write instead."""

    def __init__(self, sentence: Sentence) -> None:
        """Keep the sentence."""
        super().__init__(sentence)
        self.sentence = sentence
