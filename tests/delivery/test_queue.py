"""Who waits is served fairly: held against a plain model that sorts all who wait each time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.delivery.delivery import Patience
from tidewaiter.delivery.queue import FairQueue, Waiting
from tidewaiter.model.client import Client, ClientRules

LIMIT = 6


class Sender:
    """One that waits."""

    fresh = False
    patience = Patience(1.0, 1.0)

    def __init__(self, network: int, *, erred: bool = False) -> None:
        rules = ClientRules("192.0.2.1", network, (network,), (), -1, may_send=True)
        self.origin = Client(rules, 1, "client.test", "ESMTP", erred=erred)

    def takes(self, _connection: object) -> bool:
        return True

    def granted(self, _connection: object) -> None: ...
    def denied(self, _reply: object) -> None: ...
    def rest(self) -> None: ...
    def replied(self, _replied: object) -> None: ...
    def early(self, _reply: object) -> None: ...
    def lost(self, _reason: str) -> None: ...
    def writable(self) -> None: ...


def queue_of(*clients: Sender) -> FairQueue:
    queue = FairQueue(LIMIT)
    for client in clients:
        queue.add(client, 0.0)
    return queue


def test_a_crowd_of_one_network_does_not_keep_another_waiting() -> None:
    crowd, honest = [Sender(1) for _ in range(80)], Sender(2)
    queue = queue_of(*crowd, honest)
    queue.took(1)
    assert queue.pop() is honest


def test_who_errs_comes_behind_all_others_whatever_they_hold() -> None:
    guesser, honest = Sender(1, erred=True), Sender(2)
    queue = queue_of(guesser, honest)
    for _ in range(LIMIT):
        queue.took(2)
    assert [queue.pop(), queue.pop()] == [honest, guesser]


def test_within_a_network_and_among_equals_it_goes_in_turn() -> None:
    clients = [Sender(network) for network in (1, 1, 2, 3, 2)]
    queue = queue_of(*clients)
    first, second, third, fourth, fifth = clients
    assert [queue.pop() for _ in clients] == [first, third, fourth, second, fifth]


def test_who_waits_no_more_is_not_served() -> None:
    gone, here = Sender(1), Sender(1)
    queue = queue_of(gone, here)
    queue.discard(gone)
    queue.discard(gone)
    assert (len(queue), queue.pop()) == (1, here)


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add erred", "pop", "discard", "give"]), st.integers(0, 3)), max_size=60
)


@given(STEPS)
def test_whoever_is_served_has_no_smaller_rank_beside_him(steps: list[tuple[str, int]]) -> None:
    queue, waiting, held = FairQueue(LIMIT), list[Waiting](), Counter[int]()

    def rank(client: Waiting) -> int:
        return held[client.origin.network] + (LIMIT + 1 if client.origin.erred else 0)

    for step, number in steps:
        if step.startswith("add"):
            client = Sender(number, erred=step != "add")
            waiting.append(client)
            queue.add(client, 0.0)
        elif step == "pop" and waiting and sum(held.values()) < LIMIT:
            least = min(map(rank, waiting))
            assert queue.first_rank == least
            served = queue.pop()
            assert rank(served) == least
            same = [each for each in waiting if each.origin.network == served.origin.network]
            assert served is next(each for each in same if each.origin.erred == served.origin.erred)
            waiting.remove(served)
            held[served.origin.network] += 1
            queue.took(served.origin.network)
        elif step == "discard" and waiting:
            queue.discard(waiting.pop(number % len(waiting)))
        elif step == "give" and held[number]:
            held[number] -= 1
            queue.gave(number)
        assert len(queue) == len(waiting)
        assert {each for each, _ in queue} == set(waiting)
    assert queue._held == +held
