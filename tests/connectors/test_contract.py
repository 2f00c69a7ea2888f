"""One contract for every reading source: the three protocols against real servers, and the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from plant.errors import SourceLost
from plant.reading import Signal, is_good
from tests.connectors.conftest import Run
from tests.connectors.drivers import (
    AmqttDriver,
    Driver,
    FakeDriver,
    ModbusDriver,
    MosquittoDriver,
    OpcUaDriver,
)
from tests.connectors.shop import (
    at,
    collect,
    conditions,
    counts,
    having,
    rejecting,
    state,
    try_until,
)

KINDS = ("fake", "opcua", "mqtt-mosquitto", "mqtt-amqtt", "modbus")


@pytest.fixture(params=KINDS)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Driver:
    """Return the other end, of each kind."""
    makers: dict[str, Callable[[], Driver]] = {
        "fake": FakeDriver,
        "opcua": OpcUaDriver,
        "mqtt-mosquitto": lambda: MosquittoDriver(tmp_path),
        "mqtt-amqtt": lambda: AmqttDriver(tmp_path),
        "modbus": ModbusDriver,
    }
    return makers[request.param]()


def test_values_and_time_stamps_arrive_exactly(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        shown = [
            state("M01", at(0), 6, job="CO-1001/1-10"),
            state("M02", at(0.25), 5, interlocks=1),
            counts("M01", at(30.125), 12, 11, 1),
            conditions("M02", at(31), 61.5, 0.75, 7.25),
        ]
        await driver.show(*shown)
        haul = await collect(source, having(*shown))
        good = {reading for reading in haul.readings if is_good(reading.quality)}
        assert good == set().union(*(item.readings for item in shown))
        assert haul.rejected == []
        await source.close()

    run(driver, test())


def test_state_changes_arrive_in_order_and_none_is_missing(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        changes = [state("M01", at(n), 4 if n % 2 else 6, job=f"CO-{n}") for n in range(20)]
        others = [state("M02", change.moment, 6) for change in changes]
        for change, other in zip(changes, others, strict=True):
            await driver.show(change, other)
        haul = await collect(source, having(*changes, *others))
        jobs = [reading.value for reading in haul.of("M01", Signal.JOB_ORDER) if is_good(reading.quality)]
        assert jobs == [f"CO-{n}" for n in range(20)]
        await source.close()

    run(driver, test())


def test_what_is_not_acknowledged_comes_again(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        changes = [state("M01", at(n), 4 if n % 2 else 6) for n in range(5)]
        await driver.show(*changes)
        await collect(source, having(*changes), acknowledge=False)
        await source.close()
        await source.open()
        await collect(source, having(*(changes if driver.redelivers else changes[-1:])))
        await source.close()

    run(driver, test())


def test_what_is_acknowledged_may_come_again_but_unchanged(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        first, second = state("M01", at(1), 6), state("M01", at(2), 4)
        await driver.show(first)
        before = await collect(source, having(first))
        await source.close()
        await source.open()
        await driver.show(second)
        after = await collect(source, having(second))
        at_first = [reading for reading in after.readings if reading.time == first.moment and is_good(reading.quality)]
        assert set(at_first) <= set(before.readings)
        await source.close()

    run(driver, test())


def test_acknowledging_an_old_batch_after_a_break_is_harmless(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(1), 6))
        old = await collect(source, having(state("M01", at(1), 6)), acknowledge=False)
        await source.close()
        await source.open()
        await old.acknowledge()
        await driver.show(state("M01", at(2), 4))
        await collect(source, having(state("M01", at(2), 4)))
        await source.close()

    run(driver, test())


def test_it_comes_back_after_the_server_went_away(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(1), 6))
        await collect(source, having(state("M01", at(1), 6)))
        await driver.stop()
        with pytest.raises(SourceLost):
            await collect(source, lambda haul: False)
        with pytest.raises(SourceLost):
            await source.open()
        await driver.start()
        await try_until(source.open, SourceLost)
        await driver.show(state("M01", at(2), 4), counts("M02", at(3), 1, 1, 0))
        await collect(source, having(state("M01", at(2), 4), counts("M02", at(3), 1, 1, 0)))
        await source.close()

    run(driver, test())


def test_bad_input_is_rejected_with_its_reason_and_the_rest_goes_on(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.spoil("M01", at(1))
        haul = await collect(source, rejecting(1))
        assert haul.rejected[0].source == source.id
        assert haul.rejected[0].payload
        assert "M01" in haul.rejected[0].reason
        await driver.show(state("M01", at(2), 6))
        await collect(source, having(state("M01", at(2), 6)))
        await source.close()

    run(driver, test())


def test_nothing_comes_from_a_closed_source(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        with pytest.raises(SourceLost):
            await source.read()
        await source.open()
        await driver.show(state("M01", at(1), 6))
        await collect(source, having(state("M01", at(1), 6)))
        waiting = asyncio.create_task(collect(source, lambda haul: False))
        await asyncio.sleep(0)
        await source.close()
        with pytest.raises(SourceLost):
            await waiting
        await driver.show(state("M01", at(2), 6))
        with pytest.raises(SourceLost):
            await source.read()
        await source.close()

    run(driver, test())


def test_a_cancelled_read_loses_nothing(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M02", at(0), 6))
        await collect(source, having(state("M02", at(0), 6)))
        for _ in range(3):
            waiting = asyncio.create_task(source.read())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await driver.show(state("M01", at(1), 6))
        await collect(source, having(state("M01", at(1), 6)))
        await source.close()

    run(driver, test())


def test_opening_again_without_closing_leaves_one_connection(run: Run, driver: Driver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await source.open()
        await driver.show(state("M01", at(1), 6))
        haul = await collect(source, having(state("M01", at(1), 6)))
        assert len(haul.times("M01")) == len(set(haul.times("M01")))
        await source.close()

    run(driver, test())
