"""The snapshot plans are made from: the live floor, what its running jobs have done, and when repairs will end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from plant.calendar import WorkingTime
from plant.item import ItemKind
from plant.machine_state import MachineState, StateInterval
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan
from plant.plant import Plant
from plant.snapshot import MachineSnapshot, Snapshot
from twin.floor import LiveFloor, LiveMachine

_REPAIR_HORIZON = timedelta(weeks=8)


def snapshot(
    plant: Plant,
    at: datetime,
    floor: LiveFloor,
    jobs: Sequence[JobProgress],
    intervals: Sequence[StateInterval],
    setup_families: Mapping[str, str],
    orders: Sequence[CustomerOrder] = (),
    plan: Plan | None = None,
    plant_version: str = "",
) -> Snapshot:
    """Return the floor at `at` as plans are made from it.

    Parameters
    ----------
    jobs
        All job orders, completed ones included.
    intervals
        State intervals of the machines since the first of the running jobs began or earlier, the open ones included.
        Machine ages are counted over them.
    setup_families
        Setup family by job order, for the jobs that machines run or ran last.
    orders
        All customer orders; the ones that are not complete are kept with their jobs.
    plan
        The plan in force: it says on which machine a job order waits.
    """
    ready = _ready(jobs, at)
    machines = {}
    for name, live in floor.machines.items():
        family = setup_families.get(live.last_job_order) if live.last_job_order is not None else None
        running = tuple(job.job.id for job in jobs if job.state is JobState.RUNNING and job.machine == name)
        queue = tuple(job.job.id for job in ready if _waits_at(plant, plan, job, name))
        machines[name] = MachineSnapshot(
            name,
            family,
            _down_until(plant, at, live),
            live.state,
            live.since,
            _repaired_s(plant, at, live),
            _operated_s(name, intervals, at),
            running,
            queue,
        )
    open_orders = {job.job.customer_order for job in jobs if job.state is not JobState.COMPLETED}
    return Snapshot(
        at,
        machines,
        {job.job.id: _worked_s(at, job, intervals) for job in jobs if job.state is JobState.RUNNING},
        plant_version,
        tuple(person.id for person in plant.people if plant.calendar(person.calendar).is_open(at)),
        _stock(plant, jobs),
        tuple(order for order in orders if order.id in open_orders),
        tuple(job for job in jobs if job.job.customer_order in open_orders) if orders else (),
    )


def _ready(jobs: Sequence[JobProgress], at: datetime) -> list[JobProgress]:
    """Return what could begin, by the moment since when it could."""
    by_id = {job.job.id: job for job in jobs}

    def since(job: JobProgress) -> datetime | None:
        done = [by_id[name].completed_at if name in by_id else None for name in job.job.predecessors]
        if job.state in {JobState.RUNNING, JobState.COMPLETED} or job.job.release_at > at:
            return None
        known = [moment for moment in done if moment is not None]
        return max([job.job.release_at, *known]) if len(known) == len(done) else None

    found = [(moment, job.job.id) for job in jobs if (moment := since(job)) is not None]
    return [by_id[name] for _, name in sorted(found)]


def _waits_at(plant: Plant, plan: Plan | None, job: JobProgress, machine: str) -> bool:
    if plan is not None and job.job.id in plan.by_job_order:
        return plan.by_job_order[job.job.id].machine == machine
    capability = plant.operation(job.job.item, job.job.operation).capability
    return capability in plant.machine(machine).capabilities


def _operated_s(machine: str, intervals: Sequence[StateInterval], at: datetime) -> float:
    """Sum what a machine has executed since it last broke down."""
    own = sorted((one for one in intervals if one.machine == machine), key=lambda one: one.started_at)
    broken = [place for place, one in enumerate(own) if one.state is MachineState.BREAKDOWN]
    since = own[broken[-1] + 1 :] if broken else own
    executed = [one for one in since if one.state is MachineState.EXECUTING and one.started_at < at]
    return sum((min(one.ended_at or at, at) - one.started_at).total_seconds() for one in executed)


def _stock(plant: Plant, jobs: Iterable[JobProgress]) -> dict[str, Decimal]:
    """Return the purchased pieces on hand: what was there less what production orders that have begun took of it.

    An order that the stock did not cover was purchased for (`methods.explosion`) and takes nothing from it.
    """
    stock = {item.id: item.stock for item in plant.items if item.kind is ItemKind.PURCHASED}
    if not stock:
        return stock
    begun = {job.job.production_order: job.job for job in jobs if job.started_at is not None}
    for job in begun.values():
        for line in plant.item(job.item).bom:
            need = job.quantity * line.quantity
            if line.item in stock and plant.item(line.item).stock >= need:
                stock[line.item] = max(stock[line.item] - need, Decimal(0))
    return stock


def _worked_s(at: datetime, job: JobProgress, intervals: Sequence[StateInterval]) -> float:
    """Sum what its machine has executed since it began: members of a batch run under one job order's name."""
    begun = job.started_at or at
    spans = (
        (max(interval.started_at, begun), min(interval.ended_at or at, at))
        for interval in intervals
        if interval.machine == job.machine and interval.state is MachineState.EXECUTING
    )
    return sum((end - start).total_seconds() for start, end in spans if start < end)


def _down_until(plant: Plant, at: datetime, live: LiveMachine) -> datetime | None:
    """Expect a repair to take its mean or, if that is longer, half as long again as it has taken (working time)."""
    if live.state is not MachineState.BREAKDOWN or live.since is None:
        return None
    since, reliability = live.since, plant.machine(live.machine).reliability
    mean_s = reliability.time_to_repair.mean if reliability is not None else 0.0
    open_time = _open_time(plant, live.machine, since, at)
    if open_time is None:
        return since + timedelta(seconds=max(mean_s, 1.5 * (at - since).total_seconds()))
    elapsed_s = open_time.worked_at((at - since).total_seconds())
    until = since + timedelta(seconds=open_time.finish(0.0, max(mean_s, 1.5 * elapsed_s)))
    return max(until, at)


def _repaired_s(plant: Plant, at: datetime, live: LiveMachine) -> float:
    if live.state is not MachineState.BREAKDOWN or live.since is None:
        return 0.0
    open_time, elapsed_s = _open_time(plant, live.machine, live.since, at), (at - live.since).total_seconds()
    return max(elapsed_s if open_time is None else open_time.worked_at(elapsed_s), 0.0)


def _open_time(plant: Plant, machine: str, since: datetime, at: datetime) -> WorkingTime | None:
    """Return the machine's working time from `since` on, None where it has none."""
    windows = plant.calendar_of(machine).windows(since, at + _REPAIR_HORIZON)
    if not windows:
        return None
    return WorkingTime.of([((a - since).total_seconds(), (b - since).total_seconds()) for a, b in windows])
