"""Work in, plan out: there is always a plan, and it is the best of all that were found.

Dispatching rules first, then annealing from the best of them on both cores; small problems also go to CP-SAT, which may
prove that there is nothing better. All plans are compared as they decode, at exact planned times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from plant.checks import require_not_negative, require_positive, require_workers
from plant.errors import InvalidInput
from plant.objective import OBJECTIVE, Objective
from plant.plan import Plan, SolverReport
from plant.ports import Progress, no_progress
from plant.text import Told, told
from plant.tuning import DEFAULT, Tuning
from plant.work import Work
from scheduler import job_shop_search
from scheduler.bound import bound_of
from scheduler.candidate import Candidate, Dispatcher, evaluated
from scheduler.cost import costs_of, near_to
from scheduler.decode import as_plan, times_of
from scheduler.disjunctive import DisjunctiveProblem
from scheduler.job_shop import job_shop_of, searched
from scheduler.objective import rank, weights_of
from scheduler.prefix import opening, people_of, start_of
from scheduler.problem import Problem
from scheduler.rules import portfolio
from scheduler.score import Aims, Score
from scheduler.search import Search
from scheduler.stop import Enough
from scheduler.timing import Sequence

_SEARCHED = " + local search"

_START = "repair"
"""What is said to have found the plan to start from: that of the plan in force."""

_MOVES_PER_EFFORT = 20_000
_BURST_S = 0.05
"""How long the search goes on without looking at the clock, about."""

_MOST_AT_ONCE = 5_000
"""Moves; with whatever effort, the time limit and whoever cancels are looked at after so many."""

_RULES_SHARE = 0.2
"""Of the time, for dispatching rules."""

_LEAST_BURSTS = 2
"""A search that has made fewer of them when the time is over has hardly begun: the first may have been compiled."""

_EQUAL_S = 1e-6
"""What rounding may come to."""

_MOST_CONSTRAINED = 250
"""Up to this many tasks CP-SAT finds what annealing does not; with more it only costs time."""


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
        Limit in CP-SAT's deterministic time (about seconds of one core) and in moves of the search; makes the result
        repeatable.
    workers
        Walks of the search, and threads of CP-SAT.
    gap
        Relative gap between plan and bound at which to stop.
    stagnation_s
        Wall seconds without a better plan after which to stop; None: never.
    objective
        What the best plan is.
    tuning
        What the plant's history taught of how to look.
    """

    time_limit_s: float = 20.0
    seed: int = 1
    workers: int = 2
    gap: float = 0.0
    effort: float | None = None
    stagnation_s: float | None = None
    objective: Objective = OBJECTIVE
    tuning: Tuning = DEFAULT

    def __post_init__(self) -> None:
        require_positive("time_limit_s", self.time_limit_s)
        require_workers(self.workers)
        require_not_negative("gap", self.gap)
        if self.effort is not None:
            require_positive("effort", self.effort)
        if self.stagnation_s is not None:
            require_positive("stagnation_s", self.stagnation_s)


@dataclass(frozen=True)
class Solution:
    """The best plan found and how it was found."""

    plan: Plan
    report: SolverReport


def solve(
    work: Work,
    settings: SolverSettings,
    progress: Progress = no_progress,
    frozen: Plan | None = None,
    *,
    start: Plan | None = None,
    near: Plan | None = None,
) -> Solution:
    """Return the best plan found for `work` within the limits; running tasks stay where they are.

    Parameters
    ----------
    progress
        Called often; it may raise `Cancelled` to give up or `Enough` to take the best plan so far.
    frozen
        Operations that keep their machine and their order at the head of it (see `scheduler.prefix`).
    start
        A plan of this work to go on from: what is returned is no worse. It is left aside where it does not begin with
        what is frozen.
    near
        The plan to stay near to where the objective asks for nearness; the report tells how far it is either way.

    Raises
    ------
    InvalidInput
        When planned times are too long to count in whole seconds, frozen operations wait for each other, or `start`
        is no plan of this work.
    """
    return _Solving(work, settings, progress, frozen, start, near).run()


