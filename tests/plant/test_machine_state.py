"""From a controller's numbers to the ten states, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plant.errors import InvalidInput
from plant.machine_state import Interlock, MachineState, PackMLMode, PackMLState, StateInterval, packml_of, state_of

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
SEEN_FROM_OUTSIDE = {MachineState.OFFLINE, MachineState.UNKNOWN}
"""No controller shows these: they say what we do not know."""


@pytest.mark.parametrize("state", sorted(set(MachineState) - SEEN_FROM_OUTSIDE))
def test_there_and_back(state: MachineState) -> None:
    assert state_of(*packml_of(state)) is state


@pytest.mark.parametrize("number", PackMLState)
def test_every_number_of_the_standard_is_a_state(number: PackMLState) -> None:
    assert state_of(number) not in SEEN_FROM_OUTSIDE


@pytest.mark.parametrize("number", [0, -1, 18, 255, 65535])
def test_any_other_number_is_unknown(number: int) -> None:
    assert state_of(number) is MachineState.UNKNOWN
    assert state_of(number, PackMLMode.MAINTENANCE, Interlock.STARVED) is MachineState.UNKNOWN


@pytest.mark.parametrize("mode", PackMLMode)
@pytest.mark.parametrize("number", [PackMLState.ABORTING, PackMLState.ABORTED, PackMLState.CLEARING])
def test_a_fault_is_a_breakdown_in_whatever_mode(number: PackMLState, mode: PackMLMode) -> None:
    assert state_of(number, mode, Interlock.STARVED | Interlock.BLOCKED) is MachineState.BREAKDOWN


def test_the_mode_tells_stops_and_changeovers() -> None:
    assert state_of(PackMLState.STOPPED, PackMLMode.MAINTENANCE) is MachineState.PLANNED_STOP
    assert state_of(PackMLState.EXECUTE, PackMLMode.CHANGEOVER) is MachineState.SETUP
    assert state_of(PackMLState.EXECUTE, PackMLMode.MANUAL) is MachineState.EXECUTING


@pytest.mark.parametrize(
    ("interlocks", "state"),
    [
        (Interlock.NONE, MachineState.HELD),
        (Interlock.STARVED, MachineState.STARVED),
        (Interlock.BLOCKED, MachineState.BLOCKED),
        (Interlock.STARVED | Interlock.BLOCKED, MachineState.STARVED),
    ],
)
def test_interlocks_tell_why_a_machine_is_suspended(interlocks: Interlock, state: MachineState) -> None:
    assert state_of(PackMLState.SUSPENDED, PackMLMode.PRODUCTION, interlocks) is state
    assert state_of(PackMLState.EXECUTE, PackMLMode.PRODUCTION, interlocks) is MachineState.EXECUTING


def test_an_interval_ends_after_it_starts() -> None:
    StateInterval("M01", NOW, None, MachineState.IDLE)
    StateInterval("M01", NOW, NOW + timedelta(microseconds=1), MachineState.IDLE)
    with pytest.raises(InvalidInput, match="M01: an interval must end after"):
        StateInterval("M01", NOW, NOW, MachineState.IDLE)
    with pytest.raises(InvalidInput, match="started_at must be a UTC datetime"):
        StateInterval("M01", NOW.replace(tzinfo=None), None, MachineState.IDLE)
