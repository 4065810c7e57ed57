"""The order of commands as values: what each verb does in each state, for our server and for our client.

Everything about the order is in these tables, and the documentation's diagrams are drawn from them (`diagram`), so a
picture cannot disagree with the program. A state outside `TRANSACTION` holds no envelope: entering one clears it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies


class State(StrEnum):
    """Where a connection stands; the same names on both sides."""

    OPENING = "opening"
    """The greeting has not been sent, or has not come."""
    GREETED = "greeted"
    """No EHLO yet, or none since the handshake."""
    READY = "ready"
    """No transaction."""
    MAILED = "mailed"
    """A sender, no recipient."""
    NAMED = "named"
    """A sender and a recipient or more."""
    CONTENT = "content"
    """Behind 354: everything is content up to the one end."""
    CHUNK = "chunk"
    """Inside the octets that BDAT counted."""
    CHUNKED = "chunked"
    """Between two chunks of one message."""
    DRAIN = "drain"
    """Inside the octets of a refused chunk, which are never read as commands."""
    SPOILED = "spoiled"
    """Client: something failed half way; the server's state is not to be guessed but reset."""
    HANDSHAKE = "handshake"
    """Behind the 220 to STARTTLS: not one more byte of plain text."""
    CLOSED = "closed"


class Verb(StrEnum):
    """Commands, and what else moves a connection: the greeting, the end of the handshake, and the ends of content."""

    HELO = "HELO"
    EHLO = "EHLO"
    LHLO = "LHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BDAT = "BDAT"
    RSET = "RSET"
    NOOP = "NOOP"
    VRFY = "VRFY"
    EXPN = "EXPN"
    HELP = "HELP"
    STARTTLS = "STARTTLS"
    XCLIENT = "XCLIENT"
    QUIT = "QUIT"
    UNKNOWN = "unknown"
    """Our server: a word that is no command."""
    GREETING = "greeting"
    SECURED = "end of handshake"
    CHUNK_END = "end of chunk"
    END = "end of message"


class Edge(NamedTuple):
    """Where a verb leads: when it is accepted, when it is refused; with `wrong` it is refused for its place alone."""

    accepted: State
    refused: State
    wrong: Reply | None = None


TRANSACTION: Final = frozenset(
    {State.MAILED, State.NAMED, State.CONTENT, State.CHUNK, State.CHUNKED, State.SPOILED},
)
"""Only here does an envelope exist."""

COMMAND: Final = (State.GREETED, State.READY, State.MAILED, State.NAMED, State.CHUNKED)
"""The states in which our server reads command lines."""

LAST_OF_GROUP: Final = frozenset(
    {Verb.HELO, Verb.EHLO, Verb.DATA, Verb.VRFY, Verb.EXPN, Verb.NOOP, Verb.HELP, Verb.STARTTLS, Verb.QUIT},
)
"""RFC 2920 §3.1: "The EHLO, DATA, VRFY, EXPN, TURN, QUIT, and NOOP commands can only appear as the last command in a
group". HELO is as EHLO; HELP is informational as VRFY is; behind STARTTLS plain text may not be believed."""


_HELLO: Final = {state: Edge(State.READY, state) for state in COMMAND}
_STAY: Final = {state: Edge(state, state) for state in COMMAND}
_HELLO_FIRST: Final = Edge(State.GREETED, State.GREETED, replies.HELLO_FIRST)
_MAIL_FIRST: Final = Edge(State.READY, State.READY, replies.MAIL_FIRST)

