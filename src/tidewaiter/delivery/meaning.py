"""What a next hop's reply means for the client, who has to hear something true of its own mail.

From MAIL on a permanent answer stays permanent and a temporary one temporary, each with its text. But a reply that is
about how *we* spoke says nothing about the mail: the client comes again, and the log tells the postmaster.
"""

from typing import Final

from tidewaiter.model.reply import Reply

LOST: Final = Reply(451, "4.4.2", ("The connection to the next hop was lost, come again",))
CHANGED: Final = Reply(451, "4.5.0", ("The next hop changed its mind, come again",))
NOT_UNDERSTOOD: Final = Reply(451, "4.3.5", ("The next hop refuses how we speak to it, come again",))
NO_XCLIENT: Final = Reply(451, "4.3.5", ("The next hop does not let us say who you are",))
NO_EIGHT_BIT: Final = Reply(550, "5.6.3", ("No next hop takes 8BITMIME, and this content is not 7-bit",))
NO_UTF8: Final = Reply(550, "5.6.7", ("No next hop takes SMTPUTF8",))
NOT_NOW_EIGHT_BIT: Final = Reply(451, "4.6.3", ("The next hop does not take 8BITMIME now, come again",))
NOT_NOW_UTF8: Final = Reply(451, "4.6.7", ("The next hop does not take SMTPUTF8 now, come again",))

CLOSING: Final = 421
ABOUT_US: Final = frozenset({500, 502, 503, 530, 555})
"""Replies that can only be about our words, our order of words, or our rights: none of it is the client's doing."""
_XCLIENT_ABOUT_US: Final = ABOUT_US | {501}
_NO_RIGHT: Final = "5.7.0"


def for_client(reply: Reply) -> Reply:
    """Say to the client what the next hop said from MAIL on; 421 would end a connection on which nothing is wrong."""
    if reply.code == CLOSING:
        return Reply.of(LOST.code, LOST.enhanced, *reply.lines)
    return NOT_UNDERSTOOD if reply.code in ABOUT_US else reply


def early_for_client(reply: Reply) -> Reply:
    """Say what is made of a final reply to content that had not left whole: a positive one answers no mail of ours."""
    return LOST if reply.positive else for_client(reply)


def about_xclient(reply: Reply) -> bool:
    """Tell whether a refused XCLIENT is about our right to use it, and not about the client that it told of.

    Postfix's XCLIENT_README: 501 for bad syntax, 503 in the midst of a transaction, 550 5.7.0 without authorization.
    """
    return reply.code in _XCLIENT_ABOUT_US or (reply.code == 550 and reply.enhanced == _NO_RIGHT)


def about_our_hello(reply: Reply) -> bool:
    """Tell whether a refused EHLO behind XCLIENT is about us: all else is about the client, whose name it says."""
    return reply.code in ABOUT_US


LACKING: Final = {"eight_bit": (NO_EIGHT_BIT, NOT_NOW_EIGHT_BIT), "utf8": (NO_UTF8, NOT_NOW_UTF8)}
"""By the name of the extension in `Offers`: what is said once no next hop takes it, and while one may."""
