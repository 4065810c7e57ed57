"""A next hop that speaks SMTP or LMTP, as a route sees it."""

from collections.abc import Callable, Sequence

from tidewaiter.delivery.pool import Pool
from tidewaiter.delivery.smtp import SmtpDelivery
from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Offers


class SmtpHop:
    """A next hop reached through a pool."""

    __slots__ = ("name", "one_recipient", "pool")

    def __init__(self, name: str, pool: Pool) -> None:
        """Keep its name and its connections."""
        self.name = name
        self.pool = pool
        self.one_recipient = pool.target.lmtp

    @property
    def offers(self) -> Offers | None:
        """What it last offered."""
        return self.pool.condition.offers

    def takes(self, extension: str) -> bool | None:
        """Tell whether it takes what a field of `Offers` names."""
        return self.pool.condition.takes(extension, self.pool.now)

    async def learn(self) -> None:
        """Ask what it offers."""
        await self.pool.learn()

    def deliver(
        self, mail: Mail, client: Client, accepted: Sequence[Address], lacking: Callable[[str], Reply]
    ) -> SmtpDelivery:
        """Begin a transaction."""
        return SmtpDelivery(self.pool, mail, client, accepted, lacking)

    def close(self) -> None:
        """Let go of its connections."""
        self.pool.close()
