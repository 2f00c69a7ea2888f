"""What a machine on the open floor is at."""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """What a machine is at, apart from being down."""

    FREE = 0
    SETUP = 1
    EXECUTING = 2
    BLOCKED = 3
    UPKEEP = 4


FREE, SETUP, EXECUTING, BLOCKED, UPKEEP = Phase
