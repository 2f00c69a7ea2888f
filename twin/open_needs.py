"""What operations on the open floor need beside a machine: people, tools and stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plant.distribution import constant
from plant.item import Attendance, Operation
from twin.open_clock import Moment
from twin.open_lot import Lot, Order, Stock, Things
from twin.open_people import Attendant, People

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine


class Needs:
    """People, tools and stock of one future.

    Attributes
    ----------
    attendants, people
        Everybody in the plant's order, and by what they can do.
    tools, stocks
        Pools of tools, and stock of replenished items, by id.
    """

    def __init__(self, flow: Flow) -> None:
        model = flow.shop.model
        plant = model.plant
        self._flow = flow
        self.attendants = [Attendant(n, person, model.people[person.id]) for n, person in enumerate(plant.people)]
        self.people = People(self.attendants)
        self.tools = {pool.id: Things(pool.id, pool.count) for pool in plant.tools}
        self.stocks = {
            item.id: Stock(item.id, float(model.stock.get(item.id, item.stock)))
            for item in plant.items
            if item.replenishment is not None
        }

    def expect_deliveries(self) -> None:
        """Arrange, at the beginning, what is on order already; order more where that is too little."""
        model = self._flow.shop.model
        for item in model.plant.items:
            if item.replenishment is not None:
                for delivery in item.replenishment.deliveries:
                    at_s = max(model.seconds(delivery.at), 0.0)
                    self.stocks[item.id].on_order += float(delivery.quantity)
                    self._flow.clock.at(at_s, self._delivered, (item.id, float(delivery.quantity)))
                self._reorder(item.id, 0.0)

    def promise(self, order: Order, now_s: float) -> None:
        """Set aside what an order that is released will take."""
        for name, per in order.stages[0].materials:
            self.stocks[name].promised += per * order.quantity
            self._reorder(name, now_s)

    def _things_freed(self) -> None:
        for machine in self._flow.machines:
            if machine.wants:
                self._flow.wake(machine)

    def needs_people(self, machine: OpenMachine, lot: Lot) -> bool:
        """Tell whether somebody must be there when the lot's operation begins."""
        attendance = lot.stage.operation.attendance
        return attendance is Attendance.ALL or (attendance is Attendance.SETUP and machine.setup_s(lot.family) > 0)

    def missing_stock(self, lot: Lot) -> bool:
        """Tell whether a stocked material is short for a lot that begins its routing."""
        if lot.attempt or not lot.stage.materials:
            return False
        return any(self.stocks[name].on_hand < per * lot.quantity - 1e-9 for name, per in lot.stage.materials)

    def attendants_of(self, lots: Sequence[Lot], now_s: float) -> tuple[Attendant, ...] | None:
        """Return who would attend a step that begins now, None if they are not free or not there.

        Who the plan names attends in the order it gives them; a batch is attended as its first member.
        """
        operation, plan = lots[0].stage.operation, self._flow.plan
        planned = None if plan is None else plan.attendant_of(lots)
        if plan is None or planned is None:
            return self.people.free(operation.skill, operation.people, now_s)
        if planned.is_busy or plan.before(lots) or planned.working_time.begin(now_s) > now_s:
            return None
        others = self.people.free(operation.skill, operation.people - 1, now_s, planned)
        return None if others is None else (planned, *others)

    def next_coming_s(self, lots: Sequence[Lot], now_s: float) -> float:
        """Return when to look again for people who are away now; inf where somebody has to become free first."""
        plan = self._flow.plan
        planned = None if plan is None else plan.attendant_of(lots)
        if planned is not None and (comes_s := planned.working_time.begin(now_s)) > now_s:
            return comes_s
        return self.people.next_coming_s(lots[0].stage.operation.skill, now_s)

    def attend(self, machine: OpenMachine, lots: Sequence[Lot], setup_s: float, now_s: float) -> None:
        """Take the people, tools and stock a step needs."""
        lot = lots[0]
        operation = lot.stage.operation
        if operation.attendance is Attendance.ALL or (operation.attendance is Attendance.SETUP and setup_s > 0):
            people = self.attendants_of(lots, now_s)
            assert people is not None
            self._occupy(machine, people)
        self._take_tools(machine, operation)
        if not lot.attempt:
            for name, per in lot.stage.materials:
                self.stocks[name].on_hand -= per * lot.quantity
                self.stocks[name].promised -= per * lot.quantity

    def attend_begun(self, machine: OpenMachine, lots: Sequence[Lot], now_s: float) -> None:
        """Take the people of a step that has begun; where they are not there, it goes on without."""
        operation = lots[0].stage.operation
        if operation.attendance is Attendance.ALL and (people := self.attendants_of(lots, now_s)) is not None:
            self._occupy(machine, people)

    def keep_tools(self, machine: OpenMachine, operation: Operation) -> None:
        """Take the tools of a step that has begun, as far as there are so many."""
        if all(self.tools[name].free for name in operation.tools):
            self._take_tools(machine, operation)

    def _occupy(self, machine: OpenMachine, people: tuple[Attendant, ...]) -> None:
        for one in people:
            one.is_busy = True
        machine.people = people
        names = tuple(one.spec.id for one in people)
        machine.step_time = self._flow.shop.shared_time(machine.spec.calendar, names)

    def _take_tools(self, machine: OpenMachine, operation: Operation) -> None:
        machine.tools = tuple(self.tools[name] for name in operation.tools)
        for tool in machine.tools:
            tool.free -= 1

    def dismiss(self, machine: OpenMachine, since_s: float, now_s: float) -> None:
        """Let the people who attend a machine go."""
        for one in machine.people:
            one.is_busy = False
            self._flow.log.attendance.append((one.index, machine.index, since_s, now_s))
        machine.people = ()
        self._things_freed()

    def release_things(self, machine: OpenMachine, now_s: float) -> None:
        """Give people and tools back at the end of a step."""
        if machine.people:
            self._flow.log.pauses(machine.index, machine.setup_begun_s, now_s, machine.step_time)
            self.dismiss(machine, machine.setup_begun_s, now_s)
        machine.step_time = machine.working_time
        if machine.tools:
            for tool in machine.tools:
                tool.free += 1
            machine.tools = ()
            self._things_freed()

    def _reorder(self, name: str, now_s: float) -> None:
        """Order more of a stocked item, as often as it takes, where too little is left of what is there or comes."""
        item = self._flow.shop.model.plant.item(name)
        stock, policy = self.stocks[name], item.replenishment
        assert policy is not None
        quantity = float(policy.quantity)
        while quantity > 0 and stock.on_hand + stock.on_order - stock.promised <= float(policy.reorder_point):
            lead_time = policy.lead_time or constant(item.lead_time_s)
            arrives_s = now_s + self._flow.luck.named(lead_time, "material", name, stock.orders)
            stock.orders += 1
            stock.on_order += quantity
            self._flow.clock.at(arrives_s, self._delivered, (name, quantity))

    def _delivered(self, moment: Moment) -> None:
        name, quantity = moment.subject
        self.stocks[name].on_order -= quantity
        self.stocks[name].on_hand += quantity
        self._flow.log.deliveries.append((name, self._flow.clock.now, quantity))
        self._things_freed()
