"""Compiles modules to C with mypyc: `compile.py SOURCE TARGET MODULE…`; modules are paths inside SOURCE.

A script of its own, since setuptools builds extensions only from a `setup` that it runs itself.
What it leaves in TARGET lies there as it has to lie beside the package.
"""

import os
import sys
import tempfile
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup  # type: ignore[import-untyped]  # it has no types of its own


def main(source: str, target: str, *modules: str) -> None:
    """Compile; ends with an error where mypy or the C compiler finds one."""
    target = str(Path(target).absolute())
    os.chdir(source)
    with tempfile.TemporaryDirectory() as scratch:
        # What pip builds in knows neither our dependencies nor their types; `make check` has judged all of that.
        flags = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={scratch}"]
        extensions = mypycify([*flags, *modules], opt_level="2", target_dir=f"{scratch}/c", group_name="tidewaiter")
        places = [f"--build-lib={target}", f"--build-temp={scratch}/objects"]
        setup(name="tidewaiter", packages=[], ext_modules=extensions, script_args=["--quiet", "build_ext", *places])


if __name__ == "__main__":
    main(*sys.argv[1:])
