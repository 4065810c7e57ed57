"""The compiler of rows: words of the row's language, right and wrong, and what the compiled machines then do.

Each input byte is one token of the language, so a few bytes spell a row; a wrong row may only raise PatternError.
"""

import re

from tidewaiter.lines.ends import ends
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.pattern import PatternError
from tidewaiter.lines.symbol import spell, symbols
from tidewaiter.lines.table import table_of
from tidewaiter.model.dialect import NORMAL, STRICT, Dialect, End, Mode, ReaderDialect, Then
from tidewaiter.smuggling.product import smuggle

PARTS = ("src/tidewaiter/lines/pattern.py", "src/tidewaiter/lines/machine.py", "src/tidewaiter/lines/ends.py")
VECTORS: tuple[str, ...] = ()  # it says rows, and of a wire only the classes of its bytes
TOKENS = ("CR", "LF", ".", "NUL", "SP", "x", "any", "!", "(", ")", "|", "*", "?", "+", "^", "EDGE", "CRLF", "#")
_LETTER = {"CR": "\\r", "LF": "\\n", ".": "\\.", "NUL": "\\0", "SP": " ", "x": "x", "any": "[\\0-\\xff]"}
_THEN = Then(accepted=True, code=250, goes_on="commands")
_SPLIT = 0xFF


def says(wire: bytes) -> bytes:
    """The input that reads `wire` with the lax row `LF . CR* LF`."""
    return bytes(TOKENS.index(token) for token in ("LF", ".", "CR", "*", "LF")) + bytes([_SPLIT]) + wire


SEEDS = [
    says(b"a\n.\r\nb\r\n.\r\n"),
    bytes([0, 1, 2, 0, 1, _SPLIT]) + b"a\r\n.\r\n",
    bytes([8, 0, 10, 1, 9, 2, 1, _SPLIT]) + b"\r.\n",
]


def one_input(data: bytes) -> None:
    """Compile one row and hold it against an expression over the whole wire."""
    spelled, _, wire = data.partition(bytes([_SPLIT]))
    words = [TOKENS[byte % len(TOKENS)] for byte in spelled[:8]]
    reader = ReaderDialect(((NORMAL, Mode(ends=(End(" ".join(words), _THEN),))),))
    try:
        splitter = Splitter(reader)
    except PatternError:
        return
    wire = spell(symbols(wire[:64]))
    found = ends(splitter).find(wire)
    said = table_of(splitter).says(symbols(wire))
    assert (found is not None) == (said == "ended"), "the two forms of one machine disagree"
    if not {"!", "^", "EDGE"} & set(words):
        _against_an_expression(words, wire, found.stop if found else None)
    if "EDGE" in words:
        return  # a pattern that asks for edges in many places has states without end, and no row does
    answer = smuggle(STRICT, (), Dialect("row", "row", (), reader=reader))
    assert answer.verdict in ("safe", "attack"), answer.why


def _against_an_expression(words: list[str], wire: bytes, stop: int | None) -> None:
    before, _, behind = " ".join(words).partition(".")
    if re.search(r"[*?+] [*?+]", " ".join(words)):
        return  # no expression of Python's may repeat a repetition; ours mean nothing new by it
    both = [re.compile("".join(_LETTER.get(word, word) for word in part.split()).encode()) for part in (before, behind)]
    told = b"\r\n" + wire
    dots = [at for at, byte in enumerate(told) if byte == ord(".") and _ends_at(both[0], told, at) and at >= 2]
    stops = [
        at for at in range(2, len(told) + 1) if any(both[1].fullmatch(told, dot + 1, at) for dot in dots if dot < at)
    ]
    assert (stops[0] - 2 if stops else None) == stop, "the content ends elsewhere"


def _ends_at(pattern: "re.Pattern[bytes]", told: bytes, stop: int) -> bool:
    return any(pattern.fullmatch(told, start, stop) for start in range(stop + 1))
