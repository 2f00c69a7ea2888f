"""Is a plan possible? Checked from the work alone, by other code than what makes plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import MachineOutlook, Task, Work

TOLERANCE_S = 1e-6

Operations = tuple[PlannedOperation, ...]


def check(work: Work, plan: Plan, frozen: Plan | None = None) -> list[str]:
    """Return everything that makes `plan` impossible for `work` at planned durations; empty when it is possible.

    Looked at: every task planned once and where it can be made; releases, materials, predecessors with ways and
    waits; locks; one step at a time on a machine, with the setup between them after both the job and the machine
    are there; closed time, maintenance, and machines that are down; work that no break may interrupt; batches of one
    family, within capacity, with one start and one end; somebody who can do it, is there and does nothing else where
    somebody is needed; what runs stays first, and what is frozen next, as it was.
    """
    planned = plan.by_job_order
    problems = [f"{task.id} is not in the plan" for task in work.tasks if task.id not in planned]
    problems += [f"{name} is in the plan but not in the work" for name in planned if name not in work.by_id]
    if problems:
        return problems
    problems += _misplaced(work, plan)
    if problems:
        return problems
    steps = {machine: [_step(work, machine, step) for step in row] for machine, row in plan.sequences.items()}
    for machine, sequence in steps.items():
        problems += _sequence(work.machines[machine], sequence)
    every = {task.id: step for sequence in steps.values() for step in sequence for task in step.tasks}
    for step in dict.fromkeys(every.values()):
        problems += _readiness(work, step, every)
        problems += _attendance(work, step)
    problems += _bookings(work, plan, every)
    if frozen is not None:
        problems += _thaw(work, plan, frozen)
    return problems


@dataclass(frozen=True, eq=False)
class _Step:
    """A step of the plan with what its tasks need.

    `changing` and `working` are when its changeover and its processing may run.
    """

    machine: MachineOutlook
    operations: Operations
    tasks: tuple[Task, ...]
    running: bool
    attendance: Attendance
    person: str | None
    changing: WorkingTime
    working: WorkingTime

    @property
    def name(self) -> str:
        return self.operations[0].job_order

    @property
    def start_s(self) -> float:
        return self.operations[0].start_s

    @property
    def end_s(self) -> float:
        return max(operation.end_s for operation in self.operations)

    @property
    def setup_s(self) -> float:
        return self.operations[0].setup_s

    @property
    def work_s(self) -> float:
        left = (task.running.remaining_s if task.running else task.durations_s[self.machine.id] for task in self.tasks)
        return max(left)

    @property
    def freed_s(self) -> float:
        """When who attends it may go."""
        if self.attendance is Attendance.ALL:
            return self.end_s
        return min(self.start_s, self.changing.clock_at(self.changing.worked_at(self.start_s)))

    @property
    def begun_s(self) -> float:
        """When its changeover begins, at the latest."""
        if self.setup_s <= 0:
            return self.start_s
        done_s = self.changing.clock_at(self.changing.worked_at(self.start_s) - self.setup_s)
        return min(self.changing.begin(done_s), self.start_s)

    def has_room(self, since_s: float) -> bool:
        """Tell whether the changeover and then the processing fit behind `since_s`."""
        worked = self.changing.worked_at(self.start_s) - self.changing.worked_at(since_s)
        return self.start_s >= since_s - TOLERANCE_S and worked >= self.setup_s - TOLERANCE_S


def _misplaced(work: Work, plan: Plan) -> Iterator[str]:
    for operation in plan.operations:
        task = work.by_id[operation.job_order]
        if operation.machine not in task.durations_s:
            yield f"{operation.job_order} cannot be made on {operation.machine}"
        if operation.person is not None and operation.person not in work.people:
            yield f"{operation.job_order} is attended by {operation.person}, whom nobody knows"
        if task.lock is not None and task.running is None and task.lock.machine != operation.machine:
            yield f"{operation.job_order} is locked to {task.lock.machine}, not {operation.machine}"


def _step(work: Work, machine: str, operations: Operations) -> _Step:
    outlook, tasks = work.machines[machine], tuple(work.by_id[one.job_order] for one in operations)
    needs = {task.attendance for task in tasks}
    person = operations[0].person
    attendance = next((one for one in (Attendance.ALL, Attendance.SETUP) if one in needs), Attendance.NONE)
    if attendance is Attendance.SETUP and operations[0].setup_s <= 0:
        attendance = Attendance.NONE
    shared = outlook.working_time
    if attendance is not Attendance.NONE and person is not None:
        shared = shared.common(work.people[person].working_time)
    working = shared if attendance is Attendance.ALL else outlook.working_time
    return _Step(outlook, operations, tasks, tasks[0].running is not None, attendance, person, shared, working)


def _readiness(work: Work, step: _Step, every: dict[str, _Step]) -> Iterator[str]:
    """Yield what a step begins too early for, and where it misses a wait or a lock.

    How long it waits behind what has begun already is no longer the plan's to say: that is a risk, not a mistake.
    """
    if step.running:
        return
    for task in step.tasks:
        material = None if task.material is None else task.material.due_s + task.material.delay.mean
        if not step.has_room(task.release_s):
            yield f"{task.id} starts at {step.start_s:.0f} s, too early for its release at {task.release_s:.0f} s"
        if material is not None and not step.has_room(material):
            yield f"{task.id} starts at {step.start_s:.0f} s, too early for its material at {material:.0f} s"
        if task.lock is not None and abs(step.begun_s - task.lock.start_s) > TOLERANCE_S:
            yield f"{task.id} begins at {step.begun_s:.0f} s; it is locked to {task.lock.start_s:.0f} s"
        for name in task.predecessors if task.rework is None else (*task.predecessors, task.rework.of):
            yield from _behind(work, step, task, every[name], name)


def _behind(work: Work, step: _Step, task: Task, before: _Step, name: str) -> Iterator[str]:
    wait = task.waits.get(name)
    way_s = work.transport_s.get((before.machine.id, step.machine.id), 0.0)
    there_s = before.end_s + max(way_s, 0.0 if wait is None else wait.least_s)
    if not step.has_room(there_s):
        yield f"{task.id} starts at {step.start_s:.0f} s, too early for {name}, there at {there_s:.0f} s"
    if wait is not None and not before.running and step.begun_s > before.end_s + wait.most_s + TOLERANCE_S:
        yield f"{task.id} waits more than {wait.most_s:.0f} s behind {name}"


def _sequence(machine: MachineOutlook, steps: list[_Step]) -> Iterator[str]:
    free, family, idle = max(machine.available_from_s, 0.0), machine.setup_family, False
    yield from _parted(machine, steps)
    for step in steps:
        if step.running and idle:
            yield f"{step.name} runs on {machine.id} but is planned behind what has not begun"
        idle = idle or not step.running
        yield from _batch(machine, step)
        mine = step.tasks[0].setup_family
        yield from _timing(machine, step, free, 0.0 if step.running else machine.setup_matrix.duration_s(family, mine))
        free, family = step.end_s, mine


def _parted(machine: MachineOutlook, steps: list[_Step]) -> Iterator[str]:
    """Yield batches that run on the machine and do not stay together."""
    seen: set[str] = set()
    for step in steps:
        batches = {task.running.batch for task in step.tasks if task.running is not None and task.running.batch}
        for batch in sorted(batches & seen):
            yield f"{step.name} is taken out of {batch}, which runs on {machine.id}"
        seen |= batches


def _timing(machine: MachineOutlook, step: _Step, free: float, expected_setup: float) -> Iterator[str]:
    if abs(step.setup_s - expected_setup) > TOLERANCE_S:
        yield f"{step.name} has {step.setup_s:.0f} s of setup on {machine.id}, not {expected_setup:.0f} s"
    if not step.has_room(free):
        yield f"{step.name} starts at {step.start_s:.0f} s; {machine.id} is busy or down until {free:.0f} s"
    if abs(step.working.begin(step.start_s) - step.start_s) > TOLERANCE_S:
        who = "" if step.working is machine.working_time else f" or {step.person} away"
        yield f"{step.name} starts at {step.start_s:.0f} s, when {machine.id} is closed{who}"
    goes_on_s = step.working.begin(free)
    if step.running and step.attendance is Attendance.NONE and step.start_s > goes_on_s + TOLERANCE_S:
        yield f"{step.name} runs on {machine.id} and goes on at {goes_on_s:.0f} s, not at {step.start_s:.0f} s"
    end = step.working.finish(step.start_s, step.work_s)
    if abs(end - step.end_s) > TOLERANCE_S:
        yield f"{step.name} ends at {step.end_s:.0f} s on {machine.id}, not at {end:.0f} s as its work needs"
    if not step.running and not all(task.interruptible for task in step.tasks) and _is_interrupted(step):
        yield f"{step.name} is interrupted on {machine.id}, which it must not be"
    for begin, end in machine.maintenance:
        if step.start_s < end - TOLERANCE_S and step.end_s > begin + TOLERANCE_S and not _pauses(step, begin, end):
            yield f"{step.name} is processed on {machine.id} while that is maintained from {begin:.0f} s on"


def _pauses(step: _Step, begin: float, end: float) -> bool:
    return step.working.worked_at(end) - step.working.worked_at(begin) <= TOLERANCE_S


def _is_interrupted(step: _Step) -> bool:
    """Tell whether less is worked from its changeover to its end than time passes."""
    begun_s = step.start_s - step.setup_s
    setup_s = step.changing.worked_at(step.start_s) - step.changing.worked_at(begun_s)
    return setup_s < step.setup_s - TOLERANCE_S or step.end_s - step.start_s > step.work_s + TOLERANCE_S


def _batch(machine: MachineOutlook, step: _Step) -> Iterator[str]:
    if len({task.running is not None and task.running.batch for task in step.tasks}) > 1:
        yield f"{step.name} on {machine.id} goes together with what does not run, or not in the same batch"
    if len(step.operations) == 1:
        return
    if any(task.rework is not None for task in step.tasks):
        yield f"a batch on {machine.id} holds a rework pass, of which nobody knows yet whether it is done: {step.name}"
    names = ", ".join(operation.job_order for operation in step.operations)
    if len(step.operations) > machine.batch_capacity:
        yield f"{machine.id} takes {machine.batch_capacity} jobs at once, not {len(step.operations)}: {names}"
    if len({task.setup_family for task in step.tasks}) > 1:
        yield f"a batch on {machine.id} mixes setup families: {names}"
    if len({(one.start_s, one.end_s, one.batch) for one in step.operations}) > 1:
        yield f"a batch on {machine.id} does not share start, end and id: {names}"
    if len({one.setup_s for one in step.operations}) > 1:
        yield f"a batch on {machine.id} has several setups: {names}"
    if len({one.person for one in step.operations}) > 1:
        yield f"a batch on {machine.id} is attended by several: {names}"
    if step.operations[0].batch is None:
        yield f"a batch on {machine.id} has no id: {names}"


def _attendance(work: Work, step: _Step) -> Iterator[str]:
    if step.attendance is Attendance.NONE:
        return
    if step.person is None:
        if not step.running:
            yield f"{step.name} needs somebody, and nobody attends it"
        return
    skills = work.people[step.person].skills
    for task in step.tasks:
        if task.skill is not None and task.skill not in skills:
            yield f"{task.id} needs {task.skill}, which {step.person} cannot do"
    away_s = work.people[step.person].available_from_s
    if not step.has_room(max(away_s, 0.0)):
        yield f"{step.name} starts at {step.start_s:.0f} s; {step.person} is away until {away_s:.0f} s"


def _bookings(work: Work, plan: Plan, every: dict[str, _Step]) -> Iterator[str]:
    """Yield where somebody is to be at two machines at once."""
    for person, row in plan.person_sequences.items():
        free_s = 0.0
        for operations in row:
            step = every[operations[0].job_order]
            if step.attendance is Attendance.NONE:
                continue
            if not step.has_room(free_s):
                yield f"{step.name} starts at {step.start_s:.0f} s; {person} is at another machine until {free_s:.0f} s"
            free_s = step.freed_s


def _thaw(work: Work, plan: Plan, frozen: Plan) -> Iterator[str]:
    """Yield where what is frozen does not keep its machine and its place at the head of it."""
    for machine, row in frozen.sequences.items():
        wanted = [{one.job_order for one in step if one.job_order in work.by_id} for step in row]
        wanted = [step for step in wanted if step and not any(work.by_id[name].running for name in step)]
        found = [{one.job_order for one in step} for step in plan.sequences.get(machine, ())]
        found = [step for step in found if not any(work.by_id[name].running for name in step)]
        for step, instead in zip(wanted, [*found, *([set()] * len(wanted))], strict=False):
            if step != instead:
                yield f"{', '.join(sorted(step))} is frozen on {machine} and does not keep its place there"
                break
