"""How right the twin was: predictions of released plans held against what happened, and drift of cycle times.

What the calibration in use rests on is the twin's normal, so the charts of cycle times begin where its history ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from historian import calibrations, ledger, orders, plants
from historian import fidelity as kept
from historian.database import Historian, Transaction
from historian.documents import document, restore
from historian.fidelity import Executed, ReleasedForecast
from operations import floor
from plant.actor import SYSTEM, Actor, Permission
from plant.order import JobProgress, JobState
from plant.plant import Plant
from plant.ports import PlantClock
from twin.drift import DriftChart
from twin.fidelity import Case, Forecast, fidelity
from twin.fidelity_report import FidelityReport, MachineDrift, OeeError

LOOK_BACK = timedelta(days=14)
"""Plans made earlier are not looked back at: the twin's current error is asked for."""
RENEWED_AFTER = timedelta(hours=6)
"""Plant time after which a plan is not made before the error was measured anew."""

_LEAST_IN_FORCE = timedelta(hours=1)
_OEE_PLANS = 20
"""Of the newest plans, so many are compared in OEE: each needs the readings of the time it was in force."""


@dataclass(frozen=True)
class _History:
    """What the error is measured from, read in one transaction."""

    now: datetime
    plant: Plant
    released: tuple[ReleasedForecast, ...]
    jobs: tuple[JobProgress, ...]
    executed: tuple[Executed, ...]
    oee: OeeError
    charts_since: datetime | None


async def measure(historian: Historian, actor: Actor, clock: PlantClock) -> FidelityReport:
    """Measure how right the twin was up to now, and keep it."""
    actor.require(Permission.MAKE_PLANS)
    return await _measure(historian, actor, clock.now())


async def up_to_date(historian: Historian, actor: Actor, now: datetime) -> FidelityReport:
    """Return the last measurement; a new one if it is older than `RENEWED_AFTER` or the calibration in use changed."""
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "read fidelity") as tx:
        found = await _newest(tx)
        begin = await _charts_since(tx)
    if found is not None and now - found.measured_at < RENEWED_AFTER and found.charts_since == begin:
        return found
    return await _measure(historian, actor, now)


async def renew_if_recalibrated(historian: Historian, clock: PlantClock) -> FidelityReport | None:
    """Measure anew if another calibration came into use since the last measurement; None when there is no need."""
    async with historian.transaction(SYSTEM, "read fidelity") as tx:
        found = await _newest(tx)
        if found is None or found.charts_since == await _charts_since(tx):
            return None
    return await _measure(historian, SYSTEM, clock.now())


