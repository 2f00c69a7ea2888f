"""Random quantities as named values with known mean and variance; drawing from them is `twin.draws`' work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.checks import require, require_not_negative


class Family(StrEnum):
    """The families a distribution may belong to."""

    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    WEIBULL = "weibull"


@dataclass(frozen=True)
class Distribution:
    """A non-negative random quantity, given by family, mean and coefficient of variation.

    Attributes
    ----------
    mean
        Mean, in the unit of the quantity (seconds for times). At least 0.
    variation
        Coefficient of variation: standard deviation over mean. 0 for `constant`, 1 for `exponential`.
    """

    family: Family
    mean: float
    variation: float = 0.0

    def __post_init__(self) -> None:
        require_not_negative("mean", self.mean)
        require_not_negative("variation", self.variation)
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
