"""Equipment health, planned stops and condition signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.shown.clock import ClockView
from operations.health import Contribution, SignalHistory
from plant.plant import PlannedStop
from twin.health import HealthState


@dataclass(frozen=True)
class MachineHealth:
    """A machine's health index in [0, 1], 1 being as new; None while it is not known."""

    machine: str
    name: str
    area: str
    index: float | None
    state: HealthState
    contributions: tuple[Contribution, ...]
    at: datetime | None


@dataclass(frozen=True)
class HealthView:
    """All machines' health, in any order.

    Attributes
    ----------
    names
        Of all machines of the plant, by id.
    stops
        Planned stops that are not over, by machine.
    """

    clock: ClockView
    machines: tuple[MachineHealth, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, PlannedStop] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalsView:
    """The condition signals of one machine over the last hours."""

    machine: str
    start: datetime
    end: datetime
    columns: tuple[SignalHistory, ...] = field(default=())