async def newest(historian: Historian, actor: Actor) -> FidelityReport | None:
    """Return the last measurement, None before the first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read fidelity") as tx:
        return await _newest(tx)


async def _newest(tx: Transaction) -> FidelityReport | None:
    found = await kept.newest(tx)
    return None if found is None else restore(FidelityReport, found)


async def _charts_since(tx: Transaction) -> datetime | None:
    version = await plants.current_id(tx)
    return None if version is None else await calibrations.used_until(tx, version)


async def _measure(historian: Historian, actor: Actor, now: datetime) -> FidelityReport:
    async with historian.transaction(actor, "read what was predicted and happened") as tx:
        history = await _history(tx, now)
    report = await asyncio.to_thread(_report, history)
    async with historian.transaction(actor, "keep fidelity") as tx:
        await kept.insert(tx, now, document(report))
        await ledger.append(tx, "fidelity", "measured", None, document(report.twin_error))
    return report


async def _history(tx: Transaction, now: datetime) -> _History:
    plant = (await plants.current(tx)).plant
    released = await kept.released(tx, now - LOOK_BACK)
    return _History(
        now,
        plant,
        tuple(released),
        tuple(await orders.jobs(tx)),
        tuple(await kept.executed(tx)),
        await _oee_error(tx, plant, released, now),
        await _charts_since(tx),
    )


def _report(history: _History) -> FidelityReport:
    now, since = history.now, history.now - LOOK_BACK
    done = {job.job.id: job.completed_at for job in history.jobs if job.state is JobState.COMPLETED}
    begin = history.charts_since
    fresh = [one for one in history.executed if begin is None or one.completed_at > begin]
    cycles = _cycles(history.plant, fresh)
    return FidelityReport(
        measured_at=now,
        since=since,
        orders=fidelity(_cases(history.released, "orders", _orders_done(history.jobs), now)),
        job_orders=fidelity(_cases(history.released, "job_orders", done, now)),
        oee=history.oee,
        charts=len(cycles),
        drift=tuple(one for key, own in cycles.items() for one in _drift(key, own, since)),
        charts_since=begin,
    )


def _orders_done(jobs: Iterable[JobProgress]) -> dict[str, datetime | None]:
    """Return when each order was complete: with its last job order."""
    done: dict[str, datetime | None] = {}
    for job in jobs:
        name, at = job.job.customer_order, job.completed_at if job.state is JobState.COMPLETED else None
        before = done.get(name, at)
        done[name] = None if before is None or at is None else max(before, at)
    return done


def _in_force(released: Sequence[ReleasedForecast], now: datetime) -> list[tuple[ReleasedForecast, datetime]]:
    """Return each plan with the moment up to which it can be judged: when the next one was made, or now."""
    ends = [*(one.made_at for one in released[1:]), now]
    return [(one, min(end, now)) for one, end in zip(released, ends, strict=False)]


def _cases(
    released: Sequence[ReleasedForecast], kind: str, done: Mapping[str, datetime | None], now: datetime
) -> list[Case]:
    cases = []
    for plan, until in _in_force(released, now):
        predicted = getattr(restore(Forecast, plan.forecast), kind) if plan.forecast is not None else {}
        for subject, quantiles_s in predicted.items():
            at = done.get(subject)
            completed_s = None if at is None else (at - plan.made_at).total_seconds()
            cases.append(Case(plan.plan, subject, quantiles_s, (until - plan.made_at).total_seconds(), completed_s))
    return cases


async def _oee_error(tx: Transaction, plant: Plant, released: Sequence[ReleasedForecast], now: datetime) -> OeeError:
    pairs = []
    long_enough = [(one, until) for one, until in _in_force(released, now) if until - one.made_at >= _LEAST_IN_FORCE]
    for plan, until in long_enough[-_OEE_PLANS:]:
        for measured in await floor.measured(tx, plant, plan.made_at, until):
            expected = plan.expected_oee.get(measured.machine)
            if expected is not None and measured.oee is not None:
                pairs.append((measured.oee - expected, measured.times.pbt_s))
    total_s = sum(weight for _, weight in pairs)
    if total_s <= 0:
        return OeeError(0, None, None)
    bias = sum(error * weight for error, weight in pairs) / total_s
    return OeeError(len(pairs), bias, sum(abs(error) * weight for error, weight in pairs) / total_s)


def _cycles(plant: Plant, executed: Iterable[Executed]) -> dict[tuple[str, str, str], list[tuple[datetime, float]]]:
    """Return completion and actual over planned seconds of each job order, by machine, item and operation."""
    known = {(item.id, step.id): step for item in plant.items for step in item.routing}
    speeds = {machine.id: machine.speed for machine in plant.machines}
    cycles: dict[tuple[str, str, str], list[tuple[datetime, float]]] = {}
    for one in executed:
        operation = known.get((one.item, one.operation))
        if operation is None or one.machine not in speeds:
            continue  # of an earlier version of the plant
        ratio = one.executed_s / operation.duration_s(one.pieces, speeds[one.machine])
        cycles.setdefault((one.machine, one.item, one.operation), []).append((one.completed_at, ratio))
    return cycles


def _drift(
    key: tuple[str, str, str], cycles: Sequence[tuple[datetime, float]], since: datetime
) -> Iterable[MachineDrift]:
    """Return the last change of one machine and operation, if it was seen since a time."""
    chart = DriftChart()
    for _, ratio in cycles:
        chart.observe(ratio)
    for alarm in chart.drift.alarms[-1:]:
        first, last = cycles[alarm.since][0], cycles[alarm.seen_at][0]
        if last >= since:
            yield MachineDrift(*key, alarm.direction, first, last, alarm.shift)
