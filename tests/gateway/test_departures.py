"""The client leaves at every moment at which a next hop owes an answer, in every way.

Then the log has one line, which is true, and all is given back: `running_gateway` sees to that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from copy import deepcopy
from pathlib import Path
from typing import Final

import pytest

from tests.gateway.next_hop import SILENCE, NextHop
from tests.gateway.running import Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration
from tests.gateway.test_session import MESSAGE

LARGE: Final = b"Subject: x\r\n\r\n" + b"y" * 76 + b"\r\n" + (b"z" * 76 + b"\r\n") * 200_000
LATE_SECONDS: Final = 0.3


async def _to_rcpt(caller: Caller) -> None:
    assert (await caller.say("MAIL FROM:<a@client.test>")).startswith("250 ")
    await caller.send(b"RCPT TO:<b@inside.test>\r\n")


async def _whole(caller: Caller, content: bytes = MESSAGE) -> None:
    await caller.envelope()
    assert (await caller.say("DATA")).startswith("354 ")
    await caller.send(content + b".\r\n")


async def _large(caller: Caller) -> None:
    await _whole(caller, LARGE)


async def _by_chunks(caller: Caller) -> None:
    await caller.envelope()
    await caller.send(b"BDAT %d LAST\r\n" % len(MESSAGE) + MESSAGE)


def _said(verb: str) -> Callable[[NextHop], bool]:
    return lambda hop: any(line.startswith(verb) for line in hop.said)


def _has_the_dot(hop: NextHop) -> bool:
    return any(b"\r\n.\r\n" in wire for wire in hop.wire)


# What the hop does not answer, what the client says, and how it shows that the hop has been asked.
MOMENTS: Final[dict[str, tuple[dict[str, object], Callable[[Caller], Awaitable[None]], Callable[[NextHop], bool]]]] = {
    "MAIL": ({"MAIL": [SILENCE]}, _to_rcpt, _said("MAIL")),
    "RCPT": ({"RCPT": [SILENCE]}, _to_rcpt, _said("RCPT")),
    "DATA": ({"DATA": [SILENCE]}, _whole, _said("DATA")),
    "DATA behind BDAT": ({"DATA": [SILENCE]}, _by_chunks, _said("DATA")),
    "content": ({}, _large, _said("DATA")),
    "the dot": ({"end": [SILENCE]}, _whole, _has_the_dot),
}


async def _fin(caller: Caller, _: RunningGateway) -> None:
    caller.writer.close()


async def _rst(caller: Caller, _: RunningGateway) -> None:
    caller.vanish()


async def _half(caller: Caller, gateway: RunningGateway) -> None:
    caller.writer.write_eof()
    await until(lambda: any(each.finished for each in gateway.sessions), "its end")


async def _silence(caller: Caller, _: RunningGateway) -> None:
    assert (await caller.reply()).startswith("451 4.4.2 ")


WAYS: Final = {"FIN": _fin, "RST": _rst, "half a close": _half, "silence": _silence}
# What the log says in the end, once the hop has cut the connection on which it owed the answer, and what other it may
# say. A FIN could be half a close, behind which the answer is still read: it is awaited, and then nobody was there.
_GONE: Final = dict.fromkeys(("MAIL", "RCPT"), "abandoned 451 4.4.2")
_DEFERRED: Final = dict.fromkeys(("DATA", "DATA behind BDAT", "content"), "deferred 451 4.4.2")
_AT_THE_DOT: Final = {"the dot": "doubtful 451 4.4.2"}
TRUE: Final[dict[str, dict[str, str]]] = {
    "RST": _GONE | _DEFERRED | _AT_THE_DOT,
    "silence": _GONE | _DEFERRED | _AT_THE_DOT,
    "half a close": _GONE | _DEFERRED | _AT_THE_DOT | dict.fromkeys(("DATA", "DATA behind BDAT"), "doubtful 250 2.0.0"),
}
TRUE["FIN"] = TRUE["half a close"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_client_that_leaves_while_the_hop_owes_an_answer_leaves_nothing(
    moment: str, way: str, tmp_path: Path
) -> None:
    answers, say, asked = MOMENTS[moment]
    final_reply = LATE_SECONDS if way == "silence" else 570.0
    async with NextHop(answers=deepcopy(answers), deaf=moment == "content") as hop:
        async with running_gateway(tmp_path, configuration(hop.port), final_reply=final_reply) as gateway:
            async with await Caller.call(gateway.port) as caller:
                talk = asyncio.ensure_future(say(caller))
                await until(lambda: asked(hop), "the question to the hop")
                await WAYS[way](caller, gateway)
                if way == "RST" and moment != "the dot":
                    # At once, and not when the hop answers at last.
                    await until(lambda: gateway.memory.transactions, "the record")
                    await gateway.settled()
                hop.deaf = False
                hop.drop()
                await asyncio.wait([talk])
            await gateway.settled()
            record = await gateway.recorded()
            assert f"{record.outcome} {record.reply[:9]}" == TRUE[way][moment], record
    assert len(hop.taken) <= 1
