"""How exactly something is to be known, and how many replications that takes.

Replications are added until the half-width is small enough, looked at after whole rounds: the sequential procedure
of Y. S. Chow and H. Robbins ("On the asymptotic theory of fixed-width sequential confidence intervals for the
mean", Annals of Mathematical Statistics 36, 1965), whose coverage tends to the confidence as the half-width shrinks.
How many the next round needs is extrapolated from the half-width so far (A. M. Law, "Simulation Modeling and
Analysis", 5th ed., 2015, section 9.4.1).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from plant.checks import require
from plant.errors import InvalidInput
from scenarios.intervals import Interval

_TEXT = re.compile(r"(\d+(?:\.\d+)?) ?(%?)")
_MARGIN = 1.05
"""Extrapolated counts are taken a little larger: a round too short costs another one."""


@dataclass(frozen=True)
class HalfWidth:
    """The half-width asked for.

    Attributes
    ----------
    value
        In the measure's unit, or a share of the base's mean where `relative`.
    """

    value: float
    relative: bool = False

    def __post_init__(self) -> None:
        require(
            math.isfinite(self.value) and self.value > 0, f"a half-width must be a number above 0, not {self.value!r}"
        )

    @staticmethod
    def parse(text: str) -> HalfWidth:
        """Read ``"0.5"`` (in the measure's unit) or ``"1%"`` (of the base's mean).

        Raises
        ------
        InvalidInput
            If it is written otherwise, or is not above 0.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise InvalidInput(
                f"a half-width is a number in the measure's unit such as 0.5, or a share of the base such as 1%, "
                f"not {text!r}"
            )
        return HalfWidth(float(match[1]) / (100 if match[2] else 1), bool(match[2]))

    def asked(self, base_mean: float) -> float:
        """Return the half-width in the measure's unit.

        One relative to a mean of 0 can never be reached; it is taken as it stands then, as an absolute one.
        """
        return self.value * abs(base_mean) if self.relative and base_mean != 0 else self.value


def replications_for(interval: Interval, asked: float) -> int:
    """Return how many replications are expected to bring an interval to the half-width asked for.

    No more than four times those there are: the standard deviation is an estimate itself.
    """
    if interval.half_width <= asked:
        return interval.replications
    if not math.isfinite(interval.half_width):
        return interval.replications * 4
    needed = interval.replications * (interval.half_width / asked) ** 2 * _MARGIN
    return min(math.ceil(needed), interval.replications * 4)
