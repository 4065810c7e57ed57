"""A few rows written for tests; the real ones are in knowledge."""

from tidewaiter.model.dialect import NORMAL, OVERSIZE, Dialect, End, Mode, ReaderDialect, Then, WriterDialect

ACCEPT = Then(accepted=True, code=250, goes_on="commands")
REFUSE = Then(accepted=False, code=552, goes_on="commands")
CLOSE = Then(accepted=False, code=451, goes_on="close")


def reader(name: str, *on: str, then: Then = ACCEPT, change: tuple[str, ...] = ("unstuff after CR LF",)) -> Dialect:
    mode = Mode(ends=tuple(End(each, then) for each in on))
    return Dialect(name, name, (), reader=ReaderDialect(((NORMAL, mode),), ("CR LF", "LF"), change=change))


def writer(name: str, *stages: str) -> Dialect:
    return Dialect(name, name, (), writer=WriterDialect(stages))


STRICT_END = "CR LF . CR LF"
LAX = reader("lax", "LF . CR* LF", change=("unstuff after LF", "CR* LF -> LF"))
LOOSE = reader("loose", STRICT_END, "LF . CR LF")
CLOSING = reader("closing", "LF . LF", then=CLOSE)
CLEAN = reader("clean", "CR . CR", STRICT_END)
EDGY = reader("edgy", "EDGE . CR LF", STRICT_END)
DISCARDING = Dialect(
    "discarding", "discarding", (),
    reader=ReaderDialect(
        (
            (NORMAL, Mode(ends=(End(STRICT_END, ACCEPT),), goes=((OVERSIZE, "discard"),))),
            ("discard", Mode(ends=(End("LF . LF", REFUSE), End("LF . CR LF", REFUSE)))),
        )
    ),
)  # fmt: skip

PASSING = writer("passing", "stuff after CR LF")
CAREFUL = writer("careful", "CR LF -> CR LF; LF -> CR LF; CR -> SP", "stuff after CR LF")
MANUFACTURING = writer("manufacturing", "stuff after CR LF", "CR LF -> CR LF; CR -> CR LF")
STAYING = Dialect(
    "staying", "staying", (),
    reader=ReaderDialect(
        (
            (NORMAL, Mode(ends=(End(STRICT_END, ACCEPT),), goes=((OVERSIZE, "too big"),))),
            ("too big", Mode(ends=(End(STRICT_END, Then(accepted=False, code=552, goes_on="content")),))),
        )
    ),
)  # fmt: skip
