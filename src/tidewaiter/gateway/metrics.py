"""The numbers of the gateway: their names, labels and meaning, for Prometheus.

A worker counts with `Recorder.count(NAME, *labels)`; the clerk adds up and serves. A name once
published stays. Labels come from fixed sets, never from input, which could fill the memory.
"""

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "connections": ("Connections accepted.", ("listener",)),
    "transactions": ("Messages by outcome.", ("outcome",)),
    "odd_messages": ("Messages with an oddity, by its kind.", ("kind",)),
    "refusals": ("Refused connections, commands and recipients.", ("stage", "reason")),
    "received_bytes": ("Bytes of content of the messages that came to their end.", ()),
    "tls_failures": ("TLS handshakes that failed.", ("side",)),
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
}
"""Name (served as `tidewaiter_NAME`) and help."""
