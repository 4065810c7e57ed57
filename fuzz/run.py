"""`python fuzz/run.py NAME|all`: does any input break what a harness holds?

`--seconds S` lets atheris search, guided by what the code does with each input: `make fuzz T=reader S=60`.
`--runs N` tries N inputs of the mutator below, the same ones on every machine: how the tests count executions.
An input that breaks something is kept in `fuzz/corpus/NAME/`, where the tests find it from then on.
"""

import argparse
import hashlib
import importlib
import random
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

FUZZ: Final = Path(__file__).parent
SEED: Final = 1
LONGEST: Final = 4096

# Random bytes almost never spell CR LF dot CR LF; these do.
ALPHABET: Final = (b"\r\n", b"\r", b"\n", b".", b"\0", b" ", b"a", b"\r\n.\r\n", b"\n.\n", b"\xff")


def names() -> list[str]:
    """Every harness, without its `fuzz_`."""
    return sorted(file.stem.removeprefix("fuzz_") for file in FUZZ.glob("fuzz_*.py"))


def harness(name: str) -> ModuleType:
    """Import one; README.md says what it must have."""
    if str(FUZZ) not in sys.path:
        sys.path.append(str(FUZZ))
    return importlib.import_module(f"fuzz_{name}")


def corpus(name: str) -> list[bytes]:
    """Give the seeds of a harness, then the inputs that once broke it."""
    kept = sorted((FUZZ / "corpus" / name).glob("*"))
    return [*harness(name).SEEDS, *(file.read_bytes() for file in kept)]


def inputs(seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Give the seeds, then mutations of them without end, with words of the harness besides those of all."""
    yield from seeds
    rng = random.Random(SEED)  # noqa: S311  # repeatable is what is wanted
    words = (*ALPHABET, *words)
    while True:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 6)):
            _mutate(data, seeds, words, rng)
        yield bytes(data[:LONGEST])


def _mutate(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    behind = at + rng.choice((0, 0, 1, 2, 8))
    other = rng.choice(seeds)
    start = rng.randrange(len(other) + 1)
    piece = rng.choice(
        (
            b"",
            rng.choice(words),
            rng.choice(words),
            bytes([rng.randrange(256)]),
            other[start : start + rng.randrange(1, 32)],
            bytes(data[at : at + 16]),
        )
    )
    data[at:behind] = piece


def try_inputs(name: str, runs: int) -> bool:
    """Try so many; say whether all was well."""
    one_input, words = harness(name).one_input, getattr(harness(name), "WORDS", ())
    for number, data in enumerate(inputs(corpus(name), words), 1):
        try:
            one_input(data)
        except Exception:  # noqa: BLE001  # whatever it is, the input is kept and told
            traceback.print_exc()
            print(f"{name}: broken by input {number:,}: {data!r}, kept in {_keep(name, data)}")
            return False
        if number >= runs:
            break
    print(f"{name}: {runs:,} inputs, seed {SEED}: nothing broke")
    return True


def _keep(name: str, data: bytes) -> Path:
    file = FUZZ / "corpus" / name / f"crash-{hashlib.sha256(data).hexdigest()[:12]}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def search(name: str, seconds: int) -> bool:
    """Let atheris search in a process of its own, for it ends its process."""
    command = [sys.executable, __file__, name, "--atheris", str(seconds)]
    return subprocess.run(command, check=False).returncode == 0


def run_atheris(name: str, seconds: int) -> None:
    """Search in this process, and end it."""
    import atheris  # noqa: PLC0415  # slow to import, and the mutator does without

    kept = FUZZ / "corpus" / name
    kept.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["tidewaiter", f"fuzz_{name}"]):
        one_input = harness(name).one_input
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus(name)):
            Path(folder, str(number)).write_bytes(data)
        options = [f"-seed={SEED}", f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={kept}/"]
        atheris.Setup([name, *options, "-print_final_stats=1", folder], one_input)
        atheris.Fuzz()


def main() -> int:
    """Return 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["all", *names()], help="which harness")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--seconds", type=int, help="search for so long with atheris")
    how.add_argument("--runs", type=int, help="try so many inputs of the mutator")
    how.add_argument("--atheris", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.atheris:
        run_atheris(args.name, args.atheris)
    chosen = names() if args.name == "all" else [args.name]
    well = [search(name, args.seconds) if args.seconds else try_inputs(name, args.runs) for name in chosen]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
