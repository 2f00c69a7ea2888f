"""How lots get from machine to machine on the open floor: given to one, carried, blocked, moved up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.open_lot import Lot, Things

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine
    from twin.open_shop import Stage


class Passage:
    """Finite buffers, ways and carriers of one future.

    Attributes
    ----------
    is_simple
        Nothing but common queues: no finite buffers, no ways, no least waits.
    carriers
        Pools of what carries lots, by id.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._ways = flow.shop.ways
        self.carriers = {pool.id: Things(pool.id, pool.count) for pool in flow.shop.model.plant.carriers}
        buffers = any(m.spec.input_buffer is not None or m.spec.output_buffer is not None for m in flow.machines)
        waits = any(stage.operation.wait_least_s > 0 for stage in flow.shop.stages)
        given = any(stage.queue < 0 for stage in flow.shop.stages)
        self.is_simple = not (buffers or self._ways or waits or given)

    def leave(self, lot: Lot, source: OpenMachine | None, now_s: float) -> None:
        """Send a lot to where it goes next, or have it wait for a place there."""
        if self.is_simple:
            self._flow.pass_on(lot, now_s)
            return
        lot.source = source
        if lot.stage.queue >= 0:
            self._set_out(lot, None, now_s)
            return
        target = self.place(self.targets(lot))
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
        plan = self._flow.plan
        if plan is not None and plan.knows(lot):
            return [plan.machine[lot.job_order]]
        return self.able(lot.stage)

    def able(self, stage: Stage) -> list[OpenMachine]:
        """Return the machines that can do an operation."""
        return [self._flow.machines[number] for number in stage.machines]

    def place(self, machines: Sequence[OpenMachine]) -> OpenMachine | None:
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
            self.room_changed(source, self._flow.clock.now)
            source.freed(self._flow.clock.now)

    def _set_out(self, lot: Lot, target: OpenMachine | None, now_s: float) -> None:
        """Carry a lot, which has a place where it goes, on its way."""
        source = lot.source
        if source is None or not self._ways:
            self._gone(lot, now_s)
            self._arrive(lot, target, now_s)
            return
        center = (
            self._flow.machines[lot.stage.machines[0]].spec.work_center if target is None else target.spec.work_center
        )
        way = self._ways.get((source.spec.work_center, center))
        if way is None or way.carrier is None:
            self._gone(lot, now_s)
            self._arrive(lot, target, now_s if way is None else now_s + way.time_s)
        else:
            carriers = self.carriers[way.carrier]

            def carry(begun_s: float) -> None:
                self._gone(lot, begun_s)
                self._flow.log.transports.append((lot.order.index, source.index, begun_s, begun_s + way.time_s))
                self._arrive(lot, target, begun_s + way.time_s)
                back_s = begun_s + way.time_s + way.return_s
                self._flow.clock.at(back_s, lambda moment: carriers.give_back(self._flow.clock.now))

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

    def _arrive(self, lot: Lot, target: OpenMachine | None, at_s: float) -> None:
        """Have a lot enter where it goes when the way is over, or its least wait, which passes at the same time."""
        at_s = max(at_s, lot.ready_s)
        if at_s > self._flow.clock.now:
            self._flow.clock.at(at_s, lambda moment: self._enter(lot, target, self._flow.clock.now))
        else:
            self._enter(lot, target, at_s)

    def _enter(self, lot: Lot, target: OpenMachine | None, now_s: float) -> None:
        if target is None:
            self._flow.pass_on(lot, now_s)
            return
        self._flow.queue_up(lot, target.own, now_s)
        self._flow.wake(target)
