"""Did what was promised come true?  A sentence for each promise that did not; none means that all held.

It judges by what the receiver kept, and by what was said on the wire, against what the catalogue says by hand.
It knows nothing of the gateway's code: what it does not do, no bug there can do for it.
"""

from collections.abc import Iterator, Sequence

from tidewaiter.demo.mail import Mail
from tidewaiter.demo.mailbox import Kept
from tidewaiter.i18n import _

CRLF = b"\r\n"
SHOWN = 60
"""Bytes of a difference that are shown."""


def reply(expected: str, said: str) -> Iterator[str]:
    """The reply must begin as expected."""
    if not said.startswith(expected) or said[len(expected) : len(expected) + 1].isalnum():
        yield _("answered {said}, not {expected}").format(said=said or _("nothing"), expected=expected)


def refused_for_now(said: str) -> Iterator[str]:
    """The reply must be 4xx: the next hop is at fault, and the mail has to come again."""
    if not said.startswith("4"):
        yield _("answered {said}, not {expected}").format(said=said or _("nothing"), expected="4xx")


def command(expected: str, said: str) -> Iterator[str]:
    """The command must begin as expected."""
    if not said.startswith(expected):
        yield _("sent {said}, not {expected}").format(said=said or _("nothing"), expected=expected)


def kept(
    expected: Sequence[Mail], found: Sequence[Kept], *, newline: bytes = CRLF, relayed: bool = True
) -> Iterator[str]:
    """Each message must be there, in order, byte for byte but for one `Received`, and no other."""
    if len(found) != len(expected):
        yield _("{found} messages were kept, not {expected}").format(found=len(found), expected=len(expected))
    for mail, one in zip(expected, found, strict=False):
        yield from _same(mail, one, newline, relayed=relayed)


def _same(mail: Mail, one: Kept, newline: bytes, *, relayed: bool) -> Iterator[str]:
    if one.sender != mail.sender:
        yield _("a message from {sender} was kept, which nobody sent").format(sender=one.sender)
        return
    if one.recipients not in {(mail.recipient,), ()}:
        yield _("it was kept for {recipients}").format(recipients=", ".join(one.recipients))
    content = one.without_received() if relayed else one.content
    if content is None:
        yield _("no Received was added")
        return
    wanted = ended(mail.content).replace(CRLF, newline)
    if content != wanted:
        yield _("the content differs at byte {place}: {found}, not {wanted}").format(
            place=(at := first_difference(content, wanted)),
            found=repr(content[at : at + SHOWN])[1:],
            wanted=repr(wanted[at : at + SHOWN])[1:],
        )


def ended(content: bytes) -> bytes:
    """Content as a next hop holds it that takes DATA: it ends in CR LF, for else its end could not be said."""
    return content if content.endswith(CRLF) or not content else content + CRLF


def first_difference(one: bytes, other: bytes) -> int:
    """The offset of the first byte that differs; the shorter length where one begins with the other."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
