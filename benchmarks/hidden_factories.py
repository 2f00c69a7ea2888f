"""Factories nobody knows: drawn at random, with the history they leave behind and the truth to hold estimates against.

What is planned, how far the truth lies from it and in which shape, are drawn anew for each factory: nothing here
follows the calibration's own assumptions. Histories have what real ones have: jobs, changeovers and repairs that are
not over, jobs begun before, jobs given up, machines out of sight, nights, breaks and weekends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np

from plant.calendar import Break, Calendar, Shift, WorkingTime
from plant.calibration import operation_subject
from plant.distribution import Distribution, Family
from plant.item import Item, ItemKind, Operation
from plant.machine_state import MachineState, StateInterval
from plant.order import JobOrder, JobProgress, JobState
from plant.plant import Machine, Plant, Reliability, SetupMatrix, SetupTime
from twin.draws import weibull_shape

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday; what lies before it is history the calibration does not see."""
_LEAD = timedelta(days=3)
_CAPABILITIES = ("turning", "milling", "grinding")
_FAMILIES = 3


@dataclass(frozen=True)
class HiddenFactory:
    """A plant as planned, and as it is.

    Attributes
    ----------
    duration
        True mean processing time over the planned one, by machine and operation subject.
    variation
        True coefficient of variation by operation subject.
    setup
        True mean changeover over the planned one, by machine, family before and family after.
    setup_variation
        By machine.
    between_failures, repair
        True distributions by machine.
    scrap
        True share of bad pieces by operation subject.
    """

    seed: int
    plant: Plant
    duration: Mapping[tuple[str, str], float]
    variation: Mapping[str, float]
    setup: Mapping[tuple[str, str, str], float]
    setup_variation: Mapping[str, float]
    between_failures: Mapping[str, Distribution]
    repair: Mapping[str, Distribution]
    scrap: Mapping[str, float]

    def subjects(self, machine: str) -> list[tuple[Item, Operation]]:
        """Return the operations a machine can take."""
        capabilities = self.plant.machine(machine).capabilities
        return [
            (item, operation)
            for item in self.plant.made_items()
            for operation in item.routing
            if operation.capability in capabilities
        ]


@dataclass(frozen=True)
class History:
    """What a factory left behind between `SINCE` and `until`."""

    intervals: tuple[StateInterval, ...]
    jobs: tuple[JobProgress, ...]
    until: datetime


def hidden_factory(seed: int) -> HiddenFactory:
    """Draw a factory."""
    random = np.random.default_rng([seed, 1])
    plant = _plant(random)
    wide = random.uniform(0.03, 0.12)
    level = math.exp(random.uniform(-0.08, 0.08))
    speed = {machine.id: _factor(random, random.uniform(0.02, 0.08)) for machine in plant.machines}
    own, together = {}, {}
    interaction = random.uniform(0.0, 0.04)
    variation, scrap = {}, {}
    for item in plant.made_items():
        for operation in item.routing:
            subject = operation_subject(item.id, operation.id)
            own[subject] = _factor(random, wide)
            variation[subject] = operation.variation * _factor(random, 0.2)
            scrap[subject] = min(operation.scrap_ratio * _factor(random, 0.5), 0.5)
            for machine in plant.machines_with(operation.capability):
                together[machine.id, subject] = _factor(random, interaction)
    setup_own = {machine.id: _factor(random, 0.12) for machine in plant.machines}
    setup_pair = random.uniform(0.0, 0.1)
    reliabilities = {machine.id: machine.reliability for machine in plant.machines if machine.reliability}
    return HiddenFactory(
        seed=seed,
        plant=plant,
        duration={
            (machine, subject): level * speed[machine] * own[subject] * factor
            for (machine, subject), factor in together.items()
        },
        variation=variation,
        setup={
            (machine.id, before, after): setup_own[machine.id] * _factor(random, setup_pair)
            for machine in plant.machines
            for before in _families(machine.capabilities[0])
            for after in _families(machine.capabilities[0])
        },
        setup_variation={machine.id: random.uniform(0.03, 0.3) for machine in plant.machines},
        between_failures={
            name: _as_it_is(random, one.time_between_failures, 0.4) for name, one in reliabilities.items()
        },
        repair={name: _as_it_is(random, one.time_to_repair, 0.3) for name, one in reliabilities.items()},
        scrap=scrap,
    )


def _factor(random: np.random.Generator, spread: float) -> float:
    """Return a factor with this spread about 1: uniform, normal or two-valued in its logarithm."""
    kind = random.integers(3)
    if kind == 0:
        return math.exp(random.uniform(-math.sqrt(3) * spread, math.sqrt(3) * spread))
    if kind == 1:
        return math.exp(random.normal(0.0, spread))
    return math.exp(float(random.choice([-1.0, 1.0])) * spread)


def _as_it_is(random: np.random.Generator, planned: Distribution, spread: float) -> Distribution:
    exponential = planned.family is Family.EXPONENTIAL
    variation = 1.0 if exponential else planned.variation * _factor(random, 0.15)
    return Distribution(planned.family, planned.mean * _factor(random, spread), variation)


