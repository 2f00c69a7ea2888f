"""Solve, run it in the twin, say what came of it. Pure and picklable: it runs in a process pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import cache, partial

from operations import gate, robust
from operations.futures import Futures
from operations.gate import Thresholds
from operations.locked import as_planned, missed_s
from operations.remedies import RemedyRules, Ward, remedies_for
from operations.robust import Choice, Outcome
from plant.calibration import Calibration
from plant.order import Priority
from plant.plan import Plan, Robustness, SolverReport
from plant.ports import Progress, no_progress
from plant.text import Text, told
from plant.verdict import Judgement, Verdict
from plant.work import Work
from scheduler.check import check
from scheduler.keep import keep
from scheduler.solve import SolverSettings
from scheduler.stop import Enough
from twin.calibrated import apply
from twin.critical import critical_shares
from twin.fidelity import Forecast, forecast
from twin.longest_waits import broken_waits
from twin.replay import Replay
from twin.verdict import judge, order_verdicts

LOOKING = 0.8
"""Share of the progress that looking for a plan takes."""

_UNKNOWN = Forecast({}, {})
"""What is kept of a plan that was not rehearsed."""

_OTHER_FUTURES = 2**31
"""Added to the seed for the futures candidates are compared in: the winner must not have been chosen by its luck."""


@dataclass(frozen=True)
class Terms:
    """What is asked of a plan and what may be paid for it.

    Attributes
    ----------
    price
        Share of the nominal makespan that may be paid for certainty; see `operations.robust`.
    zone
        The plant's time zone; dates in sentences are told in it.
    asked_for
        Whether somebody asked for the plan, who can agree on another date for a new order that no plan helps. A plan
        that nobody asked for is not refused for such an order: that would leave a breakdown unmended.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    price: float = 0.05
    remedies: RemedyRules = field(default_factory=RemedyRules)
    zone: tzinfo = UTC
    asked_for: bool = True


@dataclass(frozen=True)
class Examination:
    """What the twin says of a plan, what the gate makes of it, and what is kept to be held against it later."""

    verdict: Verdict
    judgement: Judgement
    forecast: Forecast


@dataclass(frozen=True)
class Rehearsal:
    """A plan, how it was found, what was paid for certainty (None: nothing compared), and how it was examined."""

    plan: Plan
    report: SolverReport
    robustness: Robustness | None
    verdict: Verdict
    judgement: Judgement
    forecast: Forecast


def rehearse(
    work: Work,
    solver: SolverSettings,
    replications: int,
    seed: int,
    frozen: Plan | None = None,
    calibration: Calibration | None = None,
    in_force: Plan | None = None,
    terms: Terms | None = None,
    progress: Progress = no_progress,
) -> Rehearsal:
    """Make a robust plan for `work`, run it through `replications` futures of `seed`, and judge it.

    Parameters
    ----------
    frozen
        Operations that keep machine and place, None when everything may move.
    calibration
        What takes the place of planned times, and how well it is known; None for the plan as it stands.
    in_force
        The plan it is judged against and may be asked to stay near to, None when there is none.
    solver
        Its time limit is for everything but remedies (`Terms.remedies`): search, rehearsals of candidates, and that of
        the plan that is chosen. A first plan is looked for and rehearsed at any rate.

    Raises
    ------
    InvalidInput
        If the work cannot be planned in whole seconds, or frozen operations are circular.
    Cancelled
        If `progress` raises it; `Enough` takes the best plan so far.
    """
    patience = Patience(progress)
    choice = look(work, solver, replications, seed, patience, frozen, calibration, in_force, terms)
    examined = examine(work, choice.plan, replications, seed, frozen, calibration, in_force, terms, patience.examining)
    return rehearsal_of(choice, examined)


def rehearsal_of(choice: Choice, examined: Examination) -> Rehearsal:
    """Return a plan that was chosen together with how it was examined, and a note where it was hardly looked for."""
    judgement = examined.judgement
    if choice.report.unsearched:
        judgement = replace(judgement, notes=(*judgement.notes, _unsearched()))
    return Rehearsal(choice.plan, choice.report, choice.robustness, examined.verdict, judgement, examined.forecast)


def _unsearched() -> Text:
    return told(
        "The time ran out before the search for a better plan began, so this is the first that was found. Allow more "
        "time (planning.time_limit_s, --time-limit), or run `forerun compile` once: until then each process may have "
        "to compile the search first."
    )


