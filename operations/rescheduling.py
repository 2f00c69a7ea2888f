"""After something happened: the plan in force repaired at once, then optimised near it. Pure and picklable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from operations.rehearsal import Rehearsal, Terms, examine, rehearse
from plant.calibration import Calibration
from plant.plan import Plan
from plant.ports import Progress, no_progress
from plant.text import Text, told
from plant.work import Work
from scheduler.cost import score_of
from scheduler.nearness import Nearness, moved, near
from scheduler.objective import rank
from scheduler.repair import Repaired, repair
from scheduler.solve import SolverSettings
from scheduler.to_others import priced
from twin.calibrated import apply


@dataclass(frozen=True)
class Replanning:
    """How a plan is made from the one in force.

    Attributes
    ----------
    in_force
        The plan to repair and to stay near to.
    frozen
        Its operations that keep machine and place, None when everything may move.
    """

    in_force: Plan
    frozen: Plan | None
    nearness: Nearness


def rehearse_repair(
    work: Work,
    replanning: Replanning,
    replications: int,
    seed: int,
    calibration: Calibration | None = None,
    terms: Terms | None = None,
    progress: Progress = no_progress,
) -> Rehearsal:
    """Repair the plan in force, run it through `replications` futures of `seed`, and judge it.

    Remedies are not looked for: a repair is wanted at once.

    Raises
    ------
    InvalidInput
        If the plan's sequences are circular.
    """
    progress(0.0, told("repairing the plan in force"))
    terms = terms or Terms()
    at_once = replace(terms, remedies=replace(terms.remedies, most=0))
    known = work if calibration is None else apply(work, calibration)
    repaired = _repaired(known, replanning)
    in_force, frozen = replanning.in_force, replanning.frozen
    found = examine(work, repaired.plan, replications, seed, frozen, calibration, in_force, at_once, progress)
    report = priced(repaired.report, known, repaired.plan, in_force, frozen)
    return Rehearsal(repaired.plan, report, None, found.verdict, found.judgement, found.forecast)


def rehearse_near(
    work: Work,
    replanning: Replanning,
    solver: SolverSettings,
    replications: int,
    seed: int,
    calibration: Calibration | None = None,
    terms: Terms | None = None,
    progress: Progress = no_progress,
) -> Rehearsal:
    """Make the best plan that stays near the one in force, and run it through `replications` futures of `seed`.

    Of the repaired plan and the one found from it the better one counts. More moves to other machines than asked are
    made only where each of them is worth it; that is looked at where so much could be gained at all.

    Raises
    ------
    InvalidInput
        If the work cannot be planned in whole seconds, or the plan in force is circular.
    """
    nearness = replanning.nearness
    known = work if calibration is None else apply(work, calibration)
    repaired = _repaired(known, replanning)
    bound = near(work, replanning.in_force, repaired.plan, nearness.most_moved)
    most = nearness.most_moved * len(work.tasks)

    def half(from_: float) -> Progress:
        def tell(share: float, doing: Text) -> None:
            progress(from_ + share / 2, doing)

        return tell

    in_force, frozen = replanning.in_force, replanning.frozen
    best = rehearse(bound, solver, replications, seed, frozen, calibration, in_force, terms, half(0.0))
    if _first(known, replanning, solver, repaired.plan) < _first(known, replanning, solver, best.plan):
        kept = rehearse_repair(work, replanning, replications, seed, calibration, terms)
        best = kept if kept.judgement.passed or not best.judgement.passed else best
    if bound != work and best.report.weighted_tardiness_s > nearness.worth_s * most:
        free = rehearse(work, solver, replications, seed, frozen, calibration, in_force, terms, half(0.5))
        if _cost_s(work, replanning, free) < _cost_s(work, replanning, best):
            best = free
    progress(1.0, told("rehearsed"))
    return best


def _repaired(known: Work, replanning: Replanning) -> Repaired:
    return repair(known, replanning.in_force, replanning.frozen, replanning.nearness.most_moved)


def _first(known: Work, replanning: Replanning, solver: SolverSettings, plan: Plan) -> tuple[float, ...]:
    """Return waits and locks that are not kept, and what the objective asks for first (or all, weighed)."""
    return rank(solver.objective, score_of(known, plan, replanning.in_force))[:2]


def _cost_s(work: Work, replanning: Replanning, one: Rehearsal) -> float:
    """Return the weighted tardiness, with what the moves beyond those asked for must be worth."""
    nearness = replanning.nearness
    excess = len(moved(work, replanning.in_force, one.plan)) - nearness.most_moved * len(work.tasks)
    return one.report.weighted_tardiness_s + nearness.worth_s * max(excess, 0.0)
