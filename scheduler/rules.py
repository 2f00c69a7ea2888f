"""Dispatching rules: a plan made by going through the shop's time once, choosing for the machine that is next free.

At each moment the task whose best machine (the one that would finish it first) can begin earliest fixes the
machine; among the tasks waiting for that machine the rule's index chooses. A batch machine fills up with tasks of
the same setup family that are there or arrive soon.

ATC: Vepsalainen and Morton, Management Science 33 (1987); with setups (ATCS): Lee, Bhaskaran and Pinedo,
IIE Transactions 29 (1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from plant.errors import InvalidInput
from plant.text import told
from scheduler.shop import Sequences, Shop, Step, Times


@dataclass(frozen=True)
class Choice:
    """What an index sees: one task that could take a machine now.

    Attributes
    ----------
    now
        Clock seconds at which the machine could begin it.
    duration_s, setup_s, tail_s
        Working seconds: its processing there, the changeover before it, and its chain to the end of the order.
    slack_s
        Working seconds left to the due date beyond the chain; negative when it is late anyway.
    scale_s, setup_scale_s
        Mean processing and setup time of the shop, to measure slack and setups by.
    """

    now: float
    duration_s: float
    setup_s: float
    tail_s: float
    slack_s: float
    due_s: float
    weight: float
    scale_s: float
    setup_scale_s: float


Index = Callable[[Choice], float]
"""The larger, the more urgent."""


@dataclass(frozen=True)
class Rule:
    """A dispatching rule.

    Attributes
    ----------
    batch_wait
        Share of a batch's processing time for which its machine may wait for more members.
    """

    name: str
    index: Index
    batch_wait: float = 0.0


def atc(look_ahead: float, setup_care: float = 0.0) -> Index:
    """Return the apparent-tardiness-cost index with look-ahead k (and with setups, when `setup_care` is above 0)."""

    def index(choice: Choice) -> float:
        urgency = max(choice.slack_s, 0.0) / (look_ahead * choice.scale_s)
        if setup_care > 0:
            urgency += choice.setup_s / (setup_care * choice.setup_scale_s)
        # The logarithm of the index: exp() of an order due next month would round to 0 and lose the order.
        return math.log(choice.weight / max(choice.duration_s, 1.0)) - urgency

    return index


def earliest_due(choice: Choice) -> float:
    """EDD: the order that is due first."""
    return -choice.due_s


def least_slack(choice: Choice) -> float:
    """The task whose order has the least slack, setups counted."""
    return -choice.slack_s - choice.setup_s


def most_work(choice: Choice) -> float:
    """MWKR: the longest chain still to go, for a short makespan."""
    return choice.tail_s


def shortest(choice: Choice) -> float:
    """WSPT: the shortest weighted processing, setup included."""
    return -(choice.duration_s + choice.setup_s) / choice.weight


RULES: tuple[Rule, ...] = (
    Rule("ATC", atc(3.0), 0.25),
    Rule("ATC, far-sighted", atc(10.0), 0.5),
    Rule("ATC with setups", atc(3.0, 1.0), 0.25),
    Rule("ATC with setups, far-sighted", atc(10.0, 0.5), 0.5),
    Rule("EDD", earliest_due, 0.25),
    Rule("least slack", least_slack, 0.25),
    Rule("least slack, no waiting", least_slack),
    Rule("most work remaining", most_work, 0.25),
    Rule("WSPT", shortest, 0.25),
)
"""The portfolio, in the order it is tried."""


@dataclass
class _Candidate:
    machine: int
    begin: float
    finish: float


class Dispatcher:
    """One pass of a rule through the shop. Deterministic: ties fall to the task that stands first in the work."""

    def __init__(self, shop: Shop, rule: Rule, opening: Sequences) -> None:
        self._shop, self._rule = shop, rule
        count = len(shop.tasks)
        self._times = Times([0.0] * count, [0.0] * count, [0.0] * count, [0.0] * count)
        self._free = list(shop.free)
        self._family = [machine.setup_family for machine in shop.machines]
        self._sequences: Sequences = [[] for _ in shop.machines]
        self._opening = [list(reversed(steps)) for steps in opening]
        self._bound = {task for steps in opening for step in steps for task in step}
        self._missing = [len(before) for before in shop.predecessors]
        self._eligible: dict[int, float] = {}
        self._candidates: dict[int, _Candidate] = {}
        durations = [min(options.values()) for options in shop.durations]
        self._scale = max(sum(durations) / max(count, 1), 1.0)
        self._setup_scale = max((machine.setup_matrix.default_s for machine in shop.machines), default=0.0) or 1.0

    def run(self) -> tuple[Sequences, Times]:
        """Return the sequences and when everything runs.

        Raises
        ------
        InvalidInput
            When frozen operations wait for each other in a circle.
        """
        for task, missing in enumerate(self._missing):
            if missing == 0:
                self._enter(task)
        left = len(self._shop.tasks)
        while left:
            opened = self._opened()
            if opened is not None:
                machine, step = opened
                self._opening[machine].pop()
            elif self._candidates:
                machine, step = self._choose()
            else:
                raise InvalidInput(
                    told("the frozen operations wait for each other in a circle; freeze a plan that runs")
                )
            self._take(machine, step)
            left -= len(step)
        return self._sequences, self._times

    def _opened(self) -> tuple[int, Step] | None:
        """Return a step that opens a machine's sequence and has nothing left to wait for."""
        for machine, steps in enumerate(self._opening):
            if steps and (self._shop.running[steps[-1][0]] or all(self._missing[task] == 0 for task in steps[-1])):
                return machine, steps[-1]
        return None

    def _enter(self, task: int) -> None:
        if task not in self._bound:
            self._eligible[task] = self._shop.ready((task,), self._times.finish)
            self._look(task)

    def _look(self, task: int) -> None:
        """Find the machine that would finish a task first, among those with nothing decided before it."""
        ready, best = self._eligible[task], None
        for machine in self._shop.durations[task]:
            if self._opening[machine]:
                continue
            begin = max(ready, self._free[machine])
            _, _, finish = self._shop.place(machine, (task,), self._family[machine], begin)
            if best is None or finish < best.finish:
                best = _Candidate(machine, begin, finish)
        if best is None:
            self._candidates.pop(task, None)
        else:
            self._candidates[task] = best

    def _choose(self) -> tuple[int, Step]:
        first = min(self._candidates.items(), key=lambda item: (item[1].begin, item[1].finish, item[0]))[1]
        waiting = [
            task
            for task, candidate in self._candidates.items()
            if candidate.machine == first.machine and candidate.begin <= first.begin
        ]
        lead = max(waiting, key=lambda task: (self._index(first.machine, task, first.begin), -task))
        return first.machine, self._fill(first.machine, lead, first.begin)

    def _index(self, machine: int, task: int, now: float) -> float:
        shop = self._shop
        working_time = shop.machines[machine].working_time
        due, tail = shop.due(task), shop.tails[task]
        return self._rule.index(
            Choice(
                now=now,
                duration_s=shop.durations[task][machine],
                setup_s=shop.setup(machine, self._family[machine], (task,)),
                tail_s=tail,
                slack_s=working_time.worked_at(due) - working_time.worked_at(now) - tail,
                due_s=due,
                weight=shop.weight(task),
                scale_s=self._scale,
                setup_scale_s=self._setup_scale,
            )
        )

    def _fill(self, machine: int, lead: int, begin: float) -> Step:
        """Return the lead task with as many others of its family as the machine takes and are there in time."""
        capacity = self._shop.machines[machine].batch_capacity
        if capacity == 1:
            return (lead,)
        patience = begin + self._rule.batch_wait * self._shop.durations[lead][machine]
        family = self._shop.family[lead]
        others = [
            task
            for task, ready in self._eligible.items()
            if task != lead
            and self._shop.family[task] == family
            and machine in self._shop.durations[task]
            and ready <= patience
        ]
        others.sort(key=lambda task: (-self._index(machine, task, begin), task))
        return (lead, *others[: capacity - 1])

    def _take(self, machine: int, step: Step) -> None:
        """Put a step at the end of a machine's sequence."""
        shop, times = self._shop, self._times
        begin = max(shop.ready(step, times.finish), self._free[machine])
        setup_s, start, finish = shop.place(machine, step, self._family[machine], begin)
        self._sequences[machine].append(step)
        self._free[machine], self._family[machine] = finish, shop.family[step[0]]
        for task in step:
            times.begin[task], times.start[task], times.finish[task], times.setup[task] = begin, start, finish, setup_s
            self._eligible.pop(task, None)
            self._candidates.pop(task, None)
        for task in self._eligible:
            if machine in shop.durations[task]:
                self._look(task)
        for task in step:
            for after in shop.successors[task]:
                self._missing[after] -= 1
                if self._missing[after] == 0 and not shop.running[after]:
                    self._enter(after)


def dispatch(shop: Shop, rule: Rule, opening: Sequences) -> tuple[Sequences, Times]:
    """Return the sequences a rule makes, opening with what is already decided, and when everything runs."""
    return Dispatcher(shop, rule, opening).run()
