"""Calibration of hidden factories: do stated intervals hold the truth, and are promises kept as often as stated.

Factories are drawn at random with 30 plant days of history each; nobody tells the calibration how. Then a plan of
each is judged by the twin as planned and as calibrated, and held against the factory itself: probabilities to be on
time, and the dates that are stated as P80 and P90.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, significant
from benchmarks.hidden_factories import SINCE, HiddenFactory, hidden_factory, history
from benchmarks.hidden_plans import STATED, Judged, judged
from plant.calibration import Calibration, Estimate, Parameter
from plant.version import version_of
from twin.calibrate import calibrate
from twin.observations import observe

FIRST_SEED = 20260302
DAYS = 30.0
KINDS = (
    Parameter.DURATION,
    Parameter.SETUP,
    Parameter.TIME_BETWEEN_FAILURES,
    Parameter.TIME_TO_REPAIR,
    Parameter.SCRAP,
)
_BINS = 10


def run(quick: bool) -> Iterable[Figure]:
    """Yield coverage per kind, the error of mean durations, Brier skill and expected calibration error."""
    factories, replications, truths = (20, 300, 500) if quick else (200, 1000, 2000)
    scores, plans = [], []
    for number in range(factories):
        factory = hidden_factory(FIRST_SEED + number)
        calibration = calibrated(factory)
        scores.append(score(factory, calibration))
        plans.append(judged(factory, calibration, replications, truths))
    yield from coverage_figures(scores)
    yield from _error_figures(scores)
    yield from _honesty_figures(plans, 200 if quick else 2000)
    yield from date_figures(plans)


def calibrated(factory: HiddenFactory, days: float = DAYS) -> Calibration:
    """Calibrate a factory from the history it leaves behind."""
    past = history(factory, days)
    seen = observe(factory.plant, past.intervals, past.jobs, SINCE, past.until)
    return calibrate(factory.plant, version_of(factory.plant).id, seen)


@dataclass(frozen=True)
class Score:
    """How one factory's estimates compare with the truth.

    Attributes
    ----------
    covered
        Per kind and estimate: whether the interval holds the true value.
    counts
        Per kind: complete observations and censored ones.
    errors, jobs
        Of each pair's mean duration: relative error, and the complete jobs it rests on.
    """

    covered: dict[Parameter, list[bool]] = field(default_factory=dict)
    counts: dict[Parameter, tuple[int, int]] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)


def score(factory: HiddenFactory, calibration: Calibration) -> Score:
    """Hold a calibration against the truth."""
    found = Score()
    for estimate in calibration.estimates:
        true = truth(factory, estimate)
        if true is None:
            continue
        kind = estimate.parameter
        found.covered.setdefault(kind, []).append(estimate.low <= true <= estimate.high)
        complete, censored = found.counts.get(kind, (0, 0))
        found.counts[kind] = complete + estimate.count, censored + estimate.censored
        if kind is Parameter.DURATION:
            found.errors.append(abs(estimate.value / true - 1))
            found.jobs.append(estimate.count)
    return found


def truth(factory: HiddenFactory, estimate: Estimate) -> float | None:
    """Return the true value of what is estimated, None for parameters that are not scored."""
    machine, subject = estimate.machine or "", estimate.subject
    if estimate.parameter is Parameter.DURATION:
        return factory.duration[machine, subject]
    if estimate.parameter is Parameter.SETUP:
        before, _, after = subject.partition(" -> ")
        return factory.setup[machine, before, after] if after else None
    if estimate.parameter is Parameter.TIME_BETWEEN_FAILURES:
        return factory.between_failures[machine].mean
    if estimate.parameter is Parameter.TIME_TO_REPAIR:
        return factory.repair[machine].mean
    return factory.scrap[subject] if estimate.parameter is Parameter.SCRAP else None


def coverage(scores: Sequence[Score], kind: Parameter) -> float:
    """Return the share of intervals of a kind that hold the truth."""
    return float(np.mean([hit for one in scores for hit in one.covered[kind]]))


def coverage_figures(scores: Sequence[Score]) -> Iterable[Figure]:
    """Yield, per kind, how far the coverage of the 90 % intervals lies from 90 %."""
    for kind in KINDS:
        share = coverage(scores, kind)
        hits = sum(len(one.covered[kind]) for one in scores)
        per_factory = [float(np.mean(one.covered[kind])) for one in scores]
        yield Figure(
            f"calibration_coverage_gap_{kind.replace(' ', '_')}",
            abs(share - 0.9),
            "1",
            "<= 0.04",
            {
                "coverage": significant(share),
                "standard_error": significant(float(np.std(per_factory, ddof=1)) / len(scores) ** 0.5),
                "intervals": hits,
                "factories": len(scores),
                "observations": sum(one.counts[kind][0] for one in scores),
                "censored": sum(one.counts[kind][1] for one in scores),
                "days": DAYS,
            },
        )


def _error_figures(scores: Sequence[Score]) -> Iterable[Figure]:
    errors = np.concatenate([one.errors for one in scores])
    jobs = np.concatenate([one.jobs for one in scores]).astype(float)
    order = np.argsort(errors)
    heights = np.cumsum(jobs[order]) / jobs.sum()
    yield Figure(
        "calibration_duration_error",
        float(errors[order][np.searchsorted(heights, 0.9)]),
        "1",
        "<= 0.05",
        {
            "is": "relative error of the mean that nine jobs in ten stay below",
            "mean_over_jobs": significant(float(np.average(errors, weights=jobs))),
            "mean_over_pairs": significant(float(errors.mean())),
            "share_of_jobs_within_5_percent": significant(float(np.average(errors <= 0.05, weights=jobs))),
            "share_of_pairs_within_5_percent": significant(float(np.mean(errors <= 0.05))),
            "pairs": len(errors),
            "jobs": int(jobs.sum()),
            "days": DAYS,
        },
    )


def brier(said: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected Brier score of each forecast: outcomes come true with probability `true`."""
    expected: NDArray[np.float64] = (said - true) ** 2 + true * (1 - true)
    return expected


