"""The catalogue of vectors: names, claims and who got each wrong, and what must come of each by position."""

from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import ContentVector, Outcomes, Vector

_LEAD = """\
# The catalogue of vectors

Written from `src/tidewaiter/knowledge/vectors.toml` by `make docs`; the bytes are there, every odd one an escape.

A vector is a byte string with a name and the claim it tests.
What must come of it was worked out by hand from the standard and the positions, never computed by Tidewaiter's own code.
Each is sent between two honest messages on one connection, unless it comes before the greeting or ends the connection.
In memory it is sent whole, byte by byte, cut once at each byte, and cut at random; over sockets, to the gateway as users run it, whole and cut once at each place beside a CR, LF or dot, each part a segment that is read by itself.
That is the count of `make soak`; `make test` sends each whole and byte by byte, and prints how many of the cuts it makes.
What a next hop says is sent in the same ways, to our client in memory and to the gateway over sockets.
"""


def page() -> str:
    """Write the page."""
    content = [vector for vector in vectors().values() if isinstance(vector, ContentVector)]
    dialogue = [vector for vector in vectors().values() if not isinstance(vector, ContentVector)]
    rows = [
        f"| {_name(vector)} | {vector.claim} | {_outcomes(vector.data)} | {_outcomes(vector.bdat)} |"
        for vector in content
    ]
    steps = [f"| {_name(vector)} | {vector.claim} | {vector.side} | {_known(vector)} |" for vector in dialogue]
    return (
        f"{_LEAD}\n## In the content of a message\n\n"
        "The reply in `note`, `repair`, `refuse` and with the defaults for strangers.\n\n"
        "| vector | claim | DATA | BDAT |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
        "\n## In the dialogue\n\n| vector | claim | who sends it | known from |\n|---|---|---|---|\n"
        + "\n".join(steps)
        + "\n"
    )


def _name(vector: Vector) -> str:
    return f"`{vector.name}`"


def _known(vector: Vector) -> str:
    return ", ".join(vector.known) or "-"


def _outcomes(outcomes: Outcomes | None) -> str:
    if outcomes is None:
        return "-"
    replies = [each.reply for each in (outcomes.note, outcomes.repair, outcomes.refuse, outcomes.strangers)]
    return " · ".join(replies)
