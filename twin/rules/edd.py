"""EDD: the earliest due date goes first (Jackson 1955)."""

from __future__ import annotations

from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting


class Edd(DispatchingRule):
    """Earliest due date."""

    name: ClassVar[str] = "EDD"
    is_static: ClassVar[bool] = True

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by due date."""
        return lot.due_s
