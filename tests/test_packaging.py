"""Does the package install and start by itself, and does the unit leave the gateway only what it needs?"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging/tidewaiter.service"
EXPOSURE = 17
"""In tenths, as systemd-analyze counts: sockets and port 25 are what a mail gateway cannot do without."""


def run(*command: object, **options: object) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, **options).stdout  # type: ignore[call-overload, no-any-return]


LOCKS = ("requirements.lock", "packaging/requirements-run.lock", "packaging/requirements-build.lock")


def copied(source: Path) -> Path:
    """The checkout without what git does not hold."""
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "mutants", "dist", "*.mo"))
    return source


def pinned(lock: str) -> dict[str, str]:
    """The version of each package of a lock file."""
    return dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = copied(folder / "source")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    # No compiler on the PATH. That of the wheel with one is `make compiled`, and `make test` tests it with `--shipped`.
    bare = os.environ | {"PATH": str(folder)}
    said = run(*pip, "--verbose", "--wheel-dir", folder, source, env=bare, stderr=subprocess.STDOUT)
    assert "not compiled, so slower: a C compiler (gcc) is not installed" in said
    [built] = folder.glob("*.whl")
    return built


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_unit_leaves_the_gateway_little() -> None:
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", UNIT)


def test_the_wheel_is_compiled_by_the_mypy_that_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [pinned] = [one for one in project["build-system"]["requires"] if one.startswith("mypy")]
    assert f"\n{pinned} " in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_what_runs_and_what_builds_is_what_was_tested_and_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = (project["project"]["dependencies"], project["build-system"]["requires"])
    tested, *installed = map(pinned, LOCKS)
    for versions, wanted in zip(installed, asked, strict=True):
        assert versions.items() <= tested.items()
        assert {re.split(r"[^\w-]", one)[0] for one in wanted} <= versions.keys()
    tools = {re.split(r"[^\w-]", one)[0] for one in project["dependency-groups"]["dev"]}
    assert not tools & installed[0].keys()


@pytest.fixture
def failing(tmp_path: Path) -> tuple[list[object], dict[str, str]]:
    """What builds a wheel with one compiled module, with a C compiler that fails first on the PATH."""
    source = copied(tmp_path / "source")
    project = (source / "pyproject.toml").read_text(encoding="utf-8")
    cut = re.sub(r"(?ms)^compiled = \[.*?^\]$", 'compiled = ["tidewaiter/lines/lengths.py"]', project)
    (source / "pyproject.toml").write_text(cut, encoding="utf-8")
    for name in ("cc", "gcc", "x86_64-linux-gnu-gcc"):
        (tmp_path / name).write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--verbose"]
    return [*pip, "--wheel-dir", tmp_path, source], os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.slow
def test_compiling_that_fails_is_an_error(failing: tuple[list[object], dict[str, str]]) -> None:
    words, environment = failing
    done = subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    why = "what failed is said above" if "no room" in done.stdout + done.stderr else "Python.h (python3-dev)"
    assert f"NotCompiledError: nothing was compiled: {why}" in done.stdout + done.stderr
    assert "TIDEWAITER_UNCOMPILED=1 builds without" in done.stdout + done.stderr


@pytest.mark.slow
def test_compiling_that_fails_can_be_waived(failing: tuple[list[object], dict[str, str]]) -> None:
    words, environment = failing
    said = run(*words, env=environment | {"TIDEWAITER_UNCOMPILED": "1"}, stderr=subprocess.STDOUT)
    assert "not compiled, so slower: TIDEWAITER_UNCOMPILED is set" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_who_installs_as_the_first_page_says_gets_what_was_tested_and_nothing_more(tmp_path: Path) -> None:
    page = (ROOT / "docs/start.md").read_text(encoding="utf-8")
    commands = page.partition("## Install\n")[2].partition("```sh\n")[2].partition("```")[0]
    assert "/opt/tidewaiter" in commands
    shell = ["sh", "-exc", commands.replace("/opt/tidewaiter", str(tmp_path / "there"))]
    # Compiled wheels are what `make compiled` makes and what `--shipped` tests.
    waived = os.environ | {"TIDEWAITER_UNCOMPILED": "1"}
    said = run(*shell, cwd=copied(tmp_path / "source"), env=waived)
    assert said.endswith("tidewaiter 0.1.0, not compiled\n")
    frozen = run(tmp_path / "there/bin/pip", "freeze", "--all", "--disable-pip-version-check")
    brought = {"pip", "setuptools", "tidewaiter"}  # by the venv, and what was installed
    installed = dict(re.findall(r"^([\w-]+)==(\S+)$", frozen, re.MULTILINE))
    have = {name.lower().replace("_", "-"): version for name, version in installed.items() if name not in brought}
    assert have == pinned("packaging/requirements-run.lock")


@pytest.mark.slow
def test_the_wheel_holds_the_data_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "tidewaiter/i18n/locale/es/LC_MESSAGES/tidewaiter.mo" in names
    assert "tidewaiter/knowledge/vectors.toml" in names
    assert "tidewaiter/py.typed" in names
    assert {name.split("/")[0] for name in names if not name.startswith("tidewaiter-")} == {"tidewaiter"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_wheel_runs_without_anything_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    shown = run(tmp_path / "venv/bin/tidewaiter", "--lang", "es", "--help")
    assert shown.startswith("uso: tidewaiter")
    assert "src" not in run(python, "-c", "import tidewaiter; print(tidewaiter.__file__)")
    assert run(tmp_path / "venv/bin/tidewaiter", "--version") == "tidewaiter 0.1.0, not compiled\n"


def test_what_is_compiled_is_there() -> None:
    hooks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
    assert [module for module in hooks["custom"]["compiled"] if not (ROOT / "src" / module).is_file()] == []
