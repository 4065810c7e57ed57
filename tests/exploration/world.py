"""One run: what is played, with which settings, and what came of it, to be judged.

Times are a tenth of the defaults, each in the same relation to the others, for looks at deadlines cost the most of a
run; but where there is another way for the mail, for which way gets how much of it is what is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from msgspec import structs

from tests.exploration.client import Client
from tests.exploration.clock import Clock
from tests.exploration.company import Company, Dress
from tests.exploration.hop import Hop, Program
from tests.exploration.moments import Step
from tests.exploration.wire import End
from tidewaiter.config import Settings, parse
from tidewaiter.config.settings import Timeouts
from tidewaiter.config.values import Duration

CONFIGURATION: Final = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:25"
role = "inbound"
[[route]]
domains = ["inside.test"]
next_hop = {hops}
connections = {connections}
tls = "{tls}"
"""


@cache
def settings(dress: Dress, company: Company) -> Settings:
    """Give the settings of a run."""
    hops = [f"{dress.scheme}://hop.test:25"] + [f"{dress.scheme}://spare.test:25"] * company.spare
    text = CONFIGURATION.format(hops=hops, connections=company.connections, tls=dress.tls).replace("'", '"')
    parsed = parse(text.encode(), "gateway.toml")
    if company.spare or company.addresses > 1:
        return structs.replace(parsed, limits=structs.replace(parsed.limits, spool_memory=4096))
    limits = structs.replace(
        parsed.limits,
        next_hop_wait=Duration(3),
        next_hop_idle=Duration(3),
        final_reply=Duration(57),
        command_time=Duration(30),
        spool_memory=4096,
    )
    timeouts = Timeouts(**{each: Duration(getattr(Timeouts(), each) / 10) for each in Timeouts.__struct_fields__})
    route = structs.replace(parsed.route[0], idle=Duration(10), timeouts=timeouts)
    return structs.replace(parsed, limits=limits, route=(route,))


@dataclass
class Run:
    """What was played, and what came of it."""

    dress: Dress
    company: Company
    steps: Sequence[Step] = ()
    forever: bool = False
    settings: Settings = field(init=False)
    loop: Clock = field(init=False)
    program: Program = field(init=False)
    hops: list[Hop] = field(default_factory=list)
    """The first is the one that goes wrong."""
    clients: list[Client] = field(default_factory=list)
    """All of them, in the order in which they came."""
    ours: list[End] = field(default_factory=list)
    """Our ends of the clients' connections."""
    log: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, object] = field(default_factory=dict)
    """What should not be there when all is over."""
    left_after: float = 0.0
    """Seconds from the order to leave until the worker could."""
    standstill: str = ""

    @property
    def ends(self) -> list[End]:
        """Our ends of all connections."""
        return self.ours + [talk.far for hop in self.hops for talk in hop.talks if talk.far is not None]

    def __str__(self) -> str:
        steps = ", then ".join(map(str, self.steps)) + (", for ever" if self.forever else "")
        return f"{steps} | {self.dress.name} | {self.company.name}"
