"""Machine states as intervals that never overlap: kept by one writer at a time per machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from historian.database import Transaction
from historian.queries import query
from plant.machine_state import MachineState, StateInterval

_LOCK = query("states", "lock")
_INTERVALS = query("states", "intervals")
_BEFORE = query("states", "before")
_LAST = query("states", "last")
_DELETE_FROM = query("states", "delete_from")
_END_BEFORE = query("states", "end_before")
_INSERT = query("states", "insert")
_CLEAR_HOURS = query("states", "clear_hours")
_FILL_HOURS = query("states", "fill_hours")
_HOURS = query("states", "hours")


@dataclass(frozen=True)
class StateHour:
    """How long a machine was in one state within one hour (UTC); only ended intervals count."""

    machine: str
    hour: datetime
    state: MachineState
    duration_s: float


async def lock(tx: Transaction, machines: Collection[str]) -> None:
    """Keep every other writer away from these machines until the transaction ends; taken in one fixed order."""
    await tx.execute(_LOCK, {"machines": sorted(machines)})


async def intervals(
    tx: Transaction, start: datetime, end: datetime, machines: Sequence[str] | None = None
) -> list[StateInterval]:
    """Return the intervals that touch [start, end), unclipped, by machine and time; of all machines by default."""
    wanted = {"start": start, "end": end, "machines": None if machines is None else list(machines)}
    return [_interval(row) for row in await tx.all(_INTERVALS, wanted)]


async def before(tx: Transaction, machine: str, time: datetime) -> StateInterval | None:
    """Return the last interval of a machine that began before a time, None when there is none."""
    row = await tx.first(_BEFORE, {"machine": machine, "time": time})
    return None if row is None else _interval(row)


async def last(tx: Transaction, machines: Sequence[str]) -> dict[str, StateInterval]:
    """Return the last interval of each of these machines; one without any is left out."""
    return {row["machine"]: _interval(row) for row in await tx.all(_LAST, {"machines": list(machines)})}


async def replace_from(tx: Transaction, machine: str, fresh: Sequence[StateInterval]) -> None:
    """Put `fresh` in the place of all that began at or after its first start; `lock` comes first.

    The interval before, if any, is made to end where `fresh` begins.
    """
    if not fresh:
        return
    where = {"machine": machine, "since": fresh[0].started_at}
    await tx.execute(_DELETE_FROM, where)
    await tx.execute(_END_BEFORE, where)
    await tx.execute_many(_INSERT, [asdict(interval) for interval in fresh])
    await tx.execute(_CLEAR_HOURS, where)
    await tx.execute(_FILL_HOURS, where)


async def hours(
    tx: Transaction, start: datetime, end: datetime, machines: Sequence[str] | None = None
) -> list[StateHour]:
    """Return time per state for the hours that begin within [start, end), of all machines by default."""
    wanted = {"start": start, "end": end, "machines": None if machines is None else list(machines)}
    return [StateHour(**{**row, "state": MachineState(row["state"])}) for row in await tx.all(_HOURS, wanted)]


def _interval(row: dict[str, Any]) -> StateInterval:
    return StateInterval(**{**row, "state": MachineState(row["state"])})
