"""How right the twin was: predictions kept when a plan was made, against what happened while it was in force.

A plan is in force until the next one is released, and its predictions say nothing of what the next one changed. So
each case is looked at up to a moment, `until_s`, that was not chosen by how the case went: the next release, or now.
What is not complete by then is censored, not left out; leaving it out would keep the quick ones and drop the slow.

- Coverage counts the cases whose interval lay wholly before that moment: they are decided, however they went.
- CRPS is integrated up to that moment, ``∫ (F(x) - 1{y <= x})² dx`` for x below `until_s`, which is a proper score of
  what could be seen (T. Gneiting and R. Ranjan, "Comparing density forecasts using threshold- and quantile-weighted
  scoring rules", Journal of Business & Economic Statistics 29 (2011), 411-422).
- The PIT histogram is the product-limit estimate of the distribution of ``F(y)`` over tenths, which is uniform where
  predictions are right (A. P. Dawid, "The prequential approach", JRSS A 147 (1984), 278-292). Of those still open at
  the lower edge of a tenth, and observed to its upper edge, a known share falls into it; the deviations of the tenths
  are uncorrelated, censored or not, and their squares add up to a chi-squared statistic (N. L. Hjort, "Goodness of fit
  tests in models for life history data based on cumulative hazard rates", Annals of Statistics 18 (1990), 1221-1258).
  Orders of one plan share machines and luck: where the cases of a plan deviate together, the statistic is divided by
  how much larger that makes the variance (J. N. K. Rao and A. J. Scott, "The analysis of categorical data from complex
  sample surveys", JASA 76 (1981), 221-230).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from plant.checks import require
from twin.replay import Replay
from twin.verdict import wilson

LEVELS = 39
PROBABILITIES = tuple(number / (LEVELS + 1) for number in range(1, LEVELS + 1))
"""Where predictions are kept: quantiles at 0.025, 0.05, ... 0.975."""
INTERVALS = (0.5, 0.8, 0.95)
TENTHS = 10

_PER_TENTH = (LEVELS + 1) // TENTHS
_LEAST_VARIANCE = 1.0
"""A tenth with less nominal variance, about ten cases, says nothing."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One prediction and what came of it. Times are seconds since the plan's epoch.

    Attributes
    ----------
    plan, subject
        The plan version that predicted, and the order or job order whose completion it predicted.
    quantiles_s
        Predicted completion at `PROBABILITIES`, increasing.
    until_s
        Up to when the prediction was put to the test: the next release, or now.
    completed_s
        When it was complete; None, or after `until_s`, if it was not yet.
    """

    plan: str
    subject: str
    quantiles_s: tuple[float, ...]
    until_s: float
    completed_s: float | None

    def __post_init__(self) -> None:
        where = f"prediction of {self.subject} by {self.plan}"
        require(len(self.quantiles_s) == LEVELS, f"{where}: {LEVELS} quantiles, not {len(self.quantiles_s)}")
        require(
            all(math.isfinite(value) for value in self.quantiles_s)
            and all(a <= b for a, b in zip(self.quantiles_s, self.quantiles_s[1:], strict=False)),
            f"{where}: quantiles must be finite and must not decrease",
        )
        require(math.isfinite(self.until_s), f"{where}: until_s must be a finite number, not {self.until_s!r}")


@dataclass(frozen=True)
class Forecast:
    """What a plan predicts: completion at `PROBABILITIES`, seconds since its epoch, per order and per job order."""

    orders: Mapping[str, tuple[float, ...]]
    job_orders: Mapping[str, tuple[float, ...]]


def forecast(replay: Replay) -> Forecast:
    """Return what a replayed plan predicts; orders without any task are complete and left out."""
    tasks = replay.work.tasks
    orders = list(dict.fromkeys(task.order for task in tasks))
    return Forecast(
        dict(zip(orders, quantiles_of([replay.completion_s(order) for order in orders]), strict=True)),
        dict(zip((task.id for task in tasks), quantiles_of(replay.finish_s), strict=True)),
    )


@dataclass(frozen=True)
class Coverage:
    """Share of decided cases that fell into their central interval, with its 95 % Wilson interval; None without any."""

    level: float
    cases: int
    inside: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class TimeError:
    """Completion against the predicted median, over decided cases.

    Attributes
    ----------
    still_open
        Cases that were not complete at the end: they count with the lateness they had by then, the least it can be.
    bias_s, mae_s
        Mean error (above 0: later than predicted) and mean absolute error.
    """

    cases: int
    still_open: int
    bias_s: float | None
    mae_s: float | None


@dataclass(frozen=True)
class Pit:
    """The PIT histogram.

    Attributes
    ----------
    at_risk, seen
        Per tenth how many cases could have fallen into it, and how many did.
    mass
        Estimated probability of each tenth, 0.1 where predictions are right; None where nothing is known of it.
    p_value
        Of the test that it is uniform; None with too few cases.
    """

    at_risk: tuple[int, ...]
    seen: tuple[int, ...]
    mass: tuple[float | None, ...]
    p_value: float | None


@dataclass(frozen=True)
class Fidelity:
    """How right predictions of one kind were.

    Attributes
    ----------
    plans, cases, completed, censored
        Counts; a censored case was not complete when it was last looked at.
    crps_s
        Mean CRPS in seconds, 0 for a certain prediction that comes true; None without cases.
    """

    plans: int
    cases: int
    completed: int
    censored: int
    coverage: tuple[Coverage, ...]
    crps_s: float | None
    error: TimeError
    pit: Pit


def fidelity(cases: Iterable[Case]) -> Fidelity:
    """Return how right these predictions were."""
    found = list(cases)
    table = _Table(found)
    return Fidelity(
        plans=len({case.plan for case in found}),
        cases=len(found),
        completed=int(np.count_nonzero(table.done)),
        censored=int(np.count_nonzero(~table.done)),
        coverage=tuple(_coverage(table, level) for level in INTERVALS),
        crps_s=float(_crps(table).mean()) if found else None,
        error=_error(table),
        pit=_pit(table),
    )


def quantiles_of(samples: ArrayLike) -> list[tuple[float, ...]]:
    """Return the quantiles to keep of samples of shape (n, replications): n rows at `PROBABILITIES`.

    They are observed values, not means of two: those may lie on either side of a night.
    """
    rows = np.asarray(samples, dtype=np.float64)
    if not len(rows):
        return []
    found = np.quantile(rows, PROBABILITIES, axis=1, method="inverted_cdf").T
    return [tuple(row) for row in found.tolist()]


def crps_of_ensemble(members: ArrayLike, observed: float, *, fair: bool = True) -> float:
    """Return the CRPS of an ensemble, in the unit of its members.

    ``mean |x - y| - sum |x_i - x_j| / (2 m²)``; the fair version divides by ``2 m (m - 1)`` instead and is, in the
    mean, that of the distribution the members were drawn from, however few they are (C. A. T. Ferro, "Fair scores for
    ensemble forecasts", Quarterly Journal of the Royal Meteorological Society 140 (2014), 1917-1923).

    Raises
    ------
    InvalidInput
        If there is no member, or only one for the fair version.
    """
    ordered = np.sort(np.asarray(members, dtype=np.float64).ravel())
    count = len(ordered)
    require(count >= (2 if fair else 1), f"the ensemble has {count} members; the fair CRPS needs 2, the plain one 1")
    # Sum over pairs of |x_i - x_j| by the order statistics: the i-th is the larger one in i pairs.
    pairs = 2.0 * float(np.sum((2 * np.arange(count) - count + 1) * ordered))
    return float(np.abs(ordered - observed).mean()) - pairs / (2 * count * (count - 1 if fair else count))


def crps_of_quantiles(quantiles: ArrayLike, observed: ArrayLike) -> Matrix:
    """Return the CRPS of predictions kept as quantiles at `PROBABILITIES`, shape (n,), in their unit.

    Twice the pinball loss integrated over the probabilities (F. Laio and S. Tamea, "Verification tools for
    probabilistic forecasts of continuous hydrological variables", Hydrology and Earth System Sciences 11 (2007),
    1267-1277, equation 11) by the trapezoidal rule; at 0 and 1 the loss is 0.

    Parameters
    ----------
    quantiles, observed
        Shapes (n, 39) and (n,).
    """
    rows, happened = np.asarray(quantiles, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    over = happened[:, None] - rows
    levels = np.array(PROBABILITIES)
    loss: Matrix = 2 * np.maximum(levels * over, (levels - 1) * over).sum(axis=1) / (LEVELS + 1)
    return loss


class _Table:
    """Cases as columns."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.quantiles_s = np.array([case.quantiles_s for case in cases]).reshape(len(cases), LEVELS)
        self.until_s = np.array([case.until_s for case in cases], dtype=np.float64)
        completed = np.array([math.inf if case.completed_s is None else case.completed_s for case in cases])
        self.done = completed <= self.until_s
        self.seen_s = np.minimum(completed, self.until_s)
        """Completion, or how far it was looked at."""
        names = {name: number for number, name in enumerate(dict.fromkeys(case.plan for case in cases))}
        self.plan = np.array([names[case.plan] for case in cases], dtype=np.intp)

    def column(self, probability: float) -> Matrix:
        """Predicted completion at a probability."""
        return self.quantiles_s[:, round(probability * (LEVELS + 1)) - 1]


def _coverage(table: _Table, level: float) -> Coverage:
    low_s, high_s = table.column((1 - level) / 2), table.column((1 + level) / 2)
    decided = high_s <= table.until_s
    inside = decided & table.done & (low_s <= table.seen_s) & (table.seen_s <= high_s)
    cases, hits = int(decided.sum()), int(inside.sum())
    if not cases:
        return Coverage(level, 0, 0, None, None, None)
    low, (_, missed_low) = wilson(hits, cases)[1], wilson(cases - hits, cases)
    return Coverage(level, cases, hits, hits / cases, low, 1 - missed_low)


def _crps(table: _Table) -> Matrix:
    return crps_of_quantiles(np.minimum(table.quantiles_s, table.until_s[:, None]), table.seen_s)


def _error(table: _Table) -> TimeError:
    decided = table.column(PROBABILITIES[-1]) <= table.until_s
    late_s = (table.seen_s - table.column(0.5))[decided]
    still_open = int((decided & ~table.done).sum())
    if not len(late_s):
        return TimeError(0, 0, None, None)
    return TimeError(len(late_s), still_open, float(late_s.mean()), float(np.abs(late_s).mean()))


def _pit(table: _Table) -> Pit:
    observed = _tenths_before(table.quantiles_s, table.until_s)
    fell = np.where(table.done, _middle_tenths(table), TENTHS)
    at_risk: list[int] = []
    seen: list[int] = []
    mass: list[float | None] = []
    deviations: list[tuple[Matrix, float]] = []
    left: float | None = 1.0
    for tenth in range(TENTHS):
        risk = (fell >= tenth) & ((observed > tenth) | (observed == TENTHS - 1))
        hit = risk & (fell == tenth)
        at_risk.append(int(risk.sum()))
        seen.append(int(hit.sum()))
        share = 1 / (TENTHS - tenth)
        variance = at_risk[-1] * share * (1 - share)
        if variance >= _LEAST_VARIANCE:  # never in the last tenth, whose share is all
            deviations.append((hit - share * risk, variance))
        if left is None or not at_risk[-1]:
            left = None
            mass.append(None)
        else:
            hazard = seen[-1] / at_risk[-1] if tenth < TENTHS - 1 else 1.0
            mass.append(left * hazard)
            left *= 1 - hazard
    return Pit(tuple(at_risk), tuple(seen), tuple(mass), _p_value(deviations, table.plan))


def _p_value(deviations: Sequence[tuple[Matrix, float]], plan: NDArray[np.intp]) -> float | None:
    """Test deviations of the tenths, each with its variance were cases independent; `plan` numbers the clusters."""
    if not deviations:
        return None
    squares = sum(float(deviation.sum()) ** 2 / variance for deviation, variance in deviations)
    clustered = [float((np.bincount(plan, weights=one) ** 2).sum()) / variance for one, variance in deviations]
    inflation = max(1.0, sum(clustered) / len(clustered))
    return float(chi2.sf(squares / inflation, len(deviations)))


def _middle_tenths(table: _Table) -> NDArray[np.intp]:
    """Tenth of the predicted distribution in which each completion lies; of several equal quantiles the middle."""
    below = (table.quantiles_s < table.seen_s[:, None]).sum(axis=1)
    up_to = (table.quantiles_s <= table.seen_s[:, None]).sum(axis=1)
    tenths: NDArray[np.intp] = (below + up_to) // 2 // _PER_TENTH
    return tenths


def _tenths_before(quantiles_s: Matrix, moment_s: Matrix) -> NDArray[np.intp]:
    """How many tenths of each predicted distribution lie wholly before a moment, 9 at most."""
    edges = quantiles_s[:, _PER_TENTH - 1 :: _PER_TENTH]
    tenths: NDArray[np.intp] = (edges <= moment_s[:, None]).sum(axis=1)
    return tenths
