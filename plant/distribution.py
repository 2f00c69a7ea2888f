"""Random quantities as named values with known mean and variance; drawing from them is `twin.draws`' work.

A quantity is one of five families given by mean and coefficient of variation, or is composed::

    uniform(1.0, 3.0)                                    triangular(1.0, 2.0, 4.0)
    empirical([55.0, 58.0, 71.0])                        erlang(3, 60.0)
    mixture([constant(60.0), exponential(600.0)], [0.9, 0.1])
    shifted(exponential(20.0), 40.0)                     scaled(triangular(1.0, 2.0, 4.0), 60.0)
    truncated(Distribution(Family.LOGNORMAL, 60.0, 0.5), 20.0, 200.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from plant.checks import require, require_not_negative
from plant.distribution_moments import moments


class Family(StrEnum):
    """The families a distribution may belong to; from `UNIFORM` on they are given by more than two moments."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    WEIBULL = "weibull"
    UNIFORM = "uniform"
    TRIANGULAR = "triangular"
    EMPIRICAL = "empirical"
    MIXTURE = "mixture"
    SHIFTED = "shifted"
    SCALED = "scaled"
    TRUNCATED = "truncated"


BY_MOMENTS = (Family.CONSTANT, Family.EXPONENTIAL, Family.LOGNORMAL, Family.GAMMA, Family.WEIBULL)
_COMPOSED = (Family.SHIFTED, Family.SCALED, Family.TRUNCATED)
_RELATIVE = 1e-9


@dataclass(frozen=True)
class Distribution:
    """A non-negative random quantity, given by family, mean and coefficient of variation, or composed of others.

    The functions of this module build the composed ones; their moments follow from their parameters.

    Attributes
    ----------
    mean
        Mean, in the unit of the quantity (seconds for times). At least 0.
    variation
        Coefficient of variation: standard deviation over mean. 0 for `constant`, 1 for `exponential`.
    values
        Parameters in the unit of the quantity: (low, high) of a uniform, (low, mode, high) of a triangular one, the
        values of an empirical one, the shift, the factor, the bounds (low,) or (low, high) of a truncated one.
    weights
        Of the values of an empirical one (empty: all alike), or of the parts of a mixture. They need not sum to 1.
    parts
        What a mixture, a shifted, scaled or truncated one is made of.
    """

    family: Family
    mean: float
    variation: float = 0.0
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    parts: tuple[Distribution, ...] = ()

    def __post_init__(self) -> None:
        require_not_negative("mean", self.mean)
        require_not_negative("variation", self.variation)
        if self.family not in BY_MOMENTS:
            _check_composed(self)
            return
        if self.family is Family.CONSTANT:
            require(self.variation == 0, f"a constant has variation 0, not {self.variation!r}")
        elif self.family is Family.EXPONENTIAL:
            require(self.variation == 1, f"an exponential has variation 1, not {self.variation!r}")
        else:
            require(self.variation > 0, f"a {self.family} needs a variation above 0, not {self.variation!r}")

    @property
    def variance(self) -> float:
        """Variance, in the squared unit of the quantity."""
        return (self.mean * self.variation) ** 2


def constant(mean: float) -> Distribution:
    """Return the quantity that always equals `mean`."""
    return Distribution(Family.CONSTANT, mean)


def exponential(mean: float) -> Distribution:
    """Return the memoryless quantity with this mean."""
    return Distribution(Family.EXPONENTIAL, mean, 1.0)


def erlang(phases: int, mean: float) -> Distribution:
    """Return the sum of `phases` exponential quantities that has this mean: a gamma of variation 1/sqrt(phases)."""
    require(phases >= 1, f"an Erlang quantity has at least one phase, not {phases!r}")
    return exponential(mean) if phases == 1 else Distribution(Family.GAMMA, mean, phases**-0.5)


def uniform(low: float, high: float) -> Distribution:
    """Return the quantity that is equally likely anywhere between `low` and `high`."""
    return _composed(Family.UNIFORM, (low, high))


