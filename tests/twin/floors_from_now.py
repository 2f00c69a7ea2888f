"""Random floors that both the open floor and the plan's own simulation can express, as they stand at some moment.

Ages, running work (batches, too), open repairs, least waits, ways where nothing is assembled, people with shifts and
absences, and a feasible plan that names who attends what. Nothing is scrapped from now on: the plan's simulation leaves
that out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.floors import Values, item, machine, operation, write_floor
from methods.explosion import explode, job_orders
from methods.floor import floor_model
from methods.work import build_work
from plant.floor_model import FloorModel
from plant.folder import load, load_orders
from plant.item import Attendance
from plant.order import CustomerOrder, JobOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant
from plant.snapshot import MachineSnapshot, Snapshot
from plant.work import PersonOutlook, Task, Work

CAPABILITIES = ("cut", "bend", "paint")
FAMILIES = ("f0", "f1", "f2")
BETWEEN: tuple[Values, ...] = (
    {"family": "exponential", "mean_h": 2},
    {"family": "weibull", "mean_h": 2, "variation": 0.6},
    {"family": "lognormal", "mean_h": 3, "variation": 0.8},
    {"family": "gamma", "mean_h": 1, "variation": 0.7},
)


class FloorFromNow:
    """One floor at one moment, drawn from a seed.

    Attributes
    ----------
    model, work, plan
        The floor as each engine sees it, and a plan for it.
    fails_by_calendar
        Whether a machine fails in calendar time: then the engines agree but for the rounding of moments.
    """

    def __init__(self, seed: int) -> None:
        self._luck, self._waits = random.Random(seed), random.Random(f"waits of {seed}")
        self.plant, demand = self._plant()
        self.snapshot, jobs = self._snapshot(demand)
        self.model = floor_model(self.plant, demand, self.snapshot, progress=jobs)
        self.work = _attended(build_work(self.plant, demand, jobs, self.snapshot), self.plant, self.model)
        self.plan = self._plan()
        self.fails_by_calendar = any(
            one.reliability is not None and one.reliability.failure_time == "calendar" for one in self.plant.machines
        )

    # The plant

    def _plant(self) -> tuple[Plant, Sequence[CustomerOrder]]:
        luck = self._luck
        capabilities = CAPABILITIES[: luck.randint(1, 3)]
        batched = luck.choice([None, *capabilities])
        # What goes together in a batch is attended alike and may be interrupted alike.
        attended = {name: luck.choice(["none", "setup", "all"]) for name in capabilities}
        whole = {name: luck.random() < 0.8 for name in capabilities}
        machines = [self._machine(f"M{n}", name, name == batched) for n, name in enumerate(capabilities)]
        machines += [
            self._machine(f"N{n}", name, name == batched)
            for n, name in enumerate(luck.choices(capabilities, k=luck.randint(0, 2)))
        ]
        items = []
        for number in range(luck.randint(1, 3)):
            steps = []
            for place in range(luck.randint(1, 4)):
                name = luck.choice(capabilities)
                more: dict[str, object] = {"id": str(place), "setup_family": luck.choice(FAMILIES), "fixed_s": 120}
                more |= {"attendance": attended[name], "interruptible": whole[name]}
                more |= {"variation": 0.4} if luck.random() < 0.8 else {}
                if place and self._waits.random() < 0.3:
                    more["wait_least_s"] = self._waits.choice([600, 5000, 9000])
                steps.append(operation(name, luck.randint(60, 3000), None, **more))
            items.append(item(f"A{number}", *steps))
        is_assembled = len(items) > 1 and luck.random() < 0.5
        if is_assembled:
            items[-1] = {**items[-1], "bom": [{"item": "A0", "quantity": 1}]}
        made = [str(one["id"]) for one in items]
        every = [operation(capabilities[0], 60.0, None, id=family, setup_family=family) for family in FAMILIES]
        items.append(item("Z", *every))
        orders = [
            f"O{n},C,{luck.choice(made)},{luck.randint(1, 6)},2026-01-05T{luck.randint(0, 15):02}:00,2026-01-07T00:00,"
            for n in range(luck.randint(1, 8))
        ]
        with TemporaryDirectory() as name:
            folder = Path(name)
            write_floor(
                folder,
                machines,
                items,
                more=self._more(capabilities) | ({} if is_assembled else self._ways(capabilities)),
                orders=[f"{one}normal" for one in orders],
            )
            plant = load(folder)
            return plant, load_orders(folder, plant)

    def _machine(self, name: str, capability: str, is_batched: bool) -> Values:
        luck = self._luck
        more: dict[str, object] = {"speed": luck.choice([1.0, 2.0]), "setup_matrix": luck.choice(["none", "slow"])}
        more["work_center"] = capability
        more["calendar"] = luck.choice(["always", "day"])
        if is_batched:
            more |= {"batch_capacity": luck.randint(2, 3)}
        if luck.random() < 0.6:
            more["reliability"] = {
                "time_between_failures": luck.choice(BETWEEN),
                "time_to_repair": {"family": "gamma", "mean_min": 40, "variation": 0.5},
                "failure_time": luck.choice(["operating", "operating", "calendar"]),
            }
        return machine(name, capability, **more)

    def _more(self, capabilities: Sequence[str]) -> dict[str, list[Values]]:
        luck = self._luck
        people: list[Values] = []
        for number in range(luck.randint(1, 3)):
            one: dict[str, object] = {"id": f"Q{number}", "name": "Q", "skills": list(capabilities)}
            one["calendar"] = luck.choice(["always", "day"])
            if luck.random() < 0.3:
                one["absences"] = [{"from": "2026-01-05T09:00", "until": "2026-01-06T07:30"}]
            people.append(one)
        return {
            "shift": [{"id": "s", "days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "06:00", "end": "14:00"}],
            "calendar": [{"id": "day", "shifts": ["s"]}],
            "setup_matrix": [{"id": "slow", "default_s": 900}],
            "person": people,
        }

    def _ways(self, capabilities: Sequence[str]) -> dict[str, list[Values]]:
        pairs = [(one, other) for one in capabilities for other in capabilities if one != other]
        ways: list[Values] = [
            {"before": one, "after": other, "time_s": self._waits.choice([300, 1700])}
            for one, other in pairs
            if self._waits.random() < 0.5
        ]
        return {"transport": ways} if ways else {}

    # As it stands

    def _snapshot(self, demand: Sequence[CustomerOrder]) -> tuple[Snapshot, list[JobProgress]]:
        luck = self._luck
        at = self.plant.starts_at + timedelta(seconds=luck.uniform(0, 12 * 3600))
        jobs = [job for order in demand for job in job_orders(self.plant, explode(self.plant, order))]
        progress: dict[str, JobProgress] = {}
        running: dict[str, list[JobOrder]] = {}
        for job in jobs:
            ready = (
                all(progress[name].state is JobState.COMPLETED for name in job.predecessors) and job.release_at <= at
            )
            progress[job.id] = self._progress(job, running, at - timedelta(hours=1)) if ready else _waiting(job)
        machines = {one.id: self._state(one.id, at) for one in self.plant.machines if luck.random() < 0.8}
        worked_s = {
            job.id: luck.choice([0.0, luck.uniform(0, 9000)]) for members in running.values() for job in members
        }
        found = [*progress.values()]
        return Snapshot(at, machines, worked_s, orders=tuple(demand), jobs=tuple(found)), found

    def _progress(self, job: JobOrder, running: dict[str, list[JobOrder]], began: object) -> JobProgress:
        luck = self._luck
        if luck.random() < 0.5:
            # Long enough ago that it has been carried; it may still have to wait.
            return JobProgress(job, JobState.COMPLETED, good=job.quantity, completed_at=began)  # type: ignore[arg-type]
        operation = self.plant.operation(job.item, job.operation)
        one = luck.choice(self.plant.machines_with(operation.capability))
        members = running.get(one.id, [])
        families = {self.plant.operation(other.item, other.operation).setup_family for other in members}
        if len(members) == one.batch_capacity or families - {operation.setup_family} or luck.random() < 0.3:
            return _waiting(job)
        running.setdefault(one.id, []).append(job)
        return JobProgress(job, JobState.RUNNING, one.id, began)  # type: ignore[arg-type]

    def _state(self, name: str, at: object) -> MachineSnapshot:
        luck = self._luck
        down = at + timedelta(seconds=luck.uniform(1, 20000)) if luck.random() < 0.3 else None  # type: ignore[operator]
        family = luck.choice([None, *FAMILIES])
        return MachineSnapshot(name, family, down, operated_s=luck.choice([0.0, luck.uniform(0, 20000)]))

    # A plan

    def _plan(self) -> Plan:
        """Place tasks one after the other, each behind all it waits for; what runs goes first."""
        luck = self._luck
        steps: list[tuple[str, list[Task]]] = []
        running: dict[str, list[Task]] = {}
        for task in self.work.tasks:
            if task.running is not None:
                running.setdefault(task.running.machine, []).append(task)
        steps += running.items()
        waiting = [task for task in self.work.tasks if task.running is None]
        placed = {task.id for members in running.values() for task in members}
        while waiting:
            task = luck.choice([one for one in waiting if placed.issuperset(one.predecessors)])
            waiting.remove(task)
            placed.add(task.id)
            self._place(steps, task)
        return Plan(self.work.epoch, tuple(self._operations(steps)))

    def _place(self, steps: list[tuple[str, list[Task]]], task: Task) -> None:
        name = self._luck.choice(sorted(task.durations_s))
        last = next((members for other, members in reversed(steps) if other == name), None)
        joins = (
            last is not None
            and len(last) < self.work.machines[name].batch_capacity
            and last[0].running is None
            and last[0].setup_family == task.setup_family
            and not task.predecessors
        )
        if joins and last is not None:
            last.append(task)
        else:
            steps.append((name, [task]))

    def _operations(self, steps: Sequence[tuple[str, list[Task]]]) -> list[PlannedOperation]:
        places: dict[str, int] = {}
        found = []
        for number, (name, members) in enumerate(steps):
            place = places[name] = places.get(name, -1) + 1
            person = self._luck.choice(sorted(self.work.people))
            batch = f"B{number}" if len(members) > 1 else None
            found += [PlannedOperation(one.id, name, place, float(number), 0.0, 0.0, batch, person) for one in members]
        return found


def _waiting(job: JobOrder) -> JobProgress:
    return JobProgress(job, JobState.WAITING)


def _attended(work: Work, plant: Plant, model: FloorModel) -> Work:
    """Return the work with what the open floor knows of people and of what no break may interrupt."""
    tasks = []
    for task in work.tasks:
        operation = plant.operation(task.item, task.operation)
        attended = operation.attendance is not Attendance.NONE
        tasks.append(
            replace(
                task,
                attendance=operation.attendance,
                skill=operation.skill if attended else None,
                interruptible=operation.interruptible,
            )
        )
    people = {one.id: PersonOutlook(one.id, model.people[one.id], one.skills) for one in plant.people}
    return replace(work, tasks=tuple(tasks), people=people)
