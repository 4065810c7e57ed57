"""`python -m tests.mutation lines wire`: run them, say what survived without a reason, and whether enough died."""

import sys

from tests.mutation import LEAST, results, run, survivors, unexplained

parts = sys.argv[1:]
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
