"""How a machine works, as a SimPy process: the reference model and the emulated floor both run it.

A station takes one step (a job, or the members of a batch) after another from its shop: changeover, then
processing, both in working time; failures by operating time stop it and are repaired in working time. All it
knows lies in its attributes and none of it in the suspended process, so a floor can be written down and set up again.

Times are float seconds since the epoch. Every moment is computed from the beginning of the running phase, with
the arithmetic of `plant.calendar.WorkingTime`, and the process wakes at exactly that float: which wake-ups lie
between changes nothing. Things of one instant happen in the order of the stations' ranks.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import simpy

from plant.calendar import WorkingTime
from plant.machine_state import MachineState
from twin.alarm import Alarm, Life, alarms_until, closing_s
from twin.shop import Breakdown, Busy, Luck, Phase, Shop, Step

_FIRST_RANK = 2
"""SimPy keeps priorities 0 and 1 for its own urgent and normal events."""


class Station:
    """One machine at work in a SimPy environment.

    Attributes
    ----------
    step, phase
        What it works at, None when free.
    breakdown
        Set while it is down.
    operated_s
        Operating seconds up to the running phase: processing only.
    failures, failure_at_s, failed_at_s
        How often it failed, and the operating seconds at which it fails next and failed last.
    """

    def __init__(
        self,
        env: simpy.Environment,
        machine: str,
        working_time: WorkingTime,
        shop: Shop,
        luck: Luck,
        *,
        rank: int = 0,
        setup_family: str | None = None,
        down_until_s: float = 0.0,
        watched: bool = False,
    ) -> None:
        self.machine = machine
        self.working_time = working_time
        self.setup_family = setup_family
        self.step: Step | None = None
        self.phase: Phase | None = None
        self.breakdown = Breakdown(env.now, down_until_s, 0.0) if down_until_s > env.now else None
        self.busy = Busy()
        self.operated_s = 0.0
        self.failures = 0
        self.failed_at_s = 0.0
        self.failure_at_s = luck.between_failures_s(machine, 0)
        self._env = env
        self._shop = shop
        self._luck = luck
        self._rank = _FIRST_RANK + rank
        self._watched = watched
        self._ask_again_s = math.inf
        self._asleep = False
        self._process = env.process(self._live())

    # The process

    def _live(self) -> Life:
        yield Alarm(self._env, 0.0, self._rank)
        while True:
            self._settle(self._env.now)
            self._asleep = True
            try:
                yield from self._sleep(self._due_s(self._env.now))
            except simpy.Interrupt:
                # Woken ones, too, take their turn among the things of this instant.
                yield Alarm(self._env, 0.0, self._rank)
            self._asleep = False

    def _sleep(self, due_s: float) -> Life:
        if due_s == math.inf:
            yield self._env.event()
        yield from alarms_until(self._env, due_s, self._rank)

    def wake(self) -> None:
        """Have it look again at what it could do; harmless at any time."""
        if self._asleep:
            self._asleep = False
            self._process.interrupt()

    def _settle(self, now_s: float) -> None:
        while self._happen(now_s) or self._take(now_s):
            pass
        if self._watched:
            self._shop.show(self, now_s)

    def _due_s(self, now_s: float) -> float:
        if self.breakdown is not None:
            return self.breakdown.until_s
        time = self._time()
        opens_s = time.begin(now_s)
        closed = opens_s > now_s
        edge_s = opens_s if closed else closing_s(time, now_s)
        if self.phase is not None:
            due_s = self._clock_s(self._next_work_s())
            return min(due_s, edge_s) if self._watched else due_s
        if closed:
            return opens_s
        return min(self._ask_again_s, edge_s) if self._watched else self._ask_again_s

    # What happens by itself

    def _happen(self, now_s: float) -> bool:
        """Let the next thing that is due happen; tell whether there was one."""
        if self.breakdown is not None:
            if now_s < self.breakdown.until_s:
                return False
            self._go_on(self.breakdown.repair_s)
            return True
        if self.phase is None or now_s < self._clock_s(self._next_work_s()):
            return False
        if self._piece_is_next():
            self._piece(now_s)
        elif self._fails():
            self._fail(now_s)
        else:
            self._end_phase(now_s)
        return True

    def _clock_s(self, work_s: float) -> float:
        """Return when `work_s` of the running phase is done."""
        assert self.phase is not None
        return self._time().finish(self.phase.begun_s, work_s + self.phase.stopped_s)

    def _time(self) -> WorkingTime:
        """Return when it may work: at the running phase of a step, or at all."""
        if self.phase is None or self.step is None:
            return self.working_time
        own = self.step.setup_time if self.phase.state is MachineState.SETUP else self.step.working_time
        return self.working_time if own is None else own

    def _fails(self) -> bool:
        """Tell whether the next failure lies within the running phase, its end included."""
        phase = self.phase
        assert phase is not None
        return phase.state is MachineState.EXECUTING and self.failure_at_s <= self.operated_s + phase.work_s

    def _piece_is_next(self) -> bool:
        phase, step = self.phase, self.step
        assert phase is not None
        assert step is not None
        if phase.state is not MachineState.EXECUTING or phase.pieces_done >= step.pieces:
            return False
        return not self._fails() or step.piece_s(phase.pieces_done) <= self.failure_at_s - self.operated_s

    def _next_work_s(self) -> float:
        """Return how much of the running phase is done when the next thing happens in it."""
        assert self.phase is not None
        assert self.step is not None
        if self._piece_is_next():
            return self.step.piece_s(self.phase.pieces_done)
        return self.failure_at_s - self.operated_s if self._fails() else self.phase.work_s

    def _piece(self, now_s: float) -> None:
        assert self.phase is not None
        assert self.step is not None
        self.phase.pieces_done += 1
        self._shop.piece(self, self.step, self.phase.pieces_done - 1, now_s)

    def _fail(self, now_s: float) -> None:
        self._stop(now_s, self.failure_at_s - self.operated_s, self._luck.repair_s(self.machine, self.failures))
        self.failures += 1
        self.failed_at_s = self.failure_at_s
        self.failure_at_s += self._luck.between_failures_s(self.machine, self.failures)

    def _end_phase(self, now_s: float) -> None:
        phase, step = self.phase, self.step
        assert phase is not None
        assert step is not None
        if phase.state is MachineState.SETUP:
            self.busy.setup_s += phase.work_s
            self._process_step(step, now_s)
            return
        self.busy.processing_s += phase.work_s
        self.operated_s += phase.work_s
        self.step = self.phase = None
        self._shop.finished(self, step, now_s)

    # Taking up work

    def _take(self, now_s: float) -> bool:
        """Begin a step if the machine is free, up and in working time; tell whether it did."""
        if self.phase is not None or self.breakdown is not None or not self.is_open(now_s):
            return False
        offer = self._shop.offer(self, now_s)
        if not isinstance(offer, Step):
            self._ask_again_s = offer
            return False
        self.step = offer
        self._shop.began(self, offer, now_s)
        if offer.setup_s > 0:
            self.phase = Phase(MachineState.SETUP, now_s, offer.setup_s)
        else:
            self._process_step(offer, now_s)
        return True

    def _process_step(self, step: Step, now_s: float) -> None:
        self.setup_family = step.setup_family
        working_time = self.working_time if step.working_time is None else step.working_time
        self.phase = Phase(MachineState.EXECUTING, working_time.begin(now_s), step.processing_s)
        self._shop.processing(self, step, self.phase.begun_s)

    # Breaking down

    def _stop(self, now_s: float, done_s: float, repair_s: float) -> None:
        if self.phase is None:
            until_s = self.working_time.finish(now_s, repair_s)  # a machine without work is repaired by itself
        else:
            self.phase.stopped_s += repair_s
            until_s = self._clock_s(done_s)
        self.breakdown = Breakdown(now_s, until_s, repair_s, done_s)

    def _go_on(self, repair_s: float) -> None:
        self.busy.repair_s += repair_s
        self.breakdown = None

    # What is done to it from outside, and asked of it

    def break_down(self, repair_s: float) -> None:
        """Break now, whatever it does; the repair takes `repair_s` of working time, also if it was down already."""
        self.repair()
        self._stop(self._env.now, self.done_s(self._env.now), repair_s)
        self.wake()

    def repair(self) -> None:
        """End a repair now; harmless when nothing is broken."""
        if self.breakdown is None:
            return
        down, now_s, worked_at = self.breakdown, self._env.now, self._time().worked_at
        if self.phase is not None:
            self.phase.stopped_s = max(worked_at(now_s) - worked_at(self.phase.begun_s) - down.done_s, 0.0)
        self._go_on(max(worked_at(now_s) - worked_at(down.since_s), 0.0))
        self.wake()

    def drop(self) -> None:
        """Give up the running step now; a breakdown goes on."""
        if self.phase is not None:
            done_s = self.done_s(self._env.now)
            if self.phase.state is MachineState.EXECUTING:
                self.busy.processing_s += done_s
                self.operated_s += done_s
            else:
                self.busy.setup_s += done_s
        self.step = self.phase = None
        self.wake()

    def done_s(self, now_s: float) -> float:
        """Return the working seconds of the running phase that are done; 0 when free."""
        if self.phase is None:
            return 0.0
        if self.breakdown is not None:
            return self.breakdown.done_s
        worked_at = self._time().worked_at
        done_s = worked_at(now_s) - worked_at(self.phase.begun_s) - self.phase.stopped_s
        return min(max(done_s, 0.0), self.phase.work_s)

    def operating_s(self, now_s: float) -> float:
        """Return the operating seconds so far."""
        executing = self.phase is not None and self.phase.state is MachineState.EXECUTING
        return self.operated_s + (self.done_s(now_s) if executing else 0.0)

    def is_open(self, now_s: float) -> bool:
        """Tell whether work is possible at `now_s`: at the running phase of a step, or at all."""
        return self._time().begin(now_s) <= now_s

    def state(self, now_s: float) -> MachineState:
        """Return what it is doing; a free machine in working time is idle."""
        if self.breakdown is not None:
            return MachineState.BREAKDOWN
        if not self.is_open(now_s):
            return MachineState.PLANNED_STOP
        return MachineState.IDLE if self.phase is None else self.phase.state

    # Being written down and set up again

    def dump(self) -> dict[str, Any]:
        """Return all it knows as JSON-able values."""
        return {
            "setup_family": self.setup_family,
            "step": None if self.step is None else _dumped(self.step),
            "phase": None if self.phase is None else asdict(self.phase),
            "breakdown": None if self.breakdown is None else asdict(self.breakdown),
            "busy": asdict(self.busy),
            "operated_s": self.operated_s,
            "failures": self.failures,
            "failed_at_s": self.failed_at_s,
            "failure_at_s": None if math.isinf(self.failure_at_s) else self.failure_at_s,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned; the environment's clock must show the time of the dump."""
        step, phase, breakdown = state["step"], state["phase"], state["breakdown"]
        self.setup_family = state["setup_family"]
        self.step = None if step is None else _restored(step)
        self.phase = None if phase is None else Phase(**{**phase, "state": MachineState(phase["state"])})
        self.breakdown = None if breakdown is None else Breakdown(**breakdown)
        self.busy = Busy(**state["busy"])
        self.operated_s = state["operated_s"]
        self.failures = state["failures"]
        self.failed_at_s = state["failed_at_s"]
        self.failure_at_s = math.inf if state["failure_at_s"] is None else state["failure_at_s"]


def _dumped(step: Step) -> dict[str, Any]:
    """Return a step as JSON-able values; the end of a last window may be infinite, which JSON does not know."""
    found = asdict(step)
    for name in ("setup_time", "working_time"):
        time = getattr(step, name)
        if time is not None:
            found[name] = [time.starts, time.ends[:-1]]
    return found


def _restored(step: dict[str, Any]) -> Step:
    times = {}
    for name in ("setup_time", "working_time"):
        if step.get(name) is not None:
            starts, ends = step[name]
            times[name] = WorkingTime.of([*zip(starts, [*ends, math.inf], strict=True)])
    return Step(**{**step, "jobs": tuple(step["jobs"]), **times})
