"""What is asked of the open floor: orders in process at the beginning, released, arriving, complete."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from plant.arrival import ArrivalStream, WhenFull
from plant.errors import InvalidInput
from plant.floor_model import FloorOrder
from twin.open_clock import Moment
from twin.open_lot import Lot, Order

if TYPE_CHECKING:
    from twin.open_flow import Flow


class Demand:
    """Production orders of one future, those of endless streams included."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._next_number: dict[str, int] = {}

    def start(self) -> None:
        """Put everything where it stands at the epoch, and arrange what comes."""
        model = self._flow.shop.model
        for machine in self._flow.machines:
            state = model.machines.get(machine.spec.id)
            if state is not None:
                machine.family = state.setup_family
                if state.down_until is not None and model.seconds(state.down_until) > 0:
                    machine.upkeep.go_down_until(model.seconds(state.down_until))
        self._flow.needs.expect_deliveries()
        found: dict[str, Order] = {}
        for number, spec in enumerate(model.orders):
            found[spec.id] = self._expect(number, spec, found)
        for machine in self._flow.machines:
            if machine.begun:
                machine.resume()
        for stream in model.plant.arrivals:
            self._open_stream(stream)
        self._flow.decide()

    def _expect(self, number: int, spec: FloorOrder, known: dict[str, Order]) -> Order:
        stages = self._flow.shop.routings[spec.item]
        order = Order(len(self._flow.orders), number, spec.id, stages, spec.quantity, spec.due_s, spec.priority.weight)
        order.customer_order = spec.customer_order
        self._flow.orders.append(order)
        self._flow.unfinished += 1
        for name, per_piece in spec.components.items():
            known[name].parents.append((order, per_piece))
        order.awaits = len(spec.components) + 1
        if spec.running is not None:
            self._resume(order, spec)
        elif spec.release_s <= 0:
            self._component_there(order, spec.first, 0.0)
        else:
            self._flow.clock.at(
                spec.release_s, lambda moment: self._component_there(order, spec.first, self._flow.clock.now)
            )
        return order

    def _resume(self, order: Order, spec: FloorOrder) -> None:
        assert spec.running is not None
        order.released_s, order.lots, order.awaits = 0.0, 1, 0
        stage = order.stages[spec.first]
        machine = next((one for one in self._flow.machines if one.spec.id == spec.running.machine), None)
        lot = Lot(order, stage, order.quantity, 0, -1)
        lot.running, lot.leads = spec.running, True
        where = f"job order {lot.job_order} runs on {spec.running.machine}"
        if machine is None or machine.index not in stage.machines:
            able = ", ".join(self._flow.machines[number].spec.id for number in stage.machines)
            raise InvalidInput(f"{where}, which cannot do it; {able} can")
        if len(machine.begun) == machine.capacity:
            others = ", ".join(one.job_order for one in machine.begun)
            raise InvalidInput(f"{where}, and so does {others}, but it takes {machine.capacity} at a time")
        if machine.sequence and lot.job_order in machine.sequence[0]:
            machine.place = 1
        machine.begun.append(lot)

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
            first_s = self._flow.luck.counted(stream.interarrival, "arrival", stream.id, 0)
            self._flow.clock.at(first_s, partial(self._arrival, stream), 0)

    def _arrival(self, stream: ArrivalStream, moment: Moment) -> None:
        number, now_s = moment.subject, self._flow.clock.now
        assert stream.interarrival is not None
        self._arrive(stream, number, now_s)
        gap_s = self._flow.luck.counted(stream.interarrival, "arrival", stream.id, number + 1)
        self._flow.clock.at(now_s + gap_s, partial(self._arrival, stream), number + 1)

    def _arrive(self, stream: ArrivalStream, number: int, now_s: float) -> None:
        due_s = math.inf if stream.due_after_s is None else now_s + stream.due_after_s
        stages = self._flow.shop.routings[stream.item]
        order = Order(
            len(self._flow.orders),
            number,
            f"{stream.id}/{number}",
            stages,
            stream.quantity,
            due_s,
            stream.priority.weight,
        )
        order.stream = stream
        self._flow.orders.append(order)
        self._flow.unfinished += 1
        first = stages[0]
        if (
            stream.when_full is WhenFull.LOST
            and first.queue < 0
            and self._flow.passage.place(self._flow.passage.able(first)) is None
        ):
            order.is_lost = True
            order.released_s = order.completed_s = now_s
            self._flow.unfinished -= 1
            return
        self._release(order, 0, now_s, number)

    def _release(self, order: Order, first: int, now_s: float, number: int) -> None:
        order.released_s = now_s
        item = self._flow.shop.model.plant.item(order.stages[0].item)
        size = item.transfer_batch or order.quantity
        parts = max(math.ceil(order.quantity / size), 1) if order.quantity else 0
        order.lots = parts
        if parts == 0:
            if self._flow.plan is not None:
                self._flow.plan.leave_out(order, first)
            self.complete(order, now_s)
        if first == 0:
            self._flow.needs.promise(order, now_s)
        for part in range(parts):
            quantity = min(size, order.quantity - part * size)
            counted = number * parts + part if number >= 0 else -1
            lot = Lot(order, order.stages[first], quantity, part, counted)
            lot.leads = part == 0
            self._flow.passage.leave(lot, None, now_s)

    def complete(self, order: Order, now_s: float) -> None:
        """Note that the last lot of an order is done, and release what waited for it."""
        order.completed_s = now_s
        self._flow.unfinished -= 1
        for parent, per_piece in order.parents:
            parent.quantity = min(parent.quantity, math.floor(order.good / per_piece + 1e-9))
            self._component_there(parent, self._flow.shop.model.orders[parent.number].first, now_s)
        stream = order.stream
        if stream is not None and stream.wip is not None:
            # At the next moment of this instant, so that the lot which completed the order has left its machine.
            self._flow.clock.at(now_s, partial(self._reload, stream))

    def _reload(self, stream: ArrivalStream, moment: Moment) -> None:
        number = self._next_number[stream.id]
        self._next_number[stream.id] = number + 1
        self._arrive(stream, number, self._flow.clock.now)
