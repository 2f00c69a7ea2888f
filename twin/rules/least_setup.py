"""Least setup: what needs the shortest changeover goes first."""

from __future__ import annotations

from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting


class LeastSetup(DispatchingRule):
    """Shortest changeover first."""

    name: ClassVar[str] = "least setup"

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by changeover time."""
        return machine.setup_s(lot.family)
