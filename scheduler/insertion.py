"""Further tasks into a plan that stands: into gaps, so that nothing else moves, or at once, so that others give way.

Every place is found in time: a task is put behind what begins before it is ready and before what begins after it is
done. Such a place closes no circle, since times never fall along what waits for each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plant.plan import Plan, PlannedOperation
from plant.work import MachineOutlook, Task, Work

_TOLERANCE_S = 1e-6


Company = tuple[str, str | None]
"""What the members of a batch have in common: setup family and skill."""


@dataclass
class Step:
    """One step of a machine's sequence: a task, or a batch.

    Attributes
    ----------
    ready_s
        When every member may begin.
    start_s, end_s
        Its processing, clock seconds.
    work_s
        Working seconds it takes.
    goes_with
        What tasks must have in common with it to join it, None where nothing may.
    """

    members: list[str]
    family: str
    ready_s: float
    start_s: float
    end_s: float
    work_s: float
    fixed: bool
    goes_with: Company | None


@dataclass(frozen=True)
class Fit:
    """Where a task could go.

    Attributes
    ----------
    place
        Index in the machine's steps.
    joins
        Whether it becomes a member of the step that stands there.
    """

    machine: str
    place: int
    start_s: float
    end_s: float
    joins: bool = False


class Board:
    """A plan's sequences with their times, taking further tasks in.

    Parameters
    ----------
    plan
        Covers tasks of `work`, with times as they come from its sequences.
    held
        Job orders before which nothing may be put on their machine, besides those that run.
    """

    def __init__(self, work: Work, plan: Plan, held: Iterable[str] = ()) -> None:
        self._work = work
        self._held = set(held)
        self.end_s = {one.job_order: one.end_s for one in plan.operations}
        self._machine = {one.job_order: one.machine for one in plan.operations}
        self.steps: dict[str, list[Step]] = {machine: [] for machine in work.machines}
        for machine, sequence in plan.sequences.items():
            self.steps[machine] = [self._step(machine, members) for members in sequence]
        self._first = {machine: _behind_fixed(steps) for machine, steps in self.steps.items()}

    def _step(self, machine: str, members: tuple[PlannedOperation, ...]) -> Step:
        tasks = [self._work.by_id[one.job_order] for one in members]
        return Step(
            [task.id for task in tasks],
            tasks[0].setup_family,
            max(self.ready_s(task, machine) for task in tasks),
            members[0].start_s,
            members[0].end_s,
            max(task.durations_s[machine] for task in tasks),
            any(task.running is not None or task.id in self._held for task in tasks),
            None if any(_company(task) is None for task in tasks) else _company(tasks[0]),
        )

    def ready_s(self, task: Task, machine: str) -> float:
        """Return when a task may begin on a machine, its predecessors being on the board.

        Least waits and ways are in it. Longest waits are not: every task goes where it ends first.
        """
        if task.running is not None:
            return 0.0
        material_s = 0.0 if task.material is None else task.material.due_s + task.material.delay.mean
        locked_s = 0.0 if task.lock is None else task.lock.start_s
        before_s = (
            self.end_s[before] + self._work.lag_s(task, before, self._machine[before], machine)
            for before in task.predecessors
            if before in self.end_s
        )
        return max((task.release_s, material_s, locked_s, 0.0, *before_s))

    def fits(self, task: Task, *, pushing: bool) -> list[Fit]:
        """Return the earliest place on each machine that can take `task`; with `pushing`, what follows gives way."""
        find = self._at_once if pushing else self._gap
        return [find(self._work.machines[machine], task, self.ready_s(task, machine)) for machine in task.machines]

    def at_its_lock(self, task: Task, until_s: float) -> Fit:
        """Return the place at which a locked task begins at its moment, or as soon after as it is ready.

        What is there then gives way, but for what is locked to no later a moment and stands there before `until_s`.
        """
        assert task.lock is not None
        machine, steps = self._work.machines[task.lock.machine], self.steps[task.lock.machine]
        ready_s = self.ready_s(task, machine.id)
        place = max(_behind(steps, ready_s), self._first[machine.id])
        for number, step in enumerate(steps[place:], start=place + 1):
            lock = self._work.by_id[step.members[0]].lock
            if lock is not None and lock.start_s <= task.lock.start_s and step.start_s < until_s:
                place = number
        start_s, end_s = self._placed(machine, task, ready_s, steps[place - 1] if place else None)
        return Fit(machine.id, place, start_s, end_s)

    def put(self, task: Task, fit: Fit) -> None:
        """Put a task where it fits. What gave way keeps its old times: make a plan and look again."""
        self.end_s[task.id], self._machine[task.id] = fit.end_s, fit.machine
        steps = self.steps[fit.machine]
        if fit.joins:
            steps[fit.place].members.append(task.id)
            return
        work_s = task.durations_s[fit.machine]
        ready_s, company = self.ready_s(task, fit.machine), _company(task)
        step = Step([task.id], task.setup_family, ready_s, fit.start_s, fit.end_s, work_s, False, company)
        steps.insert(fit.place, step)

    def take(self, task: str, machine: str) -> None:
        """Take a task out of its machine's sequence."""
        for place, step in enumerate(self.steps[machine]):
            if task in step.members:
                step.members.remove(task)
                if not step.members:
                    del self.steps[machine][place]
                return

    def plan(self) -> Plan:
        """Return the sequences as a plan; the times are right where nothing gave way."""
        return Plan(
            self._work.epoch,
            tuple(
                PlannedOperation(name, machine, place, step.start_s, step.end_s, batch=_batch(step))
                for machine, steps in self.steps.items()
                for place, step in enumerate(steps)
                for name in step.members
            ),
        )

    def _at_once(self, machine: MachineOutlook, task: Task, ready_s: float) -> Fit:
        steps = self.steps[machine.id]
        place = max(_behind(steps, ready_s), self._first[machine.id])
        while place < len(steps) and steps[place].start_s < ready_s:
            place += 1
        start_s, end_s = self._placed(machine, task, ready_s, steps[place - 1] if place else None)
        return Fit(machine.id, place, start_s, end_s)

    def _gap(self, machine: MachineOutlook, task: Task, ready_s: float) -> Fit:
        """Return the first gap that holds the task without moving what follows; the end of the sequence does."""
        steps, work_s = self.steps[machine.id], task.durations_s[machine.id]
        for place in range(max(_behind(steps, ready_s), self._first[machine.id]), len(steps)):
            before = steps[place - 1] if place else None
            following = steps[place]
            if self._may_join(machine, task, ready_s, before, following):
                return Fit(machine.id, place, following.start_s, following.end_s, joins=True)
            free_s = ready_s if before is None else max(before.end_s, ready_s)
            if following.start_s - free_s < work_s:
                continue  # most gaps: too short by the clock already
            start_s, end_s = self._placed(machine, task, ready_s, before)
            if end_s <= following.start_s and self._stays(machine, task, end_s, following):
                return Fit(machine.id, place, start_s, end_s)
        start_s, end_s = self._placed(machine, task, ready_s, steps[-1] if steps else None)
        return Fit(machine.id, len(steps), start_s, end_s)

    def _placed(self, machine: MachineOutlook, task: Task, ready_s: float, before: Step | None) -> tuple[float, float]:
        """Return start and end behind a step: setup when machine and job are there, then the processing."""
        free_s = machine.available_from_s if before is None else before.end_s
        family = machine.setup_family if before is None else before.family
        start_s = _set_up(machine, max(ready_s, free_s, 0.0), family, task.setup_family)
        return start_s, machine.working_time.finish(start_s, task.durations_s[machine.id])

    def _stays(self, machine: MachineOutlook, task: Task, end_s: float, following: Step) -> bool:
        """Tell whether the next step starts when it did, with the task before it."""
        start_s = _set_up(machine, max(following.ready_s, end_s), task.setup_family, following.family)
        return start_s <= following.start_s + _TOLERANCE_S

    def _may_join(self, machine: MachineOutlook, task: Task, ready_s: float, before: Step | None, step: Step) -> bool:
        """Tell whether a batch takes the task in and is none the later."""
        if len(step.members) >= machine.batch_capacity:
            return False
        free_s = max(machine.available_from_s, 0.0) if before is None else before.end_s
        return (
            not step.fixed
            and step.goes_with is not None
            and step.goes_with == _company(task)
            and ready_s <= max(step.ready_s, free_s)
            and task.durations_s[machine.id] <= step.work_s
        )


