"""Solve, run it in the twin, say what came of it. Pure and picklable: it runs in a process pool."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plant.plan import Plan, SolverReport
from plant.ports import Progress, no_progress
from plant.verdict import Verdict
from plant.work import Work
from scheduler.keep import keep
from scheduler.solve import SolverSettings, solve
from twin.draws import Draws
from twin.replay import replay
from twin.verdict import judge

_SOLVING = 0.9
"""Share of the progress that solving takes."""


@dataclass(frozen=True)
class Rehearsal:
    """A plan, how it was found, and what the twin says of it."""

    plan: Plan
    report: SolverReport
    verdict: Verdict


def rehearse(
    work: Work,
    solver: SolverSettings,
    replications: int,
    seed: int,
    frozen: Plan | None = None,
    progress: Progress = no_progress,
) -> Rehearsal:
    """Make a plan for `work` and run it through `replications` futures of `seed`.

    Parameters
    ----------
    frozen
        Operations that keep machine and place, None when everything may move.

    Raises
    ------
    InvalidInput
        If the work cannot be planned in whole seconds, or frozen operations are circular.
    Cancelled
        If `progress` raises it.
    """

    def solving(share: float, doing: str) -> None:
        progress(_SOLVING * share, doing)

    solution = solve(work, solver, solving, frozen)
    progress(_SOLVING, f"rehearsing {replications:,} futures")
    verdict = _verdict(work, solution.plan, Draws(seed, replications))
    progress(1.0, "rehearsed")
    return Rehearsal(solution.plan, solution.report, verdict)


def rehearse_plan(work: Work, plan: Plan, replications: int, seed: int, progress: Progress = no_progress) -> Verdict:
    """Return what the twin says of leaving `plan` in force from now on, in the same futures `rehearse` sees.

    Orders that the plan does not cover to their end are not in the verdict: it says nothing of them.
    """
    progress(0.0, f"rehearsing the plan in force in {replications:,} futures")
    kept = keep(work, plan)
    verdict = _verdict(kept.work, kept.plan, Draws(seed, replications))
    progress(1.0, "rehearsed")
    return replace(verdict, orders=tuple(one for one in verdict.orders if one.order in kept.orders))


def _verdict(work: Work, plan: Plan, draws: Draws) -> Verdict:
    if not work.tasks:
        return Verdict("replay", draws.replications, draws.seed, (), (), 0.0, None)
    return judge(work, plan, replay(work, plan, draws))
