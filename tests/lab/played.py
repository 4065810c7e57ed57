"""Programs played by the rig, to be learned and questioned: readings that real programs have had."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tidewaiter.lab.target import Target
from tidewaiter.model.dialect import NORMAL, OVERSIZE, STRICT, End, Mode, ReaderDialect, Then
from tidewaiter.rig.player import Player, playing

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPT: Final = Then(accepted=True, code=250, goes_on="commands")
REFUSE: Final = Then(accepted=False, code=451, goes_on="commands")
CLOSE: Final = Then(accepted=False, code=421, goes_on="close")
LATE: Final = Then(accepted=False, code=550, goes_on="commands")
STAYS: Final = Then(accepted=False, code=552, goes_on="content", envelope_kept=True)
AT_ONCE: Final = Then(accepted=True, code=250, goes_on="commands after edge")
SIZE: Final = 500

assert STRICT.reader
PLAYED: Final[dict[str, ReaderDialect]] = {
    "strict": STRICT.reader,
    "ends at LF": ReaderDialect(modes=((NORMAL, Mode((End("LF . CR* LF", ACCEPT),))),), lines=("CR LF", "LF")),
    "refuses an odd end and reads on": ReaderDialect(
        modes=((NORMAL, Mode((End("CR LF . CR LF", ACCEPT), End("LF . CR LF", ACCEPT), End("LF . LF", REFUSE)))),)
    ),
    "refuses a bare LF at the end": ReaderDialect(
        modes=(
            (NORMAL, Mode((End("CR LF . CR LF", ACCEPT),), (("!CR LF", "bad"), ("^ LF", "bad")))),
            ("bad", Mode((End("CR LF . CR LF", LATE),), rejects=True)),
        )
    ),
    "closes on a bare CR or LF": ReaderDialect(
        modes=((NORMAL, Mode((End("CR LF . CR LF", ACCEPT),), (("CR !LF", CLOSE), ("!CR LF", CLOSE)))),)
    ),
    "laxer past its size limit": ReaderDialect(
        modes=(
            (NORMAL, Mode((End("CR LF . CR LF", ACCEPT),), ((OVERSIZE, "discard"),))),
            ("discard", Mode((End("LF . CR? LF", LATE),), rejects=True)),
        )
    ),
    "stays in DATA past its size limit": ReaderDialect(
        modes=(
            (NORMAL, Mode((End("CR LF . CR LF", ACCEPT),), ((OVERSIZE, "too big"),))),
            ("too big", Mode((End("CR LF . CR LF", STAYS),), rejects=True)),
        ),
        start="",
    ),
    "drops what is buffered behind an end": ReaderDialect(
        modes=((NORMAL, Mode((End("LF . LF", AT_ONCE), End("CR LF . CR LF", AT_ONCE)))),)
    ),
}


@contextmanager
def played(reader: ReaderDialect, *, lmtp: bool = False) -> Iterator[tuple[asyncio.Runner, Target]]:
    """Play a reader on loopback; the runner holds its loop."""
    player = Player(reader, size=SIZE, lmtp=lmtp)
    with asyncio.Runner() as runner:
        listening = playing(player)
        port = runner.run(listening.__aenter__())
        try:
            yield runner, Target("127.0.0.1", port, "me@mine.test", lmtp=lmtp, pause=0.05)
        finally:
            runner.run(listening.__aexit__(None, None, None))
