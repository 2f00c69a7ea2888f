"""A machine on the open floor: it takes lots, changes over, processes, fails, is maintained, is blocked.

Moments are computed from the beginning of the running phase with the arithmetic of `plant.calendar.WorkingTime`, as
in `twin.station`, so that following a plan comes out as `twin.simulate` has it, to the last bit.
"""

from __future__ import annotations

import math
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING

from plant.item import Attendance
from plant.machine_state import MachineState
from plant.plant import FailureTime, Machine
from twin.dispatching import DispatchingRule, Waiting
from twin.open_clock import Moment
from twin.open_lot import Lot, Queue, Things
from twin.open_people import Attendant

if TYPE_CHECKING:
    from twin.open_flow import Flow


class Phase(IntEnum):
    """What a machine is at, apart from being down."""

    FREE = 0
    SETUP = 1
    EXECUTING = 2
    BLOCKED = 3
    UPKEEP = 4


FREE, SETUP, EXECUTING, BLOCKED, UPKEEP = Phase


class OpenMachine:
    """One machine in one future.

    Attributes
    ----------
    lots, holding, output
        What it processes, what is done but still stands on it, what waits in the buffer behind it.
    count, room
        Lots given to it that are under way, wait or are in it, and how many of them find a place.
    waiters
        Lots elsewhere that wait for a place here.
    wants
        Whether lots wait for it that it could take if people, tools or stock were there.
    """

    __slots__ = (
        "ages_always",
        "always",
        "ask_at_s",
        "awake",
        "begun_s",
        "blocked_since_s",
        "capacity",
        "change_s",
        "count",
        "done_s",
        "down_since_s",
        "fail_at_s",
        "failures",
        "family",
        "flow",
        "group_of",
        "held_since_s",
        "holding",
        "index",
        "is_down",
        "lots",
        "maintained_s",
        "mean_work_s",
        "moment",
        "operated_s",
        "output",
        "own",
        "people",
        "phase",
        "place",
        "queues",
        "repair_crew",
        "room",
        "rule",
        "sequence",
        "setup_begun_s",
        "spec",
        "speed",
        "step_time",
        "stopped_s",
        "tools",
        "waiters",
        "wants",
        "work_s",
        "working_time",
    )

    def __init__(self, flow: Flow, index: int, spec: Machine, rule: DispatchingRule) -> None:
        self.flow = flow
        self.index = index
        self.spec = spec
        self.speed = spec.speed
        self.capacity = spec.batch_capacity
        self.rule = rule
        self.mean_work_s = flow.shop.mean_work_s[index]
        self.working_time = self.step_time = flow.shop.model.calendars[spec.calendar]
        self.always = self.working_time.ends[-1] == math.inf and self.working_time.starts == (0.0,)
        self.group_of = {name: number for number, group in enumerate(spec.batch_families) for name in group}
        self.queues: list[Queue] = []
        self.own = Queue()
        self.family: str | None = None
        self.phase: Phase = FREE
        self.lots: list[Lot] = []
        self.holding: list[Lot] = []
        self.output: deque[Lot] = deque()
        self.waiters: deque[Lot] = deque()
        self.count = 0
        self.room = math.inf if spec.input_buffer is None else spec.input_buffer + spec.batch_capacity
        self.people: tuple[Attendant, ...] = ()
        self.tools: tuple[Things, ...] = ()
        self.sequence = rule.sequence(spec.id)
        self.place = 0
        self.awake = self.wants = self.is_down = False
        self.ask_at_s = math.inf
        self.begun_s = self.setup_begun_s = self.change_s = self.work_s = self.stopped_s = self.done_s = 0.0
        self.blocked_since_s = self.held_since_s = math.nan
        self.down_since_s = 0.0
        self.moment: Moment | None = None
        self.operated_s = self.maintained_s = 0.0
        self.failures = 0
        reliability = spec.reliability
        self.ages_always = reliability is not None and reliability.failure_time is FailureTime.CALENDAR
        self.repair_crew = flow.crews[reliability.crew] if reliability is not None and reliability.crew else None
        self.fail_at_s = math.inf
        if reliability is not None:
            first_s = self._between_failures_s()
            if self.ages_always:
                flow.clock.at(first_s, self._fail_now)
            else:
                self.fail_at_s = first_s

    # What rules ask

    def planned_s(self, lot: Waiting) -> float:
        """Return the planned processing time of a lot on this machine."""
        assert isinstance(lot, Lot)
        stage = lot.stage
        fixed_s = 0.0 if lot.part else stage.fixed_s
        return (fixed_s + lot.quantity * stage.per_piece_s) / self.speed

    def setup_s(self, family: str) -> float:
        """Return the changeover from what it is set up for to `family`."""
        shop = self.flow.shop
        return shop.setup_s(shop.model.plant.setup_matrix_of(self.spec.id), self.family, family)

    # Taking up work

    def try_begin(self, now_s: float) -> None:
        """Begin what comes next, if it is free, up and in working time, and something may begin."""
        if self.phase is not FREE or self.is_down:
            return
        if not self.always:
            opens_s = self.working_time.begin(now_s)
            if opens_s > now_s:
                self.ask_again(opens_s)
                return
        upkeep = self.spec.maintenance
        if upkeep is not None and self.operated_s - self.maintained_s >= upkeep.every_s:
            self._maintain(now_s)
            return
        lots = self.flow.choice.lots_for(self, now_s)
        if lots:
            self._begin(lots, now_s)

    def ask_again(self, at_s: float) -> None:
        """Look again at `at_s`, unless that is arranged already."""
        if at_s < self.ask_at_s:
            self.ask_at_s = at_s
            self.flow.clock.at(at_s, self._look_again)

    def _look_again(self, moment: Moment) -> None:
        self.ask_at_s = math.inf
        self.flow.wake(self)

    def _begin(self, lots: list[Lot], now_s: float) -> None:
        flow = self.flow
        lead = lots[0]
        stage = lead.stage
        self.lots = lots
        if self.held_since_s == self.held_since_s:
            flow.log.stop(self.index, MachineState.HELD, self.held_since_s, now_s)
            self.held_since_s = math.nan
        self.wants = False
        for lot in lots:
            if lot.stage.queue >= 0:
                self.count += 1
        self.work_s = flow.work_s(self, lots)
        setup_s = 0.0 if stage.family == self.family and not flow.pays_to_stay else self.setup_s(stage.family)
        if not stage.plain:
            flow.attend(self, lead, setup_s, now_s)
        self.setup_begun_s = now_s
        if setup_s > 0:
            self.phase = SETUP
            self.begun_s, self.stopped_s, self.change_s = now_s, 0.0, setup_s
            self.moment = flow.clock.at(self._clock_s(setup_s), self._end_setup)
        else:
            self._process(now_s)

    def resume(self, running: list[tuple[Lot, float]]) -> None:
        """Go on, at the beginning, with lots that have begun; each with the planned time that is left of it."""
        self.lots = [lot for lot, _ in running]
        self.count += len(running)
        self.work_s = max(left_s * self.flow.factor(lot) for lot, left_s in running)
        if not self.lots[0].stage.plain:
            self.flow.attend_running(self, self.lots[0])
        self._process(0.0)

    def _end_setup(self, moment: Moment) -> None:
        now_s = self.flow.clock.now
        if self.people and self.lots[0].stage.operation.attendance is Attendance.SETUP:
            self.flow.dismiss(self, self.setup_begun_s, now_s)
            self.step_time = self.working_time
        self._process(now_s)

    def _process(self, now_s: float) -> None:
        self.family = self.lots[0].stage.family
        self.phase = EXECUTING
        plain = self.always and self.step_time is self.working_time
        self.begun_s = now_s if plain else self.step_time.begin(now_s)
        self.stopped_s = 0.0
        if not self.is_down:
            self._go_on()

    def _go_on(self) -> None:
        """Arrange what happens next in the running phase: a failure in operating time, or its end."""
        clock = self.flow.clock
        if self.fail_at_s <= self.operated_s + self.work_s:
            self.moment = clock.at(self._clock_s(self.fail_at_s - self.operated_s), self._fail_operating)
        else:
            self.moment = clock.at(self._clock_s(self.work_s), self._end)

    def _clock_s(self, work_s: float) -> float:
        """Return when `work_s` of the running phase is done."""
        if self.always and self.step_time is self.working_time:
            return self.begun_s + (work_s + self.stopped_s)
        return self.step_time.finish(self.begun_s, work_s + self.stopped_s)

    def _end(self, moment: Moment) -> None:
        flow, lots = self.flow, self.lots
        now_s = flow.clock.now
        self.operated_s += self.work_s
        stage = lots[0].stage
        attendant = self.people[0].index if self.people else -1
        if not stage.plain:
            flow.release_things(self, now_s)
        self.lots = []
        self.moment = None
        outgoing = flow.processed(self, lots, attendant, now_s)
        if flow.is_simple:
            self.phase = FREE
            self.count -= len(lots)
            for lot in outgoing:
                flow.pass_on(lot, now_s)
            flow.wake(self)
            return
        self.count += len(outgoing) - len(lots)
        self.phase = BLOCKED
        self.blocked_since_s = now_s
        self.holding = outgoing
        for lot in list(outgoing):
            flow.leave(lot, self, now_s)
        flow.room_changed(self, now_s)
        if self.phase is BLOCKED and self.holding:
            flow.look_for_deadlock(self)
        else:
            self.freed(now_s)

    def freed(self, now_s: float) -> None:
        """Nothing stands on it any more."""
        if self.phase is BLOCKED and not self.holding:
            if now_s > self.blocked_since_s:
                self.flow.log.stop(self.index, MachineState.BLOCKED, self.blocked_since_s, now_s)
            self.phase = FREE
            self.flow.wake(self)

    # Failing, being repaired and maintained

    def _between_failures_s(self) -> float:
        reliability = self.spec.reliability
        assert reliability is not None
        subject = self.spec.id
        return self.flow.luck.named(reliability.time_between_failures, "time between failures", subject, self.failures)

    def repair_s(self, ordinal: int) -> float:
        """Return the working seconds of the repair after failure `ordinal`."""
        reliability = self.spec.reliability
        assert reliability is not None
        return self.flow.luck.named(reliability.time_to_repair, "time to repair", self.spec.id, ordinal)

    def _fail_operating(self, moment: Moment) -> None:
        self.done_s = self.fail_at_s - self.operated_s
        self._fail()
        self.fail_at_s += self._between_failures_s()

    def _fail_now(self, moment: Moment) -> None:
        if self.phase in (SETUP, EXECUTING):
            now_s, time = self.flow.clock.now, self.step_time
            limit_s = self.work_s if self.phase is EXECUTING else self.change_s
            self.done_s = time.worked_at(now_s) - time.worked_at(self.begun_s) - self.stopped_s
            self.done_s = min(max(self.done_s, 0.0), limit_s)
        if self.phase is UPKEEP:  # it is being looked after anyway: it fails later, if at all
            self.flow.clock.at(self.flow.clock.now + self._between_failures_s(), self._fail_now)
            return
        self._fail()

    def _fail(self) -> None:
        now_s = self.flow.clock.now
        if self.moment is not None:
            self.moment.call_off()
            self.moment = None
        self.is_down = True
        self.down_since_s = now_s
        ordinal = self.failures
        self.failures += 1
        self.flow.log.failures += 1
        if self.repair_crew is None:
            self._repair(now_s, ordinal)
        else:
            self.repair_crew.ask(now_s, lambda begun_s: self._repair(begun_s, ordinal))

    def _repair(self, now_s: float, ordinal: int) -> None:
        repair_s = self.repair_s(ordinal)
        in_phase = self.phase in (SETUP, EXECUTING)
        if in_phase and now_s == self.down_since_s and self.step_time is self.working_time:
            self.stopped_s += repair_s
            until_s = self._clock_s(self.done_s)
        else:
            until_s = self.working_time.finish(now_s, repair_s)
            if in_phase:
                worked_at = self.step_time.worked_at
                self.stopped_s = worked_at(until_s) - worked_at(self.begun_s) - self.done_s
        self.flow.clock.at(until_s, self._repaired)

    def _repaired(self, moment: Moment) -> None:
        flow = self.flow
        now_s = flow.clock.now
        flow.log.stop(self.index, MachineState.BREAKDOWN, self.down_since_s, now_s)
        self.is_down = False
        if self.repair_crew is not None:
            self.repair_crew.give_back(now_s)
        if self.ages_always:
            flow.clock.at(now_s + self._between_failures_s(), self._fail_now)
        if self.phase is EXECUTING:
            self._go_on()
        elif self.phase is SETUP:
            self.moment = flow.clock.at(self._clock_s(self.change_s), self._end_setup)
        elif self.phase is FREE:
            flow.wake(self)

    def go_down_until(self, until_s: float) -> None:
        """Be down from the beginning, as a snapshot says."""
        self.is_down = True
        self.flow.clock.at(until_s, self._up_again)

    def _up_again(self, moment: Moment) -> None:
        now_s = self.flow.clock.now
        self.flow.log.stop(self.index, MachineState.BREAKDOWN, 0.0, now_s)
        self.is_down = False
        if self.phase is EXECUTING:
            self.begun_s = self.step_time.begin(now_s)
            self._go_on()
        else:
            self.flow.wake(self)

    def _maintain(self, now_s: float) -> None:
        upkeep = self.spec.maintenance
        assert upkeep is not None
        self.phase = UPKEEP
        self.down_since_s = now_s
        if upkeep.crew is None:
            self._maintained_by(now_s)
        else:
            self.flow.crews[upkeep.crew].ask(now_s, self._maintained_by)

    def _maintained_by(self, now_s: float) -> None:
        upkeep = self.spec.maintenance
        assert upkeep is not None
        self.flow.clock.at(self.working_time.finish(now_s, upkeep.duration_s), self._maintained)

    def _maintained(self, moment: Moment) -> None:
        upkeep, now_s = self.spec.maintenance, self.flow.clock.now
        assert upkeep is not None
        self.flow.log.stop(self.index, MachineState.PLANNED_STOP, self.down_since_s, now_s)
        if upkeep.crew is not None:
            self.flow.crews[upkeep.crew].give_back(now_s)
        self.maintained_s = self.operated_s
        self.phase = FREE
        self.flow.wake(self)
