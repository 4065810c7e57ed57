"""Every reply that the server core gives by itself, as data: code, enhanced status code (RFC 3463, RFC 5248), text.

Those that name the host (RFC 5321 §4.2: 220, 221, 421, and 250 to HELO and EHLO) are made by `Service`.
"""

from typing import Final

from tidewaiter.model.oddity import OddityKind
from tidewaiter.model.reply import Reply

OK: Final[Reply] = Reply(250, "2.0.0", ("Ok",))
SENDER_OK: Final[Reply] = Reply(250, "2.1.0", ("Ok",))
RECIPIENT_OK: Final[Reply] = Reply(250, "2.1.5", ("Ok",))
GO_AHEAD: Final[Reply] = Reply(354, "", ("End data with <CR><LF>.<CR><LF>",))
START_TLS: Final[Reply] = Reply(220, "2.0.0", ("Ready to start TLS",))
NOT_VERIFIED: Final[Reply] = Reply(252, "2.0.0", ("Send some mail, and it will be tried",))
HELP: Final[Reply] = Reply(214, "2.0.0", ("See RFC 5321",))

UNKNOWN_COMMAND: Final[Reply] = Reply(500, "5.5.2", ("Command not recognized",))
NOT_IMPLEMENTED: Final[Reply] = Reply(502, "5.5.1", ("Command not implemented",))
BAD_LINE: Final[Reply] = Reply(500, "5.5.2", ("A command line ends in CR LF and holds no other CR, LF or NUL",))
LONG_COMMAND: Final[Reply] = Reply(500, "5.5.2", ("Line too long",))
SYNCHRONIZATION: Final[Reply] = Reply(554, "5.5.0", ("SMTP protocol synchronization: wait for the reply",))

NO_ARGUMENT: Final[Reply] = Reply(501, "5.5.4", ("This command takes no argument",))
HELLO_SYNTAX: Final[Reply] = Reply(501, "5.5.4", ("A host name is wanted",))
MAIL_SYNTAX: Final[Reply] = Reply(501, "5.5.4", ("Syntax: MAIL FROM:<address>",))
RCPT_SYNTAX: Final[Reply] = Reply(501, "5.5.4", ("Syntax: RCPT TO:<address>",))
BDAT_SYNTAX: Final[Reply] = Reply(501, "5.5.4", ("Syntax: BDAT count [LAST]",))
PARAMETER_SYNTAX: Final[Reply] = Reply(501, "5.5.4", ("A parameter is malformed or given twice",))
UNKNOWN_PARAMETER: Final[Reply] = Reply(555, "5.5.4", ("Parameter not recognized or not implemented",))
# RFC 5321 §4.1.2: servers "that receive a command in which invalid character codes have been employed … MUST reject
# that command with a 501 response".
BAD_SENDER: Final[Reply] = Reply(501, "5.1.7", ("The sender's address is malformed",))
BAD_RECIPIENT: Final[Reply] = Reply(501, "5.1.3", ("The recipient's address is malformed",))
BARE_SENDER: Final[Reply] = Reply(553, "5.1.7", ("The sender's address has no domain",))
BARE_RECIPIENT: Final[Reply] = Reply(553, "5.1.3", ("The recipient's address has no domain",))
NEEDS_UTF8: Final[Reply] = Reply(553, "5.6.7", ("An address beyond ASCII needs SMTPUTF8",))

HELLO_FIRST: Final[Reply] = Reply(503, "5.5.1", ("Send HELO or EHLO first",))
MAIL_FIRST: Final[Reply] = Reply(503, "5.5.1", ("Send MAIL first",))
NESTED_MAIL: Final[Reply] = Reply(503, "5.5.1", ("A transaction is open already",))
NO_RECIPIENTS: Final[Reply] = Reply(554, "5.5.1", ("No valid recipients",))
NO_MIXING: Final[Reply] = Reply(503, "5.5.1", ("DATA, RCPT and BDAT do not mix: send RSET",))
TLS_ACTIVE: Final[Reply] = Reply(503, "5.5.1", ("TLS is active already",))
OUT_OF_ORDER: Final[Reply] = Reply(503, "5.5.1", ("Bad sequence of commands",))

TOO_MANY_RECIPIENTS: Final[Reply] = Reply(452, "4.5.3", ("Too many recipients",))
TOO_BIG: Final[Reply] = Reply(552, "5.3.4", ("The message is too big",))
ODD_CONTENT: Final[dict[OddityKind, Reply]] = {
    OddityKind.BARE_CR: Reply(550, "5.6.0", ("The message holds a bare CR",)),
    OddityKind.BARE_LF: Reply(550, "5.6.0", ("The message holds a bare LF",)),
    OddityKind.NUL: Reply(550, "5.6.0", ("The message holds a NUL",)),
    OddityKind.LONG_LINE: Reply(550, "5.6.0", ("A line of the message is longer than 998 octets",)),
    OddityKind.HEADER: Reply(550, "5.6.0", ("A line of the header section is no header field",)),
}
"""By what was met first of that which is refused; the connection ends behind each."""
