"""The sink keeps every byte that a sender writes between 354 and its next command, ends of its own making too."""

from __future__ import annotations

import asyncio
import smtplib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tidewaiter.rig.caller import Caller
from tidewaiter.rig.sink import Emitted, Sink, sinking

pieces = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"x", b"\0", b" ", b"\r\n.\r\n"]), max_size=8)


async def keep(wire: bytes) -> list[Emitted]:
    sink = Sink()
    async with sinking(sink) as port:
        caller = await Caller.call("127.0.0.1", port, 5.0)
        await caller.until(1, 5.0)
        for command in (b"EHLO a.test", b"MAIL FROM:<a@a.test>", b"RCPT TO:<b@b.test>", b"DATA"):
            await caller.ask(command + b"\r\n", 5.0)
        await caller.ask(wire, 5.0)
        await caller.ask(b"QUIT\r\n", 5.0)
    return sink.messages


@settings(max_examples=25)
@given(content=pieces)
@example(content=[b"x\r\n.\r\n", b"MAIL x\r\n"])
def test_what_a_sender_writes_is_kept_to_the_byte(content: list[bytes]) -> None:
    wire = b"".join(content) + b"\r\n.\r\n"
    assert asyncio.run(keep(wire)) == [Emitted(("b@b.test",), wire)]


def test_a_sender_without_an_honest_end_is_answered_when_it_falls_silent() -> None:
    assert asyncio.run(keep(b"x\n.\n")) == [Emitted(("b@b.test",), b"x\n.\n")]


def test_many_messages_of_one_connection_are_kept_apart() -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="a.test") as client:
            for number in range(3):
                client.sendmail("a@a.test", [f"{number}@b.test"], b"%d\r\n" % number)

    async def sent() -> list[Emitted]:
        sink = Sink()
        async with sinking(sink) as port:
            await asyncio.to_thread(send, port)
            await sink.until(3, 5.0)
        return sink.messages

    assert asyncio.run(sent()) == [Emitted((f"{n}@b.test",), b"%d\r\n.\r\n" % n) for n in range(3)]