SERVER: Final[dict[Verb, dict[State, Edge]]] = {
    Verb.GREETING: {State.OPENING: Edge(State.GREETED, State.CLOSED)},
    # RFC 3207 §4.2: behind the handshake "the SMTP protocol is reset to the initial state".
    Verb.SECURED: {State.HANDSHAKE: Edge(State.GREETED, State.CLOSED)},
    Verb.HELO: _HELLO,
    Verb.EHLO: _HELLO,
    Verb.MAIL: {
        State.GREETED: _HELLO_FIRST,
        State.READY: Edge(State.MAILED, State.READY),
        State.MAILED: Edge(State.MAILED, State.MAILED, replies.NESTED_MAIL),
        State.NAMED: Edge(State.NAMED, State.NAMED, replies.NESTED_MAIL),
        State.CHUNKED: Edge(State.CHUNKED, State.CHUNKED, replies.NESTED_MAIL),
    },
    Verb.RCPT: {
        State.GREETED: _HELLO_FIRST,
        State.READY: _MAIL_FIRST,
        State.MAILED: Edge(State.NAMED, State.MAILED),
        State.NAMED: Edge(State.NAMED, State.NAMED),
        State.CHUNKED: Edge(State.CHUNKED, State.CHUNKED, replies.NO_MIXING),
    },
    Verb.DATA: {
        State.GREETED: _HELLO_FIRST,
        State.READY: _MAIL_FIRST,
        # RFC 5321 §3.3: DATA without a valid recipient may be 554; the transaction ends there, or it would be found
        # half open by the next message of the connection.
        State.MAILED: Edge(State.READY, State.READY, replies.NO_RECIPIENTS),
        State.NAMED: Edge(State.CONTENT, State.READY),
        # RFC 3030 §2: "If a DATA statement is issued after a BDAT for the current transaction, a 503 "Bad sequence
        # of commands" MUST be issued." The transaction is dropped, or its chunks would join the next message.
        State.CHUNKED: Edge(State.READY, State.READY, replies.NO_MIXING),
    },
    # A refused chunk passes through DRAIN on its way to the state that is named here.
    Verb.BDAT: {
        State.GREETED: Edge(State.DRAIN, State.GREETED, replies.HELLO_FIRST),
        State.READY: Edge(State.DRAIN, State.READY, replies.MAIL_FIRST),
        State.MAILED: Edge(State.DRAIN, State.READY, replies.NO_RECIPIENTS),
        State.NAMED: Edge(State.CHUNK, State.READY),
        State.CHUNKED: Edge(State.CHUNK, State.READY),
    },
    Verb.CHUNK_END: {State.CHUNK: Edge(State.CHUNKED, State.READY)},
    Verb.END: {
        State.CONTENT: Edge(State.READY, State.READY),
        State.CHUNK: Edge(State.READY, State.READY),
    },
    Verb.RSET: {state: Edge(State.GREETED if state is State.GREETED else State.READY, state) for state in COMMAND},
    Verb.NOOP: _STAY,
    Verb.VRFY: _STAY | {State.GREETED: _HELLO_FIRST},
    Verb.EXPN: _STAY,
    Verb.HELP: _STAY,
    Verb.STARTTLS: {
        **{state: Edge(state, state, replies.OUT_OF_ORDER) for state in COMMAND},
        State.GREETED: _HELLO_FIRST,
        State.READY: Edge(State.HANDSHAKE, State.READY),
    },
    Verb.QUIT: {state: Edge(State.CLOSED, state) for state in COMMAND},
    Verb.UNKNOWN: _STAY,
}

_SETTLED: Final = (State.READY, State.MAILED, State.NAMED, State.SPOILED)
_REFUSED_HELLO: Final = {2: State.READY, 4: State.GREETED, 5: State.GREETED}

CLIENT: Final[dict[Verb, dict[State, dict[int, State]]]] = {
    Verb.GREETING: {State.OPENING: {2: State.GREETED, 4: State.CLOSED, 5: State.CLOSED}},
    Verb.EHLO: {State.GREETED: _REFUSED_HELLO},
    Verb.HELO: {State.GREETED: _REFUSED_HELLO},
    Verb.LHLO: {State.GREETED: _REFUSED_HELLO},
    Verb.STARTTLS: {State.READY: {2: State.HANDSHAKE, 4: State.READY, 5: State.READY}},
    Verb.SECURED: {State.HANDSHAKE: {2: State.GREETED}},
    # Postfix's XCLIENT_README: the server answers 220 and the session begins anew, as if just connected.
    Verb.XCLIENT: {State.READY: {2: State.GREETED, 4: State.READY, 5: State.READY}},
    Verb.MAIL: {State.READY: {2: State.MAILED, 4: State.READY, 5: State.READY}},
    Verb.RCPT: {
        State.MAILED: {2: State.NAMED, 4: State.MAILED, 5: State.MAILED},
        State.NAMED: {2: State.NAMED, 4: State.NAMED, 5: State.NAMED},
    },
    # Refused content: servers differ in what is left behind (Postfix kept the envelope until 3.11.6), so it is reset.
    Verb.DATA: {State.NAMED: {3: State.CONTENT, 4: State.SPOILED, 5: State.SPOILED}},
    Verb.BDAT: {State.NAMED: {2: State.CHUNK}},
    Verb.END: {
        State.CONTENT: {2: State.READY, 4: State.SPOILED, 5: State.SPOILED},
        State.CHUNK: {2: State.READY, 4: State.SPOILED, 5: State.SPOILED},
    },
    Verb.RSET: {state: {2: State.READY, 4: State.SPOILED, 5: State.SPOILED} for state in _SETTLED},
    Verb.QUIT: {state: dict.fromkeys((2, 4, 5), State.CLOSED) for state in (State.GREETED, *_SETTLED)},
}
"""Our client: in which states a verb may be sent, and where the class of its reply leads.

A class that is not there is no answer to that verb, and the server is not to be believed any more.
"""

LATE: Final[dict[Verb, dict[State, dict[int, State]]]] = {
    Verb.MAIL: {State.SPOILED: dict.fromkeys((2, 4, 5), State.SPOILED)},
    Verb.RCPT: {
        # A recipient accepted without a sender: whatever that server thinks is open, it is not our transaction.
        State.READY: {2: State.SPOILED, 4: State.READY, 5: State.READY},
        State.SPOILED: dict.fromkeys((2, 4, 5), State.SPOILED),
    },
}
"""Replies that come when an earlier command of the same group was refused."""
