"""The loader, fed anything: a row that was written comes back as it was, and a broken one is told, never a crash."""

import copy
import dataclasses
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.knowledge.dialects import dialects, row
from tidewaiter.knowledge.table import DATA, KnowledgeError, read_toml
from tidewaiter.knowledge.vectors import BYTES, spell, spell_out, vectors
from tidewaiter.model.dialect import Dialect, Mode, Then

RAW = {
    name: tomllib.loads((DATA / "dialects" / f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("exim-4.96", "cisco-esa-clean", "sendmail-8.17")
}
VALUES = st.one_of(
    st.none().map(lambda _: {}), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just([{}]),
    st.just(["accept, commands"]), st.sampled_from(["refuse, commands", "swallow", "normal", "^", "CR ->", "oversize"]),
)  # fmt: skip


def places(raw: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document at which a value stands."""
    items: list[tuple[Any, Any]] = []
    if isinstance(raw, dict):
        items = list(raw.items())
    elif isinstance(raw, list):
        items = list(enumerate(raw))
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


@given(st.data())
def test_a_row_broken_anywhere_is_a_row_or_a_message(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(RAW)))
    raw: Any = copy.deepcopy(RAW[name])
    *way, last = data.draw(st.sampled_from(places(raw)[1:]))
    table = raw
    for key in way:
        table = table[key]
    if isinstance(table, dict) and data.draw(st.booleans()):
        table[data.draw(st.text(max_size=8))] = table.pop(last)
    else:
        table[last] = data.draw(VALUES)
    told = None
    try:
        row(raw, f"{name}.toml")
    except KnowledgeError as error:
        told = str(error)
    assert told is None or told.startswith(f"{name}.toml: ")


@pytest.mark.parametrize("name", dialects())
def test_a_row_that_is_written_is_read_back_as_it_was(name: str) -> None:
    assert row(written(dialects()[name]), f"{name}.toml") == dialects()[name]


def written(dialect: Dialect) -> dict[str, Any]:
    """A row as its file holds it."""
    raw = dataclasses.asdict(dialect)
    del raw["alternatives"]
    if dialect.reader:
        modes = raw["reader"].pop("modes")
        raw["reader"] |= {
            mode_name: mode_written(mode, raw_mode)
            for (mode_name, mode), (_, raw_mode) in zip(dialect.reader.modes, modes, strict=True)
        }
    if dialect.writer:
        raw["writer"]["closing"] = dict(dialect.writer.closing)
    raw["offers"] = list(dialect.offers)
    return {key: value for key, value in raw.items() if value is not None}


def mode_written(mode: Mode, raw: dict[str, Any]) -> dict[str, Any]:
    goes = {on: to if isinstance(to, str) else sentence(to) for on, to in mode.goes}
    return raw | {"ends": [{"on": end.on, "then": sentence(end.then)} for end in mode.ends], "goes": goes}


def sentence(then: Then) -> str:
    said = "accept" if then.accepted else "refuse"
    return f"{said} {then.code}, {then.goes_on}" + ", envelope kept" * then.envelope_kept


def test_bytes_are_spelt_as_they_are_typed_and_parts_are_put_in_their_places() -> None:
    assert spell("{a}\r\n\0\x85{a}", {"a": ".\n"}) == b".\n\r\n\0\x85.\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [("{haed}", "there is no part {haed}; did you mean `head`?"), ("\N{LINE SEPARATOR}", "is no byte")],
)
def test_a_part_that_is_not_there_and_a_character_that_is_no_byte_are_told(text: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as told:
        spell(text, {"head": "x"})
    assert message in str(told.value)


@given(st.binary(max_size=30).filter(lambda data: b"{" not in data))
def test_every_byte_can_be_typed(data: bytes) -> None:
    assert spell_out({key: data.decode("latin-1") for key in BYTES}, {}) == dict.fromkeys(BYTES, data)


def test_the_files_hold_no_byte_that_a_tool_could_repair() -> None:
    for file in (DATA / "vectors.toml", *(DATA / "dialects").iterdir()):
        text = file.read_bytes()
        assert not set(text) - set(range(0x20, 0x7F)) - {0x0A}, file.name
        assert b" \n" not in text, file.name


def test_what_is_no_toml_is_told_with_its_file(tmp_path: Any) -> None:
    for number, content in enumerate((b"id = ", b"\xff")):
        file = tmp_path / f"row-{number}.toml"
        file.write_bytes(content)
        with pytest.raises(KnowledgeError, match=rf"row-{number}\.toml: "):
            read_toml(file)


def test_no_two_vectors_have_one_name_and_every_claim_is_said() -> None:
    assert len(vectors()) > 100
    assert all(vector.claim for vector in vectors().values())
