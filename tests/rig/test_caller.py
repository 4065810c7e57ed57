"""Replies are cut as RFC 5321 §4.2.1 has them, however they arrive."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.rig.caller import Caller

REPLIES = [
    b"220 a.test\r\n",
    b"250-a.test\r\n250-SIZE 9\r\n250 HELP\r\n",
    b"250\r\n",
    b"354 go\n",
    b"221 2.0.0 bye\r\n",
]


@given(cuts=st.lists(st.integers(0, 90)))
def test_slicing_never_changes_the_replies(cuts: list[int]) -> None:
    wire = b"".join(REPLIES)
    places = [0, *sorted(cuts), len(wire)]
    caller = Caller()
    for start, end in pairwise(places):
        caller.data_received(wire[start:end])
    assert [answer.wire for answer in caller.replies] == REPLIES
    assert [answer.code for answer in caller.replies] == [220, 250, 250, 354, 221]


@given(noise=st.binary(max_size=60))
def test_no_bytes_of_a_server_break_it_and_none_is_lost(noise: bytes) -> None:
    caller = Caller()
    caller.data_received(noise)
    assert b"".join(answer.wire for answer in caller.replies) + caller._unread == noise
