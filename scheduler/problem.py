"""The problem as arrays: what `plant.work.Work` says, laid out once for the compiled search.

Tasks, machines, people and orders are whole numbers here, in the work's own order. A *step* is a task that a machine
takes, or several it takes together (a batch); it is named by its first member, the *lead*.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.work import Task, Wait, Work
from scheduler.clock import Clocks, clocks_of
from scheduler.compiled import Flags, Floats, Records, Whole
from scheduler.meter import Meters, meters_of
from scheduler.refusal import refuse

SETUP, ALL = 1, 2
"""How a task is attended; 0 for not at all."""

NONE = -1

_NO_WAIT = Wait()

_ATTENDANCE = {Attendance.NONE: 0, Attendance.SETUP: SETUP, Attendance.ALL: ALL}


TASK = np.dtype(
    [
        ("release", "f8"),
        ("latest", "f8"),
        ("lock", "f8"),
        ("order", "i8"),
        ("family", "i8"),
        ("attendance", "i8"),
        ("skill", "i8"),
        ("option", "i8"),
        ("before", "i8"),
        ("after", "i8"),
        ("running", "?"),
        ("whole", "?"),
        ("alone", "?"),
        ("is_last", "?"),
    ],
    align=True,
)
"""A task.

release
    Earliest begin: released, materials planned to be there, not before its lock. 0 for what runs.
latest
    When it must begin for what is complete and it must not wait longer after; inf where never.
lock
    Start somebody fixed, -1 for none.
family
    Setup family from 1; 0 is that of a machine that has made nothing yet.
skill
    Row of `Shop.able`.
option, before, after
    Where its part of these arrays begins; it ends where the next task's begins.
whole, alone
    Whether no break may interrupt it, and whether it never goes into a batch.
is_last
    Whether no other task of its order waits for it.
"""

BEFORE = np.dtype([("task", "i8"), ("least", "f8"), ("most", "f8")])
"""A predecessor, and the clock seconds to wait after it."""

MACHINE = np.dtype([("free", "f8"), ("family", "i8"), ("capacity", "i8"), ("matrix", "i8")])
"""A machine as it stands at the epoch, and its row of `Shop.setup`."""

ORDER = np.dtype([("due", "f8"), ("weight", "f8")])


class Shop(NamedTuple):
    """The arrays.

    Attributes
    ----------
    tasks
        Records of `TASK`, one more than there are tasks.
    duration
        Working seconds per task and machine, shape (tasks, machines); -1 where it cannot go.
    option, before, after
        Machines that can take a task, what it waits for, and what waits for it.
    machines, orders
        Records of `MACHINE` and `ORDER`.
    setup
        Changeovers by matrix, family before and family after.
    way
        Clock seconds between machines, shape (machines, machines).
    person_free
        When each person is there first.
    able
        By skill and person.
    turn
        People in the order in which they are asked: who can do least first.
    clock_of
        Working time per machine and person, column 0 for nobody; -1 where they never meet.
    clocks
        The working times that `clock_of` counts.
    last_edge, last
        By order, the tasks that no other of its tasks waits for.
    overtime_of, energy_of
        Each machine's meters, -1 for none.
    """

    tasks: Records
    duration: Floats
    option: Whole
    before: Records
    after: Whole
    machines: Records
    setup: Floats
    way: Floats
    person_free: Floats
    able: Flags
    turn: Whole
    orders: Records
    clock_of: Whole
    clocks: Clocks
    last_edge: Whole
    last: Whole
    meters: Meters
    overtime_of: Whole
    energy_of: Whole


class Problem:
    """A work with its arrays and the way back from numbers to names.

    Raises
    ------
    InvalidInput
        When nothing could ever come of it: see `scheduler.refusal`.
    """

    def __init__(self, work: Work) -> None:
        refuse(work)
        self.work = work
        self.tasks = work.tasks
        self.machines = tuple(work.machines.values())
        self.people = tuple(work.people.values())
        self.task_index = {task.id: number for number, task in enumerate(self.tasks)}
        self.machine_index = {name: number for number, name in enumerate(work.machines)}
        self.order_index = {name: number for number, name in enumerate(work.orders)}
        self.person_index = {name: number for number, name in enumerate(work.people)}
        self.shop = _shop(self)

    def options(self, task: int) -> list[int]:
        """Return the machines a task can go to."""
        found: list[int] = self._part("option", self.shop.option, task).tolist()
        return found

    def predecessors(self, task: int) -> list[int]:
        """Return what a task waits for; nothing if it runs."""
        found: list[int] = self._part("before", self.shop.before, task)["task"].tolist()
        return found

    def _part(self, name: str, values: Records, task: int) -> Records:
        edges = self.shop.tasks[name]
        return values[edges[task] : edges[task + 1]]

    @cached_property
    def tails_s(self) -> Floats:
        """Working seconds of the longest chain from each task's start on, at its mean duration per machine."""
        tails = np.zeros(len(self.tasks))
        able = self.shop.duration >= 0
        mean = np.where(able, self.shop.duration, 0.0).sum(axis=1) / np.maximum(able.sum(axis=1), 1)
        edges, after = self.shop.tasks["after"].tolist(), self.shop.after.tolist()
        for task in range(len(self.tasks) - 1, -1, -1):
            follows = after[edges[task] : edges[task + 1]]
            tails[task] = mean[task] + max((tails[one] for one in follows), default=0.0)
        return tails


