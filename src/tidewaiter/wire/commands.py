"""What each command does, given that it is in its place: a reply, or an event that asks the application.

A refusal is a RemoteProtocolError with its reply. Where a command leads is `states.SERVER`, not written here.
BDAT is the server's own, because its octets have to be taken whatever becomes of it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.events import ContentStart, MailFrom, RcptTo
from tidewaiter.wire.grammar import parse_hello, parse_mail, parse_rcpt
from tidewaiter.wire.offers import Offers
from tidewaiter.wire.session import NOTHING, Session
from tidewaiter.wire.states import SERVER, Edge, State, Verb

Answer = Reply | MailFrom | RcptTo | ContentStart


class Command(NamedTuple):
    """A verb, where it leads, and what it does."""

    verb: Verb
    edges: dict[State, Edge]
    act: Callable[[Session, bytes], Answer]


def _helo(session: Session, argument: bytes) -> Answer:
    _meet(session, Verb.HELO, argument, NOTHING)
    return session.service.helo


def _ehlo(session: Session, argument: bytes) -> Answer:
    service = session.service
    _meet(session, Verb.EHLO, argument, service.offers)
    return service.ehlo_in_tls if session.tls else service.ehlo


def _meet(session: Session, verb: Verb, argument: bytes, offers: Offers) -> None:
    """Keep who the client says it is, and what it was offered."""
    session.hello = parse_hello(argument)
    session.verb = verb
    session.offers = offers


def _mail(session: Session, argument: bytes) -> Answer:
    mail = parse_mail(argument, extended=session.extended, loose=session.loose, host=session.service.adds_host)
    # RFC 1870 §6.1 has 552 for a message that will never be taken: refused here, it is not sent at all.
    if mail.size is not None and mail.size > session.service.size:
        raise RemoteProtocolError(replies.TOO_BIG)
    return MailFrom(mail)


def _rcpt(session: Session, argument: bytes) -> Answer:
    if len(session.recipients) >= session.service.limits.recipients:
        raise RemoteProtocolError(replies.TOO_MANY_RECIPIENTS)
    assert session.mail is not None
    return RcptTo(parse_rcpt(argument, utf8=session.mail.utf8, extended=session.extended, loose=session.loose))


def _data(_session: Session, argument: bytes) -> Answer:
    _want_none(argument)
    return ContentStart(chunked=False)


def _rset(_session: Session, argument: bytes) -> Answer:
    _want_none(argument)
    return replies.OK


def _starttls(session: Session, argument: bytes) -> Answer:
    _want_none(argument)
    if session.tls:
        raise RemoteProtocolError(replies.TLS_ACTIVE)
    if not session.offers.starttls:
        raise RemoteProtocolError(replies.NOT_IMPLEMENTED)
    return replies.START_TLS


def _quit(session: Session, argument: bytes) -> Answer:
    _want_none(argument)
    return session.service.bye


def _noop(_session: Session, _argument: bytes) -> Answer:
    return replies.OK


def _vrfy(_session: Session, _argument: bytes) -> Answer:
    return replies.NOT_VERIFIED


def _help(_session: Session, _argument: bytes) -> Answer:
    return replies.HELP


def _expn(_session: Session, _argument: bytes) -> Answer:
    raise RemoteProtocolError(replies.NOT_IMPLEMENTED)


def _unknown(_session: Session, _argument: bytes) -> Answer:
    raise RemoteProtocolError(replies.UNKNOWN_COMMAND)


def _want_none(argument: bytes) -> None:
    if argument:
        raise RemoteProtocolError(replies.NO_ARGUMENT)


_ACTS: Final[dict[Verb, Callable[[Session, bytes], Answer]]] = {
    Verb.HELO: _helo,
    Verb.EHLO: _ehlo,
    Verb.MAIL: _mail,
    Verb.RCPT: _rcpt,
    Verb.DATA: _data,
    Verb.RSET: _rset,
    Verb.STARTTLS: _starttls,
    Verb.QUIT: _quit,
    Verb.NOOP: _noop,
    Verb.VRFY: _vrfy,
    Verb.HELP: _help,
    Verb.EXPN: _expn,
}
COMMANDS: Final = {verb.encode(): Command(verb, SERVER[verb], act) for verb, act in _ACTS.items()}
"""By the word on the wire, in upper case."""
UNKNOWN: Final = Command(Verb.UNKNOWN, SERVER[Verb.UNKNOWN], _unknown)
