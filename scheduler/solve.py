"""Work in, plan out: there is always a plan, and it is the best of all that were found.

Dispatching rules first, then local search on the best of them, then CP-SAT from there, then local search again.
Everything is compared as it decodes: by weighted tardiness, then makespan, at exact planned times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from plant.checks import require, require_not_negative, require_positive
from plant.plan import Plan, SolverReport
from plant.ports import Progress, no_progress
from plant.text import Told, told
from plant.work import Work
from scheduler.decode import as_plan
from scheduler.improve import Candidate, Search, evaluate
from scheduler.prefix import opening
from scheduler.rules import RULES, Rule, dispatch
from scheduler.shop import Sequences, Shop
from scheduler.stop import Enough

_LONGEST_S = 1e10
"""Three centuries: beyond this, dates run out and whole seconds stop being exact in the solver's sums."""

_STEPS_PER_EFFORT = 200
_PATIENCE, _PATIENCE_PER_TASK = 300, 30
"""Local search ends after this many steps without a better plan."""


@dataclass(frozen=True)
class SolverSettings:
    """How hard to look for a plan.

    With a time limit alone, two runs may find different plans, since what is found in a second depends on the
    machine. With `effort` they find the same one, as long as the time limit does not end the search first.

    Attributes
    ----------
    time_limit_s
        Wall seconds for everything.
    effort
        Limit in CP-SAT's deterministic time (about seconds of one core); makes the result repeatable.
    workers
        Threads of CP-SAT.
    gap
        Relative gap between solution and bound at which CP-SAT stops.
    """

    time_limit_s: float = 20.0
    seed: int = 1
    workers: int = 2
    gap: float = 0.0
    effort: float | None = None

    def __post_init__(self) -> None:
        require_positive("time_limit_s", self.time_limit_s)
        require(self.workers >= 1, told("workers must be at least 1, not {workers}", workers=self.workers))
        require_not_negative("gap", self.gap)
        if self.effort is not None:
            require_positive("effort", self.effort)


@dataclass(frozen=True)
class Solution:
    """The best plan found and how it was found."""

    plan: Plan
    report: SolverReport


def solve(
    work: Work, settings: SolverSettings, progress: Progress = no_progress, frozen: Plan | None = None
) -> Solution:
    """Return the best plan found for `work` within the limits; running tasks stay where they are.

    Parameters
    ----------
    progress
        Called often; it may raise `Cancelled` to give up or `Enough` to take the best plan so far.
    frozen
        Operations that keep their machine and their order at the head of it (see `scheduler.prefix`).

    Raises
    ------
    InvalidInput
        When planned times are too long to count in whole seconds, or frozen operations wait for each other.
    """
    _refuse_overflow(work)
    return _Solving(work, settings, progress, frozen).run()


def _refuse_overflow(work: Work) -> None:
    for task in work.tasks:
        longest = max(task.durations_s.values())
        require(
            longest + task.release_s <= _LONGEST_S,
            told(
                "task {task} takes {takes:span} from {start:span} on; check its quantity and times per piece: plans "
                "reach at most {most:span}",
                task=task.id,
                takes=longest,
                start=task.release_s,
                most=_LONGEST_S,
            ),
        )
    total = sum(max(task.durations_s.values()) for task in work.tasks)
    require(
        total <= _LONGEST_S,
        told("all tasks together take {total:span}; plans reach at most {most:span}", total=total, most=_LONGEST_S),
    )
    for machine in work.machines.values():
        longest = machine.setup_matrix.longest_s
        require(
            total + len(work.tasks) * longest <= _LONGEST_S,
            told(
                "a setup of {machine} takes {takes:span}; check setup matrix {matrix}: with one before each task, "
                "plans would reach beyond {most:span}",
                machine=machine.id,
                takes=longest,
                matrix=machine.setup_matrix.id,
                most=_LONGEST_S,
            ),
        )


