"""What is said to a person about text that others wrote: in one line, and with nothing in it that a terminal obeys."""


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
