"""What is said to a person, as a value: the words are chosen above the core (docs/decisions/0008).

And text that others wrote: in one line, with nothing in it that a terminal obeys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """English with named placeholders, and what stands in them: text that others wrote, or another sentence."""

    english: str
    """The key of the catalogue, too."""
    values: Mapping[str, object]

    def __str__(self) -> str:
        """In English: for logs, and for whoever reports a fault."""
        return self.said(str)

    def said(self, translate: Callable[[str], str]) -> str:
        """In the language to which `translate` takes English; what others wrote is made visible."""
        values = {
            name: value.said(translate) if isinstance(value, Sentence) else visible(str(value))
            for name, value in self.values.items()
        }
        return translate(self.english).format(**values)


def N_(english: str, **values: object) -> Sentence:  # noqa: N802 - gettext's name for "translate it later"
    """A sentence for the catalogue, in which `make messages` finds it by this name."""
    return Sentence(english, values)


def visible(text: str) -> str:
    r"""The text with an escape for all that is not seen: `\n`, `\u001b`, as TOML and JSON write them.

    A line feed would forge a line, an escape character would command the terminal, and what turns the direction of
    writing would show the text in another order.
    """
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(
        character, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
