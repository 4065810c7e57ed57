"""Run by a Python that still has smtpd (gone since 3.12): take each message and keep none of it."""

import asyncore
import smtpd
import sys


class Discarding(smtpd.SMTPServer):
    """As it ships; what it is to do with a message its subclass says."""

    def process_message(self, *_: object, **__: object) -> None:
        """Forget it."""


def main(port: str, limit: str) -> None:
    """Serve until the process is ended."""
    Discarding(("127.0.0.1", int(port)), ("", 0), data_size_limit=int(limit))
    asyncore.loop(use_poll=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
