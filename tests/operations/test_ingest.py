"""Readings in: stored once, states derived anew, the floor renewed, what is no reading quarantined."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from historian import latest, quarantine, samples, states
from historian.database import Channel, Historian
from operations import ingest
from plant.actor import SYSTEM, Actor, Role
from plant.errors import Denied, Unavailable
from plant.machine_state import MachineState, StateInterval, packml_of
from plant.reading import BAD_NO_COMMUNICATION, Reading, Rejected, Signal
from tests.plant.shops import MONDAY, small_shop
from twin.floor import StateTuple, derive

SHOP = small_shop()
KNOWN = ingest.Known.of(SHOP)
NOW = MONDAY + timedelta(days=1)


class Standing:
    """A plant clock that stands."""

    def now(self) -> datetime:
        return NOW


def at(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


def reading(machine: str, signal: str, seconds: float, value: float | str | None, quality: int = 0) -> Reading:
    return Reading(f"{SHOP.machine_path(machine)}/{signal}", at(seconds), value, quality)


def told(machine: str, seconds: float, state: MachineState, job: str = "") -> list[Reading]:
    """Return what a controller says when its state changes."""
    number, mode, interlocks = packml_of(state)
    return [
        reading(machine, Signal.PACKML_STATE, seconds, number),
        reading(machine, Signal.PACKML_MODE, seconds, mode),
        reading(machine, Signal.INTERLOCKS, seconds, interlocks),
        reading(machine, Signal.JOB_ORDER, seconds, job),
    ]


STORY = [
    *told("L1", 0, MachineState.IDLE),
    *told("L1", 100, MachineState.SETUP, "J1"),
    *told("L1", 160, MachineState.EXECUTING, "J1"),
    *told("L1", 400, MachineState.BREAKDOWN, "J1"),
    *told("L1", 900, MachineState.EXECUTING, "J1"),
    *told("L1", 1500, MachineState.IDLE),
]
INTERVALS = [
    StateInterval("L1", at(0), at(100), MachineState.IDLE),
    StateInterval("L1", at(100), at(160), MachineState.SETUP, "", "J1"),
    StateInterval("L1", at(160), at(400), MachineState.EXECUTING, "", "J1"),
    StateInterval("L1", at(400), at(900), MachineState.BREAKDOWN, "", "J1"),
    StateInterval("L1", at(900), at(1500), MachineState.EXECUTING, "", "J1"),
    StateInterval("L1", at(1500), None, MachineState.IDLE),
]


async def take(historian: Historian, *readings: Reading, rejected: tuple[Rejected, ...] = ()) -> ingest.Taken:
    return await ingest.store(historian, SYSTEM, Standing(), KNOWN, "line", readings, rejected)


async def intervals(historian: Historian, machine: str = "L1") -> list[StateInterval]:
    async with historian.transaction(SYSTEM, "test") as tx:
        return await states.intervals(tx, at(-9), at(99_999), [machine])


async def test_states_follow_from_readings(historian: Historian) -> None:
    taken = await take(historian, *STORY)
    assert taken == ingest.Taken(stored=len(STORY), machines=("L1",))
    assert await intervals(historian) == INTERVALS


async def test_the_same_readings_again_change_nothing(historian: Historian) -> None:
    await take(historian, *STORY)
    assert await take(historian, *STORY) == ingest.Taken(repeated=len(STORY))
    assert await intervals(historian) == INTERVALS


@pytest.mark.parametrize("seed", range(4))
async def test_readings_in_any_order_and_batches_lead_to_the_same_states(historian: Historian, seed: int) -> None:
    chance = random.Random(seed)
    changes = [STORY[n : n + 4] for n in range(0, len(STORY), 4)]
    chance.shuffle(changes)
    readings = [one for change in changes for one in change] + chance.sample(STORY, 5)
    while readings:
        size = chance.randint(1, 7)
        await take(historian, *readings[:size])
        del readings[:size]
    assert await intervals(historian) == INTERVALS, f"seed {seed}"


async def test_stored_states_equal_those_derived_from_all_readings_at_once(historian: Historian) -> None:
    chance = random.Random(11)
    readings = [
        reading(
            "L1",
            chance.choice([Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS]),
            chance.randrange(200),
            *chance.choice([(4, 0), (5, 0), (6, 0), (1, 0), (None, BAD_NO_COMMUNICATION)]),
        )
        for _ in range(150)
    ]
    for start in range(0, len(readings), 10):
        await take(historian, *readings[start : start + 10])
    async with historian.transaction(SYSTEM, "test") as tx:
        stored = await samples.state_readings(tx, "L1", at(-9))
    assert await intervals(historian) == derive("L1", StateTuple(), stored)


async def test_a_lost_connection_is_a_recorded_gap(historian: Historian) -> None:
    await take(historian, *STORY)
    await take(historian, reading("L1", Signal.PACKML_STATE, 2000, None, BAD_NO_COMMUNICATION))
    last = (await intervals(historian))[-1]
    assert last == StateInterval("L1", at(2000), None, MachineState.OFFLINE, "no communication")
    await take(historian, *told("L1", 3000, MachineState.EXECUTING, "J2"))
    assert [one.state for one in (await intervals(historian))[-2:]] == [MachineState.OFFLINE, MachineState.EXECUTING]


async def test_the_floor_shows_the_newest_of_every_signal(historian: Historian) -> None:
    await take(historian, *STORY)
    await take(
        historian,
        reading("L1", Signal.GOOD_COUNT, 1400, 7),
        reading("L1", Signal.TEMPERATURE, 1600, 41.5),
        reading("L1", Signal.TEMPERATURE, 1700, None, BAD_NO_COMMUNICATION),
        reading("L2", Signal.POWER, 10, 3.25),
    )
    await take(historian, reading("L1", Signal.GOOD_COUNT, 1300, 6), reading("L1", Signal.POWER, 1200, 2.0))
    async with historian.transaction(SYSTEM, "test") as tx:
        first, second = await latest.rows(tx)
    assert (first.state, first.since, first.job_order) == (MachineState.IDLE, at(1500), None)
    assert first.counters == {Signal.GOOD_COUNT: 7}
    assert first.conditions == {Signal.POWER: 2.0}
    assert first.updated_at == at(1700)
    assert (second.machine, second.state, second.conditions) == ("L2", MachineState.UNKNOWN, {Signal.POWER: 3.25})


async def test_listeners_hear_which_machines_changed(historian: Historian) -> None:
    notices = historian.listen([Channel.FLOOR])
    await anext(notices)
    await take(historian, *STORY, reading("OVEN", Signal.POWER, 5, 1.0))
    assert (await anext(notices)).payload == "L1 OVEN"
    await notices.aclose()


BAD = [
    (Reading("site/hall/cell/L9/power_kw", at(1), 1.0), "unknown tag"),
    (Reading("site/hall/cell/L1/colour", at(1), 1.0), "unknown tag"),
    (Reading("power_kw/x", at(1), 1.0), "unknown tag"),
    (reading("L1", Signal.POWER, 1, math.nan), "not a finite"),
    (reading("L1", Signal.POWER, 1, -math.inf), "not a finite"),
    (reading("L1", Signal.POWER, 1, 10**400), "not a finite"),
    (reading("L1", Signal.POWER, 1, "hot"), "wrong type"),
    (reading("L1", Signal.POWER, 1, True), "wrong type"),
    (reading("L1", Signal.JOB_ORDER, 1, 6.0), "wrong type"),
    (reading("L1", Signal.JOB_ORDER, 1, "J\0"), "cannot be printed"),
    (reading("L1", Signal.JOB_ORDER, 1, "J\ud800"), "cannot be printed"),
    (Reading(reading("L1", Signal.POWER, 1, 1).tag, datetime(2000, 1, 1, tzinfo=UTC), 1.0), "implausible time"),
    (Reading(reading("L1", Signal.POWER, 1, 1).tag, NOW + timedelta(days=99), 1.0), "implausible time"),
]


async def test_what_is_no_reading_of_this_plant_is_quarantined_and_the_rest_is_stored(historian: Historian) -> None:
    malformed = Rejected("line", "{not json", "malformed")
    taken = await take(historian, *[bad for bad, _ in BAD], *STORY, rejected=(malformed,))
    assert (taken.stored, taken.quarantined) == (len(STORY), len(BAD) + 1)
    async with historian.transaction(SYSTEM, "test") as tx:
        kept = await quarantine.newest(tx)
        assert await quarantine.counts(tx) == {"line": len(BAD) + 1}
    for bad, reason in BAD:
        assert any(bad.tag in one.payload and reason in one.reason for one in kept), (bad, reason)
    assert any(one.payload == "{not json" for one in kept)
    assert await intervals(historian) == INTERVALS


async def test_the_same_refused_again_is_counted_not_kept_again(historian: Historian) -> None:
    for _ in range(3):
        await take(historian, BAD[0][0])
    async with historian.transaction(SYSTEM, "test") as tx:
        (kept,) = await quarantine.newest(tx)
    assert kept.repeats == 3


async def test_what_is_known_last_is_told_for_the_next_start(historian: Historian) -> None:
    lost = reading("L1", Signal.PACKML_STATE, 2000, None, BAD_NO_COMMUNICATION)
    await take(historian, *STORY, lost, *told("L2", 5, MachineState.IDLE))
    assert await ingest.last_known(historian, SYSTEM, ["L1"]) == [
        reading("L1", Signal.INTERLOCKS, 1500, 0.0),
        reading("L1", Signal.JOB_ORDER, 1500, ""),
        reading("L1", Signal.PACKML_MODE, 1500, 1.0),
        reading("L1", Signal.PACKML_STATE, 1500, 4.0),
        lost,
    ]


async def test_only_who_may_ingest_does(historian: Historian) -> None:
    with pytest.raises(Denied):
        await ingest.store(historian, Actor("eve", frozenset({Role.VIEWER})), Standing(), KNOWN, "line", STORY)


async def test_without_a_database_nothing_is_taken(historian: Historian) -> None:
    await historian.close()
    with pytest.raises(Unavailable):
        await take(historian, *STORY)
