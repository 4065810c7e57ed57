"""Is what only a live server, or a machine in another state, brings about said in Spanish too?"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.cli.test_lab import ME
from tests.i18n.spanish import must_be_spanish
from tidewaiter.cli import lab_text
from tidewaiter.config.settings import Workers
from tidewaiter.config.values import Endpoint
from tidewaiter.gateway.error import StartError
from tidewaiter.gateway.host import privileges
from tidewaiter.gateway.processes import folder
from tidewaiter.gateway.processes.sockets import bind
from tidewaiter.i18n import spoken, system
from tidewaiter.lab.asker import Asker, Manner
from tidewaiter.lab.conform import Conformed
from tidewaiter.lab.emissions import Mismatch
from tidewaiter.lab.fit import Difference, Fit
from tidewaiter.lab.learning import Learned, Untold, asker_for
from tidewaiter.lab.meaning import Meaning, calibrate
from tidewaiter.lab.modes import MODES
from tidewaiter.lab.session import Heard
from tidewaiter.lab.target import WAYS, Target, UntoldError
from tidewaiter.lab.writer import Compared
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import symbols
from tidewaiter.lines.table import WORDS, table_of
from tidewaiter.model.dialect import STRICT, Unknown
from tidewaiter.model.sentence import Sentence
from tidewaiter.smuggling.product import smuggle


def _learned() -> str:
    assert STRICT.reader
    table = table_of(Splitter(STRICT.reader))
    found = [Learned(mode, table, way, "paced", 7, 1.5) for mode in MODES.values() for way in WAYS]
    there: list[Learned | Untold] = [
        *found,
        *(Untold(mode, Sentence("the server names no size limit")) for mode in MODES.values()),
    ]
    differences = tuple(_differences())
    fits = Fit("strict", differences, 1), Fit("strict", (), 0)
    return "\n".join(lab_text.learned(there, [fit]) for fit in fits)


def _differences() -> Iterator[Difference]:
    for mode in MODES.values():
        yield from (Difference(mode, symbols(b"\n"[: len(said) % 2]), said, said) for said in WORDS)


def _conformed() -> str:
    untold = tuple(Untold(mode, Sentence("the server names no size limit")) for mode in MODES.values())
    found = Conformed("strict", tuple(_differences()), untold, 1), Conformed("strict", (), (), 7)
    return "\n".join(map(lab_text.conformed, found))


def _compared() -> str:
    mismatches = Mismatch((), None, b"\r\n"), Mismatch(symbols(b"\n"), b"\n", None)
    return "\n".join(
        lab_text.compared(Compared("strict", count, count, mismatches[: 3 - count])) for count in (1, 2, 3)
    )


def _progress() -> str:
    return "\n".join(lab_text.progress(mode, count) for mode in MODES.values() for count in (1, 2))


@pytest.mark.parametrize("say", [_learned, _conformed, _compared, _progress])
def test_whatever_the_lab_finds_is_told_in_spanish(say: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    must_be_spanish(say, monkeypatch)


MEANING = Meaning((250, 221), 502)
TARGET = Target("127.0.0.1", 25, ME)


def _varying() -> None:
    asker = Asker(TARGET, Manner("paced", MEANING, None), b"")
    asker._heard[()] = "content"

    async def again(_: object) -> str:
        return "ended and rejected"

    asker.again = again  # type: ignore[assignment,method-assign]  # a server of one line
    asyncio.run(asker.confirm([()]))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: calibrate(Heard((500,), finished=True), Heard((), finished=True)),
        lambda: calibrate(Heard((250, 250, 221), finished=True), Heard((550,), finished=True)),
        lambda: MEANING.of(Heard((250,), finished=True, second=True)),
        lambda: asker_for(TARGET, Manner("paced", MEANING, None), MODES["over the size limit"]),
        lambda: asker_for(TARGET, Manner("paced", MEANING, 1 << 30), MODES["over the size limit"]),
        _varying,
    ],
    ids=["no honest answer", "no honest end", "silence", "no limit", "a limit out of reach", "varying"],
)
def test_why_the_lab_could_not_tell_is_spanish(ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UntoldError) as untold:
        ask()
    must_be_spanish(lambda: spoken(untold.value.sentence), monkeypatch)


def test_why_nothing_is_known_of_a_path_is_spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = smuggle(replace(STRICT, unknown=(Unknown("writer.stages"),)), (), STRICT)
    assert answer.why
    must_be_spanish(lambda: spoken(answer.why or Sentence("")), monkeypatch)


def _held(tmp_path: Path) -> None:
    one = folder.hold(tmp_path, None)
    try:
        os.close(folder.hold(tmp_path, None))
    finally:
        os.close(one)


def _bound(_: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind(Endpoint(ip_address("127.0.0.1"), taken.getsockname()[1]), 1)


@pytest.mark.parametrize(
    "start",
    [
        _held,
        _bound,
        lambda tmp_path: folder.hold(tmp_path / "not" / "there", None),
        lambda _: privileges.person(Workers(user="nobody-here")),
        lambda _: privileges.person(Workers(user="root", group="nobody-here")),
    ],
    ids=["held", "bound", "no folder", "no user", "no group"],
)
def test_why_the_gateway_cannot_start_is_spanish(
    start: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "WAIT_SECONDS", 0.0)
    with pytest.raises(StartError) as refused:
        start(tmp_path)
    must_be_spanish(lambda: spoken(refused.value.sentence), monkeypatch, "nobody-here")


@pytest.mark.parametrize("known", system.KNOWN, ids=str)
def test_what_the_system_says_is_spanish(known: Sentence, monkeypatch: pytest.MonkeyPatch) -> None:
    must_be_spanish(lambda: spoken(known), monkeypatch)
