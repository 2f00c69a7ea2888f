"""A plan as machines meet it: per machine the steps in their order, checked against the work."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import ReworkPass, Task, Work


@dataclass(frozen=True)
class PlannedStep:
    """One task, or the members of a batch, at one place of a machine's sequence.

    Attributes
    ----------
    release_s
        When the last member's materials are there, deliveries apart; 0 for a running step, which has begun.
    predecessors
        Tasks that must be complete before it begins; none for a running step.
    lags_s
        By predecessor, the clock seconds from its end until all members that wait for it are there, where there are
        any: the longer of the least wait and the way between the machines.
    setup_s
        Working seconds of the changeover before it; None where that depends on which rework passes are left out.
    person
        Who attends it, None for nobody.
    behind
        A task of the step that person attends before; None for the first.
    attendance
        What of it the person attends; NONE without a person.
    interruptible
        Whether breaks may interrupt it.
    rework
        Set where it is done only if a lot fails.
    """

    machine: str
    tasks: tuple[Task, ...]
    running: bool
    release_s: float
    predecessors: tuple[str, ...]
    lags_s: Mapping[str, float] = field(default_factory=dict)
    setup_s: float | None = 0.0
    person: str | None = None
    behind: str | None = None
    attendance: Attendance = Attendance.NONE
    interruptible: bool = True
    rework: ReworkPass | None = None


def planned_steps(work: Work, plan: Plan) -> dict[str, tuple[PlannedStep, ...]]:
    """Return the steps of every machine of `work` in the order of `plan`.

    A step that needs somebody but whom the plan gives nobody is taken as attended whenever it has to be. Where no
    changeover is due, nobody attends a step whose changeover only needs attendance.

    Raises
    ------
    InvalidInput
        If the plan leaves a task out or names one that is not in the work, uses an unknown machine or one that
        cannot take the task, overfills or mixes a batch, puts anything before a running task, or has a step
        attended by somebody unknown, by two, or by one who lacks the skill.
    """
    _check_tasks(work, plan)
    steps: dict[str, tuple[PlannedStep, ...]] = dict.fromkeys(work.machines, ())
    for machine, sequence in plan.sequences.items():
        if machine not in work.machines:
            known = ", ".join(sorted(work.machines))
            raise InvalidInput(
                f"the plan puts {sequence[0][0].job_order} on the unknown machine {machine}; known are {known}"
            )
        found = tuple(_step(work, plan, machine, step) for step in sequence)
        _check_running(machine, found)
        steps[machine] = tuple(_with_setups(work, machine, found))
    return _in_turn(plan, steps)


def _with_setups(work: Work, machine: str, steps: Sequence[PlannedStep]) -> Iterator[PlannedStep]:
    """Add the changeovers; after a rework pass, what it begins with is known only when the lot has passed or not."""
    outlook = work.machines[machine]
    families = {outlook.setup_family}
    for step in steps:
        family = step.tasks[0].setup_family
        times = {0.0 if step.running else outlook.setup_matrix.duration_s(before, family) for before in families}
        setup_s = times.pop() if len(times) == 1 else None
        unattended = step.attendance is Attendance.SETUP and setup_s == 0
        if unattended:
            step = replace(step, person=None, attendance=Attendance.NONE)
        yield replace(step, setup_s=setup_s)
        families = families | {family} if step.rework is not None else {family}


def _in_turn(plan: Plan, steps: dict[str, tuple[PlannedStep, ...]]) -> dict[str, tuple[PlannedStep, ...]]:
    """Tell every attended step which one its person attends before it."""
    attended = {step.tasks[0].id: step for sequence in steps.values() for step in sequence if step.person is not None}
    behind: dict[str, str] = {}
    for sequence in plan.person_sequences.values():
        mine = [name for step in sequence if (name := step[0].job_order) in attended]
        behind.update(zip(mine[1:], mine[:-1], strict=True))
    return {
        machine: tuple(
            replace(step, behind=behind[step.tasks[0].id]) if step.tasks[0].id in behind else step for step in sequence
        )
        for machine, sequence in steps.items()
    }


def _check_tasks(work: Work, plan: Plan) -> None:
    missing = [task.id for task in work.tasks if task.id not in plan.by_job_order]
    if missing:
        raise InvalidInput(f"the plan leaves out {_some(missing)}; every task of the work needs its place")
    unknown = [name for name in plan.by_job_order if name not in work.by_id]
    if unknown:
        raise InvalidInput(f"the plan holds {_some(unknown)}, not in the work; make it from the same work")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _step(work: Work, plan: Plan, machine: str, operations: Sequence[PlannedOperation]) -> PlannedStep:
    names = [operation.job_order for operation in operations]
    tasks = tuple(work.by_id[name] for name in names)
    capacity = work.machines[machine].batch_capacity
    where = f"the plan's step {_some(names)} on {machine}"
    unable = [task.id for task in tasks if machine not in task.durations_s]
    if unable:
        raise InvalidInput(f"the plan puts {_some(unable)} on {machine}, which cannot take it")
    if len(tasks) > capacity:
        raise InvalidInput(f"{where} has {len(tasks)} members; at most {capacity} go together there")
    if len({task.setup_family for task in tasks}) > 1:
        raise InvalidInput(f"{where} mixes setup families; a batch has one")
    running = tasks[0].running is not None
    if any((task.running is not None) != running for task in tasks):
        raise InvalidInput(f"{where} mixes running and waiting tasks; nothing can join a batch that has begun")
    if len(tasks) > 1 and any(task.rework is not None for task in tasks):
        raise InvalidInput(f"{where} has a rework pass in a batch; nobody knows yet whether it will be done")
    person, attendance = _attended(work, where, operations, tasks)
    if running:
        return PlannedStep(machine, tasks, True, 0.0, (), person=person, attendance=attendance)
    rework = tasks[0].rework
    known_after = () if rework is None else (rework.of,)
    predecessors = (*(name for task in tasks for name in task.predecessors), *known_after)
    return PlannedStep(
        machine,
        tasks,
        False,
        max(task.release_s for task in tasks),
        tuple(dict.fromkeys(predecessors)),
        _lags_s(work, plan, machine, tasks),
        person=person,
        attendance=attendance,
        interruptible=all(task.interruptible for task in tasks),
        rework=rework,
    )


def _lags_s(work: Work, plan: Plan, machine: str, tasks: Sequence[Task]) -> dict[str, float]:
    """Return how long after each predecessor's end its last member is there; what is there at once is left out."""
    if not work.transport_s and not any(task.waits for task in tasks):
        return {}
    found: dict[str, float] = {}
    for task in tasks:
        for name in task.predecessors if task.rework is None else (*task.predecessors, task.rework.of):
            if (lag_s := work.lag_s(task, name, plan.by_job_order[name].machine, machine)) > 0:
                found[name] = max(found.get(name, 0.0), lag_s)
    return found