def _families(capability: str) -> list[str]:
    return [f"{capability} {number}" for number in range(_FAMILIES)]


def _plant(random: np.random.Generator) -> Plant:
    shifts = (
        Shift("early", (0, 1, 2, 3, 4), time(6), time(14), (Break(time(10), time(10, 30)),)),
        Shift("late", (0, 1, 2, 3, 4), time(14), time(22), (Break(time(18), time(18, 30)),)),
    )
    matrices = tuple(
        SetupMatrix(
            capability,
            float(random.integers(600, 1800)),
            tuple(
                SetupTime(before, after, float(random.integers(300, 2400)))
                for before in _families(capability)
                for after in _families(capability)
                if before != after and random.random() < 0.7
            ),
        )
        for capability in _CAPABILITIES
    )
    machines = tuple(
        Machine(
            f"M{place}{copy}",
            f"M{place}{copy}",
            "hall",
            "cell",
            (capability,),
            "two shifts",
            capability,
            speed=float(random.uniform(0.8, 1.25)),
            reliability=_reliability(random),
        )
        for place, capability in enumerate(_CAPABILITIES)
        for copy in range(2)
    )
    items = tuple(_item(random, f"I{number}") for number in range(7))
    return Plant(
        enterprise="Hidden",
        site="hidden",
        name="Hidden factory",
        timezone="UTC",
        starts_at=SINCE,
        calendars=(Calendar("two shifts", "UTC", shifts),),
        setup_matrices=matrices,
        machines=machines,
        people=(),
        items=items,
    )


def _reliability(random: np.random.Generator) -> Reliability:
    mean_s = float(random.uniform(15, 60)) * 3600
    repair = Distribution(Family.LOGNORMAL, float(random.uniform(0.5, 2.5)) * 3600, float(random.uniform(0.4, 0.8)))
    if random.random() < 0.5:
        return Reliability(Distribution(Family.EXPONENTIAL, mean_s, 1.0), repair)
    return Reliability(Distribution(Family.WEIBULL, mean_s, float(random.uniform(0.6, 0.9))), repair)


def _item(random: np.random.Generator, id_: str) -> Item:
    routing = tuple(
        Operation(
            str(10 * (step + 1)),
            f"{capability} {id_}",
            capability,
            capability,
            str(random.choice(_families(capability))),
            fixed_s=float(random.integers(0, 900)),
            per_piece_s=float(random.integers(120, 600)),
            variation=float(random.uniform(0.08, 0.3)),
            scrap_ratio=float(random.uniform(0.005, 0.04)),
        )
        for step, capability in enumerate(random.permutation(_CAPABILITIES))
    )
    return Item(id_, id_, ItemKind.MADE, routing=routing)


def history(factory: HiddenFactory, days: float = 30.0) -> History:
    """Return what the factory leaves behind in so many plant days."""
    until = SINCE + timedelta(days=days)
    intervals: list[StateInterval] = []
    jobs: list[JobProgress] = []
    for place, machine in enumerate(factory.plant.machines):
        line = _MachineHistory(factory, machine.id, np.random.default_rng([factory.seed, 2, place]), until)
        line.run()
        intervals += line.intervals
        jobs += line.jobs
    return History(tuple(intervals), tuple(jobs), until)


