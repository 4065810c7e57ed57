"""`python -m tests.mutation lines wire`: run them, say what survived without a reason, and whether enough died."""

import sys

from tests.mutation import LEAST, listed, results, run, survivors

parts = sys.argv[1:]
run(parts)
reasons = {(each.path, each.old.strip(), each.new.strip()) for each in listed()}
well = True
for part in parts:
    ended = results(part)
    alive = survivors(ended)
    unexplained = [each for each in alive if (each.path, each.old.strip(), each.new.strip()) not in reasons]
    killed = 100 * (1 - len(alive) / max(1, len(ended)))
    least = LEAST[part.split("/")[0]]
    for each in unexplained:
        print(f"{each.path}\n-{each.old}\n+{each.new}\n")
    rate = f"{killed:.1f} % killed of at least {least} %"
    print(f"{part}: {len(ended)} mutants, {rate}; {len(unexplained)} survived without a reason")
    well = well and bool(ended) and killed >= least and not unexplained
sys.exit(not well)
