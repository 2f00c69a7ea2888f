"""Follow the plan: each machine takes its planned steps in their order, and waits where the next is not there yet.

Lots the plan does not know (rework, orders that came later) are taken once the machine's sequence is done.
"""

from __future__ import annotations

from typing import ClassVar

from plant.errors import InvalidInput
from plant.plan import Plan
from twin.dispatching import Asking, DispatchingRule, Waiting


class FollowThePlan(DispatchingRule):
    """The sequences of a plan."""

    name: ClassVar[str] = "follow the plan"
    is_static: ClassVar[bool] = True

    def __init__(self, plan: Plan | None = None) -> None:
        super().__init__(plan)
        if plan is None:
            raise InvalidInput(f"the rule {self.name!r} needs a plan; hand one in")

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Sort what the plan does not know by arrival."""
        return lot.arrived_s

    def sequence(self, machine: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the planned sequence of a machine."""
        assert self.plan is not None
        steps = self.plan.sequences.get(machine, ())
        return tuple(tuple(operation.job_order for operation in step) for step in steps)
