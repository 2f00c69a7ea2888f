"""One future of an open floor: what there is, who decides when, and a lot's way through its routing."""

from __future__ import annotations

from plant.plan import Plan
from twin.dispatching import rule_named
from twin.happened import Log
from twin.open_choice import Choice
from twin.open_clock import Clock
from twin.open_demand import Demand
from twin.open_lot import Lot, Order, Queue, Things
from twin.open_luck import Luck
from twin.open_machine import OpenMachine
from twin.open_needs import Needs
from twin.open_passage import Passage
from twin.open_plan import FollowedPlan
from twin.open_shop import OpenShop


class Flow:
    """One future of an open floor.

    Attributes
    ----------
    demand, needs, passage, choice
        What is asked of it, what operations need beside machines, how lots move, what machines take.
    plan
        The plan that machines follow, None where none does.
    pays_to_stay
        Whether a changeover from a family to itself may take time.
    unfinished
        Orders that are not complete.
    """

    def __init__(self, shop: OpenShop, luck: Luck, rule: str | None, plan: Plan | None) -> None:
        plant = shop.model.plant
        self.shop, self.luck = shop, luck
        self.clock = Clock()
        self.log = Log()
        self.crews = {pool.id: Things(pool.id, pool.count) for pool in plant.crews}
        self.pays_to_stay = any(
            one.before == one.after and one.duration_s > 0 for matrix in plant.setup_matrices for one in matrix.times
        )
        names = {rule} if rule else {machine.rule or plant.rule for machine in plant.machines}
        rules = {name: rule_named(name, plan) for name in names}
        self.machines = [
            OpenMachine(self, index, machine, rules[rule or machine.rule or plant.rule])
            for index, machine in enumerate(plant.machines)
        ]
        self._queues = self._make_queues()
        self.orders: list[Order] = []
        self.unfinished = 0
        is_followed = plan is not None and any(machine.sequence is not None for machine in self.machines)
        self.demand = Demand(self)
        self.needs = Needs(self)
        self.plan = FollowedPlan(self, plan) if plan is not None and is_followed else None
        self.passage = Passage(self)
        self.choice = Choice(self)
        self._awake: list[OpenMachine] = []
        self._arrivals = 0

    def _make_queues(self) -> list[Queue]:
        queues = []
        for numbers in self.shop.queues:
            queue = Queue()
            queue.machines = [self.machines[number] for number in numbers]
            for machine in queue.machines:
                machine.queues.append(queue)
            queue.settle_rule()
            queues.append(queue)
        given = {number for stage in self.shop.stages if stage.queue < 0 for number in stage.machines}
        for number in sorted(given):
            machine = self.machines[number]
            machine.own.machines = [machine]
            machine.queues.append(machine.own)
            machine.own.settle_rule()
        return queues

    # Deciding

    def wake(self, machine: OpenMachine) -> None:
        """Have a machine look, once all of this instant has happened, what it could begin."""
        if not machine.awake:
            machine.awake = True
            self._awake.append(machine)

    def decide(self) -> bool:
        """Let every machine that was woken begin what it can, in the plant's order; tell whether to go on."""
        now_s = self.clock.now
        while self._awake:
            woken = self._awake
            self._awake = []
            if len(woken) > 1:
                woken.sort(key=lambda machine: machine.index)
            for machine in woken:
                machine.awake = False
                machine.try_begin(now_s)
        return True

    # A lot's way

    def processed(self, machine: OpenMachine, lots: list[Lot], attendant: int, now_s: float) -> list[Lot]:
        """Count what came out of a step; return the lots that go on, moved to their next stage."""
        outgoing: list[Lot] = []
        rows = self.log.operations
        for lot in lots:
            stage, quantity = lot.stage, lot.quantity
            bad = again = 0
            if not stage.clean:
                bad, again = self.luck.judged(lot)
            rows.append(
                (
                    lot.order.index,
                    stage.number,
                    lot.part,
                    lot.attempt,
                    machine.index,
                    attendant,
                    lot.arrived_s,
                    machine.setup_begun_s,
                    machine.begun_s,
                    now_s,
                    quantity,
                    quantity - bad - again,
                    bad,
                    again,
                )
            )
            if bad or again:
                outgoing += self._split(lot, bad, again, now_s)
                continue
            order = lot.order
            if stage.place + 1 == len(order.stages):
                self._lot_done(lot, now_s)
            else:
                self._move_on(lot, now_s)
                outgoing.append(lot)
        return outgoing

    def _move_on(self, lot: Lot, now_s: float) -> None:
        """Move a lot to the next stage of its routing, where it arrives when it has waited as long as it must."""
        lot.stage = lot.order.stages[lot.stage.place + 1]
        lot.family = lot.stage.family
        lot.ready_s = now_s + lot.stage.operation.wait_least_s

    def _split(self, lot: Lot, bad: int, again: int, now_s: float) -> list[Lot]:
        """Part the pieces of a lot: scrap leaves, rework goes back, the rest goes on."""
        order, stage = lot.order, lot.stage
        order.scrap += bad
        good = lot.quantity - bad - again
        going: list[Lot] = []
        if again:
            order.splits += 1
            back = lot if good == 0 else Lot(order, stage, again, lot.part, lot.number)
            if back is not lot:
                order.lots += 1
            back.quantity, back.attempt, back.passes = again, order.splits, lot.passes + 1
            back.stage = order.stages[stage.back_to]
            back.family = back.stage.family
            going.append(back)
        if good:
            lot.quantity = good
            if stage.place + 1 == len(order.stages):
                self._lot_done(lot, now_s)
            else:
                self._move_on(lot, now_s)
                going.append(lot)
        elif not again:
            lot.quantity = 0
            if lot.leads and self.plan is not None:
                self.plan.leave_out(order, stage.place + 1)
            self._lot_done(lot, now_s)
        return going

    def _lot_done(self, lot: Lot, now_s: float) -> None:
        order = lot.order
        order.good += lot.quantity
        order.lots -= 1
        if order.lots == 0:
            self.demand.complete(order, now_s)

    def pass_on(self, lot: Lot, now_s: float) -> None:
        """Put a lot into the queue it waits in next."""
        queue = self._queues[lot.stage.queue]
        self.queue_up(lot, queue, now_s)
        for machine in queue.machines:
            if machine.phase == 0 and not machine.awake:
                machine.awake = True
                self._awake.append(machine)

    def queue_up(self, lot: Lot, queue: Queue, now_s: float) -> None:
        """Put a lot into a queue."""
        lot.arrived_s = now_s
        self._arrivals += 1
        if self.plan is not None:
            self.plan.note(lot)
        queue.add(lot, self._arrivals)

    def queue_of(self, lot: Lot, machine: OpenMachine) -> Queue:
        """Return the queue in which a lot waits for `machine`."""
        return machine.own if lot.stage.queue < 0 else self._queues[lot.stage.queue]
