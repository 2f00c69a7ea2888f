"""Luck, keyed: the same (seed, purpose, subject, ordinal) always yields the same R values.

A counter-based generator (Philox) is keyed by a hash of what the draw is for. So a changed sequence, another
rule or another engine meets the same luck: common random numbers and the exact agreement of `twin.simulate`
with `twin.replay` rest on it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plant.distribution import BY_MOMENTS, Distribution, Family
from plant.distribution_moments import bounds, weibull_shape

__all__ = ["BLOCK", "Draws", "Row", "weibull_shape"]

Row = NDArray[np.float64]

BLOCK = 1024
"""Draws of an endless sequence that are made at a time."""


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
        return _sample(distribution, self._text(purpose, subject, ordinal), self.replications)

    def stream(self, distribution: Distribution, purpose: str, subject: str, replication: int, block: int = 0) -> Row:
        """Return `BLOCK` draws of an endless sequence in one future, shape (BLOCK,): its members block * BLOCK and on.

        What comes without end (the jobs of an arrival stream) is counted, not named: member k of the sequence is the
        same luck whoever asks for it, and one hash serves a thousand of them.
        """
        return _sample(distribution, f"{self._text(purpose, subject, block)}\0{replication}", BLOCK)

    def beyond(self, distribution: Distribution, threshold: float, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return R draws of what is left of a quantity that is known to exceed `threshold`, shape (R,).

        ``X - threshold`` given ``X > threshold``; at a threshold of 0 the same as `row`. It is found by inversion of
        the survival function or, for the families that are not given by their moments, by drawing again until every
        future exceeds the threshold. Of a quantity that cannot exceed it, or did not in 1,000 trials, nothing is left.
        """
        if threshold <= 0 or distribution.mean == 0 or distribution.family is Family.CONSTANT:
            return np.maximum(self.row(distribution, purpose, subject, ordinal) - max(threshold, 0.0), 0.0)
        return self._beyond(distribution, threshold, distribution.variation, self._text(purpose, subject, ordinal))

    def _beyond(self, distribution: Distribution, threshold: float | Row, variation: float | Row, text: str) -> Row:
        if distribution.family not in BY_MOMENTS:
            return self._beyond_by_trial(distribution, threshold, text)
        # Minus the logarithm of the survivors' share: exponential, and so much more than it was at the threshold.
        more = _generator(text).standard_exponential(self.replications)
        return remainder(distribution, threshold, more, variation)

    def _beyond_by_trial(self, distribution: Distribution, threshold: float | Row, text: str) -> Row:
        left = np.zeros(self.replications)
        for trial in range(_TRIALS):
            open_ = left <= 0
            if not open_.any():
                break
            more = _sample(distribution, f"{text}\0trial {trial}", self.replications) - threshold
            np.copyto(left, np.maximum(more, 0.0), where=open_)
        return left

    def setup_factor(self, machine: str, before: str | None, after: str) -> Row | None:
        """Return what a changeover takes over what the work says of it, shape (R,); None where that is 1 throughout."""
        return None

    def uniform(self, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return R uniform draws from [0, 1), shape (R,)."""
        return self._generator(purpose, subject, ordinal).random(self.replications)

    def failures(self, successes: int, chance: float, purpose: str, subject: str, ordinal: int = 0) -> Row:
        """Return how often each future fails before its `successes`-th success, shape (R,): negative binomial.

        Parameters
        ----------
        chance
            Of a success, above 0.
        """
        generator = self._generator(purpose, subject, ordinal)
        return generator.negative_binomial(successes, chance, self.replications).astype(float)

    def _generator(self, purpose: str, subject: str, ordinal: int) -> np.random.Generator:
        return _generator(self._text(purpose, subject, ordinal))

    def _text(self, purpose: str, subject: str, ordinal: int) -> str:
        return f"{self.seed}\0{purpose}\0{subject}\0{ordinal}"


def _sample(distribution: Distribution, text: str, size: int) -> Row:
    """Draw `size` values with the generators that `text` keys; the first of them do not depend on `size`."""
    if distribution.mean == 0 or distribution.family is Family.CONSTANT:
        return np.full(size, distribution.mean)
    if distribution.family in _SAMPLERS:
        return _SAMPLERS[distribution.family](_generator(text), distribution, size)
    return _COMPOSERS[distribution.family](distribution, text, size)


def _generator(text: str) -> np.random.Generator:
    key = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype=np.uint64)
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


def _uniform(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    low, high = distribution.values
    return generator.uniform(low, high, size)


def _triangular(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    low, mode, high = distribution.values
    return generator.triangular(low, mode, high, size)


def _empirical(generator: np.random.Generator, distribution: Distribution, size: int) -> Row:
    values = np.array(distribution.values)
    return values[_chosen(generator, distribution.weights or (1.0,) * len(values), size)]


def _chosen(generator: np.random.Generator, weights: tuple[float, ...], size: int) -> NDArray[np.intp]:
    edges = np.cumsum(weights)
    chosen: NDArray[np.intp] = np.searchsorted(edges, generator.random(size) * edges[-1], side="right")
    return chosen


def remainder(
    distribution: Distribution, threshold: float | Row, more: Row, variation: float | Row | None = None
) -> Row:
    """Return ``x - threshold`` where the survival function at x is ``exp(-more)`` times that at `threshold`.

    Parameters
    ----------
    distribution
        Of a family that is given by its moments (`plant.distribution.BY_MOMENTS`), but not constant.
    threshold
        One, or of the shape of `more`.
    more
        Increase of the cumulated hazard, at least 0, any shape.
    variation
        Instead of the distribution's own if it is lognormal; of the shape of `more`, too.
    """
    beyond: Row
    if distribution.family is Family.EXPONENTIAL:
        return distribution.mean * more
    if distribution.family is Family.WEIBULL:
        shape = weibull_shape(distribution.variation)
        scale = distribution.mean / math.gamma(1 + 1 / shape)
        beyond = scale * ((threshold / scale) ** shape + more) ** (1 / shape)
    elif distribution.family is Family.LOGNORMAL:
        variance = np.log1p((distribution.variation if variation is None else variation) ** 2)
        location, width = math.log(distribution.mean) - variance / 2, np.sqrt(variance)
        # In logarithms, so that the far tail, where survivors are few beyond counting, is still exact.
        survived = special.log_ndtr(-(np.log(threshold) - location) / width) - more
        beyond = np.exp(location - width * special.ndtri_exp(survived))
    else:
        shape = distribution.variation**-2
        scale = distribution.mean / shape
        share = special.gammaincc(shape, threshold / scale) * np.exp(-more)
        # Where no float can tell the survivors' share, the hazard is that of the exponential the tail approaches.
        beyond = np.where(
            share < _LEAST_SHARE,
            threshold + scale * more,
            scale * special.gammainccinv(shape, np.maximum(share, _LEAST_SHARE)),
        )
    return np.maximum(beyond - threshold, 0.0)


_TRIALS = 1000
_LEAST_SHARE = 1e-290

_SAMPLERS = {
    Family.EXPONENTIAL: _exponential,
    Family.LOGNORMAL: _lognormal,
    Family.GAMMA: _gamma,
    Family.WEIBULL: _weibull,
    Family.UNIFORM: _uniform,
    Family.TRIANGULAR: _triangular,
    Family.EMPIRICAL: _empirical,
}


def _mixture(distribution: Distribution, text: str, size: int) -> Row:
    chosen = _chosen(_generator(text), distribution.weights, size)
    found = np.empty(size)
    for number, part in enumerate(distribution.parts):
        mine = chosen == number
        if mine.any():
            found[mine] = _sample(part, f"{text}\0part {number}", size)[mine]
    return found


def _truncated(distribution: Distribution, text: str, size: int) -> Row:
    """Draw again, each value by itself, what falls outside; at least 1 % falls inside, so this ends."""
    (part,), (low, high) = distribution.parts, bounds(distribution.values)
    found = np.full(size, np.nan)
    outside, attempt = np.ones(size, dtype=bool), 0
    while outside.any():
        again = _sample(part, f"{text}\0attempt {attempt}", size)
        inside = outside & (again >= low) & (again <= high)
        found[inside] = again[inside]
        outside &= ~inside
        attempt += 1
    return found


_COMPOSERS: dict[Family, Callable[[Distribution, str, int], Row]] = {
    Family.MIXTURE: _mixture,
    Family.TRUNCATED: _truncated,
    Family.SHIFTED: lambda one, text, size: _sample(one.parts[0], text, size) + one.values[0],
    Family.SCALED: lambda one, text, size: _sample(one.parts[0], text, size) * one.values[0],
}