def insert(board: Board, tasks: Iterable[Task], planned: Mapping[str, str], *, pushing: bool) -> None:
    """Put tasks on the board, each where it ends first; of equals on the machine that was `planned`.

    Parameters
    ----------
    tasks
        Predecessors before what waits for them.
    """
    for task in tasks:
        fits = board.fits(task, pushing=pushing)
        board.put(task, min(fits, key=lambda fit: (fit.end_s, planned.get(task.id) != fit.machine, fit.machine)))


def _company(task: Task) -> Company | None:
    return None if task.lock is not None or task.rework is not None else (task.setup_family, task.skill)


def _set_up(machine: MachineOutlook, begin_s: float, before: str | None, family: str) -> float:
    """Return when processing starts on a machine taken at `begin_s`."""
    setup_s = machine.setup_matrix.duration_s(before, family)
    working_time = machine.working_time
    return working_time.begin(working_time.finish(begin_s, setup_s) if setup_s > 0 else begin_s)


def _behind(steps: list[Step], ready_s: float) -> int:
    """Return the number of steps that are done by then."""
    return bisect_right(steps, ready_s, key=lambda step: step.end_s)


def _behind_fixed(steps: list[Step]) -> int:
    return max((place + 1 for place, step in enumerate(steps) if step.fixed), default=0)


def _batch(step: Step) -> str | None:
    return f"batch of {step.members[0]}" if len(step.members) > 1 else None
