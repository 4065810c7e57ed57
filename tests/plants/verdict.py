"""How did each test end: by an assertion of its own, or by something else?  A plug-in for pytest.

The words: `passed`, `skipped`, `assertion`, or the exception that was no assertion of the test's.
"""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

_TESTS: Final = Path(__file__).parents[1]
_words: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--verdict", type=Path, required=True, help="the file to write the words into")
    parser.addoption("--until-one-says-no", action="store_true", help="end with the first assertion of a test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.outcome != "passed":
        _words[item.nodeid] = word = _word(call.excinfo, report) if report.failed else report.outcome
        if word == "assertion" and item.config.getoption("--until-one-says-no"):
            item.session.shouldstop = "a test says no"
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _words[report.nodeid] = f"not collected: {report.longreprtext}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.getoption("--verdict").write_text(json.dumps(_words), encoding="utf-8")


def _word(excinfo: pytest.ExceptionInfo[BaseException] | None, report: pytest.TestReport) -> str:
    if excinfo and report.when == "call" and any(_is_of_the_test(error) for error in _leaves(excinfo.value)):
        return "assertion"
    return f"{report.when}: {report.longreprtext}"


def _leaves(error: BaseException) -> list[BaseException]:
    """Hypothesis reports several failures of one property as a group."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _is_of_the_test(error: BaseException) -> bool:
    """Whether a statement of a test said no: an `assert` of the code under test is a crash like any other."""
    if isinstance(error, pytest.fail.Exception):  # pytest.raises that saw nothing raised; a timeout is one too
        return "Timeout" not in str(error)
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    place = Path(last.tb_frame.f_code.co_filename) if last else Path()
    return isinstance(error, AssertionError) and place.is_relative_to(_TESTS)
