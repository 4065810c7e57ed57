"""The proof with the header section: each way in which it may go on behind our `Received` is walked (promise 2)."""

from dataclasses import dataclass

import pytest

from tests.conftest import Count
from tests.smuggling.rows import CLEAN, LAX, LOOSE
from tests.smuggling.test_proof import ALIKE, BOTH, WITHOUT_NOTE, counter_example, name
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lines import header
from tidewaiter.lines.symbol import FINE, REPRESENTATIVE
from tidewaiter.model.dialect import STRICT
from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, Position, Positions
from tidewaiter.smuggling.headed import SCALED, Headed, header_states, prove_header_classes, prove_header_cuts
from tidewaiter.smuggling.ours import Block, State
from tidewaiter.smuggling.proof import compose, prove_written

PLACES = [pytest.param(STRANGERS_DATA, False, id="DATA"), pytest.param(STRANGERS_BDAT, True, id="BDAT")]


def test_every_byte_behaves_as_its_class_in_the_header_section() -> None:
    assert counter_example(prove_header_classes) is None


def test_slicing_never_changes_where_the_header_section_ends(count: Count) -> None:
    depth = count("bytes of each word by which the header section is cut", 3, 6)
    assert counter_example(prove_header_cuts, depth) is None


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", [where for where in WITHOUT_NOTE if where in ALIKE], ids=name)
def test_what_we_write_has_exactly_one_end_whatever_was_written_in(where: Positions, counted: bool) -> None:
    assert counter_example(prove_written, Headed(where, counted)) is None


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", ALIKE, ids=name)
def test_nothing_can_be_smuggled_past_what_was_written_in(where: Positions, counted: bool) -> None:
    told = {each.row: each.verdict for each in compose(Headed(where, counted), (STRICT, LAX, LOOSE, CLEAN))}
    assert set(told.values()) == {"safe"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("where", "counted"), PLACES)
def test_every_known_program_behind_us_is_safe_whatever_was_written_in(where: Positions, counted: bool) -> None:
    told = list(compose(Headed(where, counted), dialects().values()))
    assert {each.row for each in told if each.verdict == "unsafe behind any writer"} == {"hmailserver-5.7"}
    assert {each.verdict for each in told} <= {"safe", "safe within its size limit", "unsafe behind any writer"}


def test_every_prefix_and_the_inserted_line_are_among_what_is_walked() -> None:
    steps = [header.step(state, REPRESENTATIVE[symbol], SCALED) for state in header_states() for symbol in FINE]
    written = {said.content[: len(header.MAILBOX_LINE)] for said in steps if said.odd >= 0}
    assert header.MAILBOX_LINE in written
    assert {said.state.place for said in steps if said.odd >= 0} >= {header.INSIDE, header.BODY}
    places = {state.place for state in header_states()}
    assert places == {header.START, header.LINE, header.INSIDE, header.BODY}


@dataclass(frozen=True)
class WritesLf(Headed):
    """Another line end where a line was written in."""

    def pass_on(self, state: State, block: bytes) -> Block:
        said = super().pass_on(state, block)
        wrote = state.header.place != header.BODY and said.state.header.place == header.BODY
        return said._replace(wire=said.wire.replace(b"\r\n", b"\n", 1)) if wrote else said


def test_a_line_that_is_written_in_wrongly_is_refuted() -> None:
    ours = WritesLf(Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR))
    assert "an odd byte is written" in str(counter_example(prove_written, ours))
