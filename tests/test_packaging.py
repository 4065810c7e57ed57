"""Does the package install and start by itself, and does the unit leave the gateway only what it needs?"""

import os
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "mutants", "dist", "*.mo"))
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
