"""The ten machine states, and the tables that lead to and from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag, StrEnum

from plant.checks import require, require_aware


class MachineState(StrEnum):
    """What a machine is doing."""

    EXECUTING = "executing"
    IDLE = "idle"
    STARVED = "starved"
    BLOCKED = "blocked"
    HELD = "held"
    SETUP = "setup"
    PLANNED_STOP = "planned stop"
    BREAKDOWN = "breakdown"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class PackMLState(IntEnum):
    """State numbers of ISA-TR88.00.02."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class PackMLMode(IntEnum):
    """Unit modes; 1 to 3 are ISA-TR88.00.02's, changeover is the first user-defined one."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3
    CHANGEOVER = 4


class Interlock(IntFlag):
    """Bits of the interlock signal: what holds a suspended machine up."""

    NONE = 0
    STARVED = 1
    BLOCKED = 2


_BY_PACKML = {
    PackMLState.CLEARING: MachineState.BREAKDOWN,
    PackMLState.STOPPED: MachineState.IDLE,
    PackMLState.STARTING: MachineState.EXECUTING,
    PackMLState.IDLE: MachineState.IDLE,
    PackMLState.SUSPENDED: MachineState.HELD,
    PackMLState.EXECUTE: MachineState.EXECUTING,
    PackMLState.STOPPING: MachineState.IDLE,
    PackMLState.ABORTING: MachineState.BREAKDOWN,
    PackMLState.ABORTED: MachineState.BREAKDOWN,
    PackMLState.HOLDING: MachineState.HELD,
    PackMLState.HELD: MachineState.HELD,
    PackMLState.UNHOLDING: MachineState.HELD,
    PackMLState.SUSPENDING: MachineState.HELD,
    PackMLState.UNSUSPENDING: MachineState.HELD,
    PackMLState.RESETTING: MachineState.IDLE,
    PackMLState.COMPLETING: MachineState.EXECUTING,
    PackMLState.COMPLETE: MachineState.IDLE,
}

_SUSPENDED = {PackMLState.SUSPENDING, PackMLState.SUSPENDED, PackMLState.UNSUSPENDING}


def state_of(packml_state: int, packml_mode: int = PackMLMode.PRODUCTION, interlocks: int = 0) -> MachineState:
    """Map a PackML tuple to a machine state; a number outside the standard is `UNKNOWN`."""
    if packml_state not in _BY_PACKML:
        return MachineState.UNKNOWN
    state = _BY_PACKML[PackMLState(packml_state)]
    if state is MachineState.BREAKDOWN:
        return state
    if packml_mode == PackMLMode.MAINTENANCE:
        return MachineState.PLANNED_STOP
    if packml_mode == PackMLMode.CHANGEOVER:
        return MachineState.SETUP
    if packml_state in _SUSPENDED and interlocks & Interlock.STARVED:
        return MachineState.STARVED
    if packml_state in _SUSPENDED and interlocks & Interlock.BLOCKED:
        return MachineState.BLOCKED
    return state


_TO_PACKML = {
    MachineState.EXECUTING: (PackMLState.EXECUTE, PackMLMode.PRODUCTION, Interlock.NONE),
    MachineState.IDLE: (PackMLState.IDLE, PackMLMode.PRODUCTION, Interlock.NONE),
    MachineState.STARVED: (PackMLState.SUSPENDED, PackMLMode.PRODUCTION, Interlock.STARVED),
    MachineState.BLOCKED: (PackMLState.SUSPENDED, PackMLMode.PRODUCTION, Interlock.BLOCKED),
    MachineState.HELD: (PackMLState.HELD, PackMLMode.PRODUCTION, Interlock.NONE),
    MachineState.SETUP: (PackMLState.IDLE, PackMLMode.CHANGEOVER, Interlock.NONE),
    MachineState.PLANNED_STOP: (PackMLState.STOPPED, PackMLMode.MAINTENANCE, Interlock.NONE),
    MachineState.BREAKDOWN: (PackMLState.ABORTED, PackMLMode.PRODUCTION, Interlock.NONE),
}


def packml_of(state: MachineState) -> tuple[int, int, int]:
    """Return the (state, mode, interlocks) tuple a controller shows in this state: the way back of `state_of`."""
    packml_state, mode, interlocks = _TO_PACKML[state]
    return int(packml_state), int(mode), int(interlocks)


@dataclass(frozen=True)
class StateInterval:
    """A machine was in one state, with one job order or none, from `started_at` to `ended_at` (None: still is)."""

    machine: str
    started_at: datetime
    ended_at: datetime | None
    state: MachineState
    reason: str = ""
    job_order: str | None = None

    def __post_init__(self) -> None:
        require_aware("started_at", self.started_at)
        if self.ended_at is not None:
            require_aware("ended_at", self.ended_at)
            require(
                self.started_at < self.ended_at,
                f"{self.machine}: an interval must end after {self.started_at}",
            )