def triangular(low: float, mode: float, high: float) -> Distribution:
    """Return the quantity whose density rises from `low` to `mode` and falls to `high`."""
    return _composed(Family.TRIANGULAR, (low, mode, high))


def empirical(values: Sequence[float], weights: Sequence[float] = ()) -> Distribution:
    """Return the quantity that takes one of `values`, all alike or with these weights."""
    return _composed(Family.EMPIRICAL, tuple(values), tuple(weights))


def mixture(parts: Sequence[Distribution], weights: Sequence[float]) -> Distribution:
    """Return the quantity that is drawn from one of `parts`, chosen with these weights."""
    return _composed(Family.MIXTURE, (), tuple(weights), tuple(parts))


def shifted(part: Distribution, by: float) -> Distribution:
    """Return `part` plus `by` (at least 0)."""
    return _composed(Family.SHIFTED, (by,), (), (part,))


def scaled(part: Distribution, by: float) -> Distribution:
    """Return `part` times `by` (at least 0); the five families given by their moments stay what they are."""
    require_not_negative("factor", by)
    if part.family in BY_MOMENTS:
        return Distribution(part.family, part.mean * by, part.variation)
    return _composed(Family.SCALED, (by,), (), (part,))


def truncated(part: Distribution, low: float = 0.0, high: float = math.inf) -> Distribution:
    """Return `part` given that it lies within [low, high].

    Raises
    ------
    InvalidInput
        If that has a probability below 1 %: almost nothing of the quantity would be left.
    """
    return _composed(Family.TRUNCATED, (low,) if high == math.inf else (low, high), (), (part,))


def _composed(
    family: Family,
    values: tuple[float, ...],
    weights: tuple[float, ...] = (),
    parts: tuple[Distribution, ...] = (),
) -> Distribution:
    _check_parameters(family, values, weights, parts)
    mean, variance = moments(family, values, weights, parts)
    return Distribution(family, mean, math.sqrt(variance) / mean if mean > 0 else 0.0, values, weights, parts)


def _check_composed(one: Distribution) -> None:
    """Refuse parameters that cannot be, and moments that do not follow from them."""
    _check_parameters(one.family, one.values, one.weights, one.parts)
    mean, variance = moments(one.family, one.values, one.weights, one.parts)
    fits = math.isclose(one.mean, mean, rel_tol=_RELATIVE, abs_tol=_RELATIVE)
    fits &= math.isclose(one.variance, variance, rel_tol=1e-6, abs_tol=_RELATIVE)
    require(fits, f"this {one.family} has mean {mean!r} and variance {variance!r}, not {one.mean!r}, {one.variance!r}")


def _check_parameters(
    family: Family, values: tuple[float, ...], weights: tuple[float, ...], parts: tuple[Distribution, ...]
) -> None:
    for value in values:
        require_not_negative(f"a parameter of a {family}", value)
    for weight in weights:
        require_not_negative("a weight", weight)
    if family in (Family.UNIFORM, Family.TRIANGULAR):
        count = 2 if family is Family.UNIFORM else 3
        rising = len(values) == count and list(values) == sorted(values) and values[0] < values[-1]
        require(rising, f"a {family} needs {count} values in rising order, not {values}")
    elif family is Family.EMPIRICAL:
        require(bool(values), "an empirical quantity needs at least one value")
        _check_weights(weights or (1.0,) * len(values), len(values))
    elif family is Family.MIXTURE:
        require(bool(parts), "a mixture needs at least one part")
        _check_weights(weights, len(parts))
    elif family in _COMPOSED:
        require(len(parts) == 1, f"a {family} quantity is made of one part, not {len(parts)}")
        bounds = (1, 2) if family is Family.TRUNCATED else (1,)
        require(len(values) in bounds and list(values) == sorted(values), f"a {family} quantity cannot have {values}")


def _check_weights(weights: Sequence[float], count: int) -> None:
    require(len(weights) == count and sum(weights) > 0, f"{count} weights are needed, not all 0, not {tuple(weights)}")
