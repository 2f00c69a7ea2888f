"""How right the twin was: predictions of released plans held against what happened, and drift of cycle times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from historian import fidelity as kept
from historian import ledger, orders, plants
from historian.database import Historian, Transaction
from historian.documents import document, restore
from historian.fidelity import Executed, ReleasedForecast
from operations import floor
from plant.actor import Actor, Permission
from plant.order import JobProgress, JobState
from plant.plant import Plant
from plant.ports import PlantClock
from plant.verdict import TwinError
from twin.drift import Direction, DriftChart
from twin.fidelity import Case, Fidelity, Forecast, fidelity

LOOK_BACK = timedelta(days=14)
"""Plans made earlier are not looked back at: the twin's current error is asked for."""
RENEWED_AFTER = timedelta(hours=6)
"""Plant time after which a plan is not made before the error was measured anew."""

_LEAST_IN_FORCE = timedelta(hours=1)
_OEE_PLANS = 20
"""Of the newest plans, so many are compared in OEE: each needs the readings of the time it was in force."""


@dataclass(frozen=True)
class OeeError:
    """Measured against expected OEE, per plan and machine, weighted by planned busy time.

    Attributes
    ----------
    compared
        Pairs of plan and machine.
    bias, mae
        Mean of measured less expected, and its mean absolute value; None without any.
    """

    compared: int
    bias: float | None
    mae: float | None


@dataclass(frozen=True)
class MachineDrift:
    """The cycle times of an operation on a machine have changed.

    Attributes
    ----------
    since, seen_at
        Completion of the first job order after the change, as estimated, and of the one it was seen at.
    shift
        Estimated size in standard deviations, above 0: longer.
    """

    machine: str
    item: str
    operation: str
    direction: Direction
    since: datetime
    seen_at: datetime
    shift: float


@dataclass(frozen=True)
class FidelityReport:
    """How right the twin was, as measured at one plant time.

    Attributes
    ----------
    since
        Plans made since then were looked back at.
    charts
        How many machines and operations are watched for drift.
    drift
        The last change of each that changed since `since`.
    """

    measured_at: datetime
    since: datetime
    orders: Fidelity
    job_orders: Fidelity
    oee: OeeError
    charts: int
    drift: tuple[MachineDrift, ...]

    @property
    def twin_error(self) -> TwinError:
        """What verdicts state of it."""
        found = self.job_orders
        (inside_80,) = [one.share for one in found.coverage if one.level == 0.8]
        return TwinError(
            measured_at=self.measured_at,
            plans=found.plans,
            predictions=found.error.cases,
            bias_s=found.error.bias_s,
            mae_s=found.error.mae_s,
            inside_80=inside_80,
            oee_bias=self.oee.bias,
            drifted=tuple(f"{one.machine} {one.item}/{one.operation}" for one in self.drift),
        )


@dataclass(frozen=True)
class _History:
    """What the error is measured from, read in one transaction."""

    now: datetime
    plant: Plant
    released: tuple[ReleasedForecast, ...]
    jobs: tuple[JobProgress, ...]
    executed: tuple[Executed, ...]
    oee: OeeError


async def measure(historian: Historian, actor: Actor, clock: PlantClock) -> FidelityReport:
    """Measure how right the twin was up to now, and keep it."""
    actor.require(Permission.MAKE_PLANS)
    return await _measure(historian, actor, clock.now())


async def up_to_date(historian: Historian, actor: Actor, now: datetime) -> FidelityReport:
    """Return the last measurement, or a new one when it is older than `RENEWED_AFTER`."""
    actor.require(Permission.MAKE_PLANS)
    async with historian.transaction(actor, "read fidelity") as tx:
        found = await _newest(tx)
    if found is not None and now - found.measured_at < RENEWED_AFTER:
        return found
    return await _measure(historian, actor, now)


async def newest(historian: Historian, actor: Actor) -> FidelityReport | None:
    """Return the last measurement, None before the first."""
    actor.require(Permission.VIEW_PLANS)
    async with historian.transaction(actor, "read fidelity") as tx:
        return await _newest(tx)


async def _newest(tx: Transaction) -> FidelityReport | None:
    found = await kept.newest(tx)
    return None if found is None else restore(FidelityReport, found)


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
    )


def _report(history: _History) -> FidelityReport:
    now, since = history.now, history.now - LOOK_BACK
    done = {job.job.id: job.completed_at for job in history.jobs if job.state is JobState.COMPLETED}
    cycles = _cycles(history.plant, history.executed)
    return FidelityReport(
        measured_at=now,
        since=since,
        orders=fidelity(_cases(history.released, "orders", _orders_done(history.jobs), now)),
        job_orders=fidelity(_cases(history.released, "job_orders", done, now)),
        oee=history.oee,
        charts=len(cycles),
        drift=tuple(one for key, own in cycles.items() for one in _drift(key, own, since)),
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
