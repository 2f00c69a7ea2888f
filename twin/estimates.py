"""Estimates made of posterior draws, alike for every parameter."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from plant.calibration import Estimate, Fit, Parameter

Array = NDArray[np.float64]

STORED_DRAWS = 100
"""Joint posterior draws kept of each parameter: what the twin's replications choose from."""


def generator_for(purpose: str, subject: str = "") -> np.random.Generator:
    """Return a generator keyed by what it draws: the order of estimates changes none of them."""
    text = f"calibration\0{purpose}\0{subject}".encode()
    key = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def of_draws(
    parameter: Parameter,
    machine: str | None,
    subject: str,
    draws: Array,
    count: int,
    censored: int,
    planned: float | None,
    fit: Fit | None = None,
) -> Estimate:
    low, value, high = np.quantile(draws, [0.05, 0.5, 0.95])
    used = parameter not in (Parameter.PERFORMANCE, Parameter.SETUP_VARIATION)  # the twin draws none of these
    kept = draws[:: max(len(draws) // STORED_DRAWS, 1)][: STORED_DRAWS if used else 0]
    return Estimate(
        parameter,
        machine,
        subject,
        *stated(low, value, high),
        int(count),
        int(censored),
        planned,
        fit,
        rounded(kept),
    )


def stated(low: float, value: float, high: float) -> tuple[float, float, float]:
    """Return value, low, high as estimates take them, to six significant digits, which keeps their order."""
    return float(f"{value:.6g}"), float(f"{low:.6g}"), float(f"{high:.6g}")


def rounded(draws: Array) -> tuple[float, ...]:
    return tuple(float(f"{draw:.5g}") for draw in draws)