class _MachineHistory:
    """One machine working through jobs; times are working seconds since three days before `SINCE`."""

    def __init__(self, factory: HiddenFactory, machine: str, random: np.random.Generator, until: datetime) -> None:
        self._factory, self._machine, self._random = factory, machine, random
        self._epoch = SINCE - _LEAD
        end_s = (until - self._epoch).total_seconds()
        windows = factory.plant.calendar_of(machine).windows(self._epoch, until + timedelta(days=4))
        seconds = [((a - self._epoch).total_seconds(), (b - self._epoch).total_seconds()) for a, b in windows]
        self._clock = WorkingTime.of(seconds)
        self._end_s, self._worked_end_s = end_s, self._clock.worked_at(end_s)
        self._work = factory.subjects(machine)
        self._popular = random.dirichlet(np.full(len(self._work), 1.5))
        self._now_s, self._until_failure_s = 0.0, self._first_failure_s()
        self.intervals: list[StateInterval] = []
        self.jobs: list[JobProgress] = []

    def _first_failure_s(self) -> float:
        """Machines are met in the course of their lives: skip many of them."""
        between = self._factory.between_failures[self._machine]
        left_s = -between.mean * self._random.uniform(20, 40)
        while left_s <= 0:
            left_s += _drawn(self._random, between)
        return left_s

    def run(self) -> None:
        """Work from the beginning to the end of the period."""
        family: str | None = None
        while self._now_s < self._worked_end_s:
            item, operation = self._work[self._random.choice(len(self._work), p=self._popular)]
            quantity = int(self._random.integers(4, 16))
            job = JobOrder(
                f"{self._machine}-{len(self.jobs)}", "po", "co", item.id, operation.id, quantity, self._epoch
            )
            self._job(job, operation, family)
            family = operation.setup_family
            idle_s = float(self._random.exponential(900.0))
            self._spend(MachineState.IDLE, idle_s, None)

    def _job(self, job: JobOrder, operation: Operation, before: str | None) -> None:
        factory, random, machine = self._factory, self._random, self._machine
        subject = operation_subject(job.item, job.operation)
        started_s = self._now_s
        if before is not None and before != operation.setup_family:
            planned_s = factory.plant.setup_matrix_of(machine).duration_s(before, operation.setup_family)
            mean_s = planned_s * factory.setup[machine, before, operation.setup_family]
            real = Distribution(Family.LOGNORMAL, mean_s, factory.setup_variation[machine])
            self._spend(MachineState.SETUP, _drawn(random, real), job.id)
        planned_s = operation.duration_s(job.quantity, factory.plant.machine(machine).speed)
        mean_s = planned_s * factory.duration[machine, subject]
        work_s = _drawn(random, Distribution(Family.LOGNORMAL, mean_s, factory.variation[subject]))
        given_up_s = planned_s * random.uniform(0.0, 2.0) if random.random() < 0.05 else math.inf
        self._process(min(work_s, given_up_s), job.id)
        bad = int(random.binomial(job.quantity, factory.scrap[subject]))
        self.jobs.append(self._progress(job, started_s, work_s > given_up_s, bad))

    def _process(self, work_s: float, job: str) -> None:
        hidden = self._random.random() < 0.02
        while work_s > 0:
            run_s = min(work_s, self._until_failure_s)
            if hidden:
                seen_s = run_s * float(self._random.random())
                self._spend(MachineState.EXECUTING, seen_s, job)
                self._spend(MachineState.OFFLINE, run_s - seen_s, job)
                hidden = False
            else:
                self._spend(MachineState.EXECUTING, run_s, job)
            work_s -= run_s
            self._until_failure_s -= run_s
            if self._until_failure_s <= 0:
                self._spend(MachineState.BREAKDOWN, _drawn(self._random, self._factory.repair[self._machine]), job)
                self._until_failure_s = _drawn(self._random, self._factory.between_failures[self._machine])

    def _progress(self, job: JobOrder, started_s: float, given_up: bool, bad: int) -> JobProgress:
        started, ended = self._moment(self._clock.begin(self._clock.clock_at(started_s))), self._moment_of(self._now_s)
        if self._now_s > self._worked_end_s:
            return JobProgress(job, JobState.RUNNING, self._machine, started)
        if given_up:
            return JobProgress(job, JobState.ABORTED, self._machine, started)
        return JobProgress(job, JobState.COMPLETED, self._machine, started, ended, job.quantity - bad, bad)

    def _spend(self, state: MachineState, length_s: float, job: str | None) -> None:
        """Be in a state for so much working time; show what the clock sees of it, nights as planned stops."""
        begin_s, self._now_s = self._now_s, self._now_s + length_s
        for shown, from_s, to_s in self._pieces(state, begin_s, self._now_s):
            if from_s < self._end_s and to_s > from_s:
                ended = None if to_s > self._end_s else self._moment(to_s)
                started = self._moment(from_s)
                if ended is None or started < ended:
                    self.intervals.append(StateInterval(self._machine, started, ended, shown, "", job))

    def _pieces(self, state: MachineState, begin_s: float, end_s: float) -> Iterator[tuple[MachineState, float, float]]:
        clock = self._clock
        at_s, last_s = clock.begin(clock.clock_at(begin_s)), clock.begin(clock.clock_at(end_s))
        if state is MachineState.BREAKDOWN:
            yield state, at_s, last_s
            return
        for opens_s, closes_s in zip(clock.starts, clock.ends, strict=True):
            if closes_s <= at_s:
                continue
            if opens_s > at_s:
                if opens_s > last_s:
                    return
                yield MachineState.PLANNED_STOP, at_s, opens_s
                at_s = opens_s
            until_s = min(closes_s, last_s)
            if until_s > at_s:
                yield state, at_s, until_s
                at_s = until_s
            if at_s >= last_s:
                return

    def _moment_of(self, worked_s: float) -> datetime:
        return self._moment(self._clock.clock_at(worked_s))

    def _moment(self, seconds: float) -> datetime:
        return self._epoch + timedelta(seconds=seconds)


def _drawn(random: np.random.Generator, distribution: Distribution) -> float:
    mean, variation = distribution.mean, distribution.variation
    if distribution.family is Family.EXPONENTIAL:
        return float(random.exponential(mean))
    if distribution.family is Family.WEIBULL:
        shape = weibull_shape(variation)
        return float(mean / math.gamma(1 + 1 / shape) * random.weibull(shape))
    variance = math.log1p(variation**2)
    return float(random.lognormal(math.log(mean) - variance / 2, math.sqrt(variance)))
