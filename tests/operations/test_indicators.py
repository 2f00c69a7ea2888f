"""KPIs of what a floor has signalled: the same sums as OEE, by level, with energy."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from historian.database import Historian
from operations import floor, indicators, ingest
from operations.indicators import Level
from plant.actor import SYSTEM, Actor, Role
from plant.errors import InvalidInput, NotFound
from plant.machine_state import MachineState, packml_of
from plant.reading import BAD_NO_COMMUNICATION, Reading, Signal
from tests.operations.shop import PLANT, Clock, at, order, with_orders
from twin.kpi import kpis
from twin.tally import Tally, Thresholds

VIEWER = Actor("eve", frozenset({Role.VIEWER}))
JOB = "CO-1/1-10"
"""Four shafts turned on L1: 60 s and 4 x 600 s, so 615 s a piece; L2 is twice as fast."""


def reading(machine: str, signal: str, seconds: float, value: float | str | None, quality: int = 0) -> Reading:
    return Reading(f"{PLANT.machine_path(machine)}/{signal}", at(seconds), value, quality)


def told(machine: str, seconds: float, state: MachineState, job: str = "") -> list[Reading]:
    """Return what a controller says when its state changes."""
    signals = (Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS, Signal.JOB_ORDER)
    return [
        reading(machine, signal, seconds, value)
        for signal, value in zip(signals, (*packml_of(state), job), strict=True)
    ]


STORY = [
    *told("L1", -600, MachineState.IDLE),
    *told("L1", 600, MachineState.SETUP, JOB),
    *told("L1", 1200, MachineState.EXECUTING, JOB),
    *told("L1", 2000, MachineState.HELD, JOB),
    *told("L1", 2100, MachineState.EXECUTING, JOB),
    *told("L1", 3000, MachineState.BREAKDOWN, JOB),
    *told("L1", 4800, MachineState.EXECUTING, JOB),
    *told("L1", 5800, MachineState.STARVED, JOB),
    reading("L1", Signal.GOOD_COUNT, 0, 10),
    reading("L1", Signal.SCRAP_COUNT, 0, 1),
    reading("L1", Signal.GOOD_COUNT, 1800, 11),
    reading("L1", Signal.SCRAP_COUNT, 2900, 2),
    reading("L1", Signal.GOOD_COUNT, 5500, 13),
    *[reading("L1", Signal.POWER, 600 * n, 3.0) for n in range(12)],
    reading("L1", Signal.POWER, 3600, None, BAD_NO_COMMUNICATION),
    *told("L2", 0, MachineState.STARVED, "CO-1/1-20"),
]


@pytest.fixture
async def shop(historian: Historian) -> Historian:
    """Return a historian in which two hours have been told of."""
    await with_orders(historian, order())
    await ingest.store(historian, SYSTEM, Clock(at(86400)), ingest.Known.of(PLANT), "line", STORY)
    return historian


async def test_a_machine_shows_what_it_was_told_to_have_done(shop: Historian) -> None:
    (row,) = await indicators.kpis(shop, VIEWER, at(0), at(7200), machine_id="L1")
    tally, found = row.tally, row.kpis
    times = tally.times
    assert row.path == "site/hall/cell/L1"
    assert (times.pbt_s, times.aust_s, times.apt_s) == (7200, 600, 800 + 900 + 1000)
    assert (tally.delays.micro_stop_s, tally.delays.breakdown_s, tally.delays.starved_s) == (100, 1800, 1400)
    assert (times.adot_s, tally.downs.idle_s, tally.closed_s) == (600, 600, 0)
    assert (times.good, times.scrap) == (3, 1)
    assert found.effectiveness == pytest.approx(4 * 615 / 2700, abs=1e-9)
    assert found.oee == pytest.approx(4 * 615 / 7200 * 3 / 4, abs=1e-9)
    assert (found.mtbf_s, found.mttr_s, found.first_pass_yield) == (2700, 1800, 0.75)
    assert found.losses.total_s == pytest.approx(7200 - 3 * 615, abs=1e-9)


async def test_oee_and_kpis_give_one_answer(shop: Historian) -> None:
    rows = await indicators.kpis(shop, VIEWER, at(0), at(7200))
    assert [(row.machines, row.tally.times) for row in rows] == [
        ((one.machine,), one.times) for one in await floor.oee(shop, VIEWER, at(0), at(7200))
    ]


async def test_levels_add_up_and_adjacent_periods_do(shop: Historian) -> None:
    by_machine = await indicators.kpis(shop, VIEWER, at(0), at(7200))
    total = sum((row.tally for row in by_machine), Tally())
    for level, path in [(Level.WORK_CENTER, "site/hall/cell"), (Level.AREA, "site/hall"), (Level.SITE, "site")]:
        (row,) = await indicators.kpis(shop, VIEWER, at(0), at(7200), level)
        assert (row.path, row.machines, row.tally) == (path, ("L1", "L2", "MILL", "OVEN"), total)
        assert row.kpis == kpis(total)
    for cut in (2000, 2050, 2100, 5500):  # in the middle of a micro-stop, and where a piece is finished
        parts = [
            (await indicators.kpis(shop, VIEWER, at(a), at(b), machine_id="L1"))[0].tally
            for a, b in ((0, cut), (cut, 7200))
        ]
        joined = parts[0] + parts[1]
        assert joined.energy_kwh == pytest.approx(by_machine[0].tally.energy_kwh, abs=1e-9)
        assert dataclasses.replace(joined, energy_kwh=None) == dataclasses.replace(
            by_machine[0].tally, energy_kwh=None
        ), f"cut at {cut}"


async def test_energy_holds_from_reading_to_reading(shop: Historian) -> None:
    rows = {row.machines[0]: row for row in await indicators.kpis(shop, VIEWER, at(0), at(7200))}
    # 3 kW for two hours but for the ten minutes in which nothing was heard.
    assert rows["L1"].tally.energy_kwh == pytest.approx(3.0 * 110 / 60, abs=1e-9)
    assert rows["L1"].kpis.energy_per_good_kwh == pytest.approx(3.0 * 110 / 60 / 3, abs=1e-9)
    assert rows["L2"].tally.energy_kwh is None
    (month,) = await indicators.kpis(shop, VIEWER, at(-3600), at(30 * 86400), machine_id="L1")
    assert month.tally.energy_kwh == pytest.approx(6.0, abs=1e-9)  # by hourly means


async def test_the_threshold_is_the_askers(shop: Historian) -> None:
    (row,) = await indicators.kpis(shop, VIEWER, at(0), at(7200), machine_id="L1", thresholds=Thresholds(60.0))
    assert (row.tally.delays.micro_stop_s, row.tally.delays.held_s) == (0, 100)


async def test_what_cannot_be_answered_is_refused(shop: Historian) -> None:
    with pytest.raises(NotFound, match="M99"):
        await indicators.kpis(shop, VIEWER, at(0), at(1), machine_id="M99")
    with pytest.raises(InvalidInput, match="end after it starts"):
        await indicators.kpis(shop, VIEWER, at(0), at(0))
    with pytest.raises(InvalidInput, match="366 days"):
        await indicators.kpis(shop, VIEWER, at(0), at(0) + timedelta(days=400))
