"""How long a CUSUM chart runs until it signals, on average: what the limits of `twin.drift` are chosen by.

Average run lengths of the one-sided chart ``S <- max(0, S + z - k)``, signal at ``S >= h``, with independent standard
normal `z` whose mean is shifted, from the Markov chain of D. Brook and D. A. Evans, "An approach to the probability
distribution of cusum run length", Biometrika 59 (1972), 539-549. Two charts side by side, one for each direction,
have ``1/L = 1/L_up + 1/L_down`` (K. W. Kemp, "The average run length of the cumulative sum chart when a V-mask is
used", JRSS B 23 (1961), 149-153). No procedure that signals falsely no more often has a shorter worst-case delay than
the one-sided chart with ``k`` half of a known shift (G. V. Moustakides, "Optimal stopping times for detecting changes
in distributions", Annals of Statistics 14 (1986), 1379-1387).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from plant.checks import require, require_positive

_STATES = 300
"""Cells of [0, h): run lengths are right to 0.1 % with as many."""


def arl_from_zero(limit: float, reference: float, shift: float, states: int = _STATES) -> float:
    """Return the average run length of a one-sided chart that starts at 0, in observations.

    This is also its worst-case average delay: a change that comes when the sum is above 0 is seen sooner.

    Parameters
    ----------
    limit, reference
        `h` and `k`, in standard deviations.
    shift
        Mean of the observations, in standard deviations.
    """
    return float(_arls(limit, reference, shift, states)[0])


def arl_steady(limit: float, reference: float, shift: float, states: int = _STATES) -> float:
    """Return the average delay of a one-sided chart when the change comes after a long quiet time without signal."""
    before = _transitions(limit, reference, 0.0, states)
    values, vectors = np.linalg.eig(before.T)
    quiet = np.abs(vectors[:, values.real.argmax()].real)
    return float(quiet @ _arls(limit, reference, shift, states) / quiet.sum())


def arl_two_sided(limit: float, reference: float, shift: float, states: int = _STATES) -> float:
    """Return the average run length from zero of two charts, one for each direction."""
    up, down = (arl_from_zero(limit, reference, sign * shift, states) for sign in (1, -1))
    return 1 / (1 / up + 1 / down)


def arl_siegmund(limit: float, reference: float, shift: float) -> float:
    """Return the average run length of a one-sided chart by Siegmund's closed approximation.

    ``(exp(-2 d b) + 2 d b - 1) / (2 d²)`` with ``d = shift - k``, ``b = h + 1.166`` and ``b²`` at ``d = 0``;
    D. Siegmund, "Sequential Analysis", Springer 1985, equation 2.57.
    """
    drift, width = shift - reference, limit + 1.166
    if drift == 0:
        return width**2
    return (math.expm1(-2 * drift * width) + 2 * drift * width) / (2 * drift**2)


def limit_for(arl: float, reference: float, *, two_sided: bool = True) -> float:
    """Return the limit `h` with which a chart that nothing changes for runs `arl` observations on average.

    Raises
    ------
    InvalidInput
        If `arl` or `reference` is not positive, or `arl` is below what any limit gives.
    """
    require_positive("arl", arl)
    require_positive("reference", reference)
    sides = 2 if two_sided else 1
    low, high = 0.1, (math.log(2 * arl * sides * reference**2 + 1) + 2) / reference
    require(
        arl_from_zero(low, reference, 0.0) < arl * sides, f"an average run length of {arl} is too short for a chart"
    )
    return float(brentq(lambda limit: arl_from_zero(limit, reference, 0.0) - sides * arl, low, high, xtol=1e-6))


def _arls(limit: float, reference: float, shift: float, states: int) -> NDArray[np.float64]:
    chain = _transitions(limit, reference, shift, states)
    return np.asarray(np.linalg.solve(np.eye(states) - chain, np.ones(states)), dtype=np.float64)


def _transitions(limit: float, reference: float, shift: float, states: int) -> NDArray[np.float64]:
    """Probabilities between the cells of [0, h), the first being half as wide around 0; the rest is the signal."""
    width = 2 * limit / (2 * states - 1)
    at = np.arange(states) * width
    below = norm.cdf(at[None, :] + width / 2 - at[:, None] + reference - shift)
    chances: NDArray[np.float64] = np.diff(below, axis=1, prepend=0.0)
    return chances
