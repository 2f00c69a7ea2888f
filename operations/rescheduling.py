"""After something happened: the plan in force repaired at once, then optimised near it. Pure and picklable."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from operations.rehearsal import LOOKING, Patience, Rehearsal, Terms, examine, look, rehearsal_of
from operations.robust import Choice
from plant.calibration import Calibration
from plant.objective import OBJECTIVE, Aim, Objective
from plant.plan import Plan
from plant.ports import Progress, no_progress
from plant.text import told
from plant.work import Work
from scheduler.cost import score_of
from scheduler.nearness import Nearness, moved, near
from scheduler.objective import rank
from scheduler.repair import Repaired, repair
from scheduler.solve import SolverSettings
from scheduler.to_others import priced
from twin.calibrated import apply

_REMEDIES = 0.2
"""Share of the time limit in which remedies are looked for, at most; that comes on top."""

_LEAST = 0.1
"""Share of the time limit that a search has in any case."""

NEAR = Objective((Aim.TARDINESS, Aim.NEARNESS, Aim.MAKESPAN), (1.0, 0.01, 0.01))
"""What is meant where no objective is set: an operation that starts an hour earlier or later than it was planned to
must save 36 seconds of weighted tardiness. People have prepared for the plan in force."""


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

    Of the repaired plan and those found from it the best one counts. More moves to other machines than asked are made
    only where each of them is worth it; that is looked at, in the second half of the time, where so much could be
    gained at all.

    Parameters
    ----------
    solver
        Where its objective is that of every plan, the search weighs nearness, too (`NEAR`); one that was set stays as
        it is. Its time limit is for everything: repair, search, rehearsals and examination. Remedies come on top, in
        at most a fifth of the limit.

    Raises
    ------
    InvalidInput
        If the work cannot be planned in whole seconds, or the plan in force is circular.
    """
    began = time.monotonic()
    nearby = replace(solver, objective=NEAR) if solver.objective == OBJECTIVE else solver
    known = work if calibration is None else apply(work, calibration)
    repaired = _repaired(known, replanning)
    nearness, in_force, frozen = replanning.nearness, replanning.in_force, replanning.frozen
    bound = near(work, in_force, repaired.plan, nearness.most_moved)
    gainful_s = nearness.worth_s * nearness.most_moved * len(work.tasks) if bound != work else math.inf

    def looked(freedom: Work, start: Plan, until: float, from_: float = 0.0) -> Choice:
        """Look for a plan until a share of the time is spent."""
        left_s = max(until * solver.time_limit_s - (time.monotonic() - began), _LEAST * solver.time_limit_s)
        patience = Patience(lambda share, doing: progress(LOOKING * from_ + (until - from_) * share, doing))
        part = replace(nearby, time_limit_s=left_s)
        return look(freedom, part, replications, seed, patience, frozen, calibration, in_force, terms, start)

    may_gain = repaired.report.weighted_tardiness_s > gainful_s
    best = looked(bound, repaired.plan, 0.5 if may_gain else 1.0)
    if best.report.weighted_tardiness_s > gainful_s:
        free = looked(work, best.plan, 1.0, 0.5)
        best = min(best, free, key=lambda choice: _cost_s(work, replanning, choice))
    patience = Patience(progress)
    hasty = _within(terms or Terms(), _REMEDIES * solver.time_limit_s)
    found = examine(work, best.plan, replications, seed, frozen, calibration, in_force, hasty, patience.examining)
    chosen = rehearsal_of(best, found)
    if _first(known, replanning, solver, repaired.plan) < _first(known, replanning, solver, best.plan):
        kept = rehearse_repair(work, replanning, replications, seed, calibration, terms)
        chosen = kept if kept.judgement.passed or not found.judgement.passed else chosen
    return chosen


def _within(terms: Terms, time_limit_s: float) -> Terms:
    """Return the terms with remedies looked for no longer than that."""
    rules = terms.remedies
    return replace(terms, remedies=replace(rules, time_limit_s=min(rules.time_limit_s, time_limit_s)))


def _repaired(known: Work, replanning: Replanning) -> Repaired:
    return repair(known, replanning.in_force, replanning.frozen, replanning.nearness.most_moved)


def _first(known: Work, replanning: Replanning, solver: SolverSettings, plan: Plan) -> tuple[float, ...]:
    """Return waits and locks that are not kept, and what the objective asks for first (or all, weighed)."""
    return rank(solver.objective, score_of(known, plan, replanning.in_force))[:2]


def _cost_s(work: Work, replanning: Replanning, one: Choice) -> float:
    """Return the weighted tardiness, with what the moves beyond those asked for must be worth."""
    nearness = replanning.nearness
    excess = len(moved(work, replanning.in_force, one.plan)) - nearness.most_moved * len(work.tasks)
    return one.report.weighted_tardiness_s + nearness.worth_s * max(excess, 0.0)
