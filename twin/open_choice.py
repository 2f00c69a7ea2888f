"""What a free machine takes next: one lot or a batch, of those whose people, tools and stock are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from plant.item import Attendance
from twin.fitting import first_fit
from twin.open_lot import Entry, Lot
from twin.open_plan import FollowedPlan

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
        plan = self._flow.plan
        if plan is not None and (step := plan.next_step(machine)):
            lots = self._planned(plan, step, machine, now_s)
            if lots or not (plan.has_loose or machine.wants):
                return lots
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
        plan = self._flow.plan
        if plan is not None and (plan.knows(lot) or not plan.lets(lot, machine)):
            return False
        return stage.plain or self._has_all([lot], machine, now_s)

    def may_go_on(self, machine: OpenMachine, now_s: float) -> bool:
        """Tell whether who attends by plan what had begun is there; if not, the machine will look again."""
        plan = self._flow.plan
        if plan is None or plan.attendant_of(machine.begun) is None:
            return True
        return self._is_attended(machine.begun, machine, now_s)

    def _is_attended(self, lots: list[Lot], machine: OpenMachine, now_s: float) -> bool:
        if self._flow.needs.attendants_of(lots, now_s) is not None:
            return True
        machine.ask_again(self._flow.needs.next_coming_s(lots, now_s))
        machine.wants = True
        return False

    def _has_all(self, lots: list[Lot], machine: OpenMachine, now_s: float) -> bool:
        flow, lot, operation = self._flow, lots[0], lots[0].stage.operation
        short = flow.needs.missing_stock(lot) or any(flow.needs.tools[name].free == 0 for name in operation.tools)
        if short:
            machine.wants = True
            return False
        if flow.needs.needs_people(machine, lot) and not self._is_attended(lots, machine, now_s):
            return False
        return operation.interruptible or self._fits(lots, machine, now_s)

    def _fits(self, lots: list[Lot], machine: OpenMachine, now_s: float) -> bool:
        """Tell whether a step that must not be interrupted ends before the next break; if not, arrange a try."""
        flow, lot, attendance = self._flow, lots[0], lots[0].stage.operation.attendance
        setup_s = machine.setup_s(lot.family)
        setup_time = time = machine.working_time
        if flow.needs.needs_people(machine, lot):
            people = flow.needs.attendants_of(lots, now_s) or ()
            setup_time = flow.shop.shared_time(machine.spec.calendar, tuple(one.spec.id for one in people))
            time = setup_time if attendance is Attendance.ALL else time
        work_s = flow.luck.work_s(machine, lots)
        begin_s = first_fit(setup_time, time, now_s, setup_s, work_s + flow.luck.repairs_within_s(machine, work_s))
        if begin_s > now_s:
            machine.ask_again(begin_s)
        return begin_s <= now_s

    # What a plan fixes

    def _planned(self, plan: FollowedPlan, step: Sequence[str], machine: OpenMachine, now_s: float) -> list[Lot]:
        if any(name not in plan.waiting for name in step):
            return []
        lots = [plan.waiting[name] for name in step]
        if not lots[0].stage.plain and not self._has_all(lots, machine, now_s):
            return []
        for lot in lots:
            self._flow.queue_of(lot, machine).take(lot)
        plan.take(machine, lots)
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
