"""The real receivers whose rows are learned, booted with a size limit small enough to be passed a thousand times."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.peers import aiosmtpd, dovecot, exim, haraka, opensmtpd, postfix, registry, sendmail, smtp_server, smtpd
from tidewaiter.lab.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.peers import Peer

LIMIT: Final = 3_000
SIDE_BY_SIDE: Final = 24


@contextmanager
def _postfix(service: str) -> Iterator[Peer]:
    with postfix.boot(size_limit=LIMIT) as peer:
        yield peer.at(service)


RECEIVERS: Final[dict[str, Callable[[], AbstractContextManager[Peer]]]] = {
    **{f"aiosmtpd-{version}": partial(aiosmtpd.discarding, version) for version in ("1.4.4", "1.4.6")},
    **{f"haraka-{version}": partial(haraka.discarding, version) for version in ("3.3.3", "3.3.4")},
    **{f"postfix-3.7-{name}": partial(_postfix, name) for name in ("no", "normalize", "reject", "excluded")},
    **{
        f"sendmail-8.17{name}": partial(sendmail.boot, size_limit=LIMIT, **rules)
        for name, rules in sendmail.RULES.items()
    },
    "smtp-server-3.21.6": smtp_server.receiver,
    "smtpd-3.11": partial(smtpd.discarding, size_limit=LIMIT),
    "exim-4.96": partial(exim.boot, size_limit=LIMIT),
    "exim-4.96-deb12u11": partial(exim.boot, size_limit=LIMIT, mended=True),
    "opensmtpd-6.8": partial(opensmtpd.boot, size_limit=LIMIT),
    "dovecot-lmtp-2.3.19": partial(dovecot.receiver, size_limit=LIMIT),
}
"""By the id of the row that describes each."""
SILENT: Final = {"smtpd-3.11": 1.0}
"""Seconds that are waited behind an end, where a row says that there may be no answer to what follows it."""


@contextmanager
def booted(name: str) -> Iterator[Target]:
    """Boot one; a test of a program that cannot run here is skipped with the reason."""
    if reason := registry.why_not(name):
        pytest.skip(f"{name} {reason}")
    with RECEIVERS[name]() as peer:
        unsaid = LIMIT if peer.lmtp else None
        yield Target(
            peer.host,
            peer.port,
            peer.recipient,
            lmtp=peer.lmtp,
            side_by_side=SIDE_BY_SIDE,
            within=30.0,
            limit=unsaid,
            silence=SILENT.get(name, 5.0),
        )
