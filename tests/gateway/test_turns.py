"""Who sends much takes turns: never many large blocks in one turn of the loop, and nobody is forgotten."""

import asyncio
from collections import Counter

from tidewaiter.gateway.mail.turns import AT_ONCE, Turns

CLIENTS, BLOCKS = 50, 20


class Sender:
    """A client with so many blocks to send: it reads one in each turn of the loop in which it may read."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.left = BLOCKS
        self.reading = True

    def go_on(self) -> None:
        self.reading = True

    def read(self) -> bool:
        if not self.reading or not self.left:
            return False
        self.left -= 1
        self.reading = not self.turns.must_wait(self)
        return True


async def _play(senders: list[Sender]) -> list[int]:
    """How many read in each turn of the loop, until all have sent everything."""
    read = []
    while any(sender.left for sender in senders):
        read.append(sum(sender.read() for sender in senders))
        await asyncio.sleep(0)
        assert len(read) < 10 * CLIENTS * BLOCKS, "somebody is forgotten"
    return read


async def test_in_one_turn_of_the_loop_few_large_blocks_are_read_however_many_clients_send() -> None:
    turns = Turns(asyncio.get_running_loop())
    first, *later = await _play([Sender(turns) for _ in range(CLIENTS)])
    assert first == CLIENTS, "each may find out once that there are others"
    assert max(later) <= 2 * AT_ONCE, "those who did not have to wait yet, and those whose turn it is"
    assert Counter(later)[0] <= 2, "and no turn is wasted"


async def test_a_few_who_send_much_never_wait() -> None:
    turns = Turns(asyncio.get_running_loop())
    assert await _play([Sender(turns) for _ in range(AT_ONCE)]) == [AT_ONCE] * BLOCKS
