"""Which test walks which line, and how long does it take?  A plug-in for pytest, under `coverage run`."""

import json
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_took: dict[str, float] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--took", type=Path, required=True, help="the file to write the seconds of what passed into")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    watching = coverage.Coverage.current()
    assert watching, "it is run by `coverage run`"
    watching.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _took[report.nodeid] = report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.getoption("--took").write_text(json.dumps(_took), encoding="utf-8")
