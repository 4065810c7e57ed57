"""A test that is a coroutine runs in a loop of its own."""

import asyncio
import inspect
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

SECONDS = 55.0


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(pyfuncitem.obj(**arguments), SECONDS))
    return True


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that any user can enter and write to; those of pytest are closed to all but its own."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
