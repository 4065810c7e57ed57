r"""The judge: real mail programs, how each is booted, and a raw client and a sink that keep every byte.

This is the judge's ground.
It boots real programs on loopback, sends them bytes, and reads back what they delivered.
It imports nothing of `tidewaiter`: a judge that shares code with the accused says nothing.

Receivers, each a context manager that yields a `Peer` once its port greets::

    from tests.peers import receiver, sender, Sink, raw

    with receiver("postfix-no") as peer:            # names: `python -m tests.peers`
        replies = raw.send(peer.port, b"EHLO a.test\r\n...QUIT\r\n")
        messages = peer.deliveries(1)               # list[bytes], oldest first

`peer.port`, `peer.host` ("127.0.0.1"), `peer.recipient` (an address it takes),
`peer.lmtp`, `peer.ports` (further services by name), `peer.version`, `peer.log()`,
`peer.processes()` (pids, the main one first), `peer.pid`, `peer.deliveries(at_least=0, within=10.0)`.
`deliveries` first waits until the program's own queue is empty and `at_least` messages lie there,
by watching the folders, so "exactly one" can be asked as `len(peer.deliveries(1)) == 1`.

Relays, given the port of their next hop::

    with Sink() as sink, relay("exim-bdat", sink.port) as peer: ...

Senders, given the port they send to; what is yielded is called once a message::

    with Sink() as sink, sender("curl", sink.port) as send:
        sent = send(b"Subject: x\r\n\r\nhello\r\n")      # -> Sent(accepted, text)
        [session] = sink.sessions                           # sink.py: bytes as received

`send(message, reverse_path="a@src.test", forward_paths=("rcpt@sink.test",))`.

`PEERS` (registry.py) lists every peer with its version and `why_not()`, the reason it cannot run here.
`raw` is a byte-exact client, `Sink` a byte-exact server (SMTP or LMTP).
Roots are built once, under `$TIDEWAITER_PEERS` or `~/.cache/tidewaiter/peers`.
"""
