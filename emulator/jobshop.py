"""What the emulated machines work at: gives the stations the dispatched job orders and tells what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from emulator.events import Counted, JobAborted, JobCompleted, JobProgress, JobStarted
from emulator.happenings import Happenings
from emulator.jobs import JobBook, JobRecord
from emulator.truth import Truth
from methods.work import ways_between
from plant.errors import Conflict
from plant.machine_state import MachineState
from plant.order import JobState
from plant.plant import Plant
from twin.shop import Step
from twin.station import Station

_LONGEST_FIXED_SHARE = 0.95
"""Where all of the time is fixed (an oven), pieces still leave one by one: in the last twentieth."""


@dataclass
class Counters:
    """Pieces a machine has made since the floor began."""

    part: int = 0
    good: int = 0
    scrap: int = 0


class JobShop:
    """The floor's job orders at its stations: implements `twin.shop.Shop`."""

    def __init__(
        self, plant: Plant, truth: Truth, book: JobBook, happenings: Happenings, moment: Callable[[float], datetime]
    ) -> None:
        self.stations: dict[str, Station] = {}
        self.counters = {machine.id: Counters() for machine in plant.machines}
        self._plant = plant
        self._truth = truth
        self._book = book
        self._happenings = happenings
        self._moment = moment
        self._epoch = moment(0.0)
        self._ways_s = ways_between(plant)

    # What stations ask and tell

    def offer(self, station: Station, now_s: float) -> Step | float:
        """Return the machine's next step if its jobs are there, else when to ask again."""
        members = self._book.next_members(station.machine, self._plant.machine(station.machine).batch_capacity)
        if not members or any(self._book.is_held_up(member) for member in members):
            return math.inf
        release_s = max(self._release_s(member) for member in members)
        return release_s if now_s < release_s else self._step(station, members)

    def _release_s(self, record: JobRecord) -> float:
        """Return when a job order that is not held up is released and all it is made from has waited and is there.

        The way and the least wait pass at the same time. Where everything was scrapped before, nothing has to.
        """
        job = record.job
        release_s = (job.release_at - self._epoch).total_seconds()
        if self._book.pieces_for(record) == 0:
            return release_s
        least_s = self._plant.operation(job.item, job.operation).wait_least_s
        for before in self._book.before(record):
            assert before.ended_at is not None
            wait_s = least_s if before.job.production_order == job.production_order else 0.0
            lag_s = max(wait_s, self._ways_s.get((before.job.machine, job.machine), 0.0))
            release_s = max(release_s, (before.ended_at - self._epoch).total_seconds() + lag_s)
        return release_s

    def began(self, station: Station, step: Step, now_s: float) -> None:
        """Start the jobs of a step."""
        at = self._moment(now_s)
        for name in step.jobs:
            record = self._book[name]
            pieces, job = self._book.pieces_for(record), record.job
            bad_pieces = self._truth.bad_pieces(job.item, job.operation, pieces, job.id, record.attempt)
            self._book.begin(record, pieces, bad_pieces, at)
            self._happenings.add(JobStarted(station.machine, at, name))

    def processing(self, station: Station, step: Step, start_s: float) -> None:
        """Nothing to note: it shows in the machine's state."""

    def piece(self, station: Station, step: Step, index: int, now_s: float) -> None:
        """Count a piece, unless its job was taken out of the batch."""
        record = self._book[self._turn(step, index)]
        if record.state is not JobState.RUNNING:
            return
        at, counters = self._moment(now_s), self.counters[station.machine]
        good, scrap = record.count()
        counters.part += 1
        counters.good += good
        counters.scrap += scrap
        name = record.job.id
        self._happenings.add(
            Counted(station.machine, at, counters.part, counters.good, counters.scrap, name, good, scrap)
        )
        if record.has_progress_to_tell():
            self._happenings.add(JobProgress(station.machine, at, name, record.good, record.scrap))

    def finished(self, station: Station, step: Step, now_s: float) -> None:
        """Complete the jobs of a step, and let the machines look for work that waited for them."""
        at = self._moment(now_s)
        for record in self._running(step):
            record.end(JobState.COMPLETED, at)
            self._happenings.add(JobCompleted(station.machine, at, record.job.id, record.good, record.scrap))
        self.look_around()

    def show(self, station: Station, now_s: float) -> None:
        """Note what the machine shows."""
        state, job_order = station.state(now_s), self._job_order(station)
        if state is MachineState.IDLE and job_order is not None:
            state = MachineState.STARVED
        self._happenings.show(station.machine, self._moment(now_s), state, job_order)

    # What is done to jobs

    def abort(self, name: str, reason: str, now_s: float) -> None:
        """Give up a waiting or running job order.

        Raises
        ------
        Conflict
            If it has ended already.
        """
        record = self._book[name]
        if record.state not in (JobState.DISPATCHED, JobState.RUNNING):
            raise Conflict(f"job order {name} is {record.state} and cannot be aborted")
        at = self._moment(now_s)
        self._book.abort(record, at, reason)
        self._happenings.add(JobAborted(record.job.machine, at, name, record.good, record.scrap, reason))
        station = self.stations[record.job.machine]
        if station.step is not None and not self._running(station.step):
            station.drop()
        self.look_around()

    def look_around(self) -> None:
        """Have every free machine look for work again."""
        for station in self.stations.values():
            station.wake()

    # Steps

    def _step(self, station: Station, members: list[JobRecord]) -> Step:
        jobs, family = tuple(member.job.id for member in members), members[0].job.setup_family
        loads = [(member, pieces) for member in members if (pieces := self._book.pieces_for(member)) > 0]
        if not loads:
            # Everything was scrapped before: there is nothing to set up for.
            return Step(jobs, station.setup_family, 0.0, 0.0)
        planned_s = self._plant.setup_matrix_of(station.machine).duration_s(station.setup_family, family)
        return Step(
            jobs,
            family,
            setup_s=self._truth.setup_s(station.machine, planned_s),
            processing_s=max(self._processing_s(member, pieces) for member, pieces in loads),
            pieces=sum(pieces for _, pieces in loads),
            fixed_share=min(min(self._fixed_share(member, pieces) for member, pieces in loads), _LONGEST_FIXED_SHARE),
        )

    def _processing_s(self, record: JobRecord, pieces: int) -> float:
        job = record.job
        operation = self._plant.operation(job.item, job.operation)
        return self._truth.processing_s(job.machine, job.item, operation, pieces, job.id, record.attempt)

    def _fixed_share(self, record: JobRecord, pieces: int) -> float:
        operation = self._plant.operation(record.job.item, record.job.operation)
        return operation.fixed_s / operation.duration_s(pieces, 1.0)

    def _turn(self, step: Step, index: int) -> str:
        """Return whose piece comes out at turn `index`."""
        return _turns(tuple((name, self._book[name].pieces or 0) for name in step.jobs))[index]

    def running_jobs(self, station: Station) -> tuple[str, ...]:
        """Return the job orders a machine works at."""
        return () if station.step is None else tuple(record.job.id for record in self._running(station.step))

    def _running(self, step: Step) -> list[JobRecord]:
        records = (self._book[name] for name in step.jobs)
        return [record for record in records if record.state is JobState.RUNNING]

    def _job_order(self, station: Station) -> str | None:
        running = self.running_jobs(station)
        head = self._book.head(station.machine)
        return running[0] if running else None if head is None else head.job.id


@lru_cache(maxsize=64)
def _turns(pieces: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Spread the members' pieces evenly over the turns, so that all members end with the step."""
    turns = [((index + 1) / count, place, name) for place, (name, count) in enumerate(pieces) for index in range(count)]
    return tuple(name for _, _, name in sorted(turns))
