"""Which files does a wheel hold that git does not?  The catalogues of messages, and modules compiled to C.

The modules that every message passes through are compiled with mypyc, from the source as it is; which they are is
`compiled` in pyproject.toml.  Without a C compiler the wheel is built all the same, and what runs is the source:
it does the same, at 1.6 to 1.8 times the CPU for a message of 4 KB.  Where there is a compiler, a wheel that is not
compiled is an error, for pip shows no warning of a build that went well; TIDEWAITER_UNCOMPILED=1 waives it.

Run by itself, this file says what compiling lacks; run with `requires`, what building needs.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILE = Path(__file__).with_name("compile.py")
WAIVER = "TIDEWAITER_UNCOMPILED"


class NotCompiledError(Exception):
    """There is a C compiler, and nothing was compiled."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"nothing was compiled: {reason}; {WAIVER}=1 builds without, and is slower")


class TidewaiterHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's base is not typed
    """Runs before the files of a wheel are gathered, and before an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what is made."""
        for source in Path(self.root, "src/tidewaiter/i18n").rglob("*.po"):
            with source.open("rb") as text, source.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(text))
        # An editable install runs the source that is being edited.
        if version != "editable":
            self._compile(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        del version, artifact_path
        shutil.rmtree(build_data.pop("scratch", ""), ignore_errors=True)

    def _compile(self, build_data: dict[str, Any]) -> None:
        if reason := _waived():
            self.app.display_warning(f"not compiled, so slower: {reason}")
            return
        if missing := _missing():
            raise NotCompiledError(f"{missing} is not installed")
        made = build_data["scratch"] = tempfile.mkdtemp()
        source = Path(self.root, "src")
        done = subprocess.run(  # noqa: S603  # our own script
            [sys.executable, COMPILE, source, made, *self.config["compiled"]], check=False
        )
        if done.returncode:
            raise NotCompiledError("what failed is said above")
        found = [file for file in Path(made).rglob("*.so") if file.is_file()]
        build_data["force_include"].update({str(file): str(file.relative_to(made)) for file in found})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


def _waived() -> str:
    """Say why nothing needs to be compiled."""
    if os.environ.get(WAIVER):
        return f"{WAIVER} is set"
    return "" if shutil.which("cc") else f"{_missing()} is not installed"


def _missing() -> str:
    """Name what compiling would need: a C compiler, and the headers of this Python."""
    if not shutil.which("cc"):
        return "a C compiler (gcc)"
    return "" if Path(sysconfig.get_path("include"), "Python.h").exists() else "Python.h (python3-dev)"


def _requires() -> str:
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    return "\n".join(project["build-system"]["requires"])


if __name__ == "__main__":
    print(_requires() if "requires" in sys.argv else _missing())  # noqa: T201 - `make lock` and compiled.sh read it
