"""How to send to what stays up, and where the mail lies."""

from rich.console import Group
from rich.text import Text

from tidewaiter.i18n import _
from tidewaiter.report.demonstration import Invitation

_HOST = "127.0.0.1"


def invitation(there: Invitation) -> Group:
    """Write commands that work as they stand."""
    behind, written, alone = there.kept
    honest = f"swaks --server {_HOST} --port {there.inbound} --from you@outside.example --to"
    attack = (
        "printf 'Subject: odd\\r\\n\\r\\nHello\\n.\\r\\nMAIL FROM:<forged@bank.example>\\r\\nRCPT TO:<{to}>\\r\\n"
        "DATA\\r\\nSubject: forged\\r\\n\\r\\n' | curl -sS smtp://{host}:{port} "
        "--mail-from you@inside.test --mail-rcpt {to} -T -"
    )
    lines = (
        (_("Everything stays up. Send to it:"), ""),
        (_("honest mail, to the receiver"), f"{honest} {there.receiver}"),
        (_("honest mail, into a Maildir"), f"{honest} {there.maildir}"),
        (_("an attack, without the gateway"), attack.format(host=_HOST, port=there.alone, to=there.receiver)),
        (_("the same through it, as a user"), attack.format(host=_HOST, port=there.outbound, to=there.receiver)),
        (_("the same through it, as a stranger"), attack.format(host=_HOST, port=there.inbound, to=there.receiver)),
        (_("the mail lies in"), f"{behind}/new\n  {written}/new\n  {alone}/new"),
        (_("the log"), there.log),
        (_("Ctrl-C ends it, and removes {folder}.").format(folder=there.folder), ""),
    )
    return Group(*(Text.assemble((what, "bold"), f"\n  {how}" if how else "") for what, how in lines))
