"""Every vector that a next hop sends, over sockets: whole, and cut in segments beside each CR, LF and dot.

The next hop plays the vector to whoever connects, and what is behind a cut leaves when the gateway has read the rest.
A client's message to it is refused for now, whatever the hop said; those before and behind it, by another hop, pass.
"""

import socket
import threading
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import Count
from tests.gateway.next_hop import HOST, NextHop
from tests.gateway.running import SECONDS, Caller, running_gateway
from tests.peers.segments import wait_until_read
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import DialogueVector

pytestmark = pytest.mark.slow

VECTORS = [each for each in vectors().values() if isinstance(each, DialogueVector) and each.side == "next hop"]
CONTENT = b"Subject: to a hop\r\n\r\nhello\r\n"
CONFIGURATION = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
[[route]]
domains = ["inside.test"]
next_hop = "smtp://127.0.0.1:{odd}"
tls = "may"
[[route]]
domains = ["honest.test"]
next_hop = "smtp://127.0.0.1:{honest}"
"""
Cut = tuple[int, int]
"""The step, and how many of its bytes go first; none are of no step."""
WHOLE: Cut = (-1, 0)


class Odd:
    """The next hop, in threads of its own: polite until the trial is on, so that its offers can be learned."""

    def __init__(self, vector: DialogueVector, cut: Cut) -> None:
        self.vector, self.cut = vector, cut
        self.on = False
        self.played = 0
        self.wrong: list[str] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):  # whoever waits for it wakes up
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rb") as lines, suppress(ConnectionError):
            if self.played:
                pass  # whoever comes again, on a new connection or without TLS, finds nobody
            elif self.on:
                self._play(client, lines)
            else:
                client.sendall(b"220 hop.inside.test ESMTP\r\n")
                while lines.readline().startswith(b"EHLO"):
                    client.sendall(b"250 hop.inside.test\r\n")

    def _play(self, client: socket.socket, lines: BufferedReader) -> None:
        self.played += 1
        *_, last = self.vector.steps
        for number, step in enumerate(self.vector.steps):
            cut = self.cut[1] if number == self.cut[0] else 0
            try:
                client.sendall(step.send[:cut])
                wait_until_read(client, SECONDS)
                client.sendall(step.send[cut:])
            except ConnectionError as error:
                self.wrong += [] if step is last else [f"{error!r} in the middle"]
                return
            for expected in step.expect:
                if not (line := lines.readline()).startswith(expected.encode()):
                    self.wrong.append(f"{line!r} came, not {expected!r}")
                    return
        if rest := lines.read():
            self.wrong.append(f"{rest!r} was sent behind it")


def cuts(vector: DialogueVector) -> list[Cut]:
    """Give each place beside a CR, LF or dot, but for those where the first part would be answered by itself."""
    return [
        (number, at)
        for number, step in enumerate(vector.steps)
        for at in range(1, len(step.send))
        if set(step.send[at - 1 : at + 1]) & set(b"\r\n.") and not (step.together and step.send[at - 1 : at] == b"\n")
    ]


async def trial(vector: DialogueVector, cut: Cut, folder: Path) -> list[str]:
    """Give what was wrong."""
    with Odd(vector, cut) as odd:
        async with NextHop() as hop:
            text = CONFIGURATION.format(odd=odd.port, honest=hop.port)
            async with running_gateway(folder, text) as gateway, await Caller.call(gateway.port) as caller:
                odd.on = True
                said = [await handed_over(caller, recipient) for recipient in ("a@honest.test", "rcpt@inside.test")]
                await caller.say("RSET")
                said.append(await handed_over(caller, "b@honest.test"))
            taken = [each.recipients for each in hop.taken]
    right = [each[:1] for each in said] == ["2", "4", "2"] and taken == [("a@honest.test",), ("b@honest.test",)]
    return [*odd.wrong, *([] if right else [f"{said}, {taken}"]), *([] if odd.played else ["nobody came"])]


async def handed_over(caller: Caller, recipient: str) -> str:
    """Send one message as far as it is taken; give the last reply."""
    said = await caller.say("MAIL FROM:<honest@outside.example>")
    said = said if said[0] != "2" else await caller.say(f"RCPT TO:<{recipient}>")
    return said if said[0] != "2" else await caller.data(CONTENT)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
async def test_what_a_next_hop_says_in_segments_is_believed_no_more_than_whole(
    vector: DialogueVector, tmp_path: Path, count: Count
) -> None:
    places = cuts(vector)
    most = count(f"cuts beside CR, LF and dot over sockets of {vector.name}", 6, len(places))
    chosen = [WHOLE, *(places[number * len(places) // most] for number in range(most))]
    wrong = {cut: found for cut in chosen if (found := await trial(vector, cut, tmp_path))}
    assert wrong == {}
