"""`python -m bench`: measure ourselves beside Postfix and aiosmtpd in one run, in random order, and say what came.

`--rows WORD` measures only rows whose name holds the word, `--rounds N` so many rounds, `--write` keeps the page.
"""

import argparse
import os
import platform
import random
import sys
import time
from pathlib import Path
from typing import Final

from bench.rows import ROWS, Row
from bench.stage import Measured, stage
from bench.table import Rounds, judge, markdown
from tests.peers import postfix
from tidewaiter import is_compiled

PAGE: Final = Path(__file__).parent / "README.md"
_HEAD: Final = """\
# Measured

Written by `make bench`: ourselves with shipped defaults (log and store on, one worker for each core), Postfix {postfix}
with `smtpd_proxy_filter`, and aiosmtpd 1.4.6 with its `Proxy`, all before the same `smtp-sink`, in one run.
Peers alternate in random order; CPU and memory are those of every process of a peer, from `/proc`.
Trust the ratios of one run, not the figures of two.

The rows of a real Postfix have that of docs/deployment.md, which syncs each message to its queue, and clients of 200
addresses: Postfix alone, and behind us told of each client by XCLIENT, which gives each connection to one client; told
on connections that are shared, as that page says how; and told of nobody.
CPU is ours and Postfix's together.

{date}, {cores} cores, {machine}, CPython {python}, {compiled}.
The load averaged {load:.1f} before the run; what else ran on the machine weighs on every figure.
"""


def measure(row: Row, peers: dict[str, Measured], rounds: int) -> Rounds:
    """Measure one row of every peer, in an order that is drawn anew for each round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in row.peers}
    for _ in range(1 if row.once else rounds * row.times):
        for name in random.sample(row.peers, len(row.peers)):
            found[name].append(row.measure(peers[name], peers))
    return found


def head() -> str:
    """Say what was measured where."""
    return _HEAD.format(
        postfix=postfix.VERSION,
        date=time.strftime("%Y-%m-%d"),
        cores=os.cpu_count(),
        machine=platform.machine(),
        python=platform.python_version(),
        compiled="ours compiled as in the wheel" if is_compiled() else "ours not compiled",
        load=os.getloadavg()[0],
    )


def main() -> int:
    """Measure, print, and end with 1 where something that was wanted was not met."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", default="", help="measure only rows whose name holds this")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} beside this program")
    options = parser.parse_args()
    # The gateway runs in a folder of its own, where a relative path leads nowhere: the source would be measured.
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(each).absolute()) for each in paths if each)
    page, met = [head()], True
    print(page[0])
    with stage() as peers:
        for row in ROWS:
            if options.rows in row.name:
                rounds = measure(row, peers, options.rounds)
                met = met and all(judged.met for judged in judge(row, rounds))
                page.append(markdown(row, rounds))
                print(page[-1], flush=True)
    if options.write:
        PAGE.write_text("\n".join(page))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