def calibration_error(said: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Return the expected calibration error: per tenth, how far the mean forecast lies from what came true."""
    places = np.minimum((said * _BINS).astype(int), _BINS - 1)
    gaps = np.abs(np.bincount(places, said - true, _BINS))
    return float(gaps.sum() / len(said))


def _honesty_figures(plans: Sequence[Judged], resamples: int) -> Iterable[Figure]:
    random = np.random.default_rng(FIRST_SEED)
    samples = [random.integers(len(plans), size=len(plans)) for _ in range(resamples)]

    def skill(chosen: Iterable[int]) -> float:
        said, true, plan = _columns(plans, chosen)
        return float(1 - brier(said, true).mean() / brier(plan, true).mean())

    def error(chosen: Iterable[int]) -> float:
        said, true, _ = _columns(plans, chosen)
        return calibration_error(said, true)

    said, true, plan = _columns(plans, range(len(plans)))
    shared = {"plans": len(plans), "orders": len(said)}
    low, high = np.quantile([skill(chosen) for chosen in samples], [0.05, 0.95])
    yield Figure(
        "calibration_brier_skill",
        skill(range(len(plans))),
        "1",
        ">= 0.2",
        {
            "interval_90": [significant(float(low)), significant(float(high))],
            "brier_calibrated": significant(float(brier(said, true).mean())),
            "brier_uncalibrated": significant(float(brier(plan, true).mean())),
            "brier_of_the_truth_itself": significant(float((true * (1 - true)).mean())),
            "on_time_in_truth": significant(float(true.mean())),
            **shared,
        },
    )
    low, high = np.quantile([error(chosen) for chosen in samples], [0.05, 0.95])
    yield Figure(
        "calibration_expected_error",
        error(range(len(plans))),
        "1",
        "<= 0.03",
        {
            "interval_90": [significant(float(low)), significant(float(high))],
            "uncalibrated": significant(calibration_error(plan, true)),
            "bins": _BINS,
            **shared,
        },
    )


def date_figures(plans: Sequence[Judged]) -> Iterable[Figure]:
    """Yield, per stated quantile, how far from it the share of orders lies that are truly done by its date."""
    for quantile in STATED:
        per_plan = np.array([float(one.covered[quantile].mean()) for one in plans])
        yield Figure(
            f"stated_p{quantile * 100:.0f}_gap",
            abs(float(per_plan.mean()) - quantile),
            "1",
            "<= 0.04",
            {
                "covered": significant(float(per_plan.mean())),
                "standard_error": significant(float(per_plan.std(ddof=1)) / len(plans) ** 0.5),
                "plans": len(plans),
            },
        )


def _columns(
    plans: Sequence[Judged], chosen: Iterable[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    taken = [plans[place] for place in chosen]
    return (
        np.concatenate([one.calibrated for one in taken]),
        np.concatenate([one.truth for one in taken]),
        np.concatenate([one.uncalibrated for one in taken]),
    )
