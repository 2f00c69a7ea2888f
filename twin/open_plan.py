"""A plan that machines of the open floor follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plant.errors import InvalidInput
from plant.plan import Plan
from twin.open_lot import Lot

if TYPE_CHECKING:
    from twin.open_machine import OpenMachine


class FollowedPlan:
    """What a plan fixes of one future, and which of its lots wait for their turn.

    Attributes
    ----------
    machine
        Where the plan has each job order.
    waiting
        Lots in queues, by job order.

    Raises
    ------
    InvalidInput
        If the plan has something on what is no machine.
    """

    def __init__(self, plan: Plan, machines: Sequence[OpenMachine]) -> None:
        by_name = {machine.spec.id: machine for machine in machines}
        self.machine: dict[str, OpenMachine] = {}
        self.waiting: dict[str, Lot] = {}
        for operation in plan.operations:
            if operation.machine not in by_name:
                raise InvalidInput(f"the plan has {operation.job_order} on {operation.machine!r}, which is no machine")
            self.machine[operation.job_order] = by_name[operation.machine]

    def knows(self, lot: Lot) -> bool:
        """Tell whether the plan says where and when in turn the lot is processed."""
        return not lot.attempt and not lot.part and lot.job_order in self.machine

    def note(self, lot: Lot) -> None:
        """Note that a lot has come to where it waits for its turn.

        Raises
        ------
        InvalidInput
            If the plan has it on a machine that cannot do it.
        """
        if not self.knows(lot):
            return
        name = lot.job_order
        machine = self.machine[name]
        if machine.index not in lot.stage.machines:
            raise InvalidInput(f"the plan has {name} on {machine.spec.id}, which cannot do it")
        self.waiting[name] = lot