def _shop(problem: Problem) -> Shop:
    work, tasks = problem.work, problem.tasks
    families = {name: number for number, name in enumerate(_families(work), start=1)}
    skills = {name: number for number, name in enumerate(dict.fromkeys(task.skill for task in tasks))}
    before = [_before(task, problem.task_index) for task in tasks]
    after: list[list[int]] = [[] for _ in tasks]
    for number, rows in enumerate(before):
        for row in rows:
            after[row[0]].append(number)
    duration, options = _durations(problem)
    matrix_of, setup = _setups(work, families)
    clock_of, times = _clocks(problem)
    machines = [
        (max(machine.available_from_s, 0.0), families.get(machine.setup_family or "", 0), machine.batch_capacity, row)
        for machine, row in zip(problem.machines, matrix_of, strict=True)
    ]
    meters, overtime_of, energy_of = meters_of(work)
    records = _tasks(problem, families, skills, [_edges(rows) for rows in (options, before, after)], after)
    last = np.flatnonzero(records["is_last"][:-1])
    order_of = records["order"]
    last = last[np.argsort(order_of[last], kind="stable")]
    return Shop(
        tasks=records,
        duration=duration,
        option=np.array(list(chain(*options)), np.int64),
        before=np.array(list(chain(*before)), BEFORE),
        after=np.array(list(chain(*after)), np.int64),
        machines=np.array(machines, MACHINE),
        setup=setup,
        way=_ways(problem),
        person_free=np.array([max(person.available_from_s, 0.0) for person in problem.people], float),
        able=_able(problem, skills),
        turn=np.array(sorted(range(len(problem.people)), key=lambda one: len(problem.people[one].skills)), np.int64),
        orders=np.array([(demand.due_s, demand.priority.weight) for demand in work.orders.values()], ORDER),
        clock_of=clock_of,
        clocks=clocks_of(times),
        last_edge=np.searchsorted(order_of[last], np.arange(len(work.orders) + 1)),
        last=last,
        meters=meters,
        overtime_of=overtime_of,
        energy_of=energy_of,
    )


def _tasks(
    problem: Problem,
    families: Mapping[str, int],
    skills: Mapping[str | None, int],
    edges: Sequence[Whole],
    after: Sequence[Sequence[int]],
) -> Records:
    found = np.zeros(len(problem.tasks) + 1, TASK)
    for name, values in zip(("option", "before", "after"), edges, strict=True):
        found[name] = values
    order = [problem.order_index[task.order] for task in problem.tasks]
    columns = {
        "release": [_release_s(task) for task in problem.tasks],
        "latest": [math.inf if task.running else task.latest_s for task in problem.tasks],
        "lock": [NONE if task.lock is None or task.running else task.lock.start_s for task in problem.tasks],
        "order": order,
        "family": [families[task.setup_family] for task in problem.tasks],
        "attendance": [_ATTENDANCE[task.attendance] for task in problem.tasks],
        "skill": [skills[task.skill] for task in problem.tasks],
        "running": [task.running is not None for task in problem.tasks],
        "whole": [not task.interruptible and task.running is None for task in problem.tasks],
        "alone": [task.lock is not None or task.rework is not None for task in problem.tasks],
        "is_last": [all(order[row] != mine for row in rows) for mine, rows in zip(order, after, strict=True)],
    }
    for name, column in columns.items():
        found[name][:-1] = column
    return found


