"""A test that is a coroutine runs in a loop of its own."""

import asyncio
import inspect
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

SECONDS = 55.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    faults: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: faults.append(context))
        runner.run(asyncio.wait_for(pyfuncitem.obj(**arguments), SECONDS))
    assert not faults, faults  # while a gateway stands, they are lines of its log, and it looks at those
    return True


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that any user can enter and write to; those of pytest are closed to all but its own."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
