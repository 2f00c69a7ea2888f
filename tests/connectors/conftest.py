"""One event loop for all tests of the connectors: the OPC UA server, slow to start, lives in it from test to test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol

import pytest

from tests.connectors.drivers import Driver, OpcUaDriver

TEST_S = 100.0
"""A test that waits for ever fails after so long."""


class Run(Protocol):
    """Runs a test against a driver that is started before and ended after it."""

    def __call__(self, driver: Driver, test: Coroutine[Any, Any, None]) -> None: ...


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Return the loop."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()
        runner.run(OpcUaDriver.shut_down())


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Run:
    """Return what runs a test."""

    def run_test(driver: Driver, test: Coroutine[Any, Any, None]) -> None:
        async def whole() -> None:
            try:
                async with asyncio.timeout(TEST_S):
                    await driver.start()
                    await test
            finally:
                test.close()
                await driver.end()

        loop.run_until_complete(whole())

    return run_test
