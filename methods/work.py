"""The work still to be done: orders, how far their jobs are, and the floor as it stands, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from math import inf
from zoneinfo import ZoneInfo

from plant.calendar import Calendar, Window, WorkingTime, without_windows
from plant.errors import Infeasible, InvalidInput
from plant.item import Attendance, Operation
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plant import Machine, Plant
from plant.snapshot import MachineSnapshot, Snapshot
from plant.text import told
from plant.work import MachineOutlook, OrderDemand, PersonOutlook, Running, Task, Wait, Work

HORIZON = timedelta(weeks=26)
"""How far calendars are laid out; beyond it the last window goes on."""

LEAST_REMAINING_S = 1.0
"""What is left of a running job that has outrun its planned time: it will end, we do not know when."""


def build_work(plant: Plant, orders: Sequence[CustomerOrder], jobs: Sequence[JobProgress], snapshot: Snapshot) -> Work:
    """Return the work still to be done at `snapshot.at`, which becomes the epoch.

    Completed job orders are left out, and so are orders with nothing left to do. A running one stays on its
    machine, with its planned time less what the machine has worked on it; several running on one machine share
    a batch. An aborted one is to be done again. A job order has at most the good pieces that its completed
    predecessor delivered.

    Parameters
    ----------
    jobs
        All job orders of `orders`, completed ones included.

    Raises
    ------
    InvalidInput
        If a job order belongs to none of `orders`, has an unknown predecessor, or predecessors are circular.
    NotFound
        If an item, operation or machine is unknown to the plant.
    Infeasible
        If a machine's calendar has no working time in sight.
    """
    by_id = {progress.job.id: progress for progress in jobs}
    by_id |= {done.job.id: done for done in done_untold(jobs)}
    pieces: dict[str, int] = {}
    tasks: list[Task] = []
    sharing, ways_s = _sharing(by_id.values()), ways_between(plant)
    for id_ in _predecessors_first(by_id):
        progress = by_id[id_]
        pieces[id_] = _pieces(progress, by_id, pieces)
        if progress.state is not JobState.COMPLETED:
            task = _task(plant, progress, pieces[id_], by_id, snapshot, sharing)
            tasks.append(task if task.running else _behind_the_done(task, progress, by_id, ways_s, snapshot.at))
    open_orders = {task.order for task in tasks}
    demands = {
        order.id: OrderDemand(order.id, _seconds(snapshot.at, order.due_at), order.priority)
        for order in orders
        if order.id in open_orders
    }
    return Work(
        snapshot.at,
        tuple(tasks),
        _outlooks(plant, snapshot),
        demands,
        _people(plant, tasks, snapshot.at),
        ways_s,
        _energy_prices(plant, snapshot.at),
    )


def ways_between(plant: Plant) -> dict[tuple[str, str], float]:
    """Return the clock seconds between machines of the work centers that ways connect, where it takes any.

    Carriers are taken to be at hand. Nothing is carried from a machine to itself.
    """
    at: dict[str, list[str]] = {}
    for machine in plant.machines:
        at.setdefault(machine.work_center, []).append(machine.id)
    return {
        (here, there): way.time_s
        for way in plant.transports
        if way.time_s > 0
        for here in at.get(way.before, ())
        for there in at.get(way.after, ())
        if here != there
    }


def _energy_prices(plant: Plant, epoch: datetime) -> tuple[tuple[float, float], ...]:
    """Return what a kWh costs from when on, up to the horizon; nothing where the plant does not say."""
    if plant.tariff is None:
        return ()
    turns = plant.tariff.prices(ZoneInfo(plant.timezone), epoch, epoch + HORIZON)
    return tuple((_seconds(epoch, at), per_kwh) for at, per_kwh in turns)


def _seconds(epoch: datetime, moment: datetime) -> float:
    return (moment - epoch).total_seconds()


def _predecessors_first(by_id: Mapping[str, JobProgress]) -> list[str]:
    for id_, progress in by_id.items():
        unknown = [name for name in progress.job.predecessors if name not in by_id]
        if unknown:
            raise InvalidInput(
                told(
                    "job order {job}: predecessors {unknown:words} are not among the job orders given",
                    job=id_,
                    unknown=unknown,
                )
            )
    graph = {id_: progress.job.predecessors for id_, progress in by_id.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise InvalidInput(
            told("job orders follow each other in a circle: {circle}", circle=" -> ".join(error.args[1]))
        ) from error


def _pieces(progress: JobProgress, by_id: Mapping[str, JobProgress], pieces: Mapping[str, int]) -> int:
    """Return how many pieces a job order processes: what it was given out for, less what was lost before it."""
    job = progress.job
    before = [by_id[name] for name in job.predecessors]
    arriving = [_delivered(one, pieces) for one in before if one.job.production_order == job.production_order]
    return min([job.quantity, *arriving])


def _delivered(progress: JobProgress, pieces: Mapping[str, int]) -> int:
    """Return the good pieces of a completed job order; all of them where it is not complete or nothing was counted."""
    counted = progress.state is JobState.COMPLETED and progress.good + progress.scrap > 0
    return progress.good if counted else pieces[progress.job.id]


def done_untold(jobs: Sequence[JobProgress]) -> list[JobProgress]:
    """Return as completed what runs on a machine that has taken up another job since: its end is yet to be told."""
    running = [job for job in jobs if job.state is JobState.RUNNING and job.started_at is not None]
    latest: dict[str | None, datetime] = {}
    for job in running:
        assert job.started_at is not None
        latest[job.machine] = max(latest.get(job.machine, job.started_at), job.started_at)
    return [
        replace(job, state=JobState.COMPLETED, completed_at=latest[job.machine])
        for job in running
        if job.started_at != latest[job.machine]
    ]


def _sharing(jobs: Iterable[JobProgress]) -> set[str]:
    """Return the machines on which more than one job order is running: the members of a batch."""
    machines = [progress.machine for progress in jobs if progress.state is JobState.RUNNING and progress.machine]
    return {machine for machine in machines if machines.count(machine) > 1}


def _task(
    plant: Plant,
    progress: JobProgress,
    pieces: int,
    by_id: Mapping[str, JobProgress],
    snapshot: Snapshot,
    sharing: set[str],
) -> Task:
    job = progress.job
    operation = plant.operation(job.item, job.operation)
    machines: Sequence[Machine] = plant.machines_with(operation.capability)
    running = None
    # What runs has evidently all it needs: a predecessor whose completion is yet to be told does not hold it up.
    before: tuple[str, ...] = ()
    if progress.state is JobState.RUNNING and progress.machine is not None:
        machine = plant.machine(progress.machine)
        machines = (machine,)
        worked_s = snapshot.worked_s.get(job.id, 0.0)
        left_s = operation.duration_s(pieces, machine.speed) - worked_s
        batch = f"running on {machine.id}" if machine.id in sharing else None
        started_s = _seconds(snapshot.at, progress.started_at or snapshot.at)
        running = Running(machine.id, started_s, max(left_s, LEAST_REMAINING_S), batch, worked_s)
    else:
        before = job.predecessors
    return Task(
        id=job.id,
        order=job.customer_order,
        item=job.item,
        operation=job.operation,
        quantity=pieces,
        predecessors=before,
        durations_s={machine.id: operation.duration_s(pieces, machine.speed) for machine in machines},
        setup_family=operation.setup_family,
        release_s=_seconds(snapshot.at, job.release_at),
        variation=operation.variation,
        scrap_ratio=operation.scrap_ratio,
        running=running,
        attendance=operation.attendance,
        skill=None if operation.attendance is Attendance.NONE else operation.skill,
        interruptible=operation.interruptible,
        waits=_waits(operation, [name for name in before if by_id[name].job.production_order == job.production_order]),
    )


def _waits(operation: Operation, before: Iterable[str]) -> dict[str, Wait]:
    """Return how an operation waits after what its routing has before it."""
    if not operation.waits:
        return {}
    most_s = inf if operation.wait_most_s is None else operation.wait_most_s
    return dict.fromkeys(before, Wait(operation.wait_least_s, most_s))


def _behind_the_done(
    task: Task,
    progress: JobProgress,
    by_id: Mapping[str, JobProgress],
    ways_s: Mapping[tuple[str, str], float],
    epoch: datetime,
) -> Task:
    """Return a task without the predecessors that are complete: what has still to dry or to arrive releases it.

    It is there when it could be on any machine that can take it, the farthest one included.
    """
    done = [by_id[name] for name in progress.job.predecessors if by_id[name].state is JobState.COMPLETED]
    ended_s = {one.job.id: _seconds(epoch, one.completed_at) for one in done if one.completed_at is not None}
    release_s = task.release_s
    for one in done:
        wait = task.waits.get(one.job.id, Wait())
        lag_s = max(wait.least_s, *(ways_s.get((one.machine or "", there), 0.0) for there in task.durations_s))
        if lag_s > 0 and one.job.id in ended_s:
            release_s = max(release_s, ended_s[one.job.id] + lag_s)
    left = tuple(name for name in task.predecessors if by_id[name].state is not JobState.COMPLETED)
    spoiling_s = {name: at_s for name, at_s in ended_s.items() if name in task.waits and task.waits[name].most_s < inf}
    waits = {name: task.waits[name] for name in (*left, *spoiling_s) if name in task.waits}
    return replace(task, predecessors=left, release_s=release_s, waits=waits, ended_s=spoiling_s)


def _outlooks(plant: Plant, snapshot: Snapshot) -> dict[str, MachineOutlook]:
    working = {
        calendar.id: working_time(calendar, snapshot.at)
        for calendar in plant.calendars
        if any(machine.calendar == calendar.id for machine in plant.machines)
    }
    extra = {calendar.id: _overtime(calendar, snapshot.at) for calendar in plant.calendars if calendar.overtime}
    found = (_outlook(plant, machine, working[machine.calendar], snapshot) for machine in plant.machines)
    return {
        machine.id: replace(one, overtime=extra.get(machine.calendar, ()))
        for machine, one in zip(plant.machines, found, strict=True)
    }


def _overtime(calendar: Calendar, epoch: datetime) -> tuple[tuple[float, float], ...]:
    """Return when a calendar is open besides its shifts, in seconds since the epoch."""
    if not calendar.shifts:  # open at all times anyway
        return ()
    end = epoch + HORIZON
    with_, without = calendar.windows(epoch, end), replace(calendar, overtime=()).windows(epoch, end)
    return tuple(_spans(without_windows(with_, without), epoch))


def working_time(calendar: Calendar, epoch: datetime, horizon: timedelta = HORIZON) -> WorkingTime:
    """Return when a calendar is open, in seconds since `epoch`; after the horizon its last window goes on.

    Raises
    ------
    Infeasible
        If it is never open within the horizon.
    """
    if not calendar.shifts and not calendar.closures:
        return WorkingTime.always()
    windows = calendar.windows(epoch, epoch + horizon)
    if not windows:
        raise Infeasible(
            told(
                "calendar {calendar} has no working time within {n:count} weeks from {at:moment} on; give it a shift, "
                "or end its closure",
                calendar=calendar.id,
                n=horizon.days // 7,
                at=epoch.astimezone(ZoneInfo(calendar.timezone)),
            )
        )
    return WorkingTime.of(_spans(windows, epoch))


def _spans(windows: Sequence[Window], epoch: datetime) -> list[tuple[float, float]]:
    return [(_seconds(epoch, start), _seconds(epoch, end)) for start, end in windows]


def _people(plant: Plant, tasks: Iterable[Task], epoch: datetime) -> dict[str, PersonOutlook]:
    """Return who could attend a task; nobody where no task needs attendance.

    Who is absent over the whole horizon attends nothing.
    """
    skills = {task.skill for task in tasks if task.attendance is not Attendance.NONE}
    found: dict[str, PersonOutlook] = {}
    known: dict[tuple[Window, ...], WorkingTime] = {}
    for person in plant.people:
        if skills.isdisjoint(person.skills):
            continue
        (calendar,) = (one for one in plant.calendars if one.id == person.calendar)
        away = [(absence.start, absence.end) for absence in person.absences]
        there = tuple(without_windows(calendar.windows(epoch, epoch + HORIZON), away))
        if there:
            time = known.setdefault(there, WorkingTime.of(_spans(there, epoch)))
            found[person.id] = PersonOutlook(person.id, time, person.skills)
    return found


def _outlook(plant: Plant, machine: Machine, working_time: WorkingTime, snapshot: Snapshot) -> MachineOutlook:
    state = snapshot.machines.get(machine.id, MachineSnapshot(machine.id))
    down_s = 0.0 if state.down_until is None else max(_seconds(snapshot.at, state.down_until), 0.0)
    return MachineOutlook(
        id=machine.id,
        working_time=working_time,
        setup_matrix=plant.setup_matrix_of(machine.id),
        available_from_s=down_s,
        setup_family=state.setup_family,
        batch_capacity=machine.batch_capacity,
        reliability=machine.reliability,
        operated_s=state.operated_s,
        power_kw=machine.power_kw.executing,
    )
