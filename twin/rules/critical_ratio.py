"""Critical ratio: time left to the due date over work left; below 1 the order is late."""

from __future__ import annotations

import math
from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting


class CriticalRatio(DispatchingRule):
    """Smallest critical ratio first."""

    name: ClassVar[str] = "critical ratio"

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by critical ratio."""
        left_s = lot.due_s - now_s
        return left_s / lot.remaining_s if lot.remaining_s > 0 else math.copysign(math.inf, left_s)
