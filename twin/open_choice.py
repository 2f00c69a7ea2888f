"""What a free machine takes next: one lot or a batch, of those whose people, tools and stock are there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from plant.item import Attendance
from twin.alarm import closing_s
from twin.open_lot import Entry, Lot

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine


class Choice:
    """Chooses for every machine by its rule."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def lots_for(self, machine: OpenMachine, now_s: float) -> list[Lot]:
        """Return what `machine` begins now, taken out of its queues; nothing if it has to wait.

        A machine that has to wait for anything but a lot will be woken then.
        """
        if machine.sequence is not None and machine.place < len(machine.sequence):
            return self._planned(machine, now_s)
        best, source = None, None
        if machine.capacity == 1:
            for queue in machine.queues:
                if queue.entries:
                    entry = queue.best(machine, now_s, self.may_begin)
                    if entry is not None and (best is None or entry < best):
                        best, source = entry, queue
            if best is not None and source is not None:
                source.take(best[3])
                return [best[3]]
        elif batch := self._batch(machine, now_s):
            return batch
        if machine.wants and math.isnan(machine.held_since_s):
            machine.held_since_s = now_s
        return []

    # One lot

    def may_begin(self, lot: Lot, machine: OpenMachine, now_s: float) -> bool:
        """Tell whether all is there that the lot's operation needs beside the machine."""
        stage = lot.stage
        if stage.plain and self._flow.plan is None:
            return True
        if self._flow.plan is not None and self._flow.plan.knows(lot):
            return False
        return stage.plain or self._has_all(lot, machine, now_s)

    def _has_all(self, lot: Lot, machine: OpenMachine, now_s: float) -> bool:
        flow, operation = self._flow, lot.stage.operation
        short = flow.needs.missing_stock(lot) or any(flow.needs.tools[name].free == 0 for name in operation.tools)
        attended = flow.needs.needs_people(machine, lot)
        if not short and attended and flow.needs.people.free(operation.skill, operation.people, now_s) is None:
            short = True
            machine.ask_again(flow.needs.people.next_coming_s(operation.skill, now_s))
        if short:
            machine.wants = True
            return False
        return operation.interruptible or self._fits(lot, machine, now_s)

    def _fits(self, lot: Lot, machine: OpenMachine, now_s: float) -> bool:
        """Tell whether an operation that must not be interrupted ends before the next break; if not, arrange a try."""
        flow, operation = self._flow, lot.stage.operation
        time = machine.working_time
        setup_s = machine.setup_s(lot.family)
        if operation.attendance is Attendance.ALL or (operation.attendance is Attendance.SETUP and setup_s > 0):
            people = flow.needs.people.free(operation.skill, operation.people, now_s) or ()
            time = flow.shop.shared_time(machine.spec.calendar, tuple(one.spec.id for one in people))
        work_s = flow.luck.work_s(machine, [lot])
        total_s = setup_s + work_s + flow.luck.repairs_within_s(machine, work_s)
        if time.holds(now_s, total_s):
            return True
        machine.ask_again(time.begin(math.nextafter(closing_s(time, now_s), math.inf)))
        return False

    # What a plan fixes

    def _planned(self, machine: OpenMachine, now_s: float) -> list[Lot]:
        assert machine.sequence is not None
        assert self._flow.plan is not None
        waiting = self._flow.plan.waiting
        found = [waiting.get(name) for name in machine.sequence[machine.place]]
        lots = [lot for lot in found if lot is not None]
        if len(lots) < len(found):
            return []
        if not lots[0].stage.plain and not self._has_all(lots[0], machine, now_s):
            return []
        machine.place += 1
        for lot in lots:
            self._flow.queue_of(lot, machine).take(lot)
            del waiting[lot.job_order]
        return lots

    # Batches

    def _batch(self, machine: OpenMachine, now_s: float) -> list[Lot]:
        """Return the members of the first batch that is full or whose first member has waited long enough."""
        groups: dict[object, list[Entry]] = {}
        for entry in sorted(self._candidates(machine, now_s)):
            groups.setdefault(machine.group_of.get(entry[3].family, entry[3].family), []).append(entry)
        due_s = math.inf
        for members in groups.values():
            waits_until_s = min(entry[3].arrived_s for entry in members) + machine.spec.batch_wait_s
            if len(members) >= machine.capacity or now_s >= waits_until_s:
                lots = [entry[3] for entry in members[: machine.capacity]]
                for lot in lots:
                    self._flow.queue_of(lot, machine).take(lot)
                return lots
            due_s = min(due_s, waits_until_s)
        if due_s < math.inf:
            machine.ask_again(due_s)
        return []

    def _candidates(self, machine: OpenMachine, now_s: float) -> list[Entry]:
        key = machine.rule.key
        return [
            (first, key(lot, machine, now_s), arrival, lot)
            for queue in machine.queues
            for first, _, arrival, lot in queue.entries
            if self.may_begin(lot, machine, now_s)
        ]
