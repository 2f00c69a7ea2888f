"""What a machine shows on its protocol: some of its signals, all changed at one plant time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from plant.reading import Signal


class Group(StrEnum):
    """Signals that change together; the name is the last part of an MQTT topic."""

    STATE = "state"
    COUNT = "count"
    CONDITION = "condition"


@dataclass(frozen=True)
class Update:
    """New values of one group of one machine's signals.

    Attributes
    ----------
    at
        Plant time (UTC) at which all of `values` began to hold.
    number
        Number of the truth log's entry it stems from; 0 for conditions, which are not logged.
    """

    machine: str
    at: datetime
    group: Group
    values: Mapping[Signal, float | int | str]
    number: int = 0


class Publisher(Protocol):
    """A protocol the emulated machines speak."""

    async def start(self, present: Sequence[Update]) -> None:
        """Open its socket, showing `present` from the first moment on."""
        ...

    async def publish(self, update: Update) -> None:
        """Show the update; must not wait for anyone."""
        ...

    async def stop(self) -> None:
        """Close its socket; harmless when not started."""
        ...
