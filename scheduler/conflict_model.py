"""Is there a plan that meets these requirements? A CP-SAT model in which each can be asked for or left out.

The model never asks for more than the shop does: seconds are rounded in the plan's favour, changeovers count with the
shortest there is, ways are the shortest that a task and what it follows may take, and an attended task needs somebody,
not the same person throughout. Longest waits are left out. So what it finds impossible is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from ortools.sat.python import cp_model

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.work import Task, Work
from scheduler.cp_solver import new_solver
from scheduler.requirement import Demands, Kind, Requirement, able, concerned, requirements, shortest_lag_s


class Answer(Enum):
    """Whether requirements can be met; UNKNOWN where the time did not suffice to tell."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ConflictModel:
    """The model of a work and what is demanded of it."""

    def __init__(self, work: Work, demands: Demands) -> None:
        self._work = work
        self._tasks = concerned(work, demands)
        self.requirements = requirements(work, demands)
        self._model = cp_model.CpModel()
        self._asked = {one: self._model.new_bool_var(f"{one.kind.name} {one.subject}") for one in self.requirements}
        self._horizon = self._far_s()
        self._start: dict[str, cp_model.IntVar] = {}
        self._end: dict[str, cp_model.IntVar] = {}
        self._on: dict[tuple[str, str], cp_model.IntVar] = {}
        self._intervals: dict[str, list[cp_model.IntervalVar]] = {}
        for task in self._tasks:
            self._place(task)
        for machine, intervals in self._intervals.items():
            running = sum(task.running is not None and machine in task.durations_s for task in self._tasks)
            capacity = max(work.machines[machine].batch_capacity, running)
            self._model.add_cumulative(intervals, [1] * len(intervals), capacity)
        for one, literal in self._asked.items():
            self._require(one, literal)

    def can(self, asked: Sequence[Requirement], time_limit_s: float) -> tuple[Answer, list[Requirement]]:
        """Return whether these requirements can be met at once, and if not, some of them that cannot."""
        self._model.clear_assumptions()
        self._model.add_assumptions([self._asked[one] for one in asked])
        solver = new_solver()
        solver.parameters.num_workers = 1  # with more, the assumptions that conflict are not told
        solver.parameters.max_time_in_seconds = time_limit_s
        status = solver.solve(self._model)
        if status == cp_model.INFEASIBLE:
            named = set(solver.sufficient_assumptions_for_infeasibility())
            return Answer.NO, [one for one in asked if self._asked[one].index in named]
        return (Answer.YES if status in {cp_model.OPTIMAL, cp_model.FEASIBLE} else Answer.UNKNOWN), []

    def _far_s(self) -> int:
        """Return a time by which everything could be done one after the other, whatever is left out."""
        work_s = sum(max(task.durations_s.values()) for task in self._tasks)
        lags = (shortest_lag_s(self._work, task, name) for task in self._tasks for name in task.predecessors)
        work_s += sum(lags)  # at most: some of it passes while nothing works
        latest_s = max((one.at_s for one in self.requirements), default=0.0)
        calendars = [self._work.machines[name].working_time for task in self._tasks for name in task.durations_s]
        calendars += [one.working_time for one in self._work.people.values()]
        return math.ceil(max((one.finish(max(latest_s, 0.0), work_s) for one in calendars), default=latest_s)) + 1

    def _place(self, task: Task) -> None:
        model, horizon = self._model, self._horizon
        start = self._start[task.id] = model.new_int_var(0, horizon, f"start {task.id}")
        end = self._end[task.id] = model.new_int_var(0, 2 * horizon, f"end {task.id}")
        for machine in task.durations_s:
            on = self._on[task.id, machine] = model.new_bool_var(f"{task.id} on {machine}")
            work_s = self._work_s(task, machine)
            model.add(end >= start + math.floor(work_s)).only_enforce_if(on)
            self._within(start, end, self._work.machines[machine].working_time, work_s, [on, self._hours(machine)])
            self._occupy(task, machine, on)
        model.add_exactly_one(self._on[task.id, machine] for machine in task.durations_s)

    def _occupy(self, task: Task, machine: str, on: cp_model.IntVar) -> None:
        """Take the machine while the task is on it, where one at a time is asked for."""
        model, capacity = self._model, self._asked[Requirement(Kind.CAPACITY, machine)]
        taken = model.new_bool_var(f"{task.id} takes {machine}")
        model.add_bool_or(on.negated(), capacity.negated(), taken)
        size = model.new_int_var(0, 2 * self._horizon, f"size {task.id} on {machine}")
        start, end = self._start[task.id], self._end[task.id]
        interval = model.new_optional_interval_var(start, size, end, taken, f"{task.id} on {machine}")
        self._intervals.setdefault(machine, []).append(interval)

    def _hours(self, machine: str) -> cp_model.IntVar:
        opens_s = self._work.machines[machine].working_time.starts[0]
        return self._asked[Requirement(Kind.HOURS, machine, at_s=opens_s)]

    def _work_s(self, task: Task, machine: str) -> float:
        """Return what a task takes of a machine at least: its processing, from the start of which it is counted."""
        return task.durations_s[machine] if task.running is None else task.running.remaining_s

    def _require(self, one: Requirement, asked: cp_model.IntVar) -> None:
        model, at_s = self._model, one.at_s
        start, end = self._start.get(one.subject), self._end.get(one.subject)
        if one.kind is Kind.DEADLINE:
            for task in self._tasks:
                if task.order == one.subject:
                    model.add(self._end[task.id] <= math.ceil(at_s)).only_enforce_if(asked)
        elif one.kind is Kind.DOWN:
            for task in self._tasks:
                if one.subject in task.durations_s and task.running is None:
                    on = self._on[task.id, one.subject]
                    model.add(self._start[task.id] >= math.floor(at_s)).only_enforce_if(asked, on)
        elif one.kind is Kind.SKILL:
            self._attend(self._work.by_id[one.subject], asked)
        elif start is not None and end is not None:
            if one.kind is Kind.RUNNING:
                goes_on_s = self._work.machines[one.other].working_time.begin(0.0)
                model.add(start <= math.ceil(goes_on_s)).only_enforce_if(asked)
            elif one.kind is Kind.RELEASE:
                model.add(start >= math.floor(at_s)).only_enforce_if(asked)
            elif one.kind in {Kind.PREDECESSOR, Kind.FROZEN} and one.other in self._end:
                model.add(start >= self._end[one.other] + self._lag_s(one)).only_enforce_if(asked)
            elif one.kind is Kind.FIXED:
                there = self._on.get((one.subject, one.other))
                if there is None:  # a machine that cannot take it
                    model.add_bool_and([asked.negated()])
                else:
                    model.add_implication(asked, there)
                model.add(start == math.floor(at_s)).only_enforce_if(asked)

    def _lag_s(self, one: Requirement) -> int:
        """Return what passes at least between a task's predecessor and its start."""
        if one.kind is not Kind.PREDECESSOR:
            return 0
        return math.floor(shortest_lag_s(self._work, self._work.by_id[one.subject], one.other))

    def _attend(self, task: Task, asked: cp_model.IntVar) -> None:
        """Have somebody who can there while a task is processed, or for its changeover."""
        people = able(self._work, task)
        if not people:
            self._model.add_bool_and([asked.negated()])
            return
        there = _together([one.working_time for one in people])
        from_s = math.floor(min(one.available_from_s for one in people))
        self._model.add(self._start[task.id] >= from_s).only_enforce_if(asked)
        for machine in task.durations_s:
            work_s = self._work_s(task, machine) if task.attendance is Attendance.ALL else 0.0
            literals = [asked, self._on[task.id, machine]]
            self._within(self._start[task.id], self._end[task.id], there, work_s, literals)

    def _within(
        self,
        start: cp_model.IntVar,
        end: cp_model.IntVar,
        hours: WorkingTime,
        work_s: float,
        literals: Sequence[cp_model.IntVar],
    ) -> None:
        """Have work begin in open time and end when so much of it has passed, while all `literals` hold."""
        chosen = []
        for low, high, offset in _pieces(hours, work_s, self._horizon):
            here = self._model.new_bool_var("")
            self._model.add(start >= low).only_enforce_if(here)
            self._model.add(start <= high).only_enforce_if(here)
            self._model.add(end >= start + offset).only_enforce_if(here)
            chosen.append(here)
        self._model.add_bool_or(chosen).only_enforce_if(literals)


