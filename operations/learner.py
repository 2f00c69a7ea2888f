"""Learning how to look for plans: simulation optimisation over cases drawn from a plant's history. Pure and picklable.

Candidates are drawn at random, halved by how they do (`scenarios.halving`), and the one that is left is held against
the unlearned on cases that nobody has seen yet: only that tells whether it is better, since the best of many is partly
the luckiest. A case is an order book (`methods.order_books`), planned with a fixed effort and rehearsed in the same
futures whoever planned it; what counts is the expected weighted tardiness, then the planned cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from methods.explosion import explode, job_orders
from methods.order_books import OrderBook, PastOrder, drawn
from methods.work import build_work
from operations.futures import Futures
from plant.calibration import Calibration
from plant.checks import require, require_positive
from plant.learned import Learned, Paired
from plant.order import JobProgress, JobState
from plant.ports import Progress, no_progress
from plant.snapshot import Snapshot
from plant.text import Text, told
from plant.tuning import DEFAULT, MoveShares, RuleKind, RuleTuning, Tuning
from plant.version import PlantVersion
from plant.work import Work
from scenarios.halving import Score, best_of, looks
from scenarios.intervals import paired_interval
from scheduler.cost import standing
from scheduler.solve import SolverSettings, solve
from twin.calibrated import apply

_CONFIDENCE = 0.95
_FRESH = 2**20
"""Number of the first case that what was learned is shown on; those it is chosen in count from 0."""

_NO_LIMIT_S = 1e6
"""Seconds; the effort ends each search, so that learning finds the same on every machine."""

_SPREAD = 0.7
"""Of the logarithm of a candidate's shares of moves around those of the unlearned."""

Look = Callable[[Tuning, int], Score]
"""Tells how a tuning does in a case by number: expected weighted tardiness in seconds, then planned costs."""


@dataclass(frozen=True)
class LearningSettings:
    """How hard to learn.

    Attributes
    ----------
    candidates
        Tunings that are looked at, the unlearned one included.
    first_cases
        In which all of them are looked at; the better half in twice as many, and so on.
    cases
        On which the best is held against the unlearned.
    effort
        Of the search in each case, as `SolverSettings.effort`.
    replications
        Futures each plan is rehearsed in.
    """

    candidates: int = 32
    first_cases: int = 2
    cases: int = 40
    effort: float = 0.5
    replications: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (("candidates", 2), ("first_cases", 1), ("cases", 10), ("replications", 2), ("seed", 0)):
            value = getattr(self, name)
            require(
                value >= least,
                told("{name} must be at least {least}, not {value}", name=name, least=least, value=value),
            )
        require_positive("effort", self.effort)


@dataclass(frozen=True)
class Subject:
    """What is learned from, and for.

    Attributes
    ----------
    past
        The orders of the plant.
    books
        What was open when plans were made.
    solver
        How plans are made; its limits and tuning are replaced.
    used
        The tuning that is in use, None for the unlearned.
    """

    version: PlantVersion
    past: tuple[PastOrder, ...]
    books: tuple[OrderBook, ...]
    solver: SolverSettings
    calibration: Calibration | None = None
    used: Tuning | None = None


def learn(subject: Subject, settings: LearningSettings, progress: Progress = no_progress) -> Learned:
    """Return the best tuning found, and how it does against the unlearned.

    Parameters
    ----------
    progress
        May raise `Cancelled`: nothing is learned then.

    Raises
    ------
    InvalidInput
        If there is no order to draw cases from, or a case cannot be planned.
    """
    require(bool(subject.books), told("there is no order to learn from; enter orders first"))
    telling = _Telling(progress)
    look = Cases(subject, settings, telling.again).look
    tuning, unlearned, used = learned(look, settings, subject.used, telling.tell)
    moments = [book.at for book in subject.books]
    return Learned(
        subject.version.id,
        tuning,
        unlearned,
        used,
        None if subject.calibration is None else subject.calibration.id,
        min(moments),
        max(moments),
        len(subject.past),
        settings.candidates,
        settings.seed,
    )


def learned(
    look: Look, settings: LearningSettings, used: Tuning | None = None, progress: Progress = no_progress
) -> tuple[Tuning, Paired | None, Paired | None]:
    """Return the best tuning, how it does against the unlearned, and how against what is in use, on fresh cases."""
    arms = [DEFAULT, *([] if used in (None, DEFAULT) else [used])]
    arms += [candidate(settings.seed, number) for number in range(settings.candidates - 1)]
    known: dict[tuple[Tuning, int], Score] = {}
    total = looks(len(arms), settings.first_cases) + (2 + (len(arms) > settings.candidates)) * settings.cases

    def counted(tuning: Tuning, case: int) -> Score:
        if (tuning, case) not in known:
            progress(min(len(known) / total, 1.0), told("planning and rehearsing case {n:count}", n=len(known) + 1))
            known[tuning, case] = look(tuning, case)
        return known[tuning, case]

    best = best_of(arms, counted, settings.first_cases)
    is_own, others = best != DEFAULT, used not in (None, DEFAULT, best)
    unlearned = _paired(counted, best, DEFAULT, settings.cases) if is_own else None
    against = _paired(counted, best, used, settings.cases) if is_own and used is not None and others else None
    progress(1.0, told("learned"))
    return best, unlearned, against


