"""A sentence that a person may read, made where no language is known yet.

`str` gives the English of logs, SMTP and JSON; `i18n.spoken` gives the same in the language of the person.
`make messages` takes the English of each call of `Sentence` into the catalogue, so it is a literal, a whole sentence
with named placeholders (`tests/i18n/test_sources.py` holds that).
"""

from collections.abc import Callable


class Sentence:
    """English with named placeholders, and what fills them: values, sentences, or a tuple of sentences.

    A value may be text that others wrote: it is made visible, in one line.
    """

    __slots__ = ("english", "values")

    def __init__(self, english: str, /, **values: object) -> None:
        """Keep the parts: once put together they cannot be translated."""
        self.english = english
        self.values = values

    def __str__(self) -> str:
        """Say it in English."""
        return self.said(str)

    def __repr__(self) -> str:
        """Show what it says."""
        return f"{type(self).__name__}({str(self)!r})"

    def said(self, translate: Callable[[str], str]) -> str:
        """Say it in the language that `translate` puts English into, with all that it is made of."""
        filled = {name: _said(value, translate) for name, value in self.values.items()}
        return translate(self.english).format(**filled)


def _said(value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, tuple):
        return "; ".join(str(_said(each, translate)) for each in value)
    return value.said(translate) if isinstance(value, Sentence) else visible(str(value))


class SentenceError(Exception):
    """An error that a person may read, in their language."""

    def __init__(self, sentence: Sentence) -> None:
        """`str` of the error is that of the sentence."""
        super().__init__(sentence)
        self.sentence = sentence


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
