"""Every row is well made: its words parse, its ends have one dot, and each field says where it is known from."""

import datetime as dt
import tomllib
from typing import Any

import pytest

from tidewaiter.knowledge.dialects import dialect, dialects, row, then
from tidewaiter.knowledge.table import DATA, KnowledgeError
from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.pattern import word
from tidewaiter.lines.stages import pipeline
from tidewaiter.lines.symbol import symbols
from tidewaiter.model.dialect import Dialect, Then

ROWS = dialects()
READERS = [name for name, found in ROWS.items() if found.reader]
WRITERS = [name for name, found in ROWS.items() if found.writer]

BOOTED = (
    "postfix", "exim", "sendmail", "opensmtpd", "haraka", "aiosmtpd", "smtp-server", "smtpd", "dovecot",
    "nodemailer", "smtplib", "curl",
)  # fmt: skip
"""The programs that can be asked here, of which no field may be unknown."""


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / "dialects" / f"{name}.toml").read_text(encoding="utf-8"))


def known_fields(found: Dialect) -> list[str]:
    fields = ["offers"] if found.offers else []
    if found.reader:
        fields += [
            "reader.lines",
            "reader.start",
            "reader.change",
            *(f"reader.{name}" for name, _ in found.reader.modes),
        ]
    if found.writer:
        fields += ["writer.stages", "writer.ended", "writer.final"]
    return fields


@pytest.mark.parametrize("name", READERS)
def test_every_reader_compiles_and_ends_at_the_standard_end(name: str) -> None:
    reader = ROWS[name].reader
    assert reader is not None
    pipeline(reader.change)
    splitter = Splitter(reader)
    state = splitter.start
    reads = []
    for symbol in symbols(b"x\r\n.\r\n"):
        reads.append(splitter.feed(state, symbol))
        state = reads[-1].state
    assert not any(read.end for read in reads[:-2])
    # A program to which CR alone ends a line has ended before the LF comes; one that asks for an edge waits for it.
    assert splitter.sees_edges or any(read.end and read.end.accepted for read in reads[-2:])


@pytest.mark.parametrize("name", READERS)
def test_every_end_has_one_dot(name: str) -> None:
    reader = ROWS[name].reader
    assert reader is not None
    for _, mode in reader.modes:
        assert mode.ends
        assert all(end.on.count(".") == 1 for end in mode.ends)


@pytest.mark.parametrize("name", READERS)
def test_every_mode_can_be_reached(name: str) -> None:
    reader = ROWS[name].reader
    assert reader is not None
    targets = {to for _, mode in reader.modes for _, to in mode.goes}
    assert {mode for mode, _ in reader.modes} - targets <= {"normal"}


@pytest.mark.parametrize("name", READERS)
def test_a_mode_that_rejects_accepts_nothing(name: str) -> None:
    reader = ROWS[name].reader
    assert reader is not None
    assert not any(end.then.accepted for _, mode in reader.modes if mode.rejects for end in mode.ends)


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_compiles_and_writes_the_standard_end(name: str) -> None:
    writer = ROWS[name].writer
    assert writer is not None
    written = emitter(writer)
    state = written.start
    for symbol in symbols(b"x\r\n"):
        state = written.feed(state, symbol).state
    assert written.finish(state)[-3:] == word(". CR LF")


@pytest.mark.parametrize("name", ROWS)
def test_every_field_has_evidence_with_a_date(name: str) -> None:
    found = ROWS[name]
    told = [source.field for source in found.evidence]
    for field in known_fields(found):
        assert any(field == place or field.startswith(f"{place}.") for place in told), field
    for source in found.evidence:
        assert source.source
        assert dt.date.fromisoformat(source.date) >= dt.date(2026, 11, 24)


@pytest.mark.parametrize("name", ROWS)
def test_evidence_speaks_of_fields_that_are_there(name: str) -> None:
    written = raw(name)
    for source in ROWS[name].evidence:
        table: Any = written
        for key in source.field.split("."):
            assert key in table
            table = table[key]


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith(BOOTED)])
def test_nothing_is_unknown_of_a_program_that_can_be_booted(name: str) -> None:
    assert not ROWS[name].unknown


def test_ids_are_the_names_of_the_files() -> None:
    assert all(found.id == name for name, found in ROWS.items())


def test_an_unknown_field_makes_a_row_for_each_of_its_values() -> None:
    clean = dialect("cisco-esa-clean")
    assert len(clean.alternatives) == 2
    stages = [found.writer.stages[0] for found in clean.candidates() if found.writer]
    assert stages == ["CR LF -> CR LF; CR -> CR LF; LF -> CR LF", "stuff after CR LF"]
    assert all(not found.unknown for found in clean.alternatives)


SENTENCES = {
    "accept, commands": Then(accepted=True, code=250, goes_on="commands"),
    "accept 252, close": Then(accepted=True, code=252, goes_on="close"),
    "accept, commands after edge": Then(accepted=True, code=250, goes_on="commands after edge"),
    "refuse 552, content": Then(accepted=False, code=552, goes_on="content"),
    "refuse 451, close": Then(accepted=False, code=451, goes_on="close"),
    "refuse 500, commands, envelope kept": Then(accepted=False, code=500, goes_on="commands", envelope_kept=True),
}


@pytest.mark.parametrize("words", SENTENCES)
def test_what_follows_an_end_reads_as_it_is_written(words: str) -> None:
    assert Then(**then(words, "here")) == SENTENCES[words]


@pytest.mark.parametrize("words", ["", "accept", "refuse, commands", "refuse 99, commands", "accept, commands, close"])
def test_another_sentence_is_an_error_that_names_its_place(words: str) -> None:
    with pytest.raises(KnowledgeError, match=r"`reader\.normal\.ends\[0\]\.then`"):
        then(words, "reader.normal.ends[0].then")


BROKEN = {
    "`reader.normal` is missing": lambda row: row["reader"].pop("normal"),
    "`reader.chnage` is no key here; did you mean `change`?": lambda row: row["reader"].update(chnage=[]),
    "`writer.stage` is no key here; did you mean `stages`?": lambda row: row["writer"].update(stage=[]),
    "there is no mode `oversise`; did you mean `oversize`?": lambda row: row["reader"]["normal"]["goes"].update(
        NUL="oversise"
    ),
    "'commands,' does not read like": lambda row: row["reader"]["normal"]["ends"][0].update(then="commands,"),
    "is not the file's name": lambda row: row.update(id="another"),
    "`alternatives` is no key of a row": lambda row: row.update(alternatives=[]),
    "`reader.modes` is no key of a row": lambda row: row["reader"].update(modes=[]),
    "Expected `str`, got `int`": lambda row: row.update(product=3),
    "`unknown`: writer.nothing.at = 3": lambda row: row.update(
        unknown=[{"field": "writer.nothing.at", "values": ["3"]}]
    ),
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_broken_row_is_told_with_its_file_its_key_and_the_nearest_one(message: str) -> None:
    broken = raw("postfix-3.7-no")
    BROKEN[message](broken)
    with pytest.raises(KnowledgeError) as told:
        row(broken, "postfix-3.7-no.toml")
    assert str(told.value).startswith("postfix-3.7-no.toml: ")
    assert message in str(told.value)


def test_an_id_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(KnowledgeError, match=r"no dialect `exim-4\.95`; did you mean `exim-4\.96`\?"):
        dialect("exim-4.95")
