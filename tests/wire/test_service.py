"""What a listener says of itself, to the letter."""

import re

from tidewaiter.model.reply import Reply
from tidewaiter.wire import Limits, Offers, Service


def test_a_service_names_its_host_wherever_rfc_5321_wants_it() -> None:
    service = Service("mx.test", Offers(starttls=True, chunking=True), Limits(size=9))
    assert service.greeting == Reply(220, "", ("mx.test ESMTP Tidewaiter",))
    assert service.helo == Reply(250, "", ("mx.test",))
    assert service.ehlo == Reply(250, "", ("mx.test", "CHUNKING", "STARTTLS", "ENHANCEDSTATUSCODES", "SIZE 9"))
    assert service.ehlo_in_tls == Reply(250, "", ("mx.test", "CHUNKING", "ENHANCEDSTATUSCODES", "SIZE 9"))
    assert service.bye == Reply(221, "2.0.0", ("mx.test Bye",))
    assert service.too_many_errors == Reply(421, "4.7.0", ("mx.test Too many errors",))
    assert service.too_many_commands == Reply(421, "4.7.0", ("mx.test Too many commands without a message",))
    assert service.closing("4.4.2", "Late\r\n250 Ok") == Reply(421, "4.4.2", ("mx.test Late??250 Ok",))


def test_a_program_that_watches_servers_finds_a_word_behind_esmtp() -> None:
    assert re.fullmatch(rb"220 ([^ ]+) ESMTP (.+)\r\n", Service("mx.test").greeting.wire)
    assert Service("mx.test", banner="No spam").greeting.wire == b"220 mx.test ESMTP No spam\r\n"


def test_the_offers_of_a_service_are_those_of_its_ehlo() -> None:
    service = Service("mx.test", Offers(pipelining=True, size=2000), Limits(size=1000))
    assert service.offers == Offers(pipelining=True, size=1000)
    assert service.ehlo.lines == ("mx.test", "PIPELINING", "ENHANCEDSTATUSCODES", "SIZE 1000")


def test_the_defaults_are_what_is_documented() -> None:
    limits = Limits()
    assert (limits.line, limits.size, limits.recipients) == (1000, 52428800, 1000)
    assert (limits.errors, limits.idle_commands, limits.pipelined) == (20, 100, 16384)
    service = Service("mx.test")
    assert service.offers == Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True, size=52428800)
