"""Replies are read against those to questions whose answer is known; the codes are those that real servers gave."""

from __future__ import annotations

import pytest

from tidewaiter.lab.meaning import Meaning, calibrate
from tidewaiter.lab.session import Heard
from tidewaiter.lab.target import UntoldError

POSTFIX = calibrate(Heard((250, 250, 221), finished=True), Heard((250, 221), finished=True))
EXIM = calibrate(Heard((250, 250, 221), finished=True), Heard((250, 554), finished=True))
AIOSMTPD = calibrate(Heard((250, 250, 221), finished=True), Heard((250, 500, 500, 250, 221), finished=True))
TWISTED = calibrate(Heard((250, 500, 221), finished=True), Heard((250, 500, 500, 500, 221), finished=True))


@pytest.mark.parametrize(
    ("meaning", "codes", "said"),
    [
        (POSTFIX, (250, 250, 221), "content"),
        (POSTFIX, (550, 250, 221), "rejects"),
        (POSTFIX, (250, 221), "ended"),
        (POSTFIX, (550, 221), "ended and rejected"),
        (EXIM, (250, 554), "ended"),
        (AIOSMTPD, (250, 250, 221), "content"),
        (AIOSMTPD, (250, 500, 500, 250, 221), "ended"),
        (AIOSMTPD, (451, 500, 500, 250, 221), "ended and rejected"),
        (AIOSMTPD, (451, 503, 500, 250, 221), "ended and rejected"),
        (AIOSMTPD, (451, 451, 250, 221), "rejects"),
        (AIOSMTPD, (451,), "closed"),
        (AIOSMTPD, (451, 421), "closed"),
        (AIOSMTPD, (), "closed"),
        (TWISTED, (250, 500, 221), "content"),
        (TWISTED, (250, 500, 500, 500, 221), "ended"),
    ],
)
def test_replies_mean_what_they_meant_of_a_real_server(meaning: Meaning, codes: tuple[int, ...], said: str) -> None:
    assert meaning.of(Heard(codes, finished=True)) == said


@pytest.mark.parametrize("meaning", [POSTFIX, AIOSMTPD])
def test_a_refusal_and_then_an_end_is_a_server_that_read_on(meaning: Meaning) -> None:
    assert meaning.of(Heard((552, 250, 250, 221), finished=True)) == "rejected, content again"
    assert meaning.of(Heard((552, 250, 250, 221), finished=True, second=True)) == "rejects and stays"
    assert meaning.of(Heard((552, 552, 250, 221), finished=True)) == "rejects"
    assert told(meaning, Heard((250, 250, 250, 221), finished=True, second=True)) == "could not tell"


def test_silence_is_never_an_answer() -> None:
    with pytest.raises(UntoldError, match="silence"):
        AIOSMTPD.of(Heard((250,), finished=False, second=True))


def test_a_slow_server_that_is_hurried_by_a_second_end_is_not_taken_for_one_that_has_ended() -> None:
    assert told(EXIM, Heard((250, 554), finished=True, second=True)) == "could not tell"


def told(meaning: Meaning, heard: Heard) -> str:
    try:
        return meaning.of(heard)
    except UntoldError:
        return "could not tell"


@pytest.mark.parametrize(
    ("honest", "ended"),
    [
        ((250, 250, 221), (250, 250, 221)),  # nothing ever ends
        ((250, 250, 221), (451,)),  # everything is closed
        ((250, 250, 221), (550, 500, 221)),  # an end is refused because of what follows it
        ((550, 250, 221), (550, 500, 221)),  # no message is accepted at all
        ((250, 503, 503, 500, 500, 250, 221), (250, 503, 503, 503, 503, 500, 500, 250, 221)),  # content is pipelining
        ((250,), (250, 500)),  # it closes behind each message
        ((), ()),
    ],
)
def test_a_way_of_asking_that_gives_a_plausible_wrong_machine_is_refused(
    honest: tuple[int, ...], ended: tuple[int, ...]
) -> None:
    with pytest.raises(UntoldError):
        calibrate(Heard(honest, finished=True), Heard(ended, finished=True))
