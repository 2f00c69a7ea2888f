"""The embedded broker keeps what a client has not acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from amqtt.errors import NoDataError
from pwdlib.hashers.argon2 import Argon2Hasher

from plant.errors import SourceLost
from tests.connectors.conftest import Run
from tests.connectors.drivers import AmqttDriver
from tests.connectors.shop import at, collect, having, state, wait_for


@pytest.fixture
def driver(tmp_path: Path) -> AmqttDriver:
    """Return the broker."""
    return AmqttDriver(tmp_path)


def test_unacknowledged_and_new_messages_come_in_order_however_often_the_client_returns(
    run: Run, driver: AmqttDriver
) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        shown = [state("M01", at(n), 4 + n % 2) for n in range(60)]
        await driver.show(*shown[:20])
        await collect(source, having(*shown[:20]), acknowledge=False)
        for first in (20, 40):
            await source.close()
            await driver.show(*shown[first : first + 20])
            await source.open()
            haul = await collect(source, having(*shown[: first + 20]), acknowledge=False)
            assert haul.times("M01")[: first + 20] == [item.moment for item in shown[: first + 20]]
        await source.close()
        await source.open()
        await collect(source, having(*shown))
        session, _ = driver.broker.sessions[driver.client_id]
        await wait_for(lambda: not session.inflight_out)
        await source.close()
        await source.open()
        last = state("M01", at(99), 6)
        await driver.show(last)
        haul = await collect(source, having(last))
        assert haul.times("M01") == [last.moment], "what was acknowledged does not come again"
        await source.close()

    run(driver, test())


def test_it_stops_although_a_cancellation_meets_an_arriving_packet(
    run: Run, driver: AmqttDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, lost = asyncio.wait_for, list[str]()

    async def deaf_once(awaitable: Any, timeout: float | None) -> Any:  # noqa: ASYNC109 - as asyncio has it
        try:
            return await wait(awaitable, timeout)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if lost or task is None or "_reader_loop" not in repr(task.get_coro()):
                raise
            lost.append(task.get_name())
            raise NoDataError("a packet came instead") from None

    async def test() -> None:
        monkeypatch.setattr(asyncio, "wait_for", deaf_once)
        source = driver.source()
        await source.open()
        await driver.stop()
        assert len(lost) == 1
        await source.close()

    run(driver, test())


def test_only_its_accounts_are_let_in(
    run: Run, driver: AmqttDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = tmp_path / "accounts"
    accounts.write_text(f"forerun:{Argon2Hasher().hash('right')}\n")
    driver.password_file, driver.account = str(accounts), ("forerun", "right")

    async def test() -> None:
        options = {"username": "forerun", "password_env": "FORERUN_TEST_BROKER"}

        async def be_refused() -> None:
            for wrong in ({}, options):
                with pytest.raises(SourceLost, match=r"the broker refuses us: .*check username and password"):
                    await driver.source(**wrong).open()

        monkeypatch.setenv("FORERUN_TEST_BROKER", "wrong")
        await be_refused()
        monkeypatch.setenv("FORERUN_TEST_BROKER", "right")
        source = driver.source(**options)
        await source.open()
        monkeypatch.setenv("FORERUN_TEST_BROKER", "wrong")
        await be_refused()  # Under the very name of the session that is open, which goes on undisturbed.
        await driver.show(state("M01", at(1), 6))
        await collect(source, having(state("M01", at(1), 6)))
        await source.close()

    run(driver, test())