def _paired(look: Look, one: Tuning, other: Tuning, cases: int) -> Paired:
    """Return how one does against another on fresh cases, the same for both."""
    found_s = [[look(tuning, case)[0] for tuning in (one, other)] for case in range(_FRESH, _FRESH + cases)]
    mine, theirs = np.array(found_s).T
    found = paired_interval(mine, theirs, _CONFIDENCE)
    return Paired(
        learned_s=float(mine.mean()),
        other_s=float(theirs.mean()),
        half_width_s=found.half_width,
        confidence=_CONFIDENCE,
        cases=cases,
        better=int((mine < theirs).sum()),
        worse=int((mine > theirs).sum()),
    )


def candidate(seed: int, number: int) -> Tuning:
    """Return tuning `number` of a seed, drawn at random: mostly apparent tardiness cost, far beyond the usual grid."""
    dice = np.random.default_rng((seed, number, 1))
    others = [kind for kind in RuleKind if kind is not RuleKind.ATC]
    kind = RuleKind.ATC if dice.random() < 0.85 else others[dice.integers(len(others))]
    care = 0.0 if dice.random() < 0.1 else _between(dice, 0.002, 2.0)
    wait = float(dice.choice([0.0, 0.25, 0.5, 1.0]))
    return Tuning(RuleTuning(kind, _between(dice, 1.0, 1000.0), care, wait), _shares(dice))


def _between(dice: np.random.Generator, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform, to three digits."""
    return float(f"{np.exp(dice.uniform(np.log(low), np.log(high))):.3g}")


def _shares(dice: np.random.Generator) -> MoveShares:
    usual = DEFAULT.shares
    batch = _spread(dice, (usual.split, usual.join, 1 - usual.split - usual.join))
    moves = _spread(dice, (usual.earlier, usual.ahead, usual.gather, usual.elsewhere, usual.later))
    return MoveShares(
        round(float(dice.uniform(0.4, 0.95)), 3), *batch[:2], round(float(dice.uniform(0.0, 0.4)), 3), *moves
    )


def _spread(dice: np.random.Generator, shares: Sequence[float]) -> list[float]:
    """Return other shares of the same things, to three digits; the last takes what rounding leaves."""
    drawn_ = np.array(shares) * np.exp(dice.normal(0.0, _SPREAD, len(shares)))
    rounded = [round(float(one), 3) for one in drawn_ / drawn_.sum()]
    return [*rounded[:-1], round(1 - sum(rounded[:-1]), 3)]


class _Telling:
    """Passes progress on, and tells the last of it again while a case takes long: whoever cancels need not wait."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: tuple[float, Text] = (0.0, told("learning"))

    def tell(self, share: float, doing: Text) -> None:
        """Tell how far learning is."""
        self._last = share, doing
        self._progress(share, doing)

    def again(self, share: float, doing: Text) -> None:
        """Tell once more, whatever the search for one plan says of itself."""
        self._progress(*self._last)


class Cases:
    """The cases of a subject: each is the same for every tuning. Only the last one is kept: plants are big."""

    def __init__(self, subject: Subject, settings: LearningSettings, progress: Progress) -> None:
        self._subject, self._settings, self._progress = subject, settings, progress
        self._last: tuple[int, Work] | None = None

    def look(self, tuning: Tuning, case: int, attempt: int = 0) -> Score:
        """Plan a case with a tuning and rehearse the plan; another attempt searches otherwise for the same case."""
        settings, work = self._settings, self._work(case)
        solver = replace(
            self._subject.solver,
            time_limit_s=_NO_LIMIT_S,
            effort=settings.effort,
            stagnation_s=None,
            seed=settings.seed + case + attempt,
            tuning=tuning,
        )
        found = solve(work, solver, self._progress)
        futures = Futures(settings.replications, settings.seed + case, self._subject.calibration)
        late_s = (
            work.orders[one.order].priority.weight * one.tardiness_mean_s for one in futures.orders(work, found.plan)
        )
        return (sum(late_s), *standing(found.report))

    def _work(self, case: int) -> Work:
        if self._last is None or self._last[0] != case:
            self._last = case, self._drawn(case)
        return self._last[1]

    def _drawn(self, case: int) -> Work:
        book = drawn(self._subject.books, self._settings.seed, case)
        plant, calibration = self._subject.version.plant, self._subject.calibration
        jobs = [job for order in book.orders for job in job_orders(plant, explode(plant, order))]
        waiting = [JobProgress(job, JobState.WAITING) for job in jobs]
        work = build_work(plant, book.orders, waiting, Snapshot(book.at))
        return work if calibration is None else apply(work, calibration)
