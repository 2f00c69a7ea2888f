"""Solve, run it in the twin, say what came of it. Pure and picklable: it runs in a process pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plant.calibration import Calibration
from plant.plan import Plan, SolverReport
from plant.ports import Progress, no_progress
from plant.text import Text, told
from plant.verdict import Verdict
from plant.work import Work
from scheduler.keep import keep
from scheduler.solve import SolverSettings, solve
from twin.calibrated import CalibratedDraws, apply
from twin.draws import Draws
from twin.fidelity import Forecast, forecast
from twin.rehearse import rehearse as rehearsed
from twin.verdict import judge

_SOLVING = 0.9
"""Share of the progress that solving takes."""


@dataclass(frozen=True)
class Rehearsal:
    """A plan, how it was found, what the twin says of it, and what is kept of that to be held against it later."""

    plan: Plan
    report: SolverReport
    verdict: Verdict
    forecast: Forecast


def rehearse(
    work: Work,
    solver: SolverSettings,
    replications: int,
    seed: int,
    frozen: Plan | None = None,
    calibration: Calibration | None = None,
    progress: Progress = no_progress,
) -> Rehearsal:
    """Make a plan for `work` and run it through `replications` futures of `seed`.

    Parameters
    ----------
    frozen
        Operations that keep machine and place, None when everything may move.
    calibration
        What takes the place of planned times, and how well it is known; None for the plan as it stands.

    Raises
    ------
    InvalidInput
        If the work cannot be planned in whole seconds, or frozen operations are circular.
    Cancelled
        If `progress` raises it.
    """

    def solving(share: float, doing: Text) -> None:
        progress(_SOLVING * share, doing)

    known = work if calibration is None else apply(work, calibration)
    solution = solve(known, solver, solving, frozen)
    progress(_SOLVING, told("rehearsing {n:count} futures", n=replications))
    verdict, predicted = _judged(known, solution.plan, seed, replications, calibration)
    progress(1.0, told("rehearsed"))
    return Rehearsal(solution.plan, solution.report, verdict, predicted)


def rehearse_plan(
    work: Work,
    plan: Plan,
    replications: int,
    seed: int,
    calibration: Calibration | None = None,
    progress: Progress = no_progress,
) -> Verdict:
    """Return what the twin says of leaving `plan` in force from now on, in the same futures `rehearse` sees.

    Orders that the plan does not cover to their end are not in the verdict: it says nothing of them.
    """
    progress(0.0, told("rehearsing the plan in force in {n:count} futures", n=replications))
    kept = keep(work if calibration is None else apply(work, calibration), plan)
    verdict, _ = _judged(kept.work, kept.plan, seed, replications, calibration)
    progress(1.0, told("rehearsed"))
    return replace(verdict, orders=tuple(one for one in verdict.orders if one.order in kept.orders))


def _judged(
    work: Work, plan: Plan, seed: int, replications: int, calibration: Calibration | None
) -> tuple[Verdict, Forecast]:
    if not work.tasks:
        return Verdict("replay", replications, seed, (), (), 0.0, None), Forecast({}, {})
    draws = Draws(seed, replications)
    if calibration is not None:
        draws = CalibratedDraws(seed, replications, calibration=calibration, work=work, plan=plan)
    ran = rehearsed(work, plan, draws)
    return judge(work, plan, ran), forecast(ran)
