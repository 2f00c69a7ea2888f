"""What a scenario may change: one module a kind, all of one shape (`scenarios.changes.change.Change`)."""

from __future__ import annotations

from scenarios.changes.cancel_order import CancelOrder
from scenarios.changes.change import Change
from scenarios.changes.demand import Demand
from scenarios.changes.dispatching_rule import DispatchingRule
from scenarios.changes.due_date import DueDate
from scenarios.changes.extra_shift import ExtraShift
from scenarios.changes.late_material import LateMaterial
from scenarios.changes.machine_down import MachineDown
from scenarios.changes.machine_speed import MachineSpeed
from scenarios.changes.new_machine import NewMachine
from scenarios.changes.overtime import Overtime
from scenarios.changes.person_absent import PersonAbsent
from scenarios.changes.plant_closed import PlantClosed
from scenarios.changes.reliability import ReliabilityChange
from scenarios.changes.rush_order import RushOrder
from scenarios.changes.setup_time import SetupTimes

KINDS: dict[str, type[Change]] = {
    kind.KIND: kind
    for kind in (
        CancelOrder,
        Demand,
        DispatchingRule,
        DueDate,
        ExtraShift,
        LateMaterial,
        MachineDown,
        MachineSpeed,
        NewMachine,
        Overtime,
        PersonAbsent,
        PlantClosed,
        ReliabilityChange,
        RushOrder,
        SetupTimes,
    )
}
"""The kinds of change by the name scenario.toml gives them."""

__all__ = ["KINDS", "Change"]
