"""How are a row, its machines and an answer about rows written down, for a person and for a program?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tidewaiter.cli import machine_text, rows_text
from tidewaiter.i18n import _, ngettext, spoken
from tidewaiter.lines import table, written
from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import VISIBLE, Symbol, spell, visible
from tidewaiter.model.dialect import Dialect, ReaderDialect, Then, WriterDialect
from tidewaiter.model.sentence import Sentence
from tidewaiter.report.not_covered import not_covered
from tidewaiter.smuggling.product import OVERSIZE, Answer, Attack
from tidewaiter.smuggling.proof import NOT_COVERED


def row(dialect: Dialect) -> str:
    """Write a row down: its words, its machines, and why they are believed."""
    return "\n".join(_row(dialect))


def _row(dialect: Dialect) -> Iterator[str]:
    yield f"{dialect.id}: {' '.join((rows_text.product(dialect), *dialect.versions))}"
    if dialect.settings:
        yield _("settings: {settings}").format(settings=rows_text.settings(dialect))
    if dialect.reader:
        yield from ("", _("AS A READER"), *_reader(dialect.reader))
    if dialect.writer:
        yield from ("", _("AS A WRITER"), *_writer(dialect.writer))
    for unknown in dialect.unknown:
        yield _("not known: {field}, one of {values}").format(
            field=unknown.field, values=", ".join(unknown.values) or "?"
        )
    if dialect.evidence:
        yield from ("", _("EVIDENCE"))
        yield from (f"  {each.field}: {each.tag}, {each.source} ({each.date})" for each in dialect.evidence)


def _reader(reader: ReaderDialect) -> Iterator[str]:
    for name, mode in reader.modes:
        yield f"  {name}:" + (" " + _("(will be refused)") if mode.rejects else "")
        yield from (f"    {end.on}  ->  {follows(end.then)}" for end in mode.ends)
        yield from (f"    {on}  ->  {follows(to) if isinstance(to, Then) else to}" for on, to in mode.goes)
    yield "  " + _("command lines end in: {lines}").format(lines=", ".join(reader.lines))
    yield "  " + _("content is changed: {stages}").format(stages="; ".join(reader.change) or _("not at all"))
    splitter = Splitter(reader)
    yield from ("", *_indented(machine_text.reader(table.table_of(splitter))))
    if splitter.oversize(splitter.start):
        yield from (
            "",
            "  " + _("past the size limit:"),
            *_indented(machine_text.reader(table.table_of(splitter, oversize=True))),
        )


def _writer(writer: WriterDialect) -> Iterator[str]:
    for number, stage in enumerate(writer.stages, 1):
        yield f"  {number}. {stage}"
    yield from ("", *_indented(machine_text.writer(written.written_out(emitter(writer)))))


def _indented(text: str) -> list[str]:
    return ["  " + line for line in text.splitlines()]


def follows(end: Then) -> str:
    """Tell a person what follows an end."""
    answer = _("accept {code}") if end.accepted else _("refuse {code}")
    on = {
        "commands": _("commands"),
        "commands after edge": _("commands after edge"),
        "content": _("content"),
        "close": _("close"),
    }
    kept = [_("envelope kept")] if end.envelope_kept else []
    return ", ".join((answer.format(code=end.code), on[end.goes_on], *kept))


def then(end: Then) -> str:
    """Tell a program what follows an end, as rows word it."""
    kept = ", envelope kept" if end.envelope_kept else ""
    return f"{'accept' if end.accepted else 'refuse'} {end.code}, {end.goes_on}{kept}"


def drawing(dialect: Dialect, side: str, *, oversize: bool = False) -> str:
    """Draw one machine of a row in Graphviz's language."""
    if side == "writer":
        assert dialect.writer
        return written.dot(written.written_out(emitter(dialect.writer)), dialect.id)
    assert dialect.reader
    title = dialect.id + (", past the size limit" if oversize else "")
    return table.dot(table.table_of(Splitter(dialect.reader), oversize=oversize), title)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, with the names of those on the path."""

    answer: Answer
    names: tuple[str, ...]
    within: bool
    """Of messages no larger than a reader offers to take, none attacks."""
    unsafe: bool
    """Even what the standard writes is split by this reader."""

    def data(self) -> dict[str, Any]:
        """Give it to a program."""
        attack = self.answer.attack
        return {
            "path": list(self.names),
            "verdict": self.answer.verdict,
            "states": self.answer.states,
            "why": str(self.answer.why or ""),
            "safe_within_size_limits": self.within or self.answer.verdict == "safe",
            "unsafe_behind_any_writer": self.unsafe,
            "attack": attack and {
                "content": _moves(attack, OVERSIZE),
                "wire": visible(attack.wire),
                "wire_bytes": spell(attack.wire).decode("latin-1"),
                "split_by": self._split_by(attack),
                "then": attack.then and then(attack.then),
            },
            "not_covered": [str(each) for each in NOT_COVERED],
        }  # fmt: skip

    def text(self) -> str:
        """Tell it to a person."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield " > ".join(self.names)
        states = ngettext("{count} state", "{count} states", self.answer.states).format(count=self.answer.states)
        if self.answer.attack:
            yield _("ATTACK: the shortest there is ({states} walked)").format(states=states)
            yield from self._attack(self.answer.attack)
        elif self.answer.verdict == "safe":
            yield _("SAFE for every input ({states} walked, all there are)").format(states=states)
            yield _("Not covered:")
            yield from (f"  - {line}" for line in not_covered())
        else:
            yield _("COULD NOT TELL: {why}").format(why=spoken(self.answer.why or Sentence("nobody knows why")))

    def _attack(self, attack: Attack) -> Iterator[str]:
        yield "  " + _("content:  {content}").format(content=_moves(attack, _("past the size limit")) or _("(none)"))
        yield "  " + _("sent as:  {wire}").format(wire=visible(attack.wire))
        reader = self._split_by(attack)
        if attack.then is None:
            yield "  " + _("{reader} sees no end: it swallows what follows, the next message too").format(reader=reader)
        else:
            yield "  " + _("{reader} sees an end before the last line: {then}").format(
                reader=reader, then=follows(attack.then)
            )
        if self.within:
            yield "  " + _("Safe for every message no larger than its readers offer to take.")
        if self.unsafe:
            yield "  " + _("{reader} is unsafe behind any writer: it cannot read RFC 5321").format(
                reader=self.names[-1]
            )

    def _split_by(self, attack: Attack) -> str:
        return self.names[attack.hop + 1]


def _moves(attack: Attack, oversize: str) -> str:
    return " ".join(VISIBLE[move] if isinstance(move, Symbol) else f"({oversize})" for move in attack.content)
