"""`python -m tests.mutation lines wire`: run them, say what survived without a reason, and whether enough died.

`python -m tests.mutation --sample 300 --seed 14 store lab …` tries those alone that are drawn: `sample.py`.
"""

import argparse
import sys

from tests.mutation import LEAST, results, run, survivors, unexplained
from tests.mutation.sample import sample

asked = argparse.ArgumentParser()
asked.add_argument("--sample", type=int, metavar="N")
asked.add_argument("--seed", type=int, default=14)
asked.add_argument("parts", nargs="+")
args = asked.parse_args()
if args.sample:
    sys.exit(not sample(args.parts, args.sample, args.seed))
parts = args.parts
run(parts)
well = True
for part in parts:
    ended = results(part)
    alive = survivors(ended)
    without = unexplained(alive)
    killed = 100 * (1 - len(alive) / max(1, len(ended)))
    least = LEAST[part.split("/")[0]]
    for each in without:
        print(f"{each.path}\n-{each.old}\n+{each.new}\n")
    rate = f"{killed:.1f} % killed of at least {least} %"
    print(f"{part}: {len(ended)} mutants, {rate}; {len(without)} survived without a reason")
    well = well and bool(ended) and killed >= least and not without
sys.exit(not well)
