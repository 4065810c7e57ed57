"""Whoever waits: what a transaction and a listener know of a connection, and a worker of a transaction."""

from typing import Protocol

from tidewaiter.model.reply import Reply


class Waiting(Protocol):
    """The client's connection, as those see it whom it asks (`session.Session`)."""

    finished: bool
    """The client has said all that it will say."""

    def answer(self, reply: Reply) -> None:
        """Answer the question that is open."""

    def finish(self, reply: Reply) -> None:
        """Answer for the message; the transaction is over."""

    def fail(self) -> None:
        """Say 421, and close."""

    def regulate(self) -> None:
        """Read from the client, or do not: one of the reasons may have changed."""

    def hurry(self, seconds: float) -> None:
        """Let the client be silent for no more than `seconds` from now."""

    def drain(self) -> None:
        """Say 421, once there is no transaction."""

    def leave(self, reply: Reply) -> None:
        """Say a last word, whatever is under way."""

    def abort(self) -> None:
        """Cut the connection."""


class UnderWay(Protocol):
    """What has not been answered yet (`transaction.Transaction`)."""

    def cut(self, said: Reply) -> None:
        """End it now."""
