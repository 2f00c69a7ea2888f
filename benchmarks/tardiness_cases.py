"""Shops with due dates, setups by family and two shifts, generated as the literature does.

Due dates after Lee, Bhaskaran and Pinedo, IIE Transactions 29 (1997): with tightness tau, range R and the estimated
length C of the plan, a due date is uniform on [d - R d, d] with chance tau and on [d, d + (C - d) R] otherwise, where
d = C (1 - tau). Setups are uniform on [0, 2 eta p] for the mean processing time p and the severity eta; weights are
those of our two priorities. Routings as in Vepsalainen and Morton, Management Science 33 (1987): each operation at a
random work center, here of two machines of different speed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.item import Attendance
from plant.order import Priority
from plant.plant import SetupMatrix, SetupTime
from plant.work import Delivery, MachineOutlook, OrderDemand, PersonOutlook, Task, Work

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
FAMILIES = tuple(f"F{number}" for number in range(8))
CENTERS, OPERATIONS, MEAN_MIN = 10, 5, 60
SHIFTS_H = ((6.0, 9.0), (9.25, 14.0), (14.0, 18.0), (18.5, 22.0))
WORKED_H = sum(end - start for start, end in SHIFTS_H)


@dataclass(frozen=True)
class Factors:
    """What makes a case hard: due-date tightness and range, and how long setups are."""

    tightness: float
    spread: float
    severity: float


GRID = tuple(Factors(tau, r, eta) for tau in (0.3, 0.6, 0.9) for r in (0.25, 0.75) for eta in (0.25, 0.75))


def two_shifts(days: int) -> WorkingTime:
    """Return weekdays from 6 to 22 with a break in each shift."""
    return WorkingTime.of(
        [
            (day * DAY_S + start * HOUR_S, day * DAY_S + end * HOUR_S)
            for day in range(days)
            if day % 7 < 5
            for start, end in SHIFTS_H
        ]
    )


def case(seed: int, factors: Factors, jobs: int, *, people: int = 0) -> Work:
    """Return a case: `jobs` orders of `OPERATIONS` operations.

    Parameters
    ----------
    people
        How many people attend changeovers; with any, some orders also wait for materials.
    """
    dice = random.Random(seed)
    length_h = jobs * OPERATIONS * MEAN_MIN / 60 * (1 + 0.5 * factors.severity) / (2 * CENTERS) * 1.1
    length_s = length_h / WORKED_H * 7 / 5 * DAY_S
    calendar = two_shifts(int(4 * length_s / DAY_S) + 30)
    machines = [_machine(dice, center, one, factors, calendar) for center in range(CENTERS) for one in "ab"]
    tasks = [task for job in range(jobs) for task in _tasks(dice, job, length_s, bool(people))]
    return Work(
        EPOCH,
        tuple(tasks),
        {machine.id: machine for machine in machines},
        {f"O{job}": _order(dice, job, factors, length_s) for job in range(jobs)},
        {f"P{one}": PersonOutlook(f"P{one}", calendar, (f"skill {one % 3}",)) for one in range(people)},
    )


def _machine(dice: random.Random, center: int, one: str, factors: Factors, calendar: WorkingTime) -> MachineOutlook:
    most = 2 * factors.severity * MEAN_MIN
    times = tuple(
        SetupTime(before, after, MINUTE_S * round(dice.uniform(0, most)))
        for before in FAMILIES
        for after in FAMILIES
        if before != after
    )
    matrix = SetupMatrix(f"W{center}", MINUTE_S * round(most / 2), times)
    return MachineOutlook(f"W{center}{one}", calendar, matrix, setup_family=dice.choice(FAMILIES))


def _tasks(dice: random.Random, job: int, length_s: float, attended: bool) -> list[Task]:
    tasks: list[Task] = []
    release_s = DAY_S * dice.randrange(max(int(length_s / DAY_S / 3), 1)) if dice.random() < 0.3 else 0.0
    material = None
    if attended and dice.random() < 0.3:
        material = Delivery(f"D{job}", DAY_S * dice.randrange(5), constant(HOUR_S))
    for place, center in enumerate(dice.sample(range(CENTERS), OPERATIONS)):
        minutes = dice.randint(10, 2 * MEAN_MIN - 10)
        tasks.append(
            Task(
                f"{job}-{place}",
                f"O{job}",
                "item",
                str(place),
                1,
                (tasks[-1].id,) if tasks else (),
                {f"W{center}a": MINUTE_S * minutes, f"W{center}b": MINUTE_S * round(1.25 * minutes)},
                dice.choice(FAMILIES),
                release_s=release_s if place == 0 else 0.0,
                attendance=Attendance.SETUP if attended else Attendance.NONE,
                skill=f"skill {center % 3}" if attended else None,
                material=material if place == 0 else None,
            )
        )
    return tasks


def _order(dice: random.Random, job: int, factors: Factors, length_s: float) -> OrderDemand:
    mean_s = length_s * (1 - factors.tightness)
    if dice.random() < factors.tightness:
        due_s = dice.uniform(mean_s * (1 - factors.spread), mean_s)
    else:
        due_s = dice.uniform(mean_s, mean_s + (length_s - mean_s) * factors.spread)
    return OrderDemand(
        f"O{job}", MINUTE_S * round(due_s / 60), Priority.HIGH if dice.random() < 0.25 else Priority.NORMAL
    )
