r"""The judge: real mail programs, how each is booted, and a raw client and a sink that keep every byte.

This is the judge's ground.
It boots real programs on loopback, sends them bytes, and reads back what they delivered.
It imports nothing of `tidewaiter`: a judge that shares code with the accused says nothing.

Receivers, each a context manager that yields a `Peer` once its port greets::

    from tests.peers import Sink, raw, receiver, relay, sender

    with receiver("postfix-3.7-no") as peer:        # all names: `python -m tests.peers`
        replies = raw.send(peer.port, b"EHLO a.test\r\n...QUIT\r\n").codes
        messages = peer.deliveries(1)               # list[bytes], oldest first

`peer.port`, `peer.host` ("127.0.0.1"), `peer.recipient` (an address it keeps mail for),
`peer.lmtp`, `peer.ports` (further services by name, see `peer.at`), `peer.version`, `peer.log()`,
`peer.pid`, `peer.processes()`, `peer.deliveries(at_least=0, within=30.0)`.
`deliveries` first waits until the program's own queue is empty and `at_least` messages lie there,
by watching the folders, so "exactly one" can be asked as `len(peer.deliveries(1)) == 1`.

Relays, given the port of their next hop; what is not for inside.test goes there::

    with Sink() as sink, relay("exim-4.96-bdat", sink.port) as peer: ...

Senders, given the port they send to; what is yielded is called once a message::

    with Sink() as sink, sender("curl-7.88", sink.port) as send:
        sent = send(b"Subject: x\r\n\r\nhello\r\n")    # -> Sent(accepted, text)
        [message] = sink.wait(1)                          # content, wire, verb, paths; sink.sessions: every byte

`send(message, reverse_path="user@src.test", forward_paths=("rcpt@sink.test",))`.

The modules of the programs (`postfix.boot`, `exim.boot`, …) take further settings, such as a size limit;
`peer.running.kill()` and `.start()` are a crash and a new start on the same folders.
`postfix.command("smtp-source")` and `postfix.smtp_sink()` are Postfix's load tools.
`why_not(name)` says why a peer cannot run here. Fixtures for tests in this folder: conftest.py.
Programs are unpacked once, under `$TIDEWAITER_PEERS` or `~/.cache/tidewaiter/peers`.
"""

from tests.peers import raw
from tests.peers.cache import PeerError
from tests.peers.peer import Peer
from tests.peers.registry import PEERS, receiver, relay, sender, why_not
from tests.peers.senders import Sent
from tests.peers.sink import CHUNKING, Sink

__all__ = ["CHUNKING", "PEERS", "Peer", "PeerError", "Sent", "Sink", "raw", "receiver", "relay", "sender", "why_not"]
