"""Every setting of the gateway: its type, its default, and why the default is what it is.

The text under a field is its documentation: docs/configuration.md is generated from this file.
Attribute names are the keys of the TOML file; a size, duration, network or path is a string there.
Nothing here reads a file, and a relative path starts at the folder of the configuration file.
"""

from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import PurePosixPath
from typing import Annotated

from msgspec import Meta, Struct

from tidewaiter.config.values import (
    DomainPattern,
    Duration,
    Endpoint,
    Greeting,
    Hostname,
    Network,
    NextHop,
    Size,
)
from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, EnvelopePosition, Position, Positions

Count = Annotated[int, Meta(ge=1, le=1_000_000)]

REPAIRED = Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR, Position.NOTE)


class Role(Enum):
    """Which way mail goes through a listener."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ListenerTls(Enum):
    """How a listener offers TLS."""

    OFF = "off"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class HopTls(Enum):
    """What we ask of a next hop's TLS."""

    OFF = "off"
    MAY = "may"
    REQUIRE = "require"
    VERIFY = "verify"


class Xclient(Enum):
    """Whether the client's address goes along to the next hop (Postfix's XCLIENT)."""

    OFF = "off"
    AUTO = "auto"
    ON = "on"


class Store(Struct, frozen=True, kw_only=True):
    """Where Tidewaiter keeps what it remembers: the record of transactions, and the spool."""

    path: PurePosixPath = PurePosixPath("state")
    """The state folder; never on tmpfs, because what is kept there must outlive a crash, and a
    spool in memory would let large messages use up the machine."""
    keep_age: Duration = Duration(30 * 86_400)
    """Records older than this are deleted: a month answers "what happened to that message?" and
    is about as long as personal data can be kept for that purpose without a further reason."""
    keep_size: Size = Size(2**30)
    """The oldest records are deleted beyond this size: about two million transactions."""


class Exclusion(Struct, frozen=True, kw_only=True):
    """Positions for clients in some networks: the old device that cannot be mended.

    A listener's exclusions are tried in order, and the first that holds the client counts.
    """

    networks: Annotated[tuple[Network, ...], Meta(min_length=1)]
    """The clients it is for."""
    data: Positions = REPAIRED
    """Positions for content sent by DATA. All that can be repaired is: what leaves us is proved
    to be safe then, and the device's mail still arrives."""
    bdat: Positions = REPAIRED
    """Positions for content sent by BDAT."""
    envelope: EnvelopePosition = EnvelopePosition.REPAIR
    """As a listener's. To a sender without a domain, as in `MAIL FROM:<root>`, our `hostname` is added,
    which strangers may not borrow; with `refuse` it is 553 here too."""


