"""How lots move on the open floor: released, given to machines, carried, blocked, sent back, completed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from plant.arrival import ArrivalStream, WhenFull
from plant.distribution import constant
from plant.errors import InvalidInput
from plant.floor_model import FloorOrder
from plant.item import Attendance, Operation
from plant.plan import Plan
from twin.dispatching import rule_named
from twin.happened import Log
from twin.open_choice import Choice
from twin.open_clock import Clock, Moment
from twin.open_lot import Lot, Order, Queue, Stock, Things
from twin.open_luck import Luck, pieces_hit
from twin.open_machine import OpenMachine
from twin.open_people import Attendant, People
from twin.open_shop import OpenShop, Stage
from twin.open_waits import Waits


class Flow:
    """One future of an open floor.

    Attributes
    ----------
    is_simple
        Nothing but common queues: no finite buffers, no ways.
    waiting, planned_machine
        Only where a plan is followed: lots in queues by job order, and where the plan has each job order.
    """

    def __init__(self, shop: OpenShop, luck: Luck, rule: str | None, plan: Plan | None) -> None:
        model = shop.model
        plant = model.plant
        self.shop, self.luck = shop, luck
        self.clock = Clock()
        self.log = Log()
        self.choice = Choice(self)
        self.tools = {pool.id: Things(pool.id, pool.count) for pool in plant.tools}
        self.crews = {pool.id: Things(pool.id, pool.count) for pool in plant.crews}
        self.carriers = {pool.id: Things(pool.id, pool.count) for pool in plant.carriers}
        self.attendants = [Attendant(n, person, model.people[person.id]) for n, person in enumerate(plant.people)]
        self.people = People(self.attendants)
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
        buffers = any(m.spec.input_buffer is not None or m.spec.output_buffer is not None for m in self.machines)
        self.is_simple = not buffers and not shop.ways and all(stage.queue >= 0 for stage in shop.stages)
        self.orders: list[Order] = []
        self.unfinished = 0
        self.waiting: dict[str, Lot] = {}
        self.planned_machine: dict[str, OpenMachine] = {}
        self._follow(plan)
        self.stocks = {
            item.id: Stock(item.id, float(item.stock)) for item in plant.items if item.replenishment is not None
        }
        self._waits = Waits(self)
        self._awake: list[OpenMachine] = []
        self._arrivals = 0
        self._next_number: dict[str, int] = {}
        self._running: dict[str, list[tuple[Lot, float]]] = {}

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

    def _follow(self, plan: Plan | None) -> None:
        by_name = {machine.spec.id: machine for machine in self.machines}
        if plan is None or all(machine.sequence is None for machine in self.machines):
            return
        for operation in plan.operations:
            if operation.machine not in by_name:
                raise InvalidInput(f"the plan has {operation.job_order} on {operation.machine!r}, which is no machine")
            self.planned_machine[operation.job_order] = by_name[operation.machine]

    # The beginning

    def start(self) -> None:
        """Put everything where it stands at the epoch, and arrange what comes."""
        model = self.shop.model
        for machine in self.machines:
            state = model.machines.get(machine.spec.id)
            if state is not None:
                machine.family = state.setup_family
                if state.down_until is not None and model.seconds(state.down_until) > 0:
                    machine.go_down_until(model.seconds(state.down_until))
        for item in model.plant.items:
            if item.replenishment is not None:
                for delivery in item.replenishment.deliveries:
                    at_s = max(model.seconds(delivery.at), 0.0)
                    self.stocks[item.id].on_order += float(delivery.quantity)
                    self.clock.at(at_s, self._delivered, (item.id, float(delivery.quantity)))
                self._reorder(item.id, 0.0)
        found: dict[str, Order] = {}
        for number, spec in enumerate(model.orders):
            found[spec.id] = self._expect(number, spec, found)
        for machine in self.machines:
            if machine.spec.id in self._running:
                machine.resume(self._running[machine.spec.id])
        for stream in model.plant.arrivals:
            self._open_stream(stream)
        self.decide()

    def _expect(self, number: int, spec: FloorOrder, known: dict[str, Order]) -> Order:
        stages = self.shop.routings[spec.item]
        order = Order(len(self.orders), number, spec.id, stages, spec.quantity, spec.due_s, spec.priority.weight)
        order.customer_order = spec.customer_order
        self.orders.append(order)
        self.unfinished += 1
        for name, per_piece in spec.components.items():
            known[name].parents.append((order, per_piece))
        order.awaits = len(spec.components) + 1
        if spec.running is not None:
            self._resume(order, spec)
        elif spec.release_s <= 0:
            self._component_there(order, spec.first, 0.0)
        else:
            self.clock.at(spec.release_s, lambda moment: self._component_there(order, spec.first, self.clock.now))
        return order

    def _resume(self, order: Order, spec: FloorOrder) -> None:
        assert spec.running is not None
        order.released_s, order.lots, order.awaits = 0.0, 1, 0
        stage = order.stages[spec.first]
        machine = next((one for one in self.machines if one.spec.id == spec.running.machine), None)
        running = self._running.setdefault(spec.running.machine, [])
        if machine is None or machine.index not in stage.machines or len(running) == machine.capacity:
            raise InvalidInput(f"order {order.id} runs on {spec.running.machine}, which cannot be")
        lot = Lot(order, stage, order.quantity, 0, -1)
        if machine.sequence and lot.job_order in machine.sequence[0]:
            machine.place = 1
        running.append((lot, spec.running.remaining_s))

    # Release

    def _component_there(self, order: Order, first: int, now_s: float) -> None:
        order.awaits -= 1
        if order.awaits == 0:
            self._release(order, first, now_s, -1)

    def _open_stream(self, stream: ArrivalStream) -> None:
        if stream.interarrival is None:
            assert stream.wip is not None
            for number in range(stream.wip):
                self._arrive(stream, number, 0.0)
            self._next_number[stream.id] = stream.wip
        else:
            first_s = self.luck.counted(stream.interarrival, "arrival", stream.id, 0)
            self.clock.at(first_s, partial(self._arrival, stream), 0)

    def _arrival(self, stream: ArrivalStream, moment: Moment) -> None:
        number, now_s = moment.subject, self.clock.now
        assert stream.interarrival is not None
        self._arrive(stream, number, now_s)
        gap_s = self.luck.counted(stream.interarrival, "arrival", stream.id, number + 1)
        self.clock.at(now_s + gap_s, partial(self._arrival, stream), number + 1)

    def _arrive(self, stream: ArrivalStream, number: int, now_s: float) -> None:
        due_s = math.inf if stream.due_after_s is None else now_s + stream.due_after_s
        stages = self.shop.routings[stream.item]
        order = Order(
            len(self.orders), number, f"{stream.id}/{number}", stages, stream.quantity, due_s, stream.priority.weight
        )
        order.stream = stream
        self.orders.append(order)
        self.unfinished += 1
        first = stages[0]
        if stream.when_full is WhenFull.LOST and first.queue < 0 and self._place(self._able(first)) is None:
            order.is_lost = True
            order.released_s = order.completed_s = now_s
            self.unfinished -= 1
            return
        self._release(order, 0, now_s, number)

    def _release(self, order: Order, first: int, now_s: float, number: int) -> None:
        order.released_s = now_s
        item = self.shop.model.plant.item(order.stages[0].item)
        size = item.transfer_batch or order.quantity
        parts = max(math.ceil(order.quantity / size), 1) if order.quantity else 0
        order.lots = parts
        if parts == 0:
            self._complete(order, now_s)
        if first == 0:
            for name, per in order.stages[0].materials:
                self.stocks[name].promised += per * order.quantity
                self._reorder(name, now_s)
        for part in range(parts):
            quantity = min(size, order.quantity - part * size)
            counted = number * parts + part if number >= 0 else -1
            self.leave(Lot(order, order.stages[first], quantity, part, counted), None, now_s)

    # Luck

    def factor(self, lot: Lot) -> float:
        """Return what the lot's planned processing time is multiplied with."""
        stage = lot.stage
        if stage.factor is None:
            return 1.0
        if lot.number < 0:
            return self.luck.named(stage.factor, "processing", lot.job_order, lot.attempt)
        subject = f"{stage.name} {lot.attempt}" if lot.attempt else stage.name
        stream = lot.order.stream
        assert stream is not None
        return self.luck.counted(stage.factor, "processing", stream.id + subject, lot.number)

    def work_s(self, machine: OpenMachine, lots: Sequence[Lot]) -> float:
        """Return the processing time of a lot, or of a batch: its longest member's."""
        if len(lots) == 1:
            return machine.planned_s(lots[0]) * self.factor(lots[0])
        return max(machine.planned_s(lot) * self.factor(lot) for lot in lots)

    def repairs_within_s(self, machine: OpenMachine, work_s: float) -> float:
        """Return the repairs that `work_s` more seconds of operation will bring, in working seconds."""
        total_s, at_s, ordinal = 0.0, machine.fail_at_s, machine.failures
        reliability = machine.spec.reliability
        while at_s <= machine.operated_s + work_s:
            assert reliability is not None
            total_s += machine.repair_s(ordinal)
            ordinal += 1
            between = reliability.time_between_failures
            at_s += self.luck.named(between, "time between failures", machine.spec.id, ordinal)
        return total_s

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

    def _things_freed(self) -> None:
        for machine in self.machines:
            if machine.wants:
                self.wake(machine)

    # People, tools, stock

    def needs_people(self, machine: OpenMachine, lot: Lot) -> bool:
        """Tell whether somebody must be there when the lot's operation begins."""
        attendance = lot.stage.operation.attendance
        return attendance is Attendance.ALL or (attendance is Attendance.SETUP and machine.setup_s(lot.family) > 0)

    def missing_stock(self, lot: Lot) -> bool:
        """Tell whether a stocked material is short for a lot that begins its routing."""
        if lot.attempt or not lot.stage.materials:
            return False
        return any(self.stocks[name].on_hand < per * lot.quantity - 1e-9 for name, per in lot.stage.materials)

    def attend(self, machine: OpenMachine, lot: Lot, setup_s: float, now_s: float) -> None:
        """Take the people, tools and stock the lot's operation needs."""
        operation = lot.stage.operation
        if operation.attendance is Attendance.ALL or (operation.attendance is Attendance.SETUP and setup_s > 0):
            people = self.people.free(operation.skill, operation.people, now_s)
            assert people is not None
            self._occupy(machine, people)
        self._take_tools(machine, operation)
        if not lot.attempt:
            for name, per in lot.stage.materials:
                self.stocks[name].on_hand -= per * lot.quantity
                self.stocks[name].promised -= per * lot.quantity

    def attend_running(self, machine: OpenMachine, lot: Lot) -> None:
        """Take the people and tools of a step that has begun; where they are not there, it goes on without."""
        operation = lot.stage.operation
        people = self.people.free(operation.skill, operation.people, 0.0)
        if operation.attendance is Attendance.ALL and people is not None:
            self._occupy(machine, people)
        if all(self.tools[name].free for name in operation.tools):
            self._take_tools(machine, operation)

    def _occupy(self, machine: OpenMachine, people: tuple[Attendant, ...]) -> None:
        for one in people:
            one.is_busy = True
        machine.people = people
        names = tuple(one.spec.id for one in people)
        machine.step_time = self.shop.shared_time(machine.spec.calendar, names)

    def _take_tools(self, machine: OpenMachine, operation: Operation) -> None:
        machine.tools = tuple(self.tools[name] for name in operation.tools)
        for tool in machine.tools:
            tool.free -= 1

    def dismiss(self, machine: OpenMachine, since_s: float, now_s: float) -> None:
        """Let the people who attend a machine go."""
        for one in machine.people:
            one.is_busy = False
            self.log.attendance.append((one.index, machine.index, since_s, now_s))
        machine.people = ()
        self._things_freed()

    def release_things(self, machine: OpenMachine, now_s: float) -> None:
        """Give people and tools back at the end of a step."""
        if machine.people:
            self.log.pauses(machine.index, machine.setup_begun_s, now_s, machine.step_time)
            self.dismiss(machine, machine.setup_begun_s, now_s)
        machine.step_time = machine.working_time
        if machine.tools:
            for tool in machine.tools:
                tool.free += 1
            machine.tools = ()
            self._things_freed()

    def _reorder(self, name: str, now_s: float) -> None:
        """Order more of a stocked item, as often as it takes, where too little is left of what is there or comes."""
        item = self.shop.model.plant.item(name)
        stock, policy = self.stocks[name], item.replenishment
        assert policy is not None
        quantity = float(policy.quantity)
        while quantity > 0 and stock.on_hand + stock.on_order - stock.promised <= float(policy.reorder_point):
            lead_time = policy.lead_time or constant(item.lead_time_s)
            arrives_s = now_s + self.luck.named(lead_time, "material", name, stock.orders)
            stock.orders += 1
            stock.on_order += quantity
            self.clock.at(arrives_s, self._delivered, (name, quantity))

    def _delivered(self, moment: Moment) -> None:
        name, quantity = moment.subject
        self.stocks[name].on_order -= quantity
        self.stocks[name].on_hand += quantity
        self.log.deliveries.append((name, self.clock.now, quantity))
        self._things_freed()

    # From machine to machine

    def processed(self, machine: OpenMachine, lots: list[Lot], attendant: int, now_s: float) -> list[Lot]:
        """Count what came out of a step; return the lots that go on, moved to their next stage."""
        outgoing: list[Lot] = []
        rows = self.log.operations
        for lot in lots:
            stage, quantity = lot.stage, lot.quantity
            bad = again = 0
            if not stage.clean:
                bad, again = self._judge(lot)
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
            place = stage.place + 1
            if place == len(order.stages):
                self._lot_done(lot, now_s)
            else:
                lot.stage = order.stages[place]
                lot.family = lot.stage.family
                outgoing.append(lot)
        return outgoing

    def _judge(self, lot: Lot) -> tuple[int, int]:
        """Return how many pieces of a processed lot are scrap, and how many must be done again."""
        stage, operation = lot.stage, lot.stage.operation
        subject = lot.job_order if lot.number < 0 else f"{lot.order.stream.id if lot.order.stream else ''} {stage.name}"
        bad = again = 0
        if operation.scrap_ratio > 0:
            share = self.luck.share("scrap", subject, lot.number, lot.attempt)
            bad = pieces_hit(lot.quantity, operation.scrap_ratio, share)
        rework = operation.rework
        if rework is not None and rework.ratio > 0:
            share = self.luck.share("rework", subject, lot.number, lot.attempt)
            again = pieces_hit(lot.quantity - bad, rework.ratio, share)
            if rework.limit is not None and lot.passes >= rework.limit:
                bad, again = bad + again, 0
        return bad, again

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
                lot.stage = order.stages[stage.place + 1]
                lot.family = lot.stage.family
                going.append(lot)
        elif not again:
            lot.quantity = 0
            self._lot_done(lot, now_s)
        return going

    def _lot_done(self, lot: Lot, now_s: float) -> None:
        order = lot.order
        order.good += lot.quantity
        order.lots -= 1
        if order.lots == 0:
            self._complete(order, now_s)

    def _complete(self, order: Order, now_s: float) -> None:
        order.completed_s = now_s
        self.unfinished -= 1
        for parent, per_piece in order.parents:
            parent.quantity = min(parent.quantity, math.floor(order.good / per_piece + 1e-9))
            self._component_there(parent, self.shop.model.orders[parent.number].first, now_s)
        stream = order.stream
        if stream is not None and stream.wip is not None:
            # At the next moment of this instant, so that the lot which completed the order has left its machine.
            self.clock.at(now_s, partial(self._reload, stream))

    def _reload(self, stream: ArrivalStream, moment: Moment) -> None:
        number = self._next_number[stream.id]
        self._next_number[stream.id] = number + 1
        self._arrive(stream, number, self.clock.now)

    def pass_on(self, lot: Lot, now_s: float) -> None:
        """Put a lot into the queue it waits in next."""
        stage = lot.stage
        queue = self._queues[stage.queue]
        lot.arrived_s = now_s
        self._arrivals += 1
        if self.planned_machine:
            self._note_planned(lot)
        queue.add(lot, self._arrivals)
        for machine in queue.machines:
            if machine.phase == 0 and not machine.awake:
                machine.awake = True
                self._awake.append(machine)

    def _note_planned(self, lot: Lot) -> None:
        if not self.is_planned(lot):
            return
        name = lot.job_order
        machine = self.planned_machine[name]
        if machine.index not in lot.stage.machines:
            raise InvalidInput(f"the plan has {name} on {machine.spec.id}, which cannot do it")
        self.waiting[name] = lot

    def is_planned(self, lot: Lot) -> bool:
        """Tell whether the followed plan says where and when in turn the lot is processed."""
        return not lot.attempt and not lot.part and lot.job_order in self.planned_machine

    def queue_of(self, lot: Lot, machine: OpenMachine) -> Queue:
        """Return the queue in which a lot waits for `machine`."""
        return machine.own if lot.stage.queue < 0 else self._queues[lot.stage.queue]

    def leave(self, lot: Lot, source: OpenMachine | None, now_s: float) -> None:
        """Send a lot to where it goes next, or have it wait for a place there."""
        if self.is_simple:
            self.pass_on(lot, now_s)
            return
        lot.source = source
        if lot.stage.queue >= 0:
            self._set_out(lot, None, now_s)
            return
        target = self._place(self.targets(lot))
        if target is not None:
            target.count += 1
            self._set_out(lot, target, now_s)
            return
        lot.awaits_place = True
        for machine in self.targets(lot):
            machine.waiters.append(lot)
        self._step_aside(lot)

    def targets(self, lot: Lot) -> list[OpenMachine]:
        """Return the machines a lot may be given to next."""
        if self.planned_machine and self.is_planned(lot):
            return [self.planned_machine[lot.job_order]]
        return self._able(lot.stage)

    def _able(self, stage: Stage) -> list[OpenMachine]:
        return [self.machines[number] for number in stage.machines]

    def _place(self, machines: Sequence[OpenMachine]) -> OpenMachine | None:
        """Return the machine with the fewest lots that has a place, None if none has."""
        found = None
        for machine in machines:
            if machine.count < machine.room and (found is None or machine.count < found.count):
                found = machine
        return found

    def _step_aside(self, lot: Lot) -> None:
        """Move a lot that cannot leave yet from its machine into the buffer behind it, if there is a place."""
        source = lot.source
        if source is None or lot not in source.holding:
            return
        places = source.spec.output_buffer
        if places is None or len(source.output) < places:
            source.holding.remove(lot)
            source.output.append(lot)
            source.count -= 1
            self.room_changed(source, self.clock.now)
            source.freed(self.clock.now)

    def _set_out(self, lot: Lot, target: OpenMachine | None, now_s: float) -> None:
        """Carry a lot, which has a place where it goes, on its way."""
        source = lot.source
        if source is None or not self.shop.ways:
            self._gone(lot, now_s)
            self._enter(lot, target, now_s)
            return
        center = self.machines[lot.stage.machines[0]].spec.work_center if target is None else target.spec.work_center
        way = self.shop.ways.get((source.spec.work_center, center))
        if way is None or (way.carrier is None and way.time_s == 0):
            self._gone(lot, now_s)
            self._enter(lot, target, now_s)
        elif way.carrier is None:
            self._gone(lot, now_s)
            self.clock.at(now_s + way.time_s, lambda moment: self._enter(lot, target, self.clock.now))
        else:
            carriers = self.carriers[way.carrier]

            def carry(begun_s: float) -> None:
                self._gone(lot, begun_s)
                self.log.transports.append((lot.order.index, source.index, begun_s, begun_s + way.time_s))
                self.clock.at(begun_s + way.time_s, lambda moment: self._enter(lot, target, self.clock.now))
                back_s = begun_s + way.time_s + way.return_s
                self.clock.at(back_s, lambda moment: carriers.give_back(self.clock.now))

            carriers.ask(now_s, carry)
            self._step_aside(lot)

    def _gone(self, lot: Lot, now_s: float) -> None:
        """Note that a lot has left the machine or buffer it stood in, and let others move up."""
        source, lot.source = lot.source, None
        if source is None:
            return
        if lot in source.output:
            source.output.remove(lot)
            if source.holding:
                self._step_aside(source.holding[0])
        else:
            source.holding.remove(lot)
            source.count -= 1
        if not source.lots:
            self.room_changed(source, now_s)
            source.freed(now_s)

    def room_changed(self, machine: OpenMachine, now_s: float) -> None:
        """Give free places at a machine to lots that wait for one, who waits longest first."""
        while machine.waiters and machine.count < machine.room:
            lot = machine.waiters.popleft()
            if lot.awaits_place:
                lot.awaits_place = False
                machine.count += 1
                self._set_out(lot, machine, now_s)

    def _enter(self, lot: Lot, target: OpenMachine | None, now_s: float) -> None:
        if target is None:
            self.pass_on(lot, now_s)
            return
        lot.arrived_s = now_s
        self._arrivals += 1
        if self.planned_machine:
            self._note_planned(lot)
        target.own.add(lot, self._arrivals)
        self.wake(target)

    def look_for_deadlock(self, machine: OpenMachine) -> None:
        """Stop if `machine`, which is blocked, waits in a circle that nothing can open."""
        self._waits.refuse_circle(machine)

    def who_waits(self) -> str:
        """Say what everything waits for, now that nothing will happen any more."""
        return self._waits.told()
