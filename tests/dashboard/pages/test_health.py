"""The health page's list: the worst machine first, and none that changes places for what nobody sees."""

from __future__ import annotations

from dashboard.pages.health import worst_first
from dashboard.shown.health import MachineHealth
from twin.health import HealthState


def one(machine: str, index: float | None, state: HealthState = HealthState.GOOD) -> MachineHealth:
    """Return a machine's health."""
    return MachineHealth(machine, machine, "", index, state, (), None)


def test_the_worst_comes_first_and_what_looks_the_same_stays_in_order() -> None:
    machines = [
        one("M01", None, HealthState.UNKNOWN),
        one("M02", 0.9999),
        one("M03", 0.9961),
        one("M04", 0.97),
        one("M05", 0.45, HealthState.ACT),
        one("M06", 0.46, HealthState.ACT),
    ]
    assert [found.machine for found in worst_first(machines)] == ["M05", "M06", "M04", "M02", "M03", "M01"]
