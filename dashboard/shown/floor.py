"""The live floor: machines, what they work on, and their figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.shown.clock import ClockView
from plant.calendar import Window
from plant.machine_state import MachineState, StateInterval


@dataclass(frozen=True)
class OeeView:
    """OEE and its three factors (ISO 22400-2), each None while there is nothing to divide by."""

    oee: float | None
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None


@dataclass(frozen=True)
class RunningJob:
    """A job order on a machine, with the pieces so far."""

    job_order: str
    item: str
    item_name: str
    operation: str
    quantity: int
    good: int
    scrap: int


@dataclass(frozen=True)
class MachineView:
    """A machine as it stands.

    Attributes
    ----------
    jobs
        What it works on; several in a batch, none when it has nothing.
    good, scrap
        Pieces within the floor's window.
    timeline
        Its states within the floor's window, in order; the last one goes on.
    """

    id: str
    name: str
    area: str
    work_center: str
    state: MachineState
    reason: str
    since: datetime | None
    jobs: tuple[RunningJob, ...]
    good: int
    scrap: int
    oee: OeeView
    timeline: tuple[StateInterval, ...] = ()


@dataclass(frozen=True)
class FloorView:
    """The live floor.

    Attributes
    ----------
    window
        The whole shift or day that is on, of which counts and OEE tell the part so far. It does not move with the
        clock: pages place "now" in it by themselves, and would redraw every machine if its ends moved.
    quarantined
        Inputs that were refused and wait to be looked at.
    held_up
        The newest plan, if the gate refuses it: the floor goes on by an older one. None where it does not, and for
        whoever may not see plans.
    """

    clock: ClockView
    window: Window
    machines: tuple[MachineView, ...]
    oee: OeeView
    good: int
    scrap: int
    quarantined: int
    held_up: str | None = None
