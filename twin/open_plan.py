"""A plan that machines of the open floor follow: whose turn it is on machines and with people."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from twin.open_lot import Lot, Order
from twin.open_people import Attendant

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine
    from twin.open_shop import Stage

Step = tuple[str, ...]
"""Job orders processed together."""


class FollowedPlan:
    """What a plan fixes of one future, and which of its lots wait for their turn.

    Attributes
    ----------
    machine
        Where the plan has each job order, of machines that follow it.
    waiting
        Lots in queues, by job order.
    gone
        Job orders that will never come, because no piece of their order is left.
    has_loose
        Whether lots have come that the plan does not know, of orders it knows: rework, and later transfer batches.

    Raises
    ------
    InvalidInput
        If the plan has something on what is no machine, holds what is not to be done, or has a step attended by
        somebody unknown, by two, or by one who lacks the skill.
    """

    def __init__(self, flow: Flow, plan: Plan) -> None:
        self._flow = flow
        by_name = {machine.spec.id: machine for machine in flow.machines}
        self.machine: dict[str, OpenMachine] = {}
        self.waiting: dict[str, Lot] = {}
        self.gone: set[str] = set()
        self._begun: set[str] = set()
        self.has_loose = False
        self._attendant: dict[str, Attendant] = {}
        self._turns: dict[int, deque[Step]] = {}
        stages = self._stages()
        self._orders = {name.rsplit("-", 1)[0] for name in stages}
        for operation in plan.operations:
            if operation.machine not in by_name:
                raise InvalidInput(f"the plan has {operation.job_order} on {operation.machine!r}, which is no machine")
            if operation.job_order not in stages:
                raise InvalidInput(f"the plan holds {operation.job_order}, which is not to be done; make it anew")
            if by_name[operation.machine].sequence is not None:
                self.machine[operation.job_order] = by_name[operation.machine]
        self._name_attendants(plan, stages)

    def _stages(self) -> dict[str, Stage]:
        """Return what is to be done, by job order."""
        shop = self._flow.shop
        return {
            f"{order.id}-{stage.operation.id}": stage
            for order in shop.model.orders
            for stage in shop.routings[order.item][order.first :]
        }

    def _name_attendants(self, plan: Plan, stages: dict[str, Stage]) -> None:
        attended = self._attended(plan, stages)
        everybody = {one.spec.id: one for one in self._flow.needs.attendants}
        for name, sequence in plan.person_sequences.items():
            for operations in sequence:
                step = tuple(operation.job_order for operation in operations)
                if stages[step[0]].operation.attendance is not Attendance.NONE and step[0] in self.machine:
                    one = _attendant(name, everybody, operations, stages)
                    if step in attended:
                        self._attendant |= dict.fromkeys(step, one)
                        self._turns.setdefault(one.index, deque()).append(step)

    def _attended(self, plan: Plan, stages: dict[str, Stage]) -> set[Step]:
        """Return the steps somebody must be there for: where only changeovers are attended, those with one."""
        found: set[Step] = set()
        running = {
            f"{order.id}-{self._flow.shop.routings[order.item][order.first].operation.id}"
            for order in self._flow.shop.model.orders
            if order.running is not None
        }
        for name, sequence in plan.sequences.items():
            machine = next(one for one in self._flow.machines if one.spec.id == name)
            state = self._flow.shop.model.machines.get(name)
            family = None if state is None else state.setup_family
            for operations in sequence:
                lead = operations[0].job_order
                stage = stages[lead]
                attendance = stage.operation.attendance
                changes = lead not in running and machine.changeover_s(family, stage.family) > 0
                if attendance is Attendance.ALL or (attendance is Attendance.SETUP and changes):
                    found.add(tuple(operation.job_order for operation in operations))
                family = stage.family
        return found

    # Lots

    def knows(self, lot: Lot) -> bool:
        """Tell whether the plan says where and when in turn the lot is processed."""
        return lot.leads and lot.job_order in self.machine and lot.job_order not in self._begun

    def lets(self, lot: Lot, machine: OpenMachine) -> bool:
        """Tell whether a machine may take a lot the plan does not know.

        While its sequence is not done, only what the plan's own orders wait for: rework and later transfer batches.
        """
        done = machine.sequence is None or machine.place == len(machine.sequence)
        return done or lot.order.id in self._orders

    def note(self, lot: Lot) -> None:
        """Note that a lot has come to where it waits for its turn.

        Raises
        ------
        InvalidInput
            If the plan has it on a machine that cannot do it.
        """
        if not self.knows(lot):
            self.has_loose = self.has_loose or lot.order.id in self._orders
            return
        name = lot.job_order
        machine = self.machine[name]
        if machine.index not in lot.stage.machines:
            raise InvalidInput(f"the plan has {name} on {machine.spec.id}, which cannot do it")
        self.waiting[name] = lot

    def next_step(self, machine: OpenMachine) -> Step:
        """Return what a machine must take next, without what will never come; nothing once its sequence is done."""
        sequence = machine.sequence or ()
        while machine.place < len(sequence):
            step = tuple(name for name in sequence[machine.place] if name not in self.gone)
            if step:
                return step
            machine.place += 1
        return ()

    def take(self, machine: OpenMachine, lots: Sequence[Lot]) -> None:
        """Note that a machine takes its next step."""
        machine.place += 1
        for lot in lots:
            del self.waiting[lot.job_order]

    def leave_out(self, order: Order, first: int) -> None:
        """Note that an order has no pieces left for its operations from place `first` on."""
        names = [f"{order.id}-{stage.operation.id}" for stage in order.stages[first:]]
        self.gone.update(name for name in names if name in self.machine)
        for machine in self._flow.machines:
            self._flow.wake(machine)

    # People

    def attendant_of(self, lots: Sequence[Lot]) -> Attendant | None:
        """Return who attends a step by the plan; None where nobody need be there or it leaves that open."""
        return self._attendant.get(lots[0].job_order) if self.knows(lots[0]) else None

    def before(self, lots: Sequence[Lot]) -> Step:
        """Return the step that who attends this one attends first; nothing where this one is next."""
        one = self.attendant_of(lots)
        if one is None:
            return ()
        turns = self._turns[one.index]
        while self.gone.issuperset(turns[0]):
            turns.popleft()
        return () if lots[0].job_order in turns[0] else turns[0]

    def began(self, lots: Sequence[Lot]) -> None:
        """Note that a step has begun: it will not be again, and who attends it turns to the next one afterwards."""
        one = self.attendant_of(lots)
        if one is not None:
            turns = self._turns[one.index]
            turns.remove(next(step for step in turns if lots[0].job_order in step))
        self._begun.update(lot.job_order for lot in lots if self.knows(lot))


def _attendant(
    name: str,
    everybody: dict[str, Attendant],
    operations: Sequence[PlannedOperation],
    stages: dict[str, Stage],
) -> Attendant:
    where = f"the plan's step {', '.join(one.job_order for one in operations)} on {operations[0].machine}"
    people = {operation.person for operation in operations if operation.person is not None}
    if len(people) > 1:
        raise InvalidInput(f"{where} is attended by {' and '.join(sorted(people))}; one attends a batch")
    if name not in everybody:
        known = ", ".join(sorted(everybody)) or "none"
        raise InvalidInput(f"{where} is attended by the unknown {name}; known are {known}")
    lacking = {stages[one.job_order].operation.skill for one in operations} - set(everybody[name].spec.skills)
    if lacking:
        raise InvalidInput(f"{where} needs {', '.join(sorted(lacking))}, which {name} cannot do")
    return everybody[name]
