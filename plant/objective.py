"""What the best plan is: aims in their order, or weighed against each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plant.checks import require, require_not_negative
from plant.errors import InvalidInput
from plant.text import told


class Aim(StrEnum):
    """What a plan may be good in."""

    TARDINESS = "tardiness"
    MAKESPAN = "makespan"
    SETUP = "setup"
    WORK_IN_PROCESS = "work in process"
    OVERTIME = "overtime"
    ENERGY = "energy"
    NEARNESS = "nearness"


@dataclass(frozen=True)
class Objective:
    """Aims of a plan. A plan that keeps all waits and locks is always better than one that does not.

    Attributes
    ----------
    aims
        The most important first.
    weights
        What a second of each (of energy: a unit of money) costs; empty: the first aim decides, the second between
        equals, and so on.
    """

    aims: tuple[Aim, ...] = (Aim.TARDINESS, Aim.MAKESPAN)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.aims), told("name at least one aim of {known:words}", known=list(Aim)))
        require(
            len(set(self.aims)) == len(self.aims), told("an aim is named twice in {aims:words}", aims=list(self.aims))
        )
        require(
            len(self.weights) in (0, len(self.aims)),
            told("give each of the {n:count} aims a weight, or none", n=len(self.aims)),
        )
        for aim, weight in zip(self.aims, self.weights, strict=False):
            require_not_negative(f"weight of {aim}", weight)
        require(not self.weights or any(self.weights), told("give at least one aim a weight above 0"))

    def __str__(self) -> str:
        """Return the objective as `parsed` reads it."""
        if not self.weights:
            return ", ".join(self.aims)
        return ", ".join(f"{aim} = {weight!r}" for aim, weight in zip(self.aims, self.weights, strict=True))


OBJECTIVE = Objective()
"""What is meant where nothing is said: least weighted tardiness, then least makespan."""


def parsed(text: str) -> Objective:
    """Return the objective of a text such as ``tardiness, setup`` (in order) or ``tardiness = 1, energy = 60``.

    Raises
    ------
    InvalidInput
        For an aim that is unknown or named twice, and a weight that is missing or none.
    """
    parts = [part.partition("=") for part in text.split(",")]
    if any(sign for _, sign, _ in parts):
        return weighed([(name, weight) for name, _, weight in parts])
    return in_order([name for name, _, _ in parts])


def in_order(names: Sequence[str]) -> Objective:
    """Return the objective of aims by name, the most important first; errors as in `parsed`."""
    return Objective(tuple(_aim(name) for name in names))


def weighed(weights: Iterable[tuple[str, object]]) -> Objective:
    """Return the objective of aims by name with their weights; errors as in `parsed`."""
    found = [(_aim(name), weight) for name, weight in weights]
    return Objective(tuple(aim for aim, _ in found), tuple(_weight(aim, weight) for aim, weight in found))


def _aim(name: str) -> Aim:
    try:
        return Aim(name.strip())
    except (ValueError, AttributeError):
        raise InvalidInput(
            told("there is no aim '{aim}'; name some of {known:words}", aim=name, known=list(Aim))
        ) from None


def _weight(aim: Aim, weight: object) -> float:
    try:
        found = float(weight) if isinstance(weight, str | int | float) and not isinstance(weight, bool) else math.nan
    except ValueError:
        found = math.nan
    require(
        math.isfinite(found) and found >= 0,
        told("the weight of {aim:word} must be a number of at least 0, not '{given}'", aim=aim, given=weight),
    )
    return found