class _Solving:
    """One run of `solve`: the best candidate so far and the stopwatch."""

    def __init__(
        self,
        work: Work,
        settings: SolverSettings,
        progress: Progress,
        frozen: Plan | None,
        start: Plan | None,
        near: Plan | None,
    ) -> None:
        self._settings, self._progress = settings, progress
        self._rules = portfolio(settings.tuning)
        self._began = self._improved = time.monotonic()
        self._problem = Problem(work)
        self._opening = opening(self._problem, frozen)
        self._asked = {} if frozen is None else people_of(self._problem, frozen)
        self._start = None if start is None else start_of(self._problem, self._opening, start)
        self._people = {} if start is None else people_of(self._problem, start)
        self._near = near_to(self._problem, near)
        self._best: Candidate | None = None
        self._method, self._status, self._bursts = "none", "optimal", 0
        self._bound = bound_of(self._problem)

    def run(self) -> Solution:
        """Go through the stages; `Enough` ends them early."""
        if not self._problem.tasks:
            return Solution(Plan(self._problem.work.epoch, ()), self._report(Score()))
        self._dispatch()
        self._status = "feasible"
        try:
            self._improve()
        except Enough:
            self._status = f"stopped early, {self._status}"
        self._offer(self._attended(), _START)
        best = self._kept()
        if self._status == "feasible" and self._reached(best, 0.0):
            self._status = "optimal"
        return Solution(as_plan(self._problem, best.sequence, best.steps), self._report(best.score))

    def _dispatch(self) -> None:
        """Make the first plan: from here on there is one."""
        self._dispatcher = Dispatcher(self._problem, self._opening, self._asked, self._near)
        found = self._dispatcher.plan(self._rules[0].index)
        if found is None:
            raise InvalidInput(told("the frozen operations wait for each other in a circle; freeze a plan that runs"))
        self._offer(found, self._rules[0].name)
        if self._start is not None:
            for task, person in self._asked.items():
                self._start[0].of["asked"][task] = person
            self._offer(self._scored(*self._start), _START)

    def _attended(self) -> Candidate | None:
        """Return the plan to start from with its people, which the search must be free to change."""
        if self._start is None or not self._people:
            return None
        sequence = Sequence(self._start[0].steps.copy(), self._start[0].of.copy())
        for task, person in self._people.items():
            sequence.of["asked"][task] = person
        return self._scored(sequence, self._start[1])

    def _scored(self, sequence: Sequence, steps: int) -> Candidate:
        return Candidate(sequence, steps, times_of(self._problem, sequence, steps, self._near)[1])

    def _improve(self) -> None:
        self._other_rules()
        if len(self._problem.tasks) <= _MOST_CONSTRAINED:
            self._search(until=0.3, share=0.3)
            if self._constraints():
                return
        self._search(until=1.0, share=0.7)

    def _kept(self) -> Candidate:
        assert self._best is not None
        return self._best

    def _spent(self) -> float:
        """Return the share of the time limit that has passed."""
        return (time.monotonic() - self._began) / self._settings.time_limit_s

    def _tell(self, doing: Told) -> None:
        if self._best is not None:
            late = self._best.score.tardiness / 3600
            doing = told("{doing}; weighted tardiness {late:hours}", doing=doing, late=late)
        self._progress(min(self._spent(), 1.0), doing)

    def _offer(self, found: Candidate | None, method: str) -> None:
        """Keep a plan that is better than what is kept."""
        if found is not None and (self._best is None or self._rank(found.score) < self._rank(self._best.score)):
            self._best, self._method, self._improved = found, method, time.monotonic()

    def _other_rules(self) -> None:
        """Try the rest of the portfolio; in a big shop, as far as there is time."""
        for rule in self._rules[1:]:
            if self._settings.effort is None and self._spent() > _RULES_SHARE:
                break
            self._offer(self._dispatcher.plan(rule.index), rule.name)
            self._tell(told("dispatching rules: {rule:word}", rule=rule.name))

    def _reached(self, best: Candidate, gap: float) -> bool:
        """Tell whether a plan is within the gap of the bound."""
        return all(
            mine <= bound * (1 + gap) + _EQUAL_S
            for mine, bound in zip(self._rank(best.score), self._rank(self._bound), strict=True)
        )

    def _rank(self, score: Score) -> tuple[float, ...]:
        return rank(self._settings.objective, score)

    def _search(self, until: float, share: float) -> None:
        """Search until `until` of the time is spent (or for `share` of the effort), or the bound is reached."""
        shop = None if any(self._opening) else job_shop_of(self._problem, self._settings.objective, self._kept())
        if shop is None:
            self._anneal(until, share)
        elif not self._reached(self._kept(), self._settings.gap):
            self._search_job_shop(shop, until, share)

    def _search_job_shop(self, shop: DisjunctiveProblem, until: float, share: float) -> None:
        """As `_anneal`, where a search of its own is made for the problem."""
        settings, left_s = self._settings, (until - self._spent()) * self._settings.time_limit_s
        if left_s <= 0:
            return
        most = None if settings.effort is None else max(int(settings.effort * share * _MOVES_PER_EFFORT), 1)
        limits = job_shop_search.Limits(left_s, most, settings.gap, settings.workers, settings.stagnation_s)
        found = searched(self._problem, shop, limits, settings.seed, lambda *_: self._tell(told("job shop search")))
        self._bursts += _LEAST_BURSTS
        if found.best is not None:
            self._offer(self._scored(found.best.sequence, found.best.steps), "job shop search")
        self._bound = self._bound._replace(makespan=max(self._bound.makespan, found.makespan_s))
        if found.ended is not None:
            raise found.ended

    def _anneal(self, until: float, share: float) -> None:
        """Move on from the best plan."""
        settings, started, before = self._settings, self._spent(), self._kept()
        aims = Aims(weights_of(settings.objective), self._near)
        shares = settings.tuning.shares
        search = Search(self._problem, aims, self._opening, settings.seed, settings.workers, shares)
        most = None if settings.effort is None else max(int(settings.effort * share * _MOVES_PER_EFFORT), 1)

        def spent(moves: int, best: Candidate) -> float:
            self._bursts += moves > 0
            self._offer(best, f"{self._method.removesuffix(_SEARCHED)}{_SEARCHED}")
            self._tell(told("local search"))
            if self._reached(self._kept(), settings.gap) or self._is_stagnant():
                return 1.0
            by_time = (self._spent() - started) / max(until - started, 1e-9)
            return by_time if most is None else max(moves / most, float(by_time >= 1))

        search.run(before, _BURST_S if most is None else min(max(most // 20, 1), _MOST_AT_ONCE), spent)

    def _is_stagnant(self) -> bool:
        limit = self._settings.stagnation_s
        return limit is not None and time.monotonic() - self._improved > limit

    def _constraints(self) -> bool:
        """Let CP-SAT look, from the best plan so far; tell whether it proved that there is nothing better."""
        settings = self._settings
        if settings.objective != OBJECTIVE or self._reached(self._kept(), settings.gap):
            return False
        seconds = settings.time_limit_s * max(0.8 - self._spent(), 0.05)
        # Here, because importing the solver takes most of a second and only whoever solves needs it.
        from scheduler.optimise import Limits, optimise

        limits = Limits(seconds, settings.effort, settings.workers, settings.seed, settings.gap)
        answer = optimise(self._problem, self._kept(), self._opening, limits, lambda _, said: self._tell(said))
        for sequences in answer.sequences:
            self._offer(evaluated(self._problem, sequences, self._near), "cp-sat")
        # Without a solution of its own CP-SAT has still left us the plan it started from.
        self._status = "feasible" if answer.status in {"unknown", "infeasible"} else answer.status
        if answer.bound_s is not None:
            self._bound = self._bound._replace(tardiness=max(self._bound.tardiness, answer.bound_s))
        return answer.proven

    def _report(self, score: Score) -> SolverReport:
        return SolverReport(
            method=self._method,
            status=self._status,
            weighted_tardiness_s=score.tardiness,
            makespan_s=score.makespan,
            runtime_s=time.monotonic() - self._began,
            seed=self._settings.seed,
            bound_s=self._bound.tardiness,
            objective=self._settings.objective,
            costs=costs_of(score),
            tuning=self._settings.tuning,
            unsearched=self._is_unsearched(),
        )

    def _is_unsearched(self) -> bool:
        """Tell whether there was no time to look for anything better than the first plan."""
        looked = self._bursts >= _LEAST_BURSTS or self._method == "cp-sat"
        return self._status == "feasible" and not looked and self._spent() >= 1