class _Solving:
    """One run of `solve`: the best candidate so far and the stopwatch."""

    def __init__(self, work: Work, settings: SolverSettings, progress: Progress, frozen: Plan | None) -> None:
        self._settings, self._progress = settings, progress
        self._began = time.monotonic()
        self._shop = Shop(work)
        self._opening = opening(self._shop, frozen)
        self._best: Candidate | None = None
        self._method, self._status = "none", "optimal"
        self._bound: float | None = None

    def run(self) -> Solution:
        """Go through the stages; `Enough` ends them early."""
        if not self._shop.tasks:
            return Solution(Plan(self._shop.work.epoch, ()), self._report(0.0, 0.0))
        self._rule(RULES[0])
        self._status = "feasible"
        try:
            self._other_rules()
            self._polish(until=0.3, share=0.3)
            if not self._constraints():
                self._polish(until=1.0, share=0.3)
        except Enough:
            self._status = f"stopped early, {self._status}"
        best = self._kept()
        return Solution(as_plan(self._shop, best.sequences, best.times), self._report(*best.score))

    def _kept(self) -> Candidate:
        assert self._best is not None
        return self._best

    def _spent(self) -> float:
        """Return the share of the time limit that has passed."""
        return (time.monotonic() - self._began) / self._settings.time_limit_s

    def _tell(self, doing: Told) -> None:
        if self._best is not None:
            late = self._best.score[0] / 3600
            doing = told("{doing}; weighted tardiness {late:hours}", doing=doing, late=late)
        self._progress(min(self._spent(), 1.0), doing)

    def _offer(self, sequences: Sequences, method: str) -> None:
        """Keep sequences that decode to something better than what is kept."""
        found = evaluate(self._shop, sequences)
        if found is not None and (self._best is None or found.score < self._best.score):
            self._best, self._method = found, method

    def _rule(self, rule: Rule) -> None:
        self._offer(dispatch(self._shop, rule, self._opening)[0], rule.name)

    def _other_rules(self) -> None:
        """Try the rest of the portfolio; in a big shop, as far as there is time."""
        for rule in RULES[1:]:
            if self._settings.effort is None and self._spent() > 0.3:
                break
            self._rule(rule)
            self._tell(told("dispatching rules: {rule:word}", rule=rule.name))

    def _polish(self, until: float, share: float) -> None:
        """Search locally until `until` of the time is spent (or for `share` of the effort), or it leads nowhere."""
        search = Search(self._shop, self._kept(), self._opening, self._settings.seed)
        effort, patience = self._settings.effort, _PATIENCE + _PATIENCE_PER_TASK * len(self._shop.tasks)

        def proceed(steps: int) -> bool:
            if steps % 20 == 0:
                self._tell(told("local search"))
            if effort is not None and steps >= effort * share * _STEPS_PER_EFFORT:
                return False
            return self._spent() < until and steps - search.improved_at < patience

        before = self._kept().score
        found = search.run(proceed)
        if found.score < before:
            self._best = found
            self._method = f"{self._method.removesuffix(' + local search')} + local search"

    def _constraints(self) -> bool:
        """Let CP-SAT look, from the best plan so far; tell whether it proved that there is nothing better."""
        settings = self._settings
        seconds = settings.time_limit_s * max(0.8 - self._spent(), 0.05)
        # Here, because importing the solver takes most of a second and only whoever solves needs it.
        from scheduler.optimise import Limits, optimise

        limits = Limits(seconds, settings.effort, settings.workers, settings.seed, settings.gap)
        answer = optimise(self._shop, self._kept(), self._opening, limits, lambda _, said: self._tell(said))
        for sequences in answer.sequences:
            self._offer(sequences, "cp-sat")
        # Without a solution of its own CP-SAT has still left us the plan it started from.
        self._status = "feasible" if answer.status in {"unknown", "infeasible"} else answer.status
        self._bound = answer.bound_s
        return answer.proven

    def _report(self, tardiness: float, makespan: float) -> SolverReport:
        return SolverReport(
            method=self._method,
            status=self._status,
            weighted_tardiness_s=tardiness,
            makespan_s=makespan,
            runtime_s=time.monotonic() - self._began,
            seed=self._settings.seed,
            bound_s=self._bound,
        )