def _pieces(hours: WorkingTime, work_s: float, horizon_s: int) -> list[tuple[int, int, int]]:
    """Return spans of starts in open time, each with how much later work begun in it ends at least.

    Begun and ended in the same two windows, work takes equally long whenever it begins.
    """
    first, last = hours.worked_at(0.0), hours.worked_at(horizon_s)
    edges = {first, last, *hours.worked, *(worked - work_s for worked in hours.worked)}
    inside = sorted(edge for edge in edges if first <= edge <= last)
    found = []
    for low, high in pairwise(inside):
        middle = (low + high) / 2
        begun, done = _lead_s(hours, middle), _lead_s(hours, middle + work_s)
        found.append((math.floor(low + begun), math.ceil(high + begun), math.floor(work_s + done - begun)))
    # Work that fills whole windows from the first second on ends as one closes, not as the next opens.
    opens = [start for start in hours.starts if start <= horizon_s]
    found += [(math.floor(at), math.ceil(at), math.floor(hours.finish(at, work_s) - at)) for at in opens]
    return found or [(math.floor(hours.starts[0]), math.ceil(hours.starts[0]), math.floor(work_s))]


def _lead_s(hours: WorkingTime, worked_s: float) -> float:
    """Return by how much the clock is ahead of the working time then."""
    return hours.clock_at(worked_s) - worked_s


def _together(calendars: Sequence[WorkingTime]) -> WorkingTime:
    """Return the time in which at least one of the calendars is open."""
    spans = sorted(span for one in calendars for span in zip(one.starts, (*one.ends[:-1], math.inf), strict=True))
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return WorkingTime.of(merged)
