"""Coroutines are run as in the gateway's tests."""

from tests.gateway.conftest import pytest_pyfunc_call as pytest_pyfunc_call  # noqa: PLC0414  # handed on: pytest looks for the name here
