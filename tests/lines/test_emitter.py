"""Writers compiled from rows: what they put on the wire, and how they end it."""

from hypothesis import given

from tests.strategies import words
from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.symbol import Word, spell, symbols
from tidewaiter.lines.writer import Writer
from tidewaiter.model.dialect import WriterDialect
from tidewaiter.smuggling.path import written


@given(words(9))
def test_a_row_that_stuffs_as_we_do_writes_what_our_writer_writes(content: Word) -> None:
    ours = Writer()
    wire = ours.write(spell(content)) + ours.finish()
    assert spell(written(emitter(WriterDialect(("stuff after CR LF",))), content)) == wire


def test_a_writer_may_take_less_for_a_line_end() -> None:
    lax = emitter(WriterDialect((), ended="LF"))
    assert spell(written(lax, symbols(b"x\n"))) == b"x\n.\r\n"
    assert spell(written(lax, symbols(b"x"))) == b"x\r\n.\r\n"
    assert spell(written(lax, ())) == b".\r\n"


def test_a_writer_may_close_what_is_half_closed_in_its_own_way() -> None:
    row = WriterDialect((), ended="LF", closing=(("^", "CR LF . CR LF"), ("CR", "LF . CR LF")))
    assert spell(written(emitter(row), ())) == b"\r\n.\r\n"
    assert spell(written(emitter(row), symbols(b"x\r"))) == b"x\r\n.\r\n"
    assert spell(written(emitter(row), symbols(b"x\r\n"))) == b"x\r\n.\r\n"
    assert spell(written(emitter(row), symbols(b"\rx"))) == b"\rx\r\n.\r\n"


def test_a_count_is_scaled_down_unless_the_real_one_is_asked_for() -> None:
    row = WriterDialect(("fold 998 with CR LF",))
    assert spell(written(emitter(row), symbols(b"x" * 6))) == b"xxxxx\r\nx\r\n.\r\n"
    assert spell(written(emitter(row, scaled=False), symbols(b"x" * 6))) == b"xxxxxx\r\n.\r\n"
