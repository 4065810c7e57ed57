"""The numbers of the gateway: their names, labels and meaning, for Prometheus.

A worker counts with `Recorder.count(NAME, *labels)`; the clerk adds up and serves. A name once
published stays. Labels come from fixed sets or from the configuration, never from input, which could
fill the memory.
"""

from typing import Final

UP: Final = "up"
FULL: Final = "full"
DOWN: Final = "down"
HOP_STATES: Final = (UP, FULL, DOWN)
"""Of a next hop, the best first: what any worker reaches can be reached."""

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "connections": ("Connections accepted.", ("listener",)),
    "transactions": ("Messages by outcome.", ("outcome",)),
    "odd_messages": ("Messages with an oddity, by its kind.", ("kind",)),
    "refusals": ("Refused connections, commands and recipients.", ("stage", "reason")),
    "received_bytes": ("Bytes of content of the messages that came to their end.", ()),
    "tls_failures": ("TLS handshakes that failed, with a client or with a next hop.", ("side",)),
    "next_hop_connections": ("Connections to next hops that were opened, or failed to be.", ("next_hop", "result")),
    "records_dropped": ("Records that the log has and the store lacks.", ()),
    "records_malformed": ("Lines from a worker that the clerk could not read.", ()),
    "log_lines_dropped": ("Log lines lost because nobody read them.", ()),
}
"""Name (served as `tidewaiter_NAME_total`), help, and labels in order."""

GAUGES: dict[str, str] = {
    "open_connections": "Client connections open now, over all workers.",
    "workers": "Workers connected to the clerk.",
    "store_up": "1 if the last attempt to write the store went well, else 0.",
    "records_waiting": "Records that the clerk has and the store not yet.",
    "state_disk_free_bytes": "Bytes free on the disk of the state folder; -1 where it cannot be looked at.",
}
"""Name (served as `tidewaiter_NAME`) and help."""

HOP_GAUGES: dict[str, tuple[str, frozenset[str]]] = {
    "next_hop_up": ("1 if any worker could connect to this next hop at the last try, else 0.", frozenset({UP, FULL})),
    "next_hop_full": ("1 if it takes no more connections, and keeps those that there are.", frozenset({FULL})),
}
"""Name (served as `tidewaiter_NAME`, with the label `next_hop`), help, and the states in which it is 1."""
