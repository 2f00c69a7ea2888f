"""FIFO: who came first goes first."""

from __future__ import annotations

from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting


class Fifo(DispatchingRule):
    """First in, first out."""

    name: ClassVar[str] = "FIFO"
    is_static: ClassVar[bool] = True

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by arrival in the queue."""
        return lot.arrived_s
