"""Readings in: one transaction stores them, derives the machine states anew, and renews the floor.

A source's batch is acknowledged only after its commit, so that what a source can hold back is never lost; what is
delivered twice is stored once. What is not a reading of this plant is quarantined with its reason and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from historian import latest, plants, quarantine, samples, states
from historian.database import Historian, Transaction
from plant.actor import Actor, Permission
from plant.plant import Plant
from plant.ports import PlantClock
from plant.reading import STATE_SIGNALS, TEXT_SIGNALS, Reading, Rejected, Signal
from twin.floor import StateTuple, derive

MAX_AHEAD = timedelta(days=14)
"""How far a reading may lie ahead of the plant clock: closed hours are skipped, and two processes never skip them
at the same instant, so a source may be a works holiday ahead."""
MAX_BEFORE = timedelta(days=1)
"""How far a reading may lie before the plant's first moment."""


@dataclass(frozen=True)
class Known:
    """What a reading of this plant looks like.

    Attributes
    ----------
    tags
        Whether each tag's values are texts.
    earliest
        No reading is older.
    """

    tags: Mapping[str, bool]
    earliest: datetime

    @staticmethod
    def of(plant: Plant) -> Known:
        """Return what the readings of a plant look like."""
        tags = {
            f"{plant.machine_path(machine.id)}/{signal}": signal in TEXT_SIGNALS
            for machine in plant.machines
            for signal in Signal
        }
        return Known(tags, plant.starts_at - MAX_BEFORE)

    def wrong(self, reading: Reading, now: datetime) -> str | None:
        """Return why something is not a reading of this plant at plant time `now`, None when it is one."""
        if reading.tag not in self.tags:
            return "unknown tag: the plant has no such machine or signal"
        if not self.earliest <= reading.time <= now + MAX_AHEAD:
            return f"implausible time: the plant clock says {now.isoformat()}; set the source's clock"
        return None if reading.value is None else _wrong_value(reading.value, self.tags[reading.tag])


def _wrong_value(value: object, is_text: bool) -> str | None:
    if is_text:
        if not isinstance(value, str):
            return "wrong type: this tag holds texts"
        return None if value.isprintable() else "wrong text: it holds characters that cannot be printed"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "wrong type: this tag holds numbers"
    try:
        return None if math.isfinite(value) else "not a finite number"
    except OverflowError:
        return "not a finite number"


@dataclass(frozen=True)
class Taken:
    """What came of taking readings in.

    Attributes
    ----------
    stored, repeated, quarantined
        How many readings were new, known already, refused.
    machines
        Machines whose state was derived anew.
    """

    stored: int = 0
    repeated: int = 0
    quarantined: int = 0
    machines: tuple[str, ...] = ()


async def store(
    historian: Historian,
    actor: Actor,
    clock: PlantClock,
    known: Known,
    source: str,
    readings: Sequence[Reading],
    rejected: Iterable[Rejected] = (),
) -> Taken:
    """Take readings in, in one transaction; the same ones again change nothing.

    Parameters
    ----------
    source
        Id of the connection, named in the quarantine.
    rejected
        What the source itself could not understand.

    Raises
    ------
    Unavailable
        When the database does not answer: nothing was stored, and the source must keep the readings.
    """
    actor.require(Permission.INGEST_READINGS)
    now = clock.now()
    refused = list(rejected)
    good = []
    for reading in readings:
        reason = known.wrong(reading, now)
        if reason is None:
            good.append(reading)
        else:
            refused.append(_rejected(source, reading, reason))

    async def work(tx: Transaction) -> Taken:
        if refused:
            await quarantine.add(tx, *refused)
        return replace(await _store_good(tx, good), quarantined=len(refused))

    return await historian.run(actor, "ingest", work)


async def refuse_all(
    historian: Historian,
    actor: Actor,
    source: str,
    readings: Sequence[Reading],
    rejected: Iterable[Rejected],
    reason: str,
) -> Taken:
    """Quarantine readings that the database as a whole refuses, with its reason."""
    actor.require(Permission.INGEST_READINGS)
    refused = [*rejected, *(_rejected(source, reading, reason) for reading in readings)]
    async with historian.transaction(actor, "quarantine readings") as tx:
        await quarantine.add(tx, *refused)
    return Taken(quarantined=len(refused))


def _rejected(source: str, reading: Reading, reason: str) -> Rejected:
    what = f"{reading.tag} = {reading.value!r} at {reading.time.isoformat()}, quality 0x{reading.quality:08X}"
    return Rejected(source, what, reason)


async def _store_good(tx: Transaction, readings: Sequence[Reading]) -> Taken:
    written = await samples.write(tx, readings)
    if not written.stored:
        return Taken(0, written.repeated)
    changed: dict[str, datetime] = {}
    for tag, time in written.earliest.items():
        path, signal = tag.rsplit("/", 1)
        machine = path.rsplit("/", 1)[1]
        if signal in STATE_SIGNALS:
            changed[machine] = min(changed.get(machine, time), time)
    for machine, since in sorted(changed.items()):
        await _derive_from(tx, machine, since)
    fresh = [reading for reading in readings if reading.tag in written.earliest]
    await latest.update(tx, fresh, await states.last(tx, sorted({reading.machine for reading in fresh})))
    return Taken(written.stored, written.repeated, machines=tuple(sorted(changed)))


async def _derive_from(tx: Transaction, machine: str, since: datetime) -> None:
    """Derive a machine's intervals anew from the earliest change on; late readings repair what was derived before."""
    interval = await states.before(tx, machine, since)
    prior = StateTuple()
    if interval is not None:
        prior = StateTuple.of(await samples.state_before(tx, machine, since), interval.started_at)
    await states.replace_from(tx, machine, derive(machine, prior, await samples.state_readings(tx, machine, since)))


async def last_known(historian: Historian, actor: Actor, machines: Sequence[str]) -> list[Reading]:
    """Return the newest stored readings of some machines: what their source tells a gap over a restart from."""
    actor.require(Permission.INGEST_READINGS)
    async with historian.transaction(actor, "read newest readings") as tx:
        return await samples.newest(tx, machines)


async def current_plant(historian: Historian, actor: Actor) -> Plant:
    """Return the plant whose readings are taken in, or raise `NotFound` when none was imported yet."""
    actor.require(Permission.INGEST_READINGS)
    async with historian.transaction(actor, "read plant") as tx:
        return (await plants.current(tx)).plant