def _families(work: Work) -> Iterable[str]:
    """Return the families of tasks; a machine may also stand in one that no task has."""
    found = dict.fromkeys(task.setup_family for task in work.tasks)
    found.update(dict.fromkeys(one.setup_family for one in work.machines.values() if one.setup_family is not None))
    return found


def _before(task: Task, index: Mapping[str, int]) -> list[tuple[int, float, float]]:
    if task.running is not None:
        return []
    names = task.predecessors if task.rework is None else (*task.predecessors, task.rework.of)
    waits = {name: task.waits.get(name, _NO_WAIT) for name in names}
    return [(index[name], wait.least_s, wait.most_s) for name, wait in waits.items()]


def _release_s(task: Task) -> float:
    if task.running is not None:
        return 0.0
    material = 0.0 if task.material is None else task.material.due_s + task.material.delay.mean
    return max(task.release_s, material, 0.0 if task.lock is None else task.lock.start_s, 0.0)


def _durations(problem: Problem) -> tuple[Floats, list[list[int]]]:
    index = problem.machine_index
    duration = np.full((len(problem.tasks), len(index)), -1.0)
    options: list[list[int]] = []
    for number, task in enumerate(problem.tasks):
        if task.running is not None:
            row = {index[task.running.machine]: task.running.remaining_s}
        else:
            row = {index[name]: task.durations_s[name] for name in task.machines}
        options.append(list(row))
        for machine, seconds in row.items():
            duration[number, machine] = seconds
    return duration, options


def _setups(work: Work, families: Mapping[str, int]) -> tuple[list[int], Floats]:
    """Return each machine's matrix, and the matrices: equal ones are kept once."""
    matrices = {machine.setup_matrix: 0 for machine in work.machines.values()}
    size = len(families) + 1
    found = np.zeros((len(matrices), size, size))
    for number, matrix in enumerate(matrices):
        matrices[matrix] = number
        found[number] = matrix.default_s
        found[number, range(1, size), range(1, size)] = 0.0
        for entry in matrix.times:
            if entry.before in families and entry.after in families:
                found[number, families[entry.before], families[entry.after]] = entry.duration_s
    return [matrices[machine.setup_matrix] for machine in work.machines.values()], found


def _ways(problem: Problem) -> Floats:
    way = np.zeros((len(problem.machines), len(problem.machines)))
    for (before, after), seconds in problem.work.transport_s.items():
        way[problem.machine_index[before], problem.machine_index[after]] = seconds
    return way


def _able(problem: Problem, skills: Mapping[str | None, int]) -> Flags:
    rows = [[skill is None or skill in person.skills for person in problem.people] for skill in skills]
    return np.array(rows, bool).reshape(len(skills), len(problem.people))


def _clocks(problem: Problem) -> tuple[Whole, list[WorkingTime]]:
    """Return the number of each machine's working time, alone and with who may attend it, and the working times."""
    attended = {
        (name, task.skill) for task in problem.tasks if _ATTENDANCE[task.attendance] for name in task.durations_s
    }
    numbers: dict[tuple[int, int], int] = {}
    times: list[WorkingTime] = []
    known: dict[WorkingTime, int] = {}
    ids: dict[int, int] = {}

    def kind(time: WorkingTime) -> int:
        if id(time) not in ids:  # equal ones are mostly the same
            ids[id(time)] = known.setdefault(time, len(known))
        return ids[id(time)]

    clock_of = np.full((len(problem.machines), len(problem.people) + 1), NONE)
    for number, machine in enumerate(problem.machines):
        for person in (None, *range(len(problem.people))):
            pair, time = (kind(machine.working_time), NONE), machine.working_time
            if person is not None:
                who = problem.people[person]
                if not any((machine.id, skill) in attended for skill in (None, *who.skills)):
                    continue
                pair = (pair[0], kind(who.working_time))
            if pair not in numbers:
                if person is not None:
                    time = time.common(problem.people[person].working_time)
                numbers[pair] = len(times)
                times.append(time)
            clock_of[number, 0 if person is None else person + 1] = numbers[pair]
    return clock_of, times


def _edges(rows: Sequence[Sequence[object]]) -> Whole:
    return np.cumsum([0, *map(len, rows)]).astype(np.int64)
