"""Absences, late deliveries and planned stops, as people reported them; of one subject the last report counts."""

from __future__ import annotations

from datetime import datetime

from historian.database import Channel, Transaction
from historian.queries import query
from plant.plant import Absence, PlannedStop

_INSERT = query("disturbances", "insert")
_CURRENT = query("disturbances", "current")

_ABSENCE, _LATE_MATERIAL, _PLANNED_STOP = "absence", "late material", "planned stop"


async def report_absence(tx: Transaction, person: str, absence: Absence) -> None:
    """Keep that a person is not there."""
    await _insert(tx, _ABSENCE, person, absence.start, absence.end)


async def report_late_material(tx: Transaction, item: str, since: datetime, until: datetime) -> None:
    """Keep that a purchased item, reported on at `since`, is expected at `until`."""
    await _insert(tx, _LATE_MATERIAL, item, since, until)


async def plan_stop(tx: Transaction, machine: str, stop: PlannedStop) -> None:
    """Keep that a machine will be stopped."""
    await _insert(tx, _PLANNED_STOP, machine, stop.start, stop.end)


async def call_off_stop(tx: Transaction, machine: str, at: datetime) -> None:
    """Keep at plant time `at` that a machine will not be stopped."""
    await _insert(tx, _PLANNED_STOP, machine, at, at)


async def planned_stops(tx: Transaction, at: datetime) -> dict[str, PlannedStop]:
    """Return by machine the planned stops that are not over at plant time `at`."""
    rows = await tx.all(_CURRENT, {"kind": _PLANNED_STOP, "at": at})
    return {row["subject"]: PlannedStop(row["since"], row["until"]) for row in rows}


async def absences(tx: Transaction, at: datetime) -> dict[str, Absence]:
    """Return by person the absences that are not over at plant time `at`."""
    rows = await tx.all(_CURRENT, {"kind": _ABSENCE, "at": at})
    return {row["subject"]: Absence(row["since"], row["until"]) for row in rows}


async def late_materials(tx: Transaction, at: datetime) -> dict[str, datetime]:
    """Return by item when deliveries that have not come at plant time `at` are expected."""
    return {row["subject"]: row["until"] for row in await tx.all(_CURRENT, {"kind": _LATE_MATERIAL, "at": at})}


async def _insert(tx: Transaction, kind: str, subject: str, since: datetime, until: datetime) -> None:
    row = {"kind": kind, "subject": subject, "since": since, "until": until}
    await tx.execute(_INSERT, {**row, "reported_at": tx.at, "reported_by": tx.actor.name})
    await tx.notify(Channel.ORDERS, subject)
