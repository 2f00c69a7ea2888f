"""Mean and variance of composed quantities, from the partial moments of what they are made of.

The partial moment of order k over [low, high] is E[X^k; low <= X <= high]. Smooth densities are integrated by the
tanh-sinh rule (Takahasi and Mori, "Double exponential formulas for numerical integration", 1974), which does not mind
the pole a gamma or Weibull density has at 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from plant.checks import require

if TYPE_CHECKING:
    from plant.distribution import Distribution

_STEP = 1 / 64
_LIMIT = 6.0
_LEAST_LEFT = 0.01
"""Probability a truncation must leave: below it almost every draw would be thrown away."""


def moments(
    family: str, values: Sequence[float], weights: Sequence[float], parts: Sequence[Distribution]
) -> tuple[float, float]:
    """Return mean and variance of a composed quantity; see `plant.distribution.Distribution` for its parameters."""
    if family == "uniform":
        low, high = values
        return (low + high) / 2, (high - low) ** 2 / 12
    if family == "triangular":
        a, b, c = values
        return (a + b + c) / 3, (a * a + b * b + c * c - a * b - a * c - b * c) / 18
    if family == "empirical":
        return _weighted([(value, 0.0) for value in values], weights or [1.0] * len(values))
    if family == "mixture":
        return _weighted([(part.mean, part.variance) for part in parts], weights)
    (part,) = parts
    if family == "shifted":
        return part.mean + values[0], part.variance
    if family == "scaled":
        return part.mean * values[0], part.variance * values[0] ** 2
    low, high = bounds(values)
    left, first, second = (partial(part, low, high, power) for power in range(3))
    require(left >= _LEAST_LEFT, f"only {left:.2%} of the quantity lies within {low!r} and {high!r}; widen the bounds")
    return first / left, max(second / left - (first / left) ** 2, 0.0)


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds of a truncated quantity."""
    return values[0], values[1] if len(values) > 1 else math.inf


def _weighted(parts: Sequence[tuple[float, float]], weights: Sequence[float]) -> tuple[float, float]:
    total = sum(weights)
    mean = sum(weight * part[0] for weight, part in zip(weights, parts, strict=True)) / total
    spread = sum(weight * (part[1] + (part[0] - mean) ** 2) for weight, part in zip(weights, parts, strict=True))
    return mean, spread / total


def partial(one: Distribution, low: float, high: float, power: int) -> float:
    """Return E[X^power; low <= X <= high]."""
    if high < low:
        return 0.0
    family = str(one.family)
    if one.mean == 0 or family == "constant":
        return one.mean**power if low <= one.mean <= high else 0.0
    if family == "empirical":
        weights = one.weights or (1.0,) * len(one.values)
        inside = (w * v**power for w, v in zip(weights, one.values, strict=True) if low <= v <= high)
        return sum(inside) / sum(weights)
    if family == "mixture":
        found = (w * partial(part, low, high, power) for w, part in zip(one.weights, one.parts, strict=True))
        return sum(found) / sum(one.weights)
    if family == "shifted":
        by, part = one.values[0], one.parts[0]
        terms = range(power + 1)
        return sum(math.comb(power, k) * by ** (power - k) * partial(part, low - by, high - by, k) for k in terms)
    if family == "scaled":
        by, part = one.values[0], one.parts[0]
        return by**power * partial(part, low / by, high / by, power)
    if family == "truncated":
        (part,), (least, most) = one.parts, bounds(one.values)
        whole = partial(part, least, most, 0)
        return partial(part, max(low, least), min(high, most), power) / whole
    density, pieces = _density(one)
    edges = [max(low, 0.0), *(edge for edge in pieces if max(low, 0.0) < edge < high), high]
    return sum(_integral(lambda x: x**power * density(x), a, b) for a, b in itertools.pairwise(edges))


def _density(one: Distribution) -> tuple[Callable[[float], float], tuple[float, ...]]:
    """Return the density of a smooth quantity on x > 0, and the places where it bends or its mass lies."""
    mean, family = one.mean, str(one.family)
    if family == "exponential":
        return lambda x: math.exp(-x / mean) / mean, (mean,)
    if family == "lognormal":
        variance = math.log1p(one.variation**2)
        centre = math.log(mean) - variance / 2
        scale = math.sqrt(2 * math.pi * variance)
        return lambda x: math.exp(-((math.log(x) - centre) ** 2) / (2 * variance)) / (x * scale), (math.exp(centre),)
    if family == "gamma":
        shape = one.variation**-2
        rate = shape / mean
        front = shape * math.log(rate) - math.lgamma(shape)
        return lambda x: math.exp(front + (shape - 1) * math.log(x) - rate * x), (mean,)
    if family == "weibull":
        shape = weibull_shape(one.variation)
        scale = mean / math.gamma(1 + 1 / shape)
        return (
            lambda x: shape / scale * math.exp((shape - 1) * math.log(x / scale) - min((x / scale) ** shape, 700.0)),
            (scale,),
        )
    if family == "uniform":
        low, high = one.values
        return lambda x: 1 / (high - low) if low <= x <= high else 0.0, (low, high)
    low, mode, high = one.values
    return lambda x: _triangle(x, low, mode, high), (low, mode, high)


def _triangle(x: float, low: float, mode: float, high: float) -> float:
    if x < low or x > high:
        return 0.0
    if x < mode:
        return 2 * (x - low) / ((high - low) * (mode - low))
    return 2 * (high - x) / ((high - low) * (high - mode)) if x > mode else 2 / (high - low)


def _integral(f: Callable[[float], float], low: float, high: float) -> float:
    """Integrate f over (low, high) by the tanh-sinh rule; an infinite half-line is first folded onto (0, 1)."""
    if not low < high:
        return 0.0
    if high == math.inf:
        unit = max(low, 1e-300)
        return _integral(lambda t: f(low + unit * t / (1 - t)) * unit / (1 - t) ** 2 if t < 1 else 0.0, 0.0, 1.0)
    half = (high - low) / 2
    total = 0.0
    count = int(_LIMIT / _STEP)
    for k in range(-count, count + 1):
        t = k * _STEP
        inner = math.pi / 2 * math.sinh(t)
        if abs(inner) > 300:
            continue
        # Distances from the nearer end keep their digits where 1 - tanh would lose them.
        distance = 2 * half / (1 + math.exp(2 * abs(inner)))
        x = low + distance if inner < 0 else high - distance
        if low < x < high:
            total += f(x) * half * math.pi / 2 * math.cosh(t) / math.cosh(inner) ** 2
    return total * _STEP


@cache
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
