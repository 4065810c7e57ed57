from tests.lines.test_machine import DRAWN
from tests.lines.test_written import TOY
from tidewaiter.cli import machine_text


def test_a_machine_can_be_read_as_a_table() -> None:
    assert machine_text.reader(DRAWN).splitlines() == [
        "state  CR  LF  .  NUL  SP  x                says",
        "    0   1   1  1    1   1  1             content",
        "    1   0   2  3    4   1  1             rejects",
        "    2   2   2  2    2   2  2               ended",
        "    3   3   3  3    3   3  3  ended and rejected",
        "    4   0   4  4    4   4  4              closed",
    ]


def test_a_writer_can_be_read_as_a_table() -> None:
    assert machine_text.writer(TOY).splitlines() == [
        "state  CR       LF            .        NUL      SP      x      at the end",
        "0      CR > 0   CR LF > 1     . > 0    - > 0    SP > 0  x > 0  CR LF . CR LF",
        "1      refused  CR LF CR > 1  . . > 0  refused  SP > 0  x > 0  . CR LF",
    ]
