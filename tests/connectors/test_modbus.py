"""What is special about Modbus: orders of bytes and words, blocks, the ring, silent devices."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from connectors.intake import OVERFLOW
from connectors.modbus import ModbusSource
from plant.connection import Protocol
from plant.errors import InvalidInput, SourceLost
from plant.reading import BAD_NO_COMMUNICATION, Reading, Signal
from tests.connectors.conftest import Run
from tests.connectors.drivers import ENTRY, RING, ModbusDriver
from tests.connectors.shop import (
    DEADLINE_S,
    START,
    Shown,
    StandingClock,
    at,
    collect,
    conditions,
    connection,
    counts,
    having,
    plant,
    rejecting,
    state,
    tag,
    wait_for,
)

INSTANT = timedelta(microseconds=1)
LOST = BAD_NO_COMMUNICATION | OVERFLOW


@pytest.fixture
def driver() -> ModbusDriver:
    """Return a server with two controllers."""
    return ModbusDriver()


def changes(name: str, first: int, last: int) -> list[Shown]:
    """Return state changes, one a second."""
    return [state(name, at(n), 4 + n % 2, job=f"CO-{n}") for n in range(first, last + 1)]


def gap(name: str, moment: object, quality: int = BAD_NO_COMMUNICATION) -> Reading:
    """Return the reading that records a gap."""
    return Reading(tag(name, Signal.PACKML_STATE), moment, None, quality)  # type: ignore[arg-type]


@pytest.mark.parametrize("byte_order", ["big", "little"])
@pytest.mark.parametrize("word_order", ["big", "little"])
def test_every_order_of_bytes_and_words_reads_the_same(run: Run, byte_order: str, word_order: str) -> None:
    driver = ModbusDriver(byte_order == "little", word_order == "little")

    async def test() -> None:
        source = driver.source(byte_order=byte_order, word_order=word_order)
        await source.open()
        shown = [
            state("M01", at(1), 6, job="CO-1001/1-10", mode=4, interlocks=3),
            counts("M01", at(2), 70_000, 69_998, 2),
            conditions("M01", at(3), -61.5, 0.0078125, 1234.5),
        ]
        await driver.show(*shown)
        haul = await collect(source, having(*shown))
        assert set(haul.readings) == set().union(*(item.readings for item in shown))
        await source.close()

    run(driver, test())


def test_the_wrong_word_order_is_rejected_not_stored(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source(word_order="little")
        await source.open()
        await driver.show(counts("M01", at(2), 1, 1, 0), conditions("M01", at(3), 61.5, 1.5, 7.5))
        haul = await collect(source, rejecting(2))
        assert haul.readings == []
        assert all("check byte_order and word_order" in rejected.reason for rejected in haul.rejected)
        await source.close()

    run(driver, test())


def test_registers_are_read_in_blocks(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        await driver.show(*changes("M01", 1, RING))
        source = driver.source(join_gap=10)
        await source.open()
        await collect(source, having(*changes("M01", 1, RING)))
        requests = driver.controllers["M01"].requests
        first_look = requests[: requests.index((40, 2)) + 1]
        blocks = [size // ENTRY for address, size in first_look if address >= 50]
        assert first_look[0] == (0, 42), "counters, conditions and head come in one request"
        assert sum(blocks) == RING
        assert len(blocks) == 8, "32 entries of 21 registers: one, then five at most in each request of 125"
        seen = len(requests)
        await wait_for(lambda: len(requests) > seen + 3)
        assert set(requests[seen + 1 : seen + 3]) == {(0, 42)}, "without news one request is enough"
        await source.close()

    run(driver, test())


def test_what_the_ring_holds_at_opening_is_not_lost(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        shown = changes("M01", 1, 20)
        await driver.show(*shown)
        stored = Reading(tag("M01", Signal.PACKML_STATE), at(7), 5.0)
        source = driver.source(last_known=(stored,))
        await source.open()
        haul = await collect(source, having(*shown))
        assert haul.times("M01") == [item.moment for item in shown], "each once, and no gap: the ring reaches back"
        await source.close()

    run(driver, test())


def test_a_ring_that_does_not_reach_back_to_what_is_stored_is_a_gap(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        await driver.show(*changes("M01", 1, 50))
        stored = Reading(tag("M01", Signal.PACKML_STATE), at(7), 5.0)
        source = driver.source(last_known=(stored,))
        await source.open()
        haul = await collect(source, having(*changes("M01", 19, 50)))
        assert haul.of("M01")[0] == gap("M01", at(7) + INSTANT, LOST)
        assert haul.times("M01")[1:] == [item.moment for item in changes("M01", 19, 50)]
        await source.close()

    run(driver, test())


@pytest.mark.parametrize("committed", [True, False])
def test_an_overflow_while_closed_is_a_gap_after_what_was_committed(
    run: Run, driver: ModbusDriver, committed: bool
) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        await driver.show(state("M01", at(1), 4))
        await collect(source, having(state("M01", at(1), 4)), acknowledge=committed)
        await source.close()
        shown = changes("M01", 2, 60)
        await driver.show(*shown)
        await source.open()
        haul = await collect(source, having(*shown[-RING:]))
        assert haul.of("M01")[0] == gap("M01", at(1 if committed else 0) + INSTANT, LOST)
        assert haul.times("M01")[1:] == [item.moment for item in shown[-RING:]]
        await source.close()

    run(driver, test())


@pytest.mark.parametrize(("number", "lost"), [(RING, False), (RING + 1, True), (100, True)])
def test_an_overflow_between_two_looks_is_a_gap(run: Run, driver: ModbusDriver, number: int, lost: bool) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        shown = changes("M01", 1, number)
        await driver.show(*shown)  # All at once: nothing here waits, so no look comes in between.
        haul = await collect(source, having(*shown[-RING:]))
        expected = [item.moment for item in shown[-RING:]]
        assert haul.times("M01") == ([at(0) + INSTANT, *expected] if lost else expected)
        assert [reading.quality for reading in haul.of("M01") if reading.value is None] == ([LOST] if lost else [])
        await source.close()

    run(driver, test())


def test_entries_overwritten_while_they_are_read_are_never_taken_half(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        controller = driver.controllers["M01"]
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        shown = changes("M01", 1, RING + 12)
        await driver.show(*shown[:RING])
        # While the poller reads the ring, the controller goes on and overwrites the oldest entries.
        later = iter(shown[RING:])
        controller.before_answer = [lambda: controller.show(next(later))] * 12
        haul = await collect(source, having(shown[-1]))
        possible = set().union(*(item.readings for item in shown))
        assert {reading for reading in haul.readings if reading.value is not None} <= possible
        known = haul.times("M01")
        assert known == sorted(set(known)), "each once, in order"
        missing = {item.moment for item in shown} - set(known)
        assert missing, "the test must make the reader lose some"
        assert known[0] == at(0) + INSTANT, "what is missing is marked before it"
        assert haul.of("M01")[0].quality == LOST
        await source.close()

    run(driver, test())


def test_an_entry_half_overwritten_before_the_head_moves_is_not_taken(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        controller = driver.controllers["M01"]
        await driver.show(*changes("M01", 1, RING))
        # Number 33 goes where number 1 is; the controller has written its job order, not yet its number.
        new = controller.entry(RING + 1, state("M01", at(99), 9, job="HALF"))
        half = lambda: controller.put(50 + ENTRY + 9, new[9:])  # noqa: E731
        controller.before_answer = [lambda: None] * 4 + [half]
        source = driver.source()
        await source.open()
        haul = await collect(source, having(*changes("M01", 2, RING)))
        assert "HALF" not in {reading.value for reading in haul.readings}
        assert haul.times("M01") == [item.moment for item in changes("M01", 2, RING)]
        await source.close()

    run(driver, test())


def test_a_silent_device_does_not_hold_up_the_others_and_loses_nothing(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source(timeout_s=0.1, offline_after_s=0.2)
        await source.open()
        first = [state("M01", at(0), 6), state("M02", at(0), 6, job="CO-1")]
        await driver.show(*first)
        await collect(source, having(*first))
        driver.controllers["M02"].silent = True
        haul = await collect(source, lambda haul: bool(haul.of("M02")))
        assert haul.of("M02") == [gap("M02", at(0) + INSTANT)]
        polled = len(driver.controllers["M01"].requests)
        asked = len(driver.controllers["M02"].requests)
        await wait_for(lambda: len(driver.controllers["M01"].requests) > polled + 60)
        assert len(driver.controllers["M02"].requests) - asked <= 6, "the silent one is asked less and less often"
        await driver.show(*changes("M01", 1, 5), *changes("M02", 1, 5))
        await collect(source, having(*changes("M01", 1, 5)))
        driver.controllers["M02"].silent = False
        back = await collect(source, having(*changes("M02", 1, 5)))
        # The ring proves that nothing was missed: the state before holds again from an instant after the gap.
        held = state("M02", at(0) + 2 * INSTANT, 6, job="CO-1")
        assert held.readings <= set(back.readings)
        assert back.times("M02") == [held.moment, *(item.moment for item in changes("M02", 1, 5))]
        await source.close()

    run(driver, test())


def test_a_device_that_returns_unchanged_closes_its_gap(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source(timeout_s=0.05, offline_after_s=0.1)
        await source.open()
        first = [state("M01", at(0), 6), state("M02", at(0), 6)]
        await driver.show(*first)
        await collect(source, having(*first))
        driver.controllers["M02"].silent = True
        await collect(source, lambda haul: bool(haul.of("M02")))
        driver.controllers["M02"].silent = False
        await collect(source, having(state("M02", at(0) + 2 * INSTANT, 6)))
        await source.close()

    run(driver, test())


def test_a_device_never_heard_of_is_without_communication_from_now_on(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        driver.controllers["M02"].silent = True
        await driver.show(state("M02", at(0), 6))
        source = driver.source(timeout_s=0.05, offline_after_s=0.1)
        await source.open()
        now = StandingClock().now()
        await collect(source, lambda haul: haul.of("M02") == [gap("M02", now)])
        driver.controllers["M02"].silent = False
        await collect(source, having(state("M02", at(0), 6), state("M02", now + INSTANT, 6)))
        await source.close()

    run(driver, test())


def test_when_no_device_answers_the_connection_is_lost(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source(timeout_s=0.05, offline_after_s=0.2)
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        for controller in driver.controllers.values():
            controller.silent = True
        with pytest.raises(SourceLost, match="no device answers"):
            await collect(source, lambda haul: False)
        await source.close()

    run(driver, test())


def test_numbering_that_begins_anew_is_a_gap_and_the_new_changes_come(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(*changes("M01", 1, 10))
        await collect(source, having(*changes("M01", 1, 10)))
        controller = driver.controllers["M01"]
        controller.registers, controller.number = [0] * 800, 0
        await driver.show(*changes("M01", 20, 22))
        haul = await collect(source, having(*changes("M01", 20, 22)))
        assert haul.of("M01")[0] == gap("M01", at(10) + INSTANT, LOST)
        assert haul.times("M01")[1:] == [item.moment for item in changes("M01", 20, 22)]
        await source.close()

    run(driver, test())


def test_a_restarted_controller_that_counts_on_from_an_empty_ring_is_no_gap(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        controller = driver.controllers["M01"]
        controller.number = 70
        present = state("M01", at(30), 6)
        await driver.show(present)
        source = driver.source(last_known=(Reading(tag("M01", Signal.PACKML_STATE), at(30), 6.0),))
        await source.open()
        haul = await collect(source, having(present))
        assert haul.times("M01") == [at(30)]
        assert haul.rejected == []
        await source.close()

    run(driver, test())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (state("M01", START.replace(year=2000), 6), "not plausible"),
        (state("M01", START.replace(year=2099), 6), "not plausible"),
        (state("M01", at(2), 6, job="CO-\xe9\xff"), "not ASCII"),
    ],
)
def test_a_state_change_that_cannot_be_is_rejected_and_marked(
    run: Run, driver: ModbusDriver, bad: Shown, reason: str
) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        await driver.show(bad)
        haul = await collect(source, rejecting(1))
        assert haul.rejected[0].reason.startswith("M01: state change 2: ")
        assert reason in haul.rejected[0].reason
        assert haul.of("M01") == [gap("M01", at(0) + INSTANT)], "its state is unknown until the next good change"
        await driver.show(state("M01", at(5), 4))
        await collect(source, having(state("M01", at(5), 4)))
        await source.close()

    run(driver, test())


def test_registers_the_device_does_not_have_are_told_once(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source(counters=2000, offline_after_s=0.3)
        await source.open()
        haul = await collect(source, lambda haul: bool(haul.of("M01") and haul.of("M02")))
        assert sorted(rejected.reason for rejected in haul.rejected) == [
            "M01: device 10 refuses to read 10 input registers from 2000: ILLEGAL_ADDRESS",
            "M02: device 11 refuses to read 10 input registers from 2000: ILLEGAL_ADDRESS",
        ]
        await source.close()

    run(driver, test())


def test_a_reader_that_does_not_read_makes_polling_pause_not_memory_grow(run: Run, driver: ModbusDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        requests = driver.controllers["M01"].requests
        for n in range(300):
            seen = len(requests)
            await driver.show(counts("M01", at(n), n, n, 0))
            await wait_for(lambda seen=seen: source._findings.full() or len(requests) > seen + 3)
        assert source._findings.full()
        assert len(requests) < 300 * 3, "polling has paused"
        await collect(source, having(counts("M01", at(299), 299, 299, 0)))
        await source.close()

    run(driver, test())


def test_closing_ends_even_where_a_cancellation_is_swallowed(
    run: Run, driver: ModbusDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        waiting = asyncio.Event()

        async def deaf(client: object, number: int, first: int, count: int) -> list[int]:
            waiting.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return [0] * count

        monkeypatch.setattr("connectors.modbus._read", deaf)
        source = driver.source()
        await source.open()
        await waiting.wait()
        await asyncio.wait_for(source.close(), DEADLINE_S)

    run(driver, test())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "options.devices must be a table"),
        ({"devices": {"M01": 1}}, "options.devices lacks machine M02"),
        ({"devices": {"M01": 1, "M02": 1}}, "gives two machines the same id"),
        ({"devices": {"M01": 1, "M02": 2, "M03": 3}}, "names M03"),
        ({"devices": {"M01": 1, "M02": 300}}, "whole numbers from 1 to 247"),
        ({"devices": {"M01": 1, "M02": 2}, "head": 25}, "options.head = 25 lies inside conditions"),
        ({"devices": {"M01": 1, "M02": 2}, "ring": 65000}, "options.ring = 65000 leaves no room"),
        ({"devices": {"M01": 1, "M02": 2}, "word_order": "middle"}, "options.word_order must be one of big, little"),
        ({"devices": {"M01": 1, "M02": 2}, "poll_s": "fast"}, "options.poll_s must be a number"),
        ({"devices": {"M01": 1, "M02": 2}, "poll": 1}, "options.poll is unknown"),
    ],
)
def test_wrong_options_are_refused_before_connecting(options: dict[str, object], problem: str) -> None:
    link = connection(Protocol.MODBUS, "tcp://127.0.0.1:1", options)
    with pytest.raises(InvalidInput, match="(?s).*" + problem):
        ModbusSource(link, plant(link), StandingClock())
