"""What machines share or need beside work: tools, repair crews, carriers, upkeep and power."""

from __future__ import annotations

from dataclasses import dataclass, fields

from plant.checks import require, require_not_negative, require_positive, require_text
from plant.machine_state import MachineState


@dataclass(frozen=True)
class Pool:
    """A number of things of one kind, each taken by one user at a time: tools, repair crews, carriers."""

    id: str
    count: int = 1

    def __post_init__(self) -> None:
        require_text("id", self.id)
        require(self.count >= 1, f"{self.id}: count must be at least 1, not {self.count!r}")


@dataclass(frozen=True)
class Transport:
    """Going from one work center to another.

    Attributes
    ----------
    before, after
        Work centers.
    time_s
        Clock seconds on the way.
    carrier
        Pool of carriers one of which is under way for `time_s` and then for `return_s` back; None: nothing is needed.
    """

    before: str
    after: str
    time_s: float
    carrier: str | None = None
    return_s: float = 0.0

    def __post_init__(self) -> None:
        require_text("work center", self.before)
        require_text("work center", self.after)
        require_not_negative("time_s", self.time_s)
        require_not_negative("return_s", self.return_s)


@dataclass(frozen=True)
class Maintenance:
    """Preventive maintenance: due each `every_s` operating seconds, begun when the running step is done.

    Attributes
    ----------
    duration_s
        Working seconds.
    crew
        Pool of repair crews one of which does it, None if nobody is waited for.
    """

    every_s: float
    duration_s: float
    crew: str | None = None

    def __post_init__(self) -> None:
        require_positive("every_s", self.every_s)
        require_not_negative("duration_s", self.duration_s)


@dataclass(frozen=True)
class Power:
    """What a machine draws in each of its states, kW."""

    executing: float = 0.0
    setup: float = 0.0
    idle: float = 0.0
    starved: float = 0.0
    blocked: float = 0.0
    held: float = 0.0
    breakdown: float = 0.0
    planned_stop: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            require_not_negative(f"power_kw: {field.name}", getattr(self, field.name))

    def of(self, state: MachineState) -> float:
        """Return the power drawn in `state`, kW; 0 in a state nothing is known of."""
        found: float = getattr(self, state.value.replace(" ", "_"), 0.0)
        return found


NO_POWER = Power()
"""Of a machine whose consumption is not known."""