def look(
    work: Work,
    solver: SolverSettings,
    replications: int,
    seed: int,
    patience: Patience,
    frozen: Plan | None = None,
    calibration: Calibration | None = None,
    in_force: Plan | None = None,
    terms: Terms | None = None,
    start: Plan | None = None,
) -> Choice:
    """Return the plan for `work` that does best in futures of its own, within the solver's time limit.

    Parameters are those of `rehearse` and `operations.robust.choose`.
    """
    terms = terms or Terms()
    known = work if calibration is None else apply(work, calibration)
    futures = Futures(replications, seed + _OTHER_FUTURES, calibration)
    kept = None if in_force is None else futures.keeping(known, in_force)
    alone = _alone(futures, known, terms)

    def outcome(plan: Plan) -> Outcome:
        patience.tell(told("rehearsing {n:count} futures", n=replications))
        ran = futures.run(known, plan)
        orders = order_verdicts(ran)
        missed = gate.findings(futures.verdict(orders), kept, _priorities(known), terms.thresholds, alone)
        spoiled = sum(gate.spoils(one, kept, terms.thresholds) for one in broken_waits(ran))
        blocking = frozenset(one.verdict.order for one in missed if one.blocks)
        return Outcome(orders, len(blocking) + spoiled, blocking, _bottleneck(ran), missed_s(known, plan))

    return robust.choose(known, solver, frozen, terms.price, outcome, patience.looking, start=start, near=in_force)


def examine(
    work: Work,
    plan: Plan,
    replications: int,
    seed: int,
    frozen: Plan | None = None,
    calibration: Calibration | None = None,
    in_force: Plan | None = None,
    terms: Terms | None = None,
    progress: Progress = no_progress,
) -> Examination:
    """Judge a plan, however it was made: is it possible, does it leave what is frozen, how sure is it, what would help.

    Parameters are those of `rehearse`. A plan that is not possible is refused without a rehearsal.
    """
    terms = terms or Terms()
    known = work if calibration is None else apply(work, calibration)
    problems = list(problems_of(known, plan, frozen))
    futures = Futures(replications, seed, calibration)
    if problems:
        nothing = futures.verdict(())
        return Examination(nothing, gate.judge_plan(nothing, None, {}, terms.thresholds, problems=problems), _UNKNOWN)
    progress(0.0, told("rehearsing {n:count} futures", n=replications))
    ran = futures.run(known, plan)
    verdict = judge(known, plan, ran)
    kept = None if in_force is None else futures.keeping(known, in_force)
    alone, priorities = _alone(futures, known, terms), _priorities(known)
    blocking = [one for one in gate.findings(verdict, kept, priorities, terms.thresholds, alone) if one.blocks]
    held = frozenset() if frozen is None else frozenset(frozen.by_job_order)
    ward = Ward(known, plan, verdict, ran, futures, terms.thresholds, held, terms.zone)
    remedies = remedies_for(ward, blocking, terms.remedies, progress)
    judgement = gate.judge_plan(verdict, kept, priorities, terms.thresholds, terms.zone, (), remedies, alone)
    progress(1.0, told("rehearsed"))
    return Examination(verdict, judgement, forecast(ran) if known.tasks else _UNKNOWN)


def problems_of(work: Work, plan: Plan, frozen: Plan | None = None) -> Iterator[Text]:
    """Yield what makes a plan impossible, or what it moves that must stay."""
    for problem in check(as_planned(work, plan), plan):
        yield told("The plan is not possible: {problem}.", problem=problem)
    if frozen is None:
        return
    for held in keep(work, frozen).plan.operations:
        planned = plan.by_job_order.get(held.job_order)
        if planned is None or (planned.machine, planned.position) != (held.machine, held.position):
            yield told(
                "The plan moves {job}, which is about to begin on {machine}; it must stay there in its place.",
                job=held.job_order,
                machine=held.machine,
            )


def _alone(futures: Futures, work: Work, terms: Terms) -> gate.Alone | None:
    return None if terms.asked_for else cache(partial(futures.alone, work))


def _priorities(work: Work) -> Mapping[str, Priority]:
    return {name: demand.priority for name, demand in work.orders.items()}


def _bottleneck(ran: Replay) -> str | None:
    machines = critical_shares(ran)
    return max(machines, key=lambda name: machines[name]) if machines else None


class Patience:
    """Passes progress on; whoever has had enough of looking for plans (`Enough`) still gets the verdict."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._share = progress, 0.0
        self._enough = False

    def looking(self, share: float, doing: Text) -> None:
        """Tell how far looking for a plan is; `Enough` ends it."""
        if self._enough:
            raise Enough
        self._share = LOOKING * share
        self._progress(self._share, doing)

    def tell(self, doing: Text) -> None:
        """Tell what is done meanwhile."""
        self._patiently(doing)

    def examining(self, share: float, doing: Text) -> None:
        """Tell how far the examination is."""
        self._share = LOOKING + (1 - LOOKING) * share
        self._patiently(doing)

    def _patiently(self, doing: Text) -> None:
        try:
            self._progress(self._share, doing)
        except Enough:
            self._enough = True
