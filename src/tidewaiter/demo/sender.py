"""A real sender that passes odd bytes on: curl, or its library where the machine has no program of it.

It is given the content as a user would give it; what it makes of line ends and dots is its own affair.
What the server said is read from its own account of the conversation.
"""

import asyncio
import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Final

from tidewaiter.demo.mail import Mail
from tidewaiter.rig.player import HOST

SECONDS: Final = 60
_REPLY: Final = re.compile(r"[0-9]{3}(?: .*)?")
EHLO: Final = "client.inside.test"


@cache
def curl_program() -> str | None:
    """The path of a curl that speaks SMTP."""
    program = shutil.which("curl")
    return program if program and "smtp" in _version(program).split() else None


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603


def name() -> str:
    """What the sender calls itself."""
    program = curl_program()
    if program:
        return " ".join(_version(program).split()[:2])
    import pycurl  # noqa: PLC0415  # only where there is no curl

    return f"{pycurl.version.split()[1]} (pycurl)"


async def send(port: int, mail: Mail) -> str:
    """Send, and give the reply that decided, on one line; empty where there was none."""
    program = curl_program()
    said = await _with_program(program, port, mail) if program else await asyncio.to_thread(_with_library, port, mail)
    return decisive(said)


def decisive(said: Sequence[str]) -> str:
    """The reply behind 354; where there was no 354, the first that refused."""
    replies = [line for line in said if _REPLY.fullmatch(line)]
    codes = [line[:3] for line in replies]
    if "354" in codes:
        return next(iter(replies[codes.index("354") + 1 :]), "")
    return next((line for line in replies if line[0] in "45"), "")


async def _with_program(program: str, port: int, mail: Mail) -> list[str]:
    words = [program, "-q", "-sS", "-v", "--noproxy", "*", "--max-time", str(SECONDS), _url(port)]
    words += ["--mail-from", mail.sender, "--mail-rcpt", mail.recipient, "-T", "-"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *words, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe, start_new_session=True
    )
    _, account = await process.communicate(mail.content)
    lines = account.decode("utf-8", "replace").splitlines()
    return [line[2:].strip() for line in lines if line.startswith("< ")]


def _with_library(port: int, mail: Mail) -> list[str]:
    import pycurl  # noqa: PLC0415  # only where there is no curl

    said: list[bytes] = []
    curl = pycurl.Curl()
    options = {
        pycurl.URL: _url(port),
        pycurl.NOPROXY: "*",
        pycurl.TIMEOUT: SECONDS,
        pycurl.MAIL_FROM: mail.sender,
        pycurl.MAIL_RCPT: [mail.recipient],
        pycurl.UPLOAD: True,
        pycurl.READDATA: io.BytesIO(mail.content),
        pycurl.WRITEFUNCTION: len,
        pycurl.VERBOSE: True,
        pycurl.DEBUGFUNCTION: lambda kind, text: said.append(text) if kind == pycurl.INFOTYPE_HEADER_IN else None,
    }
    for option, value in options.items():
        curl.setopt(option, value)
    try:
        curl.perform()
    except pycurl.error:
        pass  # a refusal is one too; what was said is what counts
    finally:
        curl.close()
    return [line.strip() for text in said for line in text.decode("utf-8", "replace").splitlines()]


def _url(port: int) -> str:
    return f"smtp://{HOST}:{port}/{EHLO}"
