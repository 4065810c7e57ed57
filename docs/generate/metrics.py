"""docs/metrics.md: what the clerk's pages say, from the tables that it counts by."""

from tidewaiter.gateway.record.metrics import COUNTERS, GAUGES, HOP_GAUGES, HOP_STATES

_HEAD = """\
# Health and numbers

Written by `make docs` from `src/tidewaiter/gateway/record/metrics.py`; do not edit.

Where `metrics.address` is set, three pages are served there over HTTP: `/livez`, `/readyz` and `/metrics`.

## Whether it lives, and whether mail can be taken

`/livez` answers 200 as long as somebody answers at all.

`/readyz` answers 503 where no mail can be taken: no worker is there, the store cannot be written, or every next hop is down.
Else it answers 200, and names what is down all the same:

```json
{"workers":2,"store":"ok","next_hops":{"smtp://192.0.2.25:25":"up","smtp://192.0.2.26:25":"down"}}
```

A next hop is SAID, as the worker knows it who reaches it best; a Maildir is always *up*.
*full* is one that refused one more connection and keeps those that there are.
Nobody need send mail for a next hop to be found again: workers try one that is down now and then.
Where the store cannot be written, `store` says why; mail that comes all the same is taken where it can be, and its records wait.

## Numbers

`/metrics` is read by Prometheus.
Counters begin at zero when the clerk does.

| name | labels | meaning |
|---|---|---|
"""


def page() -> str:
    """Write the page."""
    said = " or ".join([", ".join(f"*{state}*" for state in HOP_STATES[:-1]), f"*{HOP_STATES[-1]}*"])
    rows = [(f"{name}_total", labels, meaning) for name, (meaning, labels) in COUNTERS.items()]
    rows += [(name, ("next_hop",), meaning) for name, (meaning, _) in HOP_GAUGES.items()]
    rows += [(name, (), meaning) for name, meaning in GAUGES.items()]
    rows += [("transaction_seconds", ("le",), "Time from MAIL to our reply to the end of the message, as a histogram.")]
    lines = [
        f"| `tidewaiter_{name}` | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"
        for name, labels, meaning in sorted(rows)
    ]
    return _HEAD.replace("SAID", said) + "\n".join(lines) + "\n"
