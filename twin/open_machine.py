"""A machine on the open floor: it takes lots, changes over, processes, fails, is maintained, is blocked.

Moments are computed from the beginning of the running phase with the arithmetic of `plant.calendar.WorkingTime`, as
in `twin.station`, so that following a plan comes out as `twin.simulate` has it, to the last bit.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from plant.item import Attendance
from plant.machine_state import MachineState
from plant.plant import Machine
from twin.dispatching import DispatchingRule, Waiting
from twin.open_blocking import refuse_circle
from twin.open_clock import Moment
from twin.open_lot import Lot, Queue, Things
from twin.open_people import Attendant
from twin.open_phase import BLOCKED, EXECUTING, FREE, SETUP, Phase
from twin.open_upkeep import Upkeep

if TYPE_CHECKING:
    from twin.open_flow import Flow


class OpenMachine:
    """One machine in one future.

    Attributes
    ----------
    lots, holding, output
        What it processes, what is done but still stands on it, what waits in the buffer behind it.
    begun
        Lots it worked at before the epoch and has not gone on with yet.
    count, room
        Lots given to it that are under way, wait or are in it, and how many of them find a place.
    waiters
        Lots elsewhere that wait for a place here.
    wants
        Whether lots wait for it that it could take if people, tools or stock were there.
    """

    __slots__ = (
        "always",
        "ask_at_s",
        "awake",
        "begun",
        "begun_s",
        "blocked_since_s",
        "capacity",
        "change_s",
        "count",
        "done_s",
        "down_since_s",
        "family",
        "flow",
        "group_of",
        "held_since_s",
        "holding",
        "index",
        "is_down",
        "lots",
        "mean_work_s",
        "moment",
        "operated_s",
        "output",
        "own",
        "people",
        "phase",
        "place",
        "queues",
        "room",
        "rule",
        "sequence",
        "setup_begun_s",
        "spec",
        "speed",
        "step_time",
        "stopped_s",
        "tools",
        "upkeep",
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
        self.begun: list[Lot] = []
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
        self.operated_s = 0.0
        self.upkeep = Upkeep(self)

    # What rules ask

    def planned_s(self, lot: Waiting) -> float:
        """Return the planned processing time of a lot on this machine."""
        assert isinstance(lot, Lot)
        stage = lot.stage
        fixed_s = 0.0 if lot.part else stage.fixed_s
        return (fixed_s + lot.quantity * stage.per_piece_s) / self.speed

    def setup_s(self, family: str) -> float:
        """Return the changeover from what it is set up for to `family`."""
        return self.changeover_s(self.family, family)

    def changeover_s(self, before: str | None, after: str) -> float:
        """Return the changeover from one family to another."""
        shop = self.flow.shop
        return shop.setup_s(shop.model.plant.setup_matrix_of(self.spec.id), before, after)

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
        if self.upkeep.is_due():
            self.upkeep.maintain(now_s)
            return
        if self.begun:
            if self.flow.choice.may_go_on(self, now_s):
                self.go_on_with_begun(now_s)
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
        self.work_s = flow.luck.work_s(self, lots)
        setup_s = 0.0 if stage.family == self.family and not flow.pays_to_stay else self.setup_s(stage.family)
        if not stage.plain:
            flow.needs.attend(self, lots, setup_s, now_s)
        if flow.plan is not None:
            flow.plan.began(lots)
        self.setup_begun_s = now_s
        if setup_s > 0:
            self.phase = SETUP
            self.begun_s, self.stopped_s, self.change_s = now_s, 0.0, setup_s
            self.moment = flow.clock.at(self.clock_s(setup_s), self.end_setup)
        else:
            self._process(now_s)

    def resume(self) -> None:
        """Have the lots on it that have begun, with their tools.

        A plan says who goes on with them and when; without one it goes on at once, with whoever is there.
        """
        self.count += len(self.begun)
        self.flow.needs.keep_tools(self, self.begun[0].stage.operation)
        if self.flow.plan is not None:
            self.flow.wake(self)
        else:
            self.go_on_with_begun(0.0)

    def go_on_with_begun(self, now_s: float) -> None:
        """Take up what had begun before the epoch, without a changeover."""
        self.lots, self.begun = self.begun, []
        self.work_s = self.flow.luck.work_s(self, self.lots)
        self.flow.needs.attend_begun(self, self.lots, now_s)
        if self.flow.plan is not None:
            self.flow.plan.began(self.lots)
        for lot in self.lots:
            lot.running = None
        self.setup_begun_s = now_s
        self._process(now_s)

    def end_setup(self, moment: Moment) -> None:
        """Process what it has been set up for."""
        now_s = self.flow.clock.now
        if self.people and self.lots[0].stage.operation.attendance is Attendance.SETUP:
            self.flow.needs.dismiss(self, self.setup_begun_s, now_s)
            self.step_time = self.working_time
        self._process(now_s)

    def _process(self, now_s: float) -> None:
        self.family = self.lots[0].stage.family
        self.phase = EXECUTING
        plain = self.always and self.step_time is self.working_time
        self.begun_s = now_s if plain else self.step_time.begin(now_s)
        self.stopped_s = 0.0
        if not self.is_down:
            self.go_on()

    def go_on(self) -> None:
        """Arrange what happens next in the running phase: a failure in operating time, or its end."""
        clock = self.flow.clock
        fail_at_s = self.upkeep.fail_at_s
        if fail_at_s <= self.operated_s + self.work_s:
            self.moment = clock.at(self.clock_s(fail_at_s - self.operated_s), self.upkeep.fail_operating)
        else:
            self.moment = clock.at(self.clock_s(self.work_s), self._end)

    def clock_s(self, work_s: float) -> float:
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
            flow.needs.release_things(self, now_s)
        self.lots = []
        self.moment = None
        outgoing = flow.processed(self, lots, attendant, now_s)
        if flow.passage.is_simple:
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
            flow.passage.leave(lot, self, now_s)
        flow.passage.room_changed(self, now_s)
        if self.phase is BLOCKED and self.holding:
            refuse_circle(flow.passage, self)
        else:
            self.freed(now_s)

    def freed(self, now_s: float) -> None:
        """Nothing stands on it any more."""
        if self.phase is BLOCKED and not self.holding:
            if now_s > self.blocked_since_s:
                self.flow.log.stop(self.index, MachineState.BLOCKED, self.blocked_since_s, now_s)
            self.phase = FREE
            self.flow.wake(self)