def _attended(
    work: Work, where: str, operations: Sequence[PlannedOperation], tasks: Sequence[Task]
) -> tuple[str | None, Attendance]:
    """Return who attends a step and how: a batch as much as the member that needs it most."""
    needs = {task.attendance for task in tasks} - {Attendance.NONE}
    people = {operation.person for operation in operations if operation.person is not None}
    if not needs or not people:
        return None, Attendance.NONE
    if len(people) > 1:
        raise InvalidInput(f"{where} is attended by {' and '.join(sorted(people))}; one attends a batch")
    person = people.pop()
    if person not in work.people:
        known = ", ".join(sorted(work.people)) or "none"
        raise InvalidInput(f"{where} is attended by the unknown {person}; known are {known}")
    lacking = {task.skill for task in tasks} - {None, *work.people[person].skills}
    if lacking:
        raise InvalidInput(f"{where} needs {', '.join(sorted(map(str, lacking)))}, which {person} cannot do")
    return person, Attendance.ALL if Attendance.ALL in needs else Attendance.SETUP


def _check_running(machine: str, steps: tuple[PlannedStep, ...]) -> None:
    for place, step in enumerate(steps):
        if step.running and place > 0:
            raise InvalidInput(
                f"{step.tasks[0].id} runs on {machine}, but the plan puts {steps[0].tasks[0].id} before it; "
                "what runs stands first"
            )


def circle(
    steps: Mapping[str, tuple[PlannedStep, ...]],
    places: Mapping[str, int],
    complete: Container[str],
    attended: Container[str],
) -> str:
    """Describe who waits for whom on a floor that is stuck.

    Parameters
    ----------
    places
        Per machine, the place of the step that cannot begin.
    complete
        Tasks that are done.
    attended
        Tasks that need their person no longer.
    """
    home = {task.id: machine for machine, sequence in steps.items() for step in sequence for task in step.tasks}
    machine = next(name for name, sequence in steps.items() if places[name] < len(sequence))
    seen: list[str] = []
    while machine not in seen:
        seen.append(machine)
        machine = home[_awaited(steps[machine][places[machine]], complete, attended)]
    links = [_link(steps, places, complete, attended, home, name) for name in seen[seen.index(machine) :]]
    return "the plan is circular: " + "; ".join(links)


def _awaited(step: PlannedStep, complete: Container[str], attended: Container[str]) -> str:
    for name in step.predecessors:
        if name not in complete:
            return name
    assert step.behind is not None
    assert step.behind not in attended
    return step.behind


def _link(
    steps: Mapping[str, tuple[PlannedStep, ...]],
    places: Mapping[str, int],
    complete: Container[str],
    attended: Container[str],
    home: Mapping[str, str],
    machine: str,
) -> str:
    step = steps[machine][places[machine]]
    awaited = _awaited(step, complete, attended)
    waiting = next((task.id for task in step.tasks if awaited in task.predecessors), step.tasks[0].id)
    other = steps[home[awaited]][places[home[awaited]]]
    cause = f"{awaited}" if awaited in step.predecessors else f"{step.person}, who attends {awaited} before it"
    if other is step:
        return f"{waiting} on {machine} waits for {cause}, which is in the same batch"
    if any(task.id == awaited for task in other.tasks):
        return f"{waiting} on {machine} waits for {cause} on {home[awaited]}"
    return f"{waiting} on {machine} waits for {cause}, which stands behind {other.tasks[0].id} on {home[awaited]}"
