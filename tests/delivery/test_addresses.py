"""The addresses of a name: the last that stood first, and who failed a message behind the others, for a while."""

from tidewaiter.delivery.addresses import AVOIDED_SECONDS, Addresses

THREE = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_the_address_that_stood_last_is_tried_first() -> None:
    addresses = Addresses()
    assert addresses.in_order(THREE, 0.0) == THREE
    addresses.last = THREE[1]
    assert addresses.in_order(THREE, 0.0) == [THREE[1], THREE[0], THREE[2]]


def test_an_address_that_failed_a_message_is_tried_behind_the_others_for_five_minutes() -> None:
    addresses = Addresses()
    addresses.last = THREE[0]
    addresses.failed(THREE[0], 1.0)
    assert addresses.in_order(THREE, 1.0 + AVOIDED_SECONDS - 0.5) == [THREE[1], THREE[2], THREE[0]]
    assert addresses.in_order(THREE, 1.0 + AVOIDED_SECONDS) == THREE


def test_of_those_that_failed_the_one_that_did_so_longest_ago_comes_first() -> None:
    addresses = Addresses()
    for at, each in enumerate((THREE[2], THREE[0], THREE[1])):
        addresses.failed(each, float(at))
    assert addresses.in_order(THREE, 3.0) == [THREE[2], THREE[0], THREE[1]]


def test_a_message_is_tried_once_at_each_address_and_twice_where_there_is_one() -> None:
    addresses = Addresses()
    tries = {}
    for count in (1, 2, 3):
        addresses.in_order(THREE[:count], 0.0)
        tries[count] = 1 + addresses.more
    assert tries == {1: 2, 2: 2, 3: 3}


def test_the_time_is_shared_among_the_tries_that_are_left() -> None:
    addresses = Addresses()
    addresses.in_order(THREE, 0.0)
    assert [addresses.shares(tries, used=False) for tries in (0, 1, 2, 3)] == [3, 2, 1, 1]
    alone = Addresses()
    alone.in_order(THREE[:1], 0.0)
    assert alone.shares(0, used=False) == 1, "a connection that was just opened has all of it"
    assert alone.shares(0, used=True) == 2, "one from the pool may have been left by the hop"


def test_a_name_that_lists_an_address_twice_has_it_once() -> None:
    addresses = Addresses()
    assert addresses.in_order([THREE[0], THREE[0]], 0.0) == [THREE[0]]
    assert addresses.more == 1
