"""Plans that hold when times vary: planned with slack, rehearsed, planned again where the rehearsal says so.

The scheduler knows planned times and no luck. So it is given other work to plan. First *padded* work, in which every
task takes its mean (what repairs add on average included) and `spread` standard deviations more, and no order may end
later than the nominal plan would. Then work with *slack*: at planned times, every order due earlier by what nineteen
futures in twenty added to it in the candidates before, and all of it done within the price that may be paid; where the
best candidate within the price is refused, orders that pass need come no sooner than there, which leaves the room to
the others. What is found is taken at planned times and rehearsed; all candidates meet the same futures. The best of
them is kept: one that keeps the locks before one that misses them, one that the gate lets out before one that it does
not, then one within the price that may be paid or the nearest to it, then the one that is refused for the fewest
orders, then the least expected weighted tardiness, then what the solver's objective says at planned times.

Proactive slack by quantiles follows the surrogate measures of J. Goren and I. Sabuncuoglu, "Robustness and stability
measures for scheduling: single-machine environment", IIE Transactions 40 (2008), and feeding buffers before what binds
those of E. Goldratt, "Critical Chain" (1997); here a rehearsal, not a formula, says how much.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from plant.objective import OBJECTIVE, Aim, Objective
from plant.plan import Plan, Robustness, SolverReport
from plant.ports import Progress
from plant.text import Text
from plant.verdict import OrderVerdict
from plant.work import MachineOutlook, Task, Work
from scheduler.cost import costs_of, score_of, standing
from scheduler.keep import keep
from scheduler.solve import Solution, SolverSettings, solve
from scheduler.stop import Enough
from scheduler.to_others import priced

_NOMINAL = 0.35
"""Share of the time for the plan at planned times; the candidates share the rest."""

_LEAST = 0.06
"""Share of the time in which a candidate is looked for, at least; fewer are looked for where there is less."""

_SPREADS = (0.5, 1.0)
"""Tried first, in this order."""

_SLACKS = 6
"""How often slack before due dates is tried, each time going on from the plan before."""

_MORE = 1.3
"""An order for which the gate refused a plan with slack gets so many times as much in the next."""

_BETWEEN = Objective((Aim.TARDINESS, Aim.MAKESPAN), (1.0, 1.0))
"""What is asked for with slack where tardiness comes first: slack that cannot be had in full is worth no long plan."""

_BINDING = 1.5
"""Tasks that feed the binding machine are padded by so many times the spread: slack stands before what binds."""


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal says of a candidate.

    Attributes
    ----------
    refused
        For how many orders the gate would refuse it.
    refused_orders
        Those for which it would because of their due dates.
    bottleneck
        The machine that most often was what an order waited for, None where nothing was at risk.
    missed_s
        By how much locks are missed at planned times.
    """

    orders: tuple[OrderVerdict, ...]
    refused: int
    refused_orders: frozenset[str] = frozenset()
    bottleneck: str | None = None
    missed_s: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A plan at planned times, what found it, its spread as in `plant.plan.Robustness`, and what became of it."""

    plan: Plan
    report: SolverReport
    spread: float | None
    outcome: Outcome
    expected_tardiness_s: float


@dataclass(frozen=True)
class Choice:
    """The best plan, how it was found, and what was paid for certainty."""

    plan: Plan
    report: SolverReport
    robustness: Robustness


def choose(
    work: Work,
    solver: SolverSettings,
    frozen: Plan | None,
    price: float,
    rehearsed: Callable[[Plan], Outcome],
    progress: Progress,
    *,
    start: Plan | None = None,
    near: Plan | None = None,
) -> Choice:
    """Return the plan for `work` that does best in rehearsal; never worse there than the best one at planned times.

    The solver's time limit is for everything, rehearsals included: a candidate is tried only while there is time for
    it, going by what rehearsing and padding took so far. With an effort what is found does not depend on the time,
    unless the limit is reached.

    Parameters
    ----------
    solver
        `time_limit_s` is for one rehearsal more, too: that of what is chosen.
    price
        Share of the nominal makespan that may be paid, unless the gate lets out nothing cheaper.
    rehearsed
        Rehearses a plan of `work`, always in the same futures.
    progress
        May raise `Cancelled` to give up or `Enough` to take the best plan so far.
    start
        A plan to go on from: the nominal plan is no worse. Of plans that the gate treats alike one that is later than
        it at planned times is taken only where nothing else is left.
    near
        As in `scheduler.solve.solve`.

    Raises
    ------
    InvalidInput
        As `scheduler.solve.solve`.
    """
    return _Choosing(work, solver, frozen, price, rehearsed, progress, start, near).run()


def padded(work: Work, spread: float, feeding: frozenset[str]) -> Work:
    """Return the work with room in every task.

    Parameters
    ----------
    spread
        Standard deviations that every task takes beyond its mean.
    feeding
        Tasks before the binding machine.
    """

    def pad(task: Task) -> Task:
        mine = spread * (_BINDING if task.id in feeding else 1.0)
        durations_s = {
            name: padded_s(seconds, task, work.machines[name], mine) for name, seconds in task.durations_s.items()
        }
        running = task.running
        if running is not None:
            left_s = padded_s(running.remaining_s, task, work.machines[running.machine], mine)
            running = replace(running, remaining_s=left_s)
        return replace(task, durations_s=durations_s, running=running, release_s=_there_s(task, spread))

    return replace(work, tasks=tuple(map(pad, work.tasks)))


def due_sooner(work: Work, latest_s: float, slack_s: Mapping[str, float] = MappingProxyType({})) -> Work:
    """Return the work with every order due `slack_s` sooner, and by `latest_s` (since the epoch) at any rate."""
    orders = {
        name: replace(demand, due_s=min(demand.due_s - slack_s.get(name, 0.0), latest_s))
        for name, demand in work.orders.items()
    }
    return replace(work, orders=orders)


def padded_s(planned_s: float, task: Task, machine: MachineOutlook, spread: float) -> float:
    """Return the mean of what a planned time comes to on a machine, and `spread` standard deviations more.

    Repairs are a compound Poisson process over a random time: with N = planned time / mean time between failures, the
    mean is ``m = planned + N E[repair]`` and the variance ``(variation m)^2 + N E[repair^2]``.
    """
    mean_s, of_repairs = planned_s, 0.0
    if machine.reliability is not None and machine.reliability.time_between_failures.mean > 0:
        repair = machine.reliability.time_to_repair
        failures = planned_s / machine.reliability.time_between_failures.mean
        mean_s += failures * repair.mean
        of_repairs = failures * repair.mean**2 * (1 + repair.variation**2)
    return mean_s + spread * math.sqrt((task.variation * mean_s) ** 2 + of_repairs)


def _there_s(task: Task, spread: float) -> float:
    """Return when the materials of a task are expected, with as much caution as its duration."""
    if task.material is None:
        return task.release_s
    delay = task.material.delay
    return max(task.release_s, task.material.due_s + delay.mean * (1 + spread * delay.variation))


@dataclass(frozen=True)
class _Asked:
    """What the scheduler is given for a candidate: the work, a plan to go on from, an objective; and its spread."""

    work: Work
    start: Plan | None
    objective: Objective
    spread: float | None


class _Choosing:
    """One run of `choose`: the candidates so far and whether somebody has had enough."""

    def __init__(
        self,
        work: Work,
        solver: SolverSettings,
        frozen: Plan | None,
        price: float,
        rehearsed: Callable[[Plan], Outcome],
        progress: Progress,
        start: Plan | None,
        near: Plan | None,
    ) -> None:
        self._near = near
        self._work, self._solver, self._frozen, self._price = work, solver, frozen, price
        self._rehearsed, self._progress, self._start = rehearsed, progress, start
        punctual = solver.objective.aims[0] is Aim.TARDINESS
        self._latest_s = score_of(work, start).tardiness if start is not None and punctual else math.inf
        self._enough = False
        self._candidates: list[Candidate] = []
        self._slack_s: dict[str, float] = {}
        self._began = time.monotonic()
        self._solving_s = self._besides_s = 0.0

    def run(self) -> Choice:
        """Plan at planned times, then with slack as long as there is something to gain, and time for it."""
        nominal = self._timed(self._nominal)
        attempts = len(_SPREADS) + _SLACKS
        for number in range(attempts):
            # A rehearsal more is left for whoever examines what is chosen.
            left_s = self._solver.time_limit_s - (time.monotonic() - self._began) - self._besides_s
            limit_s = max(left_s / (attempts - number) - self._besides_s, _LEAST * self._solver.time_limit_s)
            if self._enough or left_s < self._besides_s + limit_s or self._best().expected_tardiness_s == 0:
                break
            self._timed(lambda number=number, limit_s=limit_s: self._attempt(nominal, number, limit_s))
        best = self._best()
        report = priced(best.report, self._work, best.plan, self._near, self._frozen)
        return Choice(best.plan, report, self._paid(nominal, best))

    def _timed(self, look: Callable[[], Candidate]) -> Candidate:
        """Look for a candidate, and note what it took besides solving: the most of all so far."""
        began, solving_s = time.monotonic(), self._solving_s
        found = look()
        besides_s = time.monotonic() - began - (self._solving_s - solving_s)
        self._besides_s = max(self._besides_s, besides_s)
        return found

    def _nominal(self) -> Candidate:
        asked = _Asked(self._work, self._start, self._solver.objective, None)
        solution = self._solved(asked, _NOMINAL, 0.0, _NOMINAL * self._solver.time_limit_s)
        return self._offer(solution.plan, solution.report, None)

    def _best(self) -> Candidate:
        def rank(one: Candidate) -> tuple[float, bool, bool, float, int, float, tuple[float, ...]]:
            said, late = one.outcome, one.report.weighted_tardiness_s > self._latest_s
            too_dear, planned = self._excess(one), standing(one.report)
            return said.missed_s, said.refused > 0, late, too_dear, said.refused, self._expected_cost_s(one), planned

        return min(self._candidates, key=rank)

    def _expected_cost_s(self, one: Candidate) -> float:
        """Return a candidate's expected tardiness, with what it moves where the objective weighs that against it."""
        objective, costs = self._solver.objective, one.report.costs
        weight = dict(zip(objective.aims, objective.weights, strict=False))
        if costs is None or not weight.get(Aim.NEARNESS) or not weight.get(Aim.TARDINESS):
            return one.expected_tardiness_s
        return one.expected_tardiness_s + weight[Aim.NEARNESS] / weight[Aim.TARDINESS] * costs.moved_s

    def _paid_by(self, one: Candidate) -> float:
        """Return a candidate's makespan over the nominal one's."""
        nominal_s = self._candidates[0].plan.makespan_s
        return one.plan.makespan_s / nominal_s if nominal_s > 0 else 1.0

    def _excess(self, one: Candidate) -> float:
        """Return by what share of the nominal makespan a candidate is beyond the price."""
        return max(self._paid_by(one) - 1 - self._price, 0.0)

    def _attempt(self, nominal: Candidate, number: int, limit_s: float) -> Candidate:
        asked = self._with_spread(nominal, _SPREADS[number]) if number < len(_SPREADS) else self._with_slack(nominal)
        share = (1 - _NOMINAL) / (len(_SPREADS) + _SLACKS)
        solution = self._solved(asked, share, _NOMINAL + share * number, limit_s, number)
        plan = keep(self._work, solution.plan).plan
        score = score_of(self._work, plan, self._near)
        report = replace(
            solution.report,
            weighted_tardiness_s=score.tardiness,
            makespan_s=score.makespan,
            status=solution.report.status.replace("optimal", "feasible"),  # it was for other work
            bound_s=nominal.report.bound_s,
            objective=self._solver.objective,
            costs=costs_of(score),
            unsearched=solution.report.unsearched and nominal.report.unsearched,  # it went on from that
        )
        return self._offer(plan, report, asked.spread)

    def _with_spread(self, nominal: Candidate, spread: float) -> _Asked:
        best = self._best()
        work = padded(self._work, spread, _feeding(self._work, best))
        work = due_sooner(work, keep(work, nominal.plan).plan.makespan_s)
        return _Asked(work, best.plan, self._solver.objective, spread)

    def _with_slack(self, nominal: Candidate) -> _Asked:
        """Go on from the best one within the price; where that is refused, orders that pass need come no sooner."""
        _, *tried = self._candidates
        base = min(tried, key=lambda one: (self._excess(one), one.outcome.refused, one.expected_tardiness_s))
        slack_s, refused = dict(self._slack_s), base.outcome.refused_orders
        for order, end_s in _ends_s(self._work, base.plan).items():
            if refused and order not in refused:
                slack_s[order] = min(slack_s[order], max(self._work.orders[order].due_s - end_s, 0.0))
        work = due_sooner(self._work, (1 + self._price) * nominal.plan.makespan_s, slack_s)
        objective = _BETWEEN if self._solver.objective == OBJECTIVE else self._solver.objective
        return _Asked(work, base.plan, objective, 0.0)

    def _learn_slack(self, candidate: Candidate) -> None:
        """Note what orders need: the most that nineteen futures in twenty added to their planned end in a candidate.

        The most of all candidates, since what one order is given is taken from others.
        """
        ends_s = _ends_s(self._work, candidate.plan)
        for one in candidate.outcome.orders:
            needed_s = self._work.seconds(one.p95) - ends_s[one.order]
            had_s = self._slack_s.get(one.order, 0.0)
            more = _MORE if candidate.spread == 0 and one.order in candidate.outcome.refused_orders else 1.0
            self._slack_s[one.order] = max(more * had_s, needed_s)

    def _solved(self, asked: _Asked, share: float, first: float, limit_s: float, attempt: int = 0) -> Solution:
        solver, began = self._solver, time.monotonic()
        part = replace(
            solver,
            seed=solver.seed + attempt,
            time_limit_s=limit_s,
            objective=asked.objective,
            effort=None if solver.effort is None else solver.effort * share,
        )
        found = solve(
            asked.work,
            part,
            lambda done, doing: self._tell(first + share * done, doing),
            self._frozen,
            start=asked.start,
            near=self._near,
        )
        self._solving_s += time.monotonic() - began
        return found

    def _tell(self, done: float, doing: Text) -> None:
        try:
            self._progress(done, doing)
        except Enough:
            self._enough = True
            raise

    def _offer(self, plan: Plan, report: SolverReport, spread: float | None) -> Candidate:
        outcome = self._rehearsed(plan)
        expected_s = sum(self._work.orders[one.order].priority.weight * one.tardiness_mean_s for one in outcome.orders)
        candidate = Candidate(plan, report, spread, outcome, expected_s)
        self._candidates.append(candidate)
        if spread is not None:
            self._learn_slack(candidate)
        return candidate

    def _paid(self, nominal: Candidate, best: Candidate) -> Robustness:
        return Robustness(
            spread=best.spread,
            candidates=len(self._candidates),
            makespan_s=best.plan.makespan_s,
            weighted_tardiness_s=best.report.weighted_tardiness_s,
            expected_tardiness_s=best.expected_tardiness_s,
            refused=best.outcome.refused,
            nominal_makespan_s=nominal.plan.makespan_s,
            nominal_weighted_tardiness_s=nominal.report.weighted_tardiness_s,
            nominal_expected_tardiness_s=nominal.expected_tardiness_s,
            nominal_refused=nominal.outcome.refused,
        )


def _feeding(work: Work, candidate: Candidate) -> frozenset[str]:
    """Return the tasks that others on the candidate's bottleneck wait for."""
    on_it = {one.job_order for one in candidate.plan.operations if one.machine == candidate.outcome.bottleneck}
    return frozenset(name for task in work.tasks if task.id in on_it for name in task.predecessors)


def _ends_s(work: Work, plan: Plan) -> dict[str, float]:
    """Return when each order is done as planned."""
    ends: dict[str, float] = {}
    for task in work.tasks:
        ends[task.order] = max(ends.get(task.order, 0.0), plan.by_job_order[task.id].end_s)
    return ends
