"""A dialect: how one mail program, in one version and configuration, reads and writes.

It is data.  The words are compiled into machines by `lines.machine` and `lines.stages`; no product is a branch in code.
"""

from dataclasses import dataclass
from typing import Final, Literal

NORMAL: Final = "normal"
"""The mode in which every reader starts."""

OVERSIZE: Final = "oversize"
"""The trigger of a `goes` entry that is no pattern: the message passed the size limit."""


@dataclass(frozen=True, slots=True)
class Then:
    """What follows an end, as the row words it: "accept, commands", "refuse 451, commands", "refuse 550, close"."""

    accepted: bool
    code: int
    goes_on: Literal["commands", "commands after edge", "content", "close"]
    """`commands after edge`: whatever is already buffered behind the end makes it close and drop the message.
    `content`: it answers and reads on as at the start of content, so that the commands behind the end, and the next
    message, are content of one that has the envelope of this one."""
    envelope_kept: bool = False
    """The reverse-path and the forward-paths survive the end."""


@dataclass(frozen=True, slots=True)
class End:
    """One way to end the content: a pattern with one dot, and what follows."""

    on: str
    then: Then


@dataclass(frozen=True, slots=True)
class Mode:
    """How the reader reads until something moves it to another mode."""

    ends: tuple[End, ...]
    goes: tuple[tuple[str, "str | Then"], ...] = ()
    """From a pattern, or from the trigger `oversize`, to the name of a mode, or to an answer at once."""
    rejects: bool = False
    """Content is read on, but the message will be refused at its end."""


@dataclass(frozen=True, slots=True)
class ReaderDialect:
    """What ends a line and a message for one program."""

    modes: tuple[tuple[str, Mode], ...]
    lines: tuple[str, ...] = ("CR LF",)
    """What ends a command line."""
    start: str = "CR LF"
    """What the reader behaves as if it had just read when content begins."""
    change: tuple[str, ...] = ("unstuff after CR LF",)
    """Stages from wire to content, in their order."""


@dataclass(frozen=True, slots=True)
class WriterDialect:
    """From content to wire; the order of the stages is where the holes are."""

    stages: tuple[str, ...]
    ended: str = "CR LF"
    """What the writer takes for a line already ended when it comes to the end of the content."""
    final: str = ". CR LF"
    """What it writes last, on a line of its own."""
    closing: tuple[tuple[str, str], ...] = ()
    """What it writes last instead where the wire ends in a pattern, asked before `ended`; `^` is an empty content."""
    passes_on: bool = False
    """It writes what its own reader has read as it came, stuffed dots and all: a relay, and never a first writer."""


@dataclass(frozen=True, slots=True)
class Source:
    """Why a field says what it says."""

    field: str
    tag: Literal["document", "code", "learned", "seen"]
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field that is not known, with each value that it may have; none means that nothing is known of it."""

    field: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One row."""

    id: str
    product: str
    versions: tuple[str, ...]
    settings: str = ""
    """The configuration that makes the program behave so, in its own words."""
    offers: frozenset[str] = frozenset()
    reader: ReaderDialect | None = None
    writer: WriterDialect | None = None
    evidence: tuple[Source, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    alternatives: "tuple[Dialect, ...]" = ()
    """The row with its unknown fields filled in, once for each value that they may have; the loader fills them."""

    def candidates(self) -> "tuple[Dialect, ...]":
        """Give each row that this one may be; none where a field has no known values."""
        if any(not field.values for field in self.unknown):
            return ()
        return self.alternatives or (self,)


STRICT: Final = Dialect(
    id="strict",
    product="RFC 5321",
    versions=(),
    reader=ReaderDialect(
        modes=((NORMAL, Mode(ends=(End("CR LF . CR LF", Then(accepted=True, code=250, goes_on="commands")),))),)
    ),
    writer=WriterDialect(stages=("CR LF -> CR LF; CR -> SP; LF -> CR LF; NUL -> SP", "stuff after CR LF")),
)
"""The standard itself, and what our own reader and writer are held against."""
