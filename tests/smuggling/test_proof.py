"""The proof, from our own code, that what we write has one end under every dialect (promise 2).

The full counts are the soak's.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.smuggling.faulty import (
    REPAIR,
    BareCr,
    BareLf,
    EndInALine,
    ForgetsAtEdges,
    ForgetsItsEnd,
    Honest,
    NeverEnds,
    NoEnd,
    Nul,
    OneByte,
    SecondEnd,
    StuffsOnce,
    StuffsTwice,
    Unstuffed,
    WritesWith,
)
from tests.smuggling.rows import ACCEPT, CLEAN, CLOSING, DISCARDING, EDGY, LAX, LOOSE, REFUSE, STAYING
from tests.strategies import BYTE_POSITIONS
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lines.scan import DATA_START
from tidewaiter.model.dialect import NORMAL, OVERSIZE, STRICT, End, Mode, ReaderDialect, Unknown
from tidewaiter.model.position import STRANGERS_DATA, Position, Positions
from tidewaiter.smuggling.ours import Ours
from tidewaiter.smuggling.proof import ProofError, compose, prove_classes, prove_cuts, prove_ends, prove_written, states

BOTH = [pytest.param(False, id="DATA"), pytest.param(True, id="BDAT")]
WITHOUT_NOTE = [where for where in BYTE_POSITIONS if Position.NOTE not in (where.bare_lf, where.bare_cr, where.nul)]
ALIKE = [where for where in BYTE_POSITIONS if where.bare_lf is where.bare_cr is where.nul]


def counter_example(prove: Callable[..., int], *arguments: object) -> str | None:
    """What the proof stumbled over; a proof that compared nothing stumbles too."""
    try:
        return None if prove(*arguments) > 1 else "nothing was compared"
    except ProofError as found:
        return str(found)


def name(where: Positions) -> str:
    return "-".join(each.value for each in (where.bare_lf, where.bare_cr, where.nul))


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", BYTE_POSITIONS, ids=name)
def test_every_byte_behaves_as_its_class(where: Positions, counted: bool) -> None:
    assert counter_example(prove_classes, Ours(where, counted)) is None


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", ALIKE, ids=name)
def test_slicing_never_changes_what_is_written_from_any_state(where: Positions, counted: bool) -> None:
    assert counter_example(prove_cuts, Ours(where, counted), 4) is None


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", BYTE_POSITIONS, ids=name)
def test_slicing_never_changes_what_is_written_in_full(where: Positions, counted: bool) -> None:
    assert counter_example(prove_cuts, Ours(where, counted)) is None


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", WITHOUT_NOTE, ids=name)
def test_what_we_write_has_exactly_one_end_without_any_row(where: Positions, counted: bool) -> None:
    assert counter_example(prove_written, Ours(where, counted)) is None


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", BYTE_POSITIONS, ids=name)
def test_nothing_can_be_smuggled_through_us_in_any_position(where: Positions, counted: bool) -> None:
    rows = (STRICT, LAX, LOOSE, CLEAN, CLOSING, DISCARDING)
    told = {each.row: each.verdict for each in compose(Ours(where, counted), rows)}
    assert told.pop("closing") == "unsafe behind any writer", "it never sees the standard's end"
    assert set(told.values()) == {"safe"}


@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", BYTE_POSITIONS, ids=name)
def test_the_end_is_seen_whatever_came_before_it(where: Positions, counted: bool) -> None:
    assert counter_example(prove_ends, Ours(where, counted)) is None


def refuted_by(ours: Ours) -> set[str]:
    """What of the proof finds fault with a gateway."""
    found = {prove.__name__ for prove in (prove_classes, prove_written, prove_ends) if counter_example(prove, ours)}
    found |= {"prove_cuts"} if counter_example(prove_cuts, ours, 4) else set()
    told = compose(ours, (STRICT, LAX, LOOSE, CLEAN))
    return found | {f"{each.verdict} on {each.row}" for each in told if each.verdict != "safe"}


@pytest.mark.parametrize(
    ("fault", "refuted"),
    [
        (Honest, set()),
        (BareCr, {"prove_written", "attack on clean"}),
        (BareLf, {"prove_written", "attack on lax", "attack on loose"}),
        (Nul, {"prove_written"}),
        (Unstuffed, {"prove_written", "attack on strict", "attack on lax", "attack on loose", "attack on clean"}),
        (ForgetsAtEdges, {"prove_cuts", "prove_written", "attack on strict"}),
        (StuffsOnce, {"prove_cuts"}),
        (StuffsTwice, {"prove_cuts"}),
        (SecondEnd, {"prove_written", "attack on strict"}),
        (NoEnd, {"prove_written", "attack on strict"}),
        (OneByte, {"prove_classes"}),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else "",
)
@pytest.mark.parametrize("counted", BOTH)
def test_a_writer_with_a_fault_is_refuted(fault: type[Honest], refuted: set[str], counted: bool) -> None:
    assert refuted_by(WritesWith(REPAIR, counted, fault)) >= refuted
    assert fault is not Honest or not refuted_by(WritesWith(REPAIR, counted, fault))


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        (WritesWith(REPAIR, by=Nul), "an odd byte is written: "),
        (WritesWith(REPAIR, by=Unstuffed), "a line opens with one dot: "),
        (WritesWith(REPAIR, by=NoEnd), "the end is written as "),
        (WritesWith(REPAIR, counted=True, by=EndInALine), "the end does not stand on a line of its own: "),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_the_proof_found_is_said(ours: Ours, words: str) -> None:
    found = counter_example(prove_written, ours)
    assert found
    assert found.startswith(words)


def test_an_end_that_stands_in_a_line_is_refuted_where_content_need_not_end_in_one() -> None:
    assert refuted_by(WritesWith(REPAIR, counted=True, by=EndInALine)) >= {"prove_written", "attack on strict"}


@pytest.mark.parametrize(
    ("ours", "refuted"),
    [(NeverEnds(REPAIR), True), (ForgetsItsEnd(STRANGERS_DATA), True), (Ours(STRANGERS_DATA), False)],
    ids=lambda each: type(each).__name__,
)
def test_a_reader_that_loses_the_end_is_refuted(ours: Ours, refuted: bool) -> None:
    assert bool(counter_example(prove_ends, ours)) is refuted


def test_a_row_that_is_not_known_is_not_left_out_of_the_proof() -> None:
    unknown = replace(STRICT, id="unknown", unknown=(Unknown("reader.normal.ends"),))
    told = [(each.row, each.verdict, str(each.answer.why)) for each in compose(Ours(Positions()), (unknown,))]
    assert told == [("unknown", "could not tell", "unknown: a field that decides is unknown")]


def test_a_program_that_stays_in_data_past_its_limit_is_safe_for_what_it_offers_to_take() -> None:
    told = [each.verdict for each in compose(Ours(REPAIR), (STAYING,))]
    assert told == ["safe within its size limit"]


def test_what_passing_its_limit_does_to_a_row_excuses_no_attack_below_it() -> None:
    strict = Mode(ends=(End("CR LF . CR LF", ACCEPT),), goes=((OVERSIZE, "discard"),))
    discard = Mode(ends=(End("!CR . CR LF", REFUSE),))
    row = replace(STRICT, id="far", reader=ReaderDialect(((NORMAL, strict), ("discard", discard))))
    (honest,) = compose(Ours(REPAIR), (row,))
    (faulty,) = compose(WritesWith(REPAIR, by=Unstuffed), (row,))
    assert (honest.verdict, faulty.verdict) == ("safe within its size limit", "attack")


@pytest.mark.slow
@pytest.mark.parametrize("counted", BOTH)
@pytest.mark.parametrize("where", BYTE_POSITIONS, ids=name)
def test_every_known_program_behind_us_is_safe_for_every_input(where: Positions, counted: bool) -> None:
    told = list(compose(Ours(where, counted), dialects().values()))
    assert told
    assert {each.row for each in told if each.verdict == "unsafe behind any writer"} == {"hmailserver-5.7"}
    assert {each.row for each in told if each.verdict == "safe within its size limit"} == {"smtpd-3.11"}
    assert {each.verdict for each in told} == {"safe", "safe within its size limit", "unsafe behind any writer"}


def test_a_row_that_cannot_read_the_standard_is_named_and_not_counted_as_ours() -> None:
    (told,) = compose(Ours(Positions()), (EDGY,))
    assert told.verdict == "unsafe behind any writer"


def test_the_states_are_found_by_feeding_the_code() -> None:
    found = states(Ours(Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR)))
    assert found[0].reading == DATA_START
    assert {state.reading.held for state in found} == {b"", b"\r", b"\n", b"\0", b"\r\n", b"\r\n.", b"\r\n.\r"}


def test_noting_is_not_provable_without_rows_and_says_so() -> None:
    with pytest.raises(ProofError, match="odd byte"):
        prove_written(Ours(Positions(Position.NOTE, Position.NOTE, Position.NOTE)))