class Listener(Struct, frozen=True, kw_only=True):
    """One address that clients connect to."""

    address: Endpoint
    """Address and port, as in `192.0.2.1:25` or `[::]:25`. An IPv6 address takes IPv6 only."""
    role: Role
    """`inbound` relays only to the domains that routes name; `outbound` takes mail for any domain
    that a route matches, but only from `networks`."""
    networks: tuple[Network, ...] = ()
    """Outbound only: the clients who may relay. Empty by default, which lets nobody relay."""
    tls: ListenerTls = ListenerTls.OFF
    """`off`, `starttls` (offered after EHLO, RFC 3207) or `implicit` (from the first byte, RFC 8314
    §3). Off by default, because a certificate is needed."""
    certificate: PurePosixPath | None = None
    """PEM file with the certificate and its chain; read again on reload."""
    key: PurePosixPath | None = None
    """PEM file with the private key; `workers.user` must be able to read it."""
    data: Positions = STRANGERS_DATA
    """Positions for content sent by DATA. No honest sender emits a bare CR, a bare LF or a NUL
    there (RFC 5321 §2.3.8), and each is what smuggling is made of: they are refused."""
    bdat: Positions = STRANGERS_BDAT
    """Positions for content sent by BDAT. Its end is counted and not searched for, so a bare
    newline is only repaired; a NUL is refused."""
    envelope: EnvelopePosition = EnvelopePosition.REPAIR
    """Commands that are written oddly: a path without brackets, two spaces, a space before the colon or
    within the brackets, as printers and RAID controllers send them. `repair` takes what has one reading,
    and it is written anew; with `refuse` it is 501. What has no reading or two is 501 in both: nothing
    behind the colon, a second address, a display name, a comment, an unbalanced bracket."""
    exclusion: tuple[Exclusion, ...] = ()
    """Networks with positions of their own."""
    shadow: bool = False
    """Turn every `refuse` of an oddity into `note`, and that of `envelope` into `repair`, to see what
    would be refused. Limits, relaying and pipelining hold, and what leaves us still has only one end."""
    backlog: Count = 1024
    """Connections the kernel holds until a worker takes them (listen(2)); a small backlog loses
    connections in a burst. The kernel lowers it to `net.core.somaxconn`."""


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long we wait for a next hop. RFC 5321 §4.5.3.2 gives these as the least."""

    connect: Duration = Duration(30)
    """For the TCP connection and for a TLS handshake; RFC 5321 names none. Short, because another
    next hop may be waiting to be tried."""
    greeting: Duration = Duration(300)
    """For the 220 greeting, and for the answers to EHLO, STARTTLS and XCLIENT (§4.5.3.2.1)."""
    mail: Duration = Duration(300)
    """For the answer to MAIL, and to RSET (§4.5.3.2.2)."""
    rcpt: Duration = Duration(300)
    """For the answer to RCPT (§4.5.3.2.3)."""
    data: Duration = Duration(120)
    """For the 354 that answers DATA (§4.5.3.2.4)."""
    block: Duration = Duration(180)
    """For each block of content to be taken (§4.5.3.2.5)."""
    end: Duration = Duration(600)
    """For the answer to the final dot (§4.5.3.2.6): a shorter time makes duplicates."""


class Route(Struct, frozen=True, kw_only=True):
    """Where the mail for some recipient domains goes."""

    domains: Annotated[tuple[DomainPattern, ...], Meta(min_length=1)]
    """Recipient domains: `inside.test`, `*.inside.test` (what lies below it), or `*` (any). The most
    exact match counts, wherever it stands."""
    next_hop: Annotated[tuple[NextHop, ...], Meta(min_length=1)]
    """`smtp://HOST:PORT`, `smtps://HOST:PORT`, `lmtp://HOST:PORT`, `lmtp:/SOCKET` or `maildir:PATH`;
    or a list, which is tried in order until one accepts a recipient."""
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)] = (Role.INBOUND, Role.OUTBOUND)
    """Which listeners use the route. With `*` it must be `["outbound"]`: an inbound listener that
    relays to any domain is an open relay."""
    tls: HopTls = HopTls.MAY
    """`off`; `may`: TLS where offered, with any certificate; `require`: TLS, with any certificate;
    `verify`: TLS, with a certificate for the host's name."""
    ca: PurePosixPath | None = None
    """PEM file with the authorities that `verify` trusts, instead of the system's."""
    xclient: Xclient = Xclient.AUTO
    """`auto`: tell the client's address by XCLIENT where the next hop offers it; `on`: answer 451
    where it does not; `off`: never. Without it all mail seems to come from us."""
    connections: Count = 40
    """Connections to each next hop, divided among the workers. Postfix of default size gives one
    client 50 of its 100 processes. An Exim of default size takes 20 connections in all: while it
    refuses more, mail waits for those that there are."""
    idle: Duration = Duration(30)
    """An unused connection is closed after this; next hops close idle ones after 5 minutes."""
    timeouts: Timeouts = Timeouts()
    """How long we wait for the next hop."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one client, one network or all may use, so that no input can exhaust the gateway."""

    connections: Annotated[int, Meta(ge=1, le=1_000_000)] = 15_000
    """Connections in all, across workers; beyond it 421 4.3.2. With TLS each idle one costs about
    32 KiB: 15,000 are 480 MiB. From four fifths of it on `crowded_time` holds."""
    connections_per_network: Count = 100
    """Connections per client network (IPv4 /24, IPv6 /64), across workers; beyond it 421 4.7.0. The
    large senders use a few dozen per network."""
    connections_per_56: Count = 200
    """Connections per IPv6 /56, across workers; beyond it 421 4.7.0. Many providers give one customer
    a /56, which holds 256 networks of /64: each may have its own connections, not all of them at once."""
    connections_per_48: Count = 400
    """Connections per IPv6 /48, across workers; beyond it 421 4.7.0. It is what one site gets at most
    (RFC 6177), and what tunnel brokers give to anybody who asks; large senders spread over a few /64 of
    theirs."""
    exempt_networks: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    """Networks for which `connections_per_network`, `connections_per_56` and `connections_per_48` do not
    hold: this machine itself, as with Postfix's `smtpd_client_event_limit_exceptions`."""
    commands: Count = 100
    """Commands that bring no message nearer (EHLO, HELO, STARTTLS, RSET, NOOP, VRFY, HELP), and chunks
    of less than 1 KiB but the last, since the connection began or a message was accepted; then 421
    4.7.0 and an end. MAIL, RCPT and DATA are not counted, nor are commands we refused, which are
    `errors`. Postfix takes as many that are of no use (`smtpd_junk_command_limit`)."""
    errors: Count = 20
    """Replies of 5xx since the connection began or a message was accepted; then 421 4.7.0 and an end,
    as Postfix does (`smtpd_hard_error_limit`). A 4xx is not counted, but more recipients refused for
    now by the next hop than `recipients` end the connection in the same way."""
    recipients: Annotated[int, Meta(ge=100, le=1_000_000)] = 1000
    """Recipients of one message; beyond it 452 4.5.3, however many, and the message goes to those who
    were taken. RFC 5321 §4.5.3.1.8: "The minimum total number
    of recipients that MUST be buffered is 100 recipients"."""
    message_size: Annotated[Size, Meta(ge=65_536)] = Size(50 * 2**20)
    """Bytes of one message, offered by SIZE (RFC 1870); beyond it 552 5.3.4. RFC 5321 §4.5.3.1.7
    asks for 64 KiB at least."""
    header_size: Size = Size(256 * 2**10)
    """Bytes of a message's header section; beyond it 552 5.3.4. Postfix keeps 100 KiB; long chains
    of ARC and DKIM fields need more."""
    received_fields: Annotated[int, Meta(ge=100, le=1000)] = 100
    """`Received` fields in a message; more is a loop, 554 5.4.6. RFC 5321 §6.3: "at least 100"."""
    command_line: Annotated[Size, Meta(ge=1024)] = Size(4096)
    """Bytes of a command line with its CRLF; beyond it 500 5.5.2. RFC 5321 §4.5.3.1.4 asks for 512,
    and parameters add to it."""
    tls_handshake: Duration = Duration(30)
    """Time for a client's TLS handshake; an honest one takes a second."""
    command_time: Annotated[Duration, Meta(ge=300)] = Duration(300)
    """Time without a command; then 421 4.4.2. RFC 5321 §4.5.3.2.7: "An SMTP server SHOULD have a
    timeout of at least 5 minutes while it is awaiting the next command"."""
    data_time: Annotated[Duration, Meta(ge=180)] = Duration(180)
    """Time without a byte of content; then 421 4.4.2. A client's own limit for a block is three
    minutes (RFC 5321 §4.5.3.2.5)."""
    crowded_time: Annotated[Duration, Meta(ge=1)] = Duration(10)
    """Time without a command or a byte of content, instead of `command_time`, `data_time` and
    `unread_time`, while four fifths of `connections` are taken; then 421 4.4.2. Less than RFC 5321
    asks for, so that those who only hold a connection make room for those who have mail: Postfix has
    10 seconds too under stress (`smtpd_timeout`)."""
    message_time: Annotated[Duration, Meta(ge=600)] = Duration(3600)
    """Time from DATA or the first BDAT to the end of the message; then 421 4.4.2. A byte a minute
    would else hold a connection and its spool for years."""
    unread_replies: Annotated[Size, Meta(ge=4096)] = Size(65_536)
    """Bytes of replies that a client leaves unread before we read no more of its commands."""
    unread_time: Duration = Duration(300)
    """Time for a client to read its replies; then the connection is closed."""
    next_hop_wait: Duration = Duration(30)
    """Time a RCPT waits for a free connection to the next hop; then 451 4.4.5."""
    next_hop_idle: Duration = Duration(30)
    """A client silent for this long within a transaction loses its connection to the next hop; where
    another waits for one, after 50 milliseconds."""
    final_reply: Annotated[Duration, Meta(ge=60, le=600)] = Duration(570)
    """Time from the final dot to our reply; then 451. Half a minute less than the 10 minutes that
    clients wait (RFC 5321 §4.5.3.2.6), so that they hear it."""
    spool_memory: Size = Size(256 * 2**10)
    """Bytes of one message kept in memory before it goes to a file: most mail never meets the disk."""
    spool_memory_total: Size = Size(32 * 2**20)
    """Bytes of messages in memory, per worker; beyond it every message goes to a file."""
    spool_total: Size = Size(8 * 2**30)
    """Bytes of messages in memory and files, per worker; beyond it 452 4.3.1."""


