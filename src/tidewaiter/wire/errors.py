"""Two kinds of wrong: ours, which is raised to the caller, and the peer's, which becomes a reply."""

from typing import NoReturn

from tidewaiter.model.reply import Reply


class WireError(Exception):
    """The root of what this package raises."""


class LocalProtocolError(WireError):
    """Our own code asked for what SMTP does not allow here. Bytes from a peer never cause it."""


class RemoteProtocolError(WireError):
    """The peer's command is wrong; `reply` is what to tell it. It does not leave this package."""

    def __init__(self, reply: Reply) -> None:
        """Carry the reply."""
        super().__init__(reply)
        self.reply = reply


def misuse(message: str) -> NoReturn:
    """Raise LocalProtocolError."""
    raise LocalProtocolError(message)
