"""ATC, apparent tardiness cost: weight over processing time, discounted by the slack that is left.

Vepsalainen and Morton, "Priority rules for job shops with weighted tardiness costs", Management Science 33 (1987):
w / p * exp(-max(slack, 0) / (k * mean p)); its logarithm is compared here, which never underflows.
"""

from __future__ import annotations

import math
from typing import ClassVar

from twin.dispatching import Asking, DispatchingRule, Waiting, slack_s

LOOK_AHEAD = 3.0
"""k: for how many mean processing times ahead slack counts."""

_LEAST_S = 1e-9


class Atc(DispatchingRule):
    """Greatest apparent tardiness cost first."""

    name: ClassVar[str] = "ATC"
    weighs_priority: ClassVar[bool] = True

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort by the negative logarithm of the apparent tardiness cost."""
        urgency = math.log(lot.weight / (machine.planned_s(lot) or _LEAST_S))
        slack = slack_s(lot, now_s)
        return slack / (LOOK_AHEAD * (machine.mean_work_s or _LEAST_S)) - urgency if slack > 0 else -urgency
