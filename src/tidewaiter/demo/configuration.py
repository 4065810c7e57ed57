"""The gateway's configuration for the show: one an administrator could have written, and each vector's position."""

from collections.abc import Mapping
from typing import Final

HOSTNAME: Final = "mx.tidewaiter.test"
INSIDE: Final = "inside.test"
"""The domain whose mail goes to the receiver."""
MAILDIR: Final = "maildir.test"
"""The domain whose mail the gateway writes into a Maildir itself."""

STRANGERS: Final = "strangers"
"""The position of the defaults."""
_ODDITIES: Final = {
    STRANGERS: {},
    "note": {"bare_lf": "note", "bare_cr": "note", "nul": "note", "long_line": "note"},
    "repair": {"bare_lf": "repair", "bare_cr": "repair", "nul": "repair", "long_line": "note"},
    "refuse": {"bare_lf": "refuse", "bare_cr": "refuse", "nul": "refuse", "long_line": "refuse"},
}
POSITIONS: Final = tuple(_ODDITIES)
"""One inbound listener for each, in this order; behind them comes the outbound one."""
OUTBOUND: Final = "repair"
"""What users of one's own send is repaired, not refused: their programs are what one cannot mend."""

_FILE: Final = """\
hostname = "{hostname}"

[store]
path = "state"

[log]
file = "gateway.log"

[workers]
stop_time = "5s"

{listeners}
[[route]]
domains = ["{inside}"]
next_hop = "smtp://127.0.0.1:{receiver}"
tls = "off"

[[route]]
domains = ["*"]
roles = ["outbound"]
next_hop = "smtp://127.0.0.1:{receiver}"
tls = "off"

[[route]]
domains = ["{maildir}"]
next_hop = "maildir:maildir"
"""
_HOP: Final = """
[[route]]
domains = ["{domain}"]
roles = ["outbound"]
next_hop = "smtp://127.0.0.1:{port}"
"""
_INBOUND: Final = """
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
tls = "starttls"
certificate = "certificate.pem"
key = "certificate.pem"
"""
_OUTBOUND: Final = """
[[listener]]
address = "127.0.0.1:0"
role = "outbound"
networks = ["127.0.0.0/8"]
"""


def configuration(receiver: int, hops: Mapping[str, int]) -> str:
    """Write it, for a receiver on port `receiver` and next hops on ports by domain."""
    inbound = (_INBOUND + _positions(position) for position in POSITIONS)
    listeners = "".join([*inbound, _OUTBOUND + _positions(OUTBOUND)])
    file = _FILE.format(hostname=HOSTNAME, listeners=listeners, inside=INSIDE, receiver=receiver, maildir=MAILDIR)
    return file + "".join(_HOP.format(domain=domain, port=port) for domain, port in hops.items())


def _positions(name: str) -> str:
    oddities = ", ".join(f'{oddity} = "{position}"' for oddity, position in _ODDITIES[name].items())
    return f"data = {{ {oddities} }}\nbdat = {{ {oddities} }}\n" if oddities else ""
