"""The emulated floor: the simulator's stations run against plant time, with true parameters and dispatched jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import simpy

from emulator.events import DispatchedJob, Event, FloorJob, MachineStatus, StoreResult
from emulator.happenings import Happenings, Shown
from emulator.jobs import JobBook, JobRecord
from emulator.jobshop import Counters, JobShop
from emulator.truth import Truth
from plant.calendar import WorkingTime
from plant.checks import require, require_aware, require_positive
from plant.machine_state import MachineState
from plant.plant import Plant
from twin.alarm import alarms_until
from twin.station import Station

_HORIZON = timedelta(days=200)
"""Working time is laid out at least this far ahead of the floor's clock."""

_URGENT = 0
_FORMAT = 1


class EmulatedFloor:
    """A factory floor that runs as far as it is told to.

    It knows nothing of wall time: `advance` moves it to a plant time and returns what happened. Commands take
    effect at the floor's present time, or at a later `at` to which they first move it; what they cause is returned
    by the next `advance`. The same job orders and commands at the same plant times give the same events, however
    `advance` cuts the time and wherever the floor was dumped and restored in between.

    Parameters
    ----------
    start
        Plant time at which a new floor begins.
    state
        What `dump` returned: the floor goes on from there instead.
    """

    def __init__(self, plant: Plant, truth: Truth, start: datetime, state: Mapping[str, Any] | None = None) -> None:
        self._plant = plant
        self._truth = truth
        self._start = start if state is None else datetime.fromisoformat(state["start"])
        require_aware("start", self._start)
        now = self._start if state is None else datetime.fromisoformat(state["now"])
        self._laid_out_to = now
        self._env = simpy.Environment(initial_time=self._seconds(now))
        self._commanded = dict.fromkeys((machine.id for machine in plant.machines), 0)
        self._book = JobBook() if state is None else JobBook(JobRecord.of(job) for job in state["jobs"])
        working_times = self._lay_out(now)
        self._happenings = Happenings({name: self._first_shown(time) for name, time in working_times.items()})
        self._shop = JobShop(plant, truth, self._book, self._happenings, self._moment)
        for rank, machine in enumerate(plant.machines):
            self._shop.stations[machine.id] = Station(
                self._env, machine.id, working_times[machine.id], self._shop, truth, rank=rank, watched=True
            )
        if state is not None:
            self._restore(state)

    @property
    def now(self) -> datetime:
        """Plant time the floor has come to."""
        return self._moment(self._env.now)

    def advance(self, until: datetime) -> list[Event]:
        """Run to plant time `until` and return, in order, what happened and was not returned yet.

        What is due at `until` itself happens with the next call, after any command given in between.
        """
        require_aware("until", until)
        self._run(until)
        return self._happenings.take(until)

    def store(self, job: DispatchedJob, at: datetime | None = None) -> StoreResult:
        """Take in a job order, or a newer revision of one that has not begun.

        Raises
        ------
        NotFound
            If its machine, item or operation does not exist.
        InvalidInput
            If its machine cannot do the operation.
        """
        machine = self._plant.machine(job.machine)
        capability = self._plant.operation(job.item, job.operation).capability
        require(
            capability in machine.capabilities,
            f"job order {job.id}: machine {machine.id} cannot do {capability}; it can do "
            f"{', '.join(machine.capabilities)}",
        )
        self._run(at)
        result = self._book.store(job)
        if result is StoreResult.STORED:
            self._shop.look_around()
        return result

    def abort(self, job_id: str, reason: str, at: datetime | None = None) -> None:
        """Give up a waiting or running job order; raise `NotFound` if unknown, `Conflict` if it has ended."""
        self._run(at)
        self._shop.abort(job_id, reason, self._env.now)

    def break_machine(self, machine: str, duration_s: float | None = None, at: datetime | None = None) -> None:
        """Break a machine, also one that is down already.

        Parameters
        ----------
        duration_s
            Working seconds until it is repaired; None draws them from its true repair times.
        """
        station = self._station(machine)
        if duration_s is None:
            duration_s = self._truth.commanded_repair_s(machine, self._commanded[machine])
        require_positive("duration_s", duration_s)
        self._run(at)
        self._commanded[machine] += 1
        station.break_down(duration_s)

    def repair(self, machine: str, at: datetime | None = None) -> None:
        """Have a machine repaired at once; harmless when it is not broken."""
        station = self._station(machine)
        self._run(at)
        station.repair()

    def status(self, machine: str) -> MachineStatus:
        """Return a machine as it stands, or raise `NotFound`."""
        station, counters = self._station(machine), self._shop.counters[machine]
        shown = self._happenings.shown(machine)
        operating_s = station.operating_s(self._env.now)
        return MachineStatus(
            machine=machine,
            state=shown.state,
            since=shown.since,
            job_order=shown.job_order,
            job_orders=self._shop.running_jobs(station),
            part=counters.part,
            good=counters.good,
            scrap=counters.scrap,
            operating_s=operating_s,
            wear=_wear(station, operating_s),
            setup_family=station.setup_family,
        )

    def jobs(self) -> tuple[FloorJob, ...]:
        """Return all job orders the floor knows, in the order they first came."""
        return tuple(record.view() for record in self._book)

    def job(self, job_id: str) -> FloorJob:
        """Return one job order, or raise `NotFound`."""
        return self._book[job_id].view()

    # Running

    def _run(self, until: datetime | None) -> None:
        if until is None:
            return
        self._look_ahead(until)
        for alarm in alarms_until(self._env, self._seconds(until), _URGENT):
            self._env.run(until=alarm)

    def _look_ahead(self, until: datetime) -> None:
        """Lay out more working time when little is left; what was laid out stays as it is."""
        if until + _HORIZON > self._laid_out_to:
            for machine, working_time in self._lay_out(until).items():
                self._shop.stations[machine].working_time = working_time

    def _lay_out(self, now: datetime) -> dict[str, WorkingTime]:
        self._laid_out_to = now + 2 * _HORIZON
        by_calendar: dict[str, WorkingTime] = {}
        for machine in self._plant.machines:
            if machine.calendar not in by_calendar:
                windows = self._plant.calendar_of(machine.id).windows(self._start, self._laid_out_to)
                by_calendar[machine.calendar] = WorkingTime.of(
                    [(self._seconds(opens), self._seconds(closes)) for opens, closes in windows]
                )
        return {machine.id: by_calendar[machine.calendar] for machine in self._plant.machines}

    def _first_shown(self, working_time: WorkingTime) -> Shown:
        is_open = working_time.begin(0.0) <= 0.0
        return Shown(MachineState.IDLE if is_open else MachineState.PLANNED_STOP, None, self._start)

    def _station(self, machine: str) -> Station:
        return self._shop.stations[self._plant.machine(machine).id]

    def _seconds(self, moment: datetime) -> float:
        return (moment - self._start).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        return self._start + timedelta(seconds=seconds)

    # Being written down and set up again

    def dump(self) -> dict[str, Any]:
        """Return all the floor knows as JSON-able values; hidden parameters follow from plant and seed again."""
        return {
            "format": _FORMAT,
            "seed": self._truth.seed,
            "start": self._start.isoformat(),
            "now": self.now.isoformat(),
            "jobs": [record.dump() for record in self._book],
            "machines": {name: self._dump_machine(name) for name in self._shop.stations},
            "happenings": self._happenings.dump(),
        }

    def _dump_machine(self, name: str) -> dict[str, Any]:
        return {
            "station": self._shop.stations[name].dump(),
            "counters": asdict(self._shop.counters[name]),
            "commanded": self._commanded[name],
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        require(state["format"] == _FORMAT, f"the floor's state has format {state['format']}, not {_FORMAT}")
        require(
            state["seed"] == self._truth.seed,
            f"the floor's state was made with seed {state['seed']}, not {self._truth.seed}; start it with that seed",
        )
        require(
            set(state["machines"]) == set(self._shop.stations),
            f"the floor's state knows machines {sorted(state['machines'])}, the plant {sorted(self._shop.stations)}; "
            "begin with a new state",
        )
        self._happenings.restore(state["happenings"])
        for name, machine in state["machines"].items():
            self._shop.stations[name].restore(machine["station"])
            self._shop.counters[name] = Counters(**machine["counters"])
            self._commanded[name] = machine["commanded"]


def _wear(station: Station, operating_s: float) -> float:
    life_s = station.failure_at_s - station.failed_at_s
    return min(max((operating_s - station.failed_at_s) / life_s, 0.0), 1.0) if life_s > 0 else 1.0
