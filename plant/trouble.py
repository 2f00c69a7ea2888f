"""What went wrong on the floor and makes plans stale, as far as was known when one looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TypeVar

from plant.checks import require, require_positive
from plant.plant import Absence, PlannedStop
from plant.text import told

T = TypeVar("T")


@dataclass(frozen=True)
class Tolerances:
    """How far the floor may be from the plan in force before that makes the plan stale.

    Attributes
    ----------
    delay_s
        Working seconds a job order may be behind the plan.
    scrap
        Share of a job order's pieces that may be bad beyond those planned to be.
    """

    delay_s: float = 3600.0
    scrap: float = 0.05

    def __post_init__(self) -> None:
        require_positive("delay_s", self.delay_s)
        require(0 <= self.scrap <= 1, told("scrap must be a share between 0 and 1, not {value}", value=self.scrap))


@dataclass(frozen=True)
class Abort:
    """A job order that was given up and waits for a new place.

    Attributes
    ----------
    times
        How often it was given up so far, this time included.
    at
        Plant time of the latest time.
    """

    times: int
    at: datetime


@dataclass(frozen=True)
class Troubles:
    """What a plan may not have reckoned with.

    A plan carries those it was made with. What comes to light later was not in it, however long ago it happened.

    Attributes
    ----------
    breakdowns
        Start of the breakdown (plant time) by machine.
    aborts
        By job order.
    delays
        By job order that holds others up, when the plan in force has it begin or, if it runs, end.
    rush_orders
        Due date by high-priority customer order with work left.
    absences
        By person.
    late_materials
        When it is expected, by purchased item that job orders wait for.
    scrap
        Bad pieces by job order with more of them than planned and tolerated.
    planned_stops
        By machine.
    """

    breakdowns: Mapping[str, datetime] = field(default_factory=dict)
    aborts: Mapping[str, Abort] = field(default_factory=dict)
    delays: Mapping[str, datetime] = field(default_factory=dict)
    rush_orders: Mapping[str, datetime] = field(default_factory=dict)
    absences: Mapping[str, Absence] = field(default_factory=dict)
    late_materials: Mapping[str, datetime] = field(default_factory=dict)
    scrap: Mapping[str, int] = field(default_factory=dict)
    planned_stops: Mapping[str, PlannedStop] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return any(getattr(self, one.name) for one in fields(self))

    def beyond(self, known: Troubles) -> Troubles:
        """Return those that are not among the `known` ones.

        A breakdown that turned out to have begun earlier than was known is the same one; one that began later is
        the machine's next. So it is with delays and scrap; due dates, absences, deliveries and planned stops are news
        whenever they are others than was known.
        """
        return Troubles(
            breakdowns=_later(self.breakdowns, known.breakdowns),
            aborts={
                job_order: abort
                for job_order, abort in self.aborts.items()
                if job_order not in known.aborts or known.aborts[job_order].times < abort.times
            },
            delays=_later(self.delays, known.delays),
            rush_orders=_other(self.rush_orders, known.rush_orders),
            absences=_other(self.absences, known.absences),
            late_materials=_other(self.late_materials, known.late_materials),
            scrap={name: pieces for name, pieces in self.scrap.items() if pieces > known.scrap.get(name, 0)},
            planned_stops=_other(self.planned_stops, known.planned_stops),
        )


def _later(found: Mapping[str, datetime], known: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: at for name, at in found.items() if name not in known or known[name] < at}


def _other(found: Mapping[str, T], known: Mapping[str, T]) -> dict[str, T]:
    return {name: one for name, one in found.items() if known.get(name) != one}
