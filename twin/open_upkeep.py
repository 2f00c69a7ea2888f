"""How a machine on the open floor fails, is repaired and maintained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from plant.machine_state import MachineState
from plant.plant import FailureTime
from twin.open_clock import Moment
from twin.open_phase import EXECUTING, FREE, SETUP, UPKEEP

if TYPE_CHECKING:
    from twin.open_machine import OpenMachine


class Upkeep:
    """Failures, repairs and maintenance of one machine in one future.

    Attributes
    ----------
    fail_at_s
        Operating seconds at which it fails next; inf where it fails in calendar time or never.
    failures
        How often it has failed.
    """

    __slots__ = (
        "_ages_always",
        "_clock",
        "_crew",
        "_flow",
        "_is_overdue",
        "_machine",
        "_maintained_s",
        "fail_at_s",
        "failures",
    )

    def __init__(self, machine: OpenMachine) -> None:
        reliability = machine.spec.reliability
        self._machine = machine
        self._flow = flow = machine.flow
        self._clock = flow.clock
        self._ages_always = reliability is not None and reliability.failure_time is FailureTime.CALENDAR
        self._crew = flow.crews[reliability.crew] if reliability is not None and reliability.crew else None
        self._maintained_s = 0.0
        self._is_overdue = False
        self.failures = 0
        self.fail_at_s = math.inf
        if reliability is not None:
            state = flow.shop.model.machines.get(machine.spec.id)
            first_s = flow.luck.first_failure_s(
                machine.spec.id, reliability, 0.0 if state is None else state.operated_s
            )
            if self._ages_always:
                self._clock.at(first_s, self._fail_now)
            else:
                self.fail_at_s = first_s

    def _between_failures_s(self) -> float:
        reliability = self._machine.spec.reliability
        assert reliability is not None
        subject = self._machine.spec.id
        return self._flow.luck.named(reliability.time_between_failures, "time between failures", subject, self.failures)

    def repair_s(self, ordinal: int) -> float:
        """Return the working seconds of the repair after failure `ordinal`."""
        reliability = self._machine.spec.reliability
        assert reliability is not None
        return self._flow.luck.named(reliability.time_to_repair, "time to repair", self._machine.spec.id, ordinal)

    # Failing

    def fail_operating(self, moment: Moment) -> None:
        """Fail in the running phase, at an age in operating time."""
        self._machine.done_s = self.fail_at_s - self._machine.operated_s
        self._fail()
        self.fail_at_s += self._between_failures_s()

    def _fail_now(self, moment: Moment) -> None:
        machine = self._machine
        if machine.phase in (SETUP, EXECUTING):
            now_s, time = self._clock.now, machine.step_time
            limit_s = machine.work_s if machine.phase is EXECUTING else machine.change_s
            done_s = time.worked_at(now_s) - time.worked_at(machine.begun_s) - machine.stopped_s
            machine.done_s = min(max(done_s, 0.0), limit_s)
        if machine.is_down:  # as a snapshot says: it fails as soon as it is up again
            self._is_overdue = True
            return
        if machine.phase is UPKEEP:  # it is being looked after anyway: it fails later, if at all
            self._clock.at(self._clock.now + self._between_failures_s(), self._fail_now)
            return
        self._fail()

    def _fail(self) -> None:
        machine, now_s = self._machine, self._clock.now
        if machine.moment is not None:
            machine.moment.call_off()
            machine.moment = None
        machine.is_down = True
        machine.down_since_s = now_s
        ordinal = self.failures
        self.failures += 1
        self._flow.log.failures += 1
        if self._crew is None:
            self._repair(now_s, ordinal)
        else:
            self._crew.ask(now_s, lambda begun_s: self._repair(begun_s, ordinal))

    # Being repaired

    def _repair(self, now_s: float, ordinal: int) -> None:
        machine, repair_s = self._machine, self.repair_s(ordinal)
        in_phase = machine.phase in (SETUP, EXECUTING)
        if not in_phase:
            until_s = machine.working_time.finish(now_s, repair_s)
        elif now_s == machine.down_since_s:
            machine.stopped_s += repair_s
            until_s = machine.clock_s(machine.done_s)
        else:
            until_s = machine.step_time.finish(now_s, repair_s)
            worked_at = machine.step_time.worked_at
            machine.stopped_s = worked_at(until_s) - worked_at(machine.begun_s) - machine.done_s
        self._clock.at(until_s, self._repaired)

    def _repaired(self, moment: Moment) -> None:
        machine, now_s = self._machine, self._clock.now
        self._flow.log.stop(machine.index, MachineState.BREAKDOWN, machine.down_since_s, now_s)
        machine.is_down = False
        if self._crew is not None:
            self._crew.give_back(now_s)
        if self._ages_always:
            self._clock.at(now_s + self._between_failures_s(), self._fail_now)
        if machine.phase is EXECUTING:
            machine.go_on()
        elif machine.phase is SETUP:
            machine.moment = self._clock.at(machine.clock_s(machine.change_s), machine.end_setup)
        elif machine.phase is FREE:
            self._flow.wake(machine)

    def go_down_until(self, until_s: float) -> None:
        """Be down from the beginning, as a snapshot says."""
        self._machine.is_down = True
        self._clock.at(until_s, self._up_again)

    def _up_again(self, moment: Moment) -> None:
        machine, now_s = self._machine, self._clock.now
        self._flow.log.stop(machine.index, MachineState.BREAKDOWN, 0.0, now_s)
        machine.is_down = False
        if machine.phase is EXECUTING:
            machine.begun_s = machine.step_time.begin(now_s)
            machine.go_on()
        else:
            self._flow.wake(machine)
        if self._is_overdue:  # after it has taken up what it can
            self._clock.at(math.nextafter(now_s, math.inf), self._fail_now)

    # Being maintained

    def is_due(self) -> bool:
        """Tell whether it is to be maintained before it takes up anything."""
        upkeep = self._machine.spec.maintenance
        return upkeep is not None and self._machine.operated_s - self._maintained_s >= upkeep.every_s

    def maintain(self, now_s: float) -> None:
        """Begin maintenance, or wait for the crew to do so."""
        upkeep = self._machine.spec.maintenance
        assert upkeep is not None
        self._machine.phase = UPKEEP
        self._machine.down_since_s = now_s
        if upkeep.crew is None:
            self._maintained_by(now_s)
        else:
            self._flow.crews[upkeep.crew].ask(now_s, self._maintained_by)

    def _maintained_by(self, now_s: float) -> None:
        upkeep = self._machine.spec.maintenance
        assert upkeep is not None
        self._clock.at(self._machine.working_time.finish(now_s, upkeep.duration_s), self._maintained)

    def _maintained(self, moment: Moment) -> None:
        machine, upkeep, now_s = self._machine, self._machine.spec.maintenance, self._clock.now
        assert upkeep is not None
        self._flow.log.stop(machine.index, MachineState.PLANNED_STOP, machine.down_since_s, now_s)
        if upkeep.crew is not None:
            self._flow.crews[upkeep.crew].give_back(now_s)
        self._maintained_s = machine.operated_s
        machine.phase = FREE
        self._flow.wake(machine)
