"""What a benchmark answers: figures, one JSON object each, and how two sides are measured against each other."""

from __future__ import annotations

import json
import operator
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_COMPARISONS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    unit
        ``"s"``, ``"1"`` for a ratio, ``"1/s"``, ...
    reach
        What it should reach, such as ``">= 0.8"``; empty where it only informs.
    detail
        How it came about: counts, the other times measured, spreads.
    """

    name: str
    value: float
    unit: str
    reach: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Tell whether the value is what it should be; None where nothing was asked."""
        if not self.reach:
            return None
        sign, limit = self.reach.split()
        return bool(_COMPARISONS[sign](self.value, float(limit)))

    def line(self) -> str:
        """Return the figure as one line of JSON."""
        return json.dumps(
            {
                "figure": self.name,
                "value": significant(self.value),
                "unit": self.unit,
                "reach": self.reach,
                "detail": self.detail,
            }
        )


def significant(value: float, digits: int = 4) -> float:
    """Round to so many significant digits."""
    return float(f"{value:.{digits}g}")


def in_turn(sides: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Run every side once, then again in turn, `repeats` times; return the seconds each run took, per side.

    The first round, which warms caches up, is not measured. Taking turns lets whatever else the machine does fall
    on all sides alike.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, side in sides.items():
            began = time.perf_counter()
            side()
            if turn:
                times[name].append(time.perf_counter() - began)
    return times


def median_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the median over turns of `one` relative to `other`."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))
