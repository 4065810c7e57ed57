"""How many, how long, and what is left out: the rules for every test.

A test that grows with its count asks the fixture `count` for it, and both counts are printed at the end.
A machine that must leave nothing out (`.ci/run`) says so with `--nothing-left-out`: then a skip is a failure.
What is shipped is compiled (decision 0016), so `make test` tests twice: with `--shipped` the wheel, by real mail
programs and by every test of a package that has compiled modules; with `--source` all else, and those that are quick.
"""

import gc
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.processes import children, command_line
from tidewaiter import is_compiled

settings.register_profile("tidewaiter", deadline=None, print_blob=True)
# A planted bug has to be found, not to be explained with the smallest example; nor is its run to be fast.
settings.register_profile(
    "planted",
    max_examples=200,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tidewaiter")

Count = Callable[[str, int, int], int]
MUTANT: Final = "MUTANT_UNDER_TEST"
"""By which mutmut tells its child which of the mutants runs."""
STATS: Final = Path("mutmut-stats.json")
"""Where mutmut notes how long each test took."""
COMPILED = ("model", "lines", "wire", "message", "net", "store", "delivery", "gateway")
"""The folders of tests whose packages hold compiled modules."""
# Gateways are started in folders made here, and refuse to run where a spool would lie in memory, as /tmp does in many
# a system.
if not os.environ.get("TMPDIR"):
    tempfile.tempdir = os.environ["TMPDIR"] = "/var/tmp"  # noqa: S108 - pytest makes a folder of its own in it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run every count in full, and the tests marked soak")
    parser.addoption("--source", action="store_true", help="leave out what takes long and is tested with --shipped")
    parser.addoption("--shipped", action="store_true", help="test the wheel's compiled modules, and what uses them")
    parser.addoption("--nothing-left-out", action="store_true", help="a skipped test fails the run")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let mutmut's runs remember nothing from test to test.

    What is remembered hides the mutant of what worked it out, and hides from mutmut which tests call that.
    """
    if MUTANT in os.environ:
        caches = [each for each in gc.get_objects() if isinstance(each, _lru_cache_wrapper)]
        session.config.pluginmanager.register(_Forgetting(caches))


class _Forgetting:
    def __init__(self, caches: "list[_lru_cache_wrapper[Any]]") -> None:
        self._caches = caches

    @pytest.hookimpl
    def pytest_runtest_setup(self) -> None:
        for each in self._caches:
            each.cache_clear()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if MUTANT in os.environ and STATS.exists():  # most mutants die in the first second, if quick tests come first
        took = json.loads(STATS.read_text(encoding="utf-8"))["duration_by_test"]
        items.sort(key=lambda item: took.get(item.nodeid, 0))
    if not config.getoption("--soak"):
        _keep(config, items, lambda item: not item.get_closest_marker("soak"))
    if config.getoption("--source"):
        _keep(config, items, lambda item: not (_is_for_what_is_shipped(item) and _takes_long(item)))
    if config.getoption("--shipped"):
        _keep(config, items, _is_for_what_is_shipped)
        if not is_compiled():
            for item in items:
                item.add_marker(pytest.mark.skip("nothing is compiled: no C compiler, or `make compiled` was not run"))


def _keep(config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


def _is_for_what_is_shipped(item: pytest.Item) -> bool:
    if item.get_closest_marker("interpreted"):
        return False
    compiled = item.path.relative_to(Path(__file__).parent).parts[0] in COMPILED
    return compiled or item.get_closest_marker("peers") is not None


def _takes_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("peers") is not None or item.get_closest_marker("slow") is not None


@pytest.fixture
def count(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Count:
    """The count of a promise: `count("kills of a worker", 10, soak=200)` is 10, or 200 under `make soak`."""

    def chosen(what: str, usually: int, soak: int) -> int:
        number = soak if request.config.getoption("--soak") else usually
        record_property("count", f"{what}: {number:,} of {soak:,}")
        return number

    return chosen


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Hold every test to the processes that it started: of whatever kind, they have ended, and were waited for."""
    before = children()
    yield
    left = [f"{child}: {command_line(child)}" for child in children() - before]
    # Python's own, which multiprocessing starts with its first use and ends with the interpreter.
    left = [each for each in left if "multiprocessing.resource_tracker" not in each]
    assert not left, left


@pytest.fixture(autouse=True)
def _the_system_is_itself_again() -> Iterator[None]:
    """Hold every test to giving back `os`: what takes a call's place, to fail it or to watch it, goes with its test."""
    before = dict(vars(os))
    yield
    replaced = [name for name, value in before.items() if vars(os)[name] is not value]
    assert not replaced, replaced


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    counts = sorted({str(value) for report in reports for name, value in report.user_properties if name == "count"})
    if counts:
        terminalreporter.section("counts, of the full ones of make soak")
    for line in counts:
        terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--nothing-left-out") and reporter and reporter.getreports("skipped"):
        reporter.write_line("\nsomething was left out, and --nothing-left-out was asked for: see SKIPPED", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
