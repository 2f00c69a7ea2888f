"""Luck, keyed: the same (seed, purpose, subject, ordinal) always yields the same R values.

A counter-based generator (Philox) is keyed by a hash of what the draw is for. So a changed sequence, another
rule or another engine meets the same luck: common random numbers and the exact agreement of `twin.simulate`
with `twin.replay` rest on it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.distribution import Distribution, Family

Row = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Draws of `replications` parallel futures.

    Attributes
    ----------
    seed
        Chooses the futures.
    replications
        R: every row has this length; entry r belongs to future r.
    """

    seed: int
    replications: int

    def row(self, distribution: Distribution, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return R draws of `distribution`, shape (R,), in its unit.

        Parameters
        ----------
        purpose, subject, ordinal
            What the draw is for: ``("processing", task id)``, ``("time between failures", machine, k)``, ...
        """
        if distribution.mean == 0 or distribution.family is Family.CONSTANT:
            return np.full(self.replications, distribution.mean)
        generator = self._generator(purpose, subject, ordinal)
        return _SAMPLERS[distribution.family](generator, distribution, self.replications)

    def _generator(self, purpose: str, subject: str, ordinal: int) -> np.random.Generator:
        text = f"{self.seed}\0{purpose}\0{subject}\0{ordinal}".encode()
        key = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))


def _exponential(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    return generator.exponential(distribution.mean, size)


def _lognormal(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    variance = math.log1p(distribution.variation**2)
    return generator.lognormal(math.log(distribution.mean) - variance / 2, math.sqrt(variance), size)


def _gamma(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    shape = distribution.variation**-2
    return generator.gamma(shape, distribution.mean / shape, size)


def _weibull(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    shape = weibull_shape(distribution.variation)
    return distribution.mean / math.gamma(1 + 1 / shape) * generator.weibull(shape, size)


def weibull_shape(variation: float) -> float:
    """Return the Weibull shape whose coefficient of variation is `variation` (bisection to 1e-12)."""
    low, high = 0.05, 500.0
    for _ in range(200):
        middle = math.sqrt(low * high)
        first, second = math.lgamma(1 + 1 / middle), math.lgamma(1 + 2 / middle)
        if math.sqrt(max(math.expm1(second - 2 * first), 0.0)) > variation:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


_SAMPLERS = {
    Family.EXPONENTIAL: _exponential,
    Family.LOGNORMAL: _lognormal,
    Family.GAMMA: _gamma,
    Family.WEIBULL: _weibull,
}
