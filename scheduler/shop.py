"""The work, indexed for speed: the one place in this package where a step's times are computed.

Tasks and machines are whole numbers here. A *step* is a tuple of tasks that a machine takes together (one task,
or a batch); a *sequence* is the list of a machine's steps in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from plant.plan import Plan, PlannedOperation
from plant.work import Work

Step = tuple[int, ...]
Sequences = list[list[Step]]
"""One list of steps per machine, in the order of `Shop.machines`."""

Score = tuple[float, float]
"""Weighted tardiness and makespan, both in seconds; the smaller, the better, in this order."""


@dataclass(frozen=True)
class Times:
    """When each task runs at planned durations: per task, seconds since the epoch.

    Attributes
    ----------
    begin, start, finish
        When its step takes the machine, when processing starts (after the setup), and when it is done.
    setup
        Working seconds of the setup before it.
    """

    begin: list[float]
    start: list[float]
    finish: list[float]
    setup: list[float]


class Shop:
    """A `Work` with tasks and machines numbered in its own order."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tasks = work.tasks
        self.machines = tuple(work.machines.values())
        self.task_index = {task.id: number for number, task in enumerate(self.tasks)}
        self.machine_index = {machine.id: number for number, machine in enumerate(self.machines)}
        self.predecessors = [tuple(self.task_index[name] for name in task.predecessors) for task in self.tasks]
        self.durations = [
            {self.machine_index[name]: seconds for name, seconds in task.durations_s.items()} for task in self.tasks
        ]
        for number, task in enumerate(self.tasks):
            if task.running is not None:
                self.durations[number] = {self.machine_index[task.running.machine]: task.running.remaining_s}
        self.running = [task.running is not None for task in self.tasks]
        self.family = [task.setup_family for task in self.tasks]
        self.release = [0.0 if task.running else max(task.release_s, 0.0) for task in self.tasks]
        self.order = [task.order for task in self.tasks]
        self.free = [max(machine.available_from_s, 0.0) for machine in self.machines]
        self._setups = [
            (machine.setup_matrix, machine.working_time.begin, machine.working_time.finish) for machine in self.machines
        ]

    @cached_property
    def successors(self) -> list[list[int]]:
        """Tasks that wait for each task."""
        found: list[list[int]] = [[] for _ in self.tasks]
        for number, before in enumerate(self.predecessors):
            for other in before:
                found[other].append(number)
        return found

    @cached_property
    def tails(self) -> list[float]:
        """Working seconds of the longest chain from each task's start on, at its mean duration per machine."""
        tails = [0.0] * len(self.tasks)
        for number in reversed(range(len(self.tasks))):
            mean = sum(self.durations[number].values()) / len(self.durations[number])
            tails[number] = mean + max((tails[after] for after in self.successors[number]), default=0.0)
        return tails

    def weight(self, task: int) -> float:
        """Return the weight of the order a task belongs to."""
        return self.work.orders[self.order[task]].priority.weight

    def due(self, task: int) -> float:
        """Return the due date of the order a task belongs to, seconds since the epoch."""
        return self.work.orders[self.order[task]].due_s

    def ready(self, step: Step, finish: list[float]) -> float:
        """Return when every member of a step may begin; a running step is not held back."""
        if self.running[step[0]]:
            return 0.0
        ready = 0.0
        for task in step:
            ready = max(ready, self.release[task])
            for before in self.predecessors[task]:
                ready = max(ready, finish[before])
        return ready

    def duration(self, machine: int, step: Step) -> float:
        """Return the working seconds a machine processes a step: those of its longest member."""
        if len(step) == 1:
            return self.durations[step[0]][machine]
        return max(self.durations[task][machine] for task in step)

    def setup(self, machine: int, family: str | None, step: Step) -> float:
        """Return the working seconds of the changeover from `family` to a step."""
        return 0.0 if self.running[step[0]] else self._setups[machine][0].duration_s(family, self.family[step[0]])

    def place(self, machine: int, step: Step, family: str | None, begin: float) -> tuple[float, float, float]:
        """Return setup_s, start and finish of a step that takes the machine at `begin`.

        The setup needs the job and the machine, so it lies after `begin`; closed time interrupts both it and
        the processing.
        """
        _, open_at, finish = self._setups[machine]
        setup_s = self.setup(machine, family, step)
        start = open_at(finish(begin, setup_s) if setup_s > 0 else begin)
        return setup_s, start, finish(start, self.duration(machine, step))

    def times(self, sequences: Sequences) -> Times | None:
        """Return when everything runs in these sequences, or None if steps wait for each other in a circle."""
        count = len(self.tasks)
        begin, start, finish, setup = [0.0] * count, [0.0] * count, [0.0] * count, [0.0] * count
        done = [False] * count
        place, free = [0] * len(sequences), list(self.free)
        family = [machine.setup_family for machine in self.machines]
        waiters: dict[int, list[int]] = {}
        left = sum(map(len, sequences))
        awake = [machine for machine, steps in enumerate(sequences) if steps]
        while awake:
            machine = awake.pop()
            steps = sequences[machine]
            while place[machine] < len(steps):
                step = steps[place[machine]]
                missing = self._missing(step, done)
                if missing is not None:
                    waiters.setdefault(missing, []).append(machine)
                    break
                begun = max(self.ready(step, finish), free[machine])
                setup_s, started, ended = self.place(machine, step, family[machine], begun)
                free[machine], family[machine] = ended, self.family[step[0]]
                place[machine] += 1
                left -= 1
                for task in step:
                    begin[task], start[task], finish[task], setup[task] = begun, started, ended, setup_s
                    done[task] = True
                    awake += waiters.pop(task, ())
        return Times(begin, start, finish, setup) if left == 0 else None

    def _missing(self, step: Step, done: list[bool]) -> int | None:
        if self.running[step[0]]:
            return None
        for task in step:
            for before in self.predecessors[task]:
                if not done[before]:
                    return before
        return None

    def completions(self, finish: list[float]) -> dict[str, float]:
        """Return per order when its last task is done."""
        completed: dict[str, float] = {}
        for task, ended in enumerate(finish):
            name = self.order[task]
            if ended > completed.get(name, 0.0):
                completed[name] = ended
        return completed

    def score(self, finish: list[float]) -> Score:
        """Return weighted tardiness and makespan of these finish times."""
        orders = self.work.orders
        tardiness = sum(
            orders[name].priority.weight * max(ended - orders[name].due_s, 0.0)
            for name, ended in self.completions(finish).items()
        )
        return tardiness, max(finish, default=0.0)

    def sequences_of(self, plan: Plan) -> Sequences:
        """Return a plan's sequences in numbers; operations that are not in the work are left out."""
        return [self._numbers(plan.sequences.get(machine.id, ())) for machine in self.machines]

    def _numbers(self, steps: Iterable[Iterable[PlannedOperation]]) -> list[Step]:
        index = self.task_index
        found = (tuple(index[job.job_order] for job in step if job.job_order in index) for step in steps)
        return [step for step in found if step]