class Log(Struct, frozen=True, kw_only=True):
    """Where log lines go: one line of JSON for each transaction, refusal and event."""

    file: PurePosixPath | None = None
    """A file to append to, opened again on reload; without it standard error, which systemd keeps."""


class Workers(Struct, frozen=True, kw_only=True):
    """The processes that carry mail, and who they are."""

    count: Annotated[int, Meta(ge=0, le=256)] = 0
    """Worker processes; 0 is one per processor. Changing it needs a restart: kernel and shared map
    share connections among a fixed number."""
    user: str | None = None
    """The user to become once the addresses are bound. Name one where `run` is started by root: without
    it root carries mail, which only the log warns of, and `config check` by root asks with the rights
    of root."""
    group: str | None = None
    """The group to become; the user's own by default."""
    stop_time: Duration = Duration(60)
    """Time that transactions have to finish after SIGTERM; then connections are cut. Less than the
    90 seconds after which systemd kills."""
    drain_time: Duration = Duration(900)
    """Time that an old generation has to finish after a reload: more than `limits.final_reply`."""


class Metrics(Struct, frozen=True, kw_only=True):
    """Numbers for Prometheus, and whether we live."""

    address: Endpoint | None = None
    """Where `/metrics`, `/livez` and `/readyz` are served over HTTP, as in `127.0.0.1:9125`. Off by
    default: they show how much mail flows, to anyone who can connect."""


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration file."""

    hostname: Hostname
    """Our name in the greeting, in `Received` and towards next hops; it should be the name that our
    address has in DNS."""
    greeting: Greeting = Greeting("Tidewaiter")
    """What the greeting says behind our name and `ESMTP`: up to 200 visible ASCII characters and spaces between them.
    There is always a word, because programs that watch servers look for one (`^220 ([^ ]+) ESMTP (.+)$`)."""
    listener: Annotated[tuple[Listener, ...], Meta(min_length=1)]
    """The addresses that clients connect to."""
    route: Annotated[tuple[Route, ...], Meta(min_length=1)]
    """Where mail goes."""
    store: Store = Store()
    """Where records are kept, and for how long."""
    limits: Limits = Limits()
    """What one client may use."""
    log: Log = Log()
    """Where log lines go."""
    workers: Workers = Workers()
    """The processes."""
    metrics: Metrics = Metrics()
    """The numbers."""
