"""SPT: the shortest processing time goes first; it keeps the mean flow time of one machine least (Smith 1956)."""

from __future__ import annotations

from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting


class Spt(DispatchingRule):
    """Shortest processing time."""

    name: ClassVar[str] = "SPT"

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by planned processing time on this machine."""
        return machine.planned_s(lot)
