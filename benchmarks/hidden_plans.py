"""Plans for hidden factories: what the plan says, what the calibrated twin says, and how it truly is.

The plan is made from planned times, as anyone would who knows no better; due dates lie about where it says each order
will be done, some too early, most with some slack. The truth of a plan is its factory, simulated many times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.hidden_factories import HiddenFactory
from plant.calendar import WorkingTime
from plant.calibration import Calibration, operation_subject
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Task, Work
from twin.calibrated import CalibratedDraws, apply
from twin.draws import Draws
from twin.replay import Replay, replay
from twin.verdict import judge

ORDERS = 40
STATED = (0.8, 0.9)
"""Quantiles whose dates are held against the truth."""

_SLACK = (0.85, 1.35)
"""Due dates over planned completion times, in working time, drawn uniformly."""


@dataclass(frozen=True)
class Judged:
    """One plan's orders: the probability to be on time as truth has it and as either twin says, shape (orders,).

    Attributes
    ----------
    covered
        By quantile, the true probability to be done by the date that the calibrated twin states for it.
    """

    truth: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    uncalibrated: NDArray[np.float64]
    covered: Mapping[float, NDArray[np.float64]]


def judged(factory: HiddenFactory, calibration: Calibration, replications: int, truths: int) -> Judged:
    """Plan, judge by both twins in so many replications each, and find the truth in `truths` runs."""
    random = np.random.default_rng([factory.seed, 3])
    work = _work(factory, random)
    plan, done_s = _plan(work)
    work = replace(work, orders=_demands(work, done_s, random))
    known = apply(work, calibration)
    seed = factory.seed
    draws = CalibratedDraws(2 * seed, replications, calibration=calibration, work=known, plan=plan)
    true = replay(as_it_is(factory, work), plan, Draws(2 * seed + 1, truths))
    said = replay(known, plan, draws)
    return Judged(
        np.array([float(np.mean(true.completion_s(order) <= work.orders[order].due_s)) for order in work.orders]),
        _on_time(known, plan, said),
        _on_time(work, plan, replay(work, plan, Draws(2 * seed, replications))),
        {quantile: _covered(said, true, quantile) for quantile in STATED},
    )


def _covered(said: Replay, true: Replay, quantile: float) -> NDArray[np.float64]:
    """Return per order the true probability to be done by the date stated for a quantile."""
    stated_s = {
        order: np.quantile(said.completion_s(order), quantile, method="inverted_cdf") for order in said.work.orders
    }
    return np.array([float(np.mean(true.completion_s(order) <= at_s)) for order, at_s in stated_s.items()])


def _on_time(work: Work, plan: Plan, futures: Replay) -> NDArray[np.float64]:
    by_order = {order.order: order.on_time for order in judge(work, plan, futures).orders}
    return np.array([by_order[order] for order in work.orders])


def as_it_is(factory: HiddenFactory, work: Work) -> Work:
    """Return the work with the factory's true times, changeovers, failures and scrap."""

    def true_task(task: Task) -> Task:
        subject = operation_subject(task.item, task.operation)
        durations_s = {name: planned * factory.duration[name, subject] for name, planned in task.durations_s.items()}
        return replace(
            task, durations_s=durations_s, variation=factory.variation[subject], scrap_ratio=factory.scrap[subject]
        )

    def true_machine(outlook: MachineOutlook) -> MachineOutlook:
        name, matrix = outlook.id, outlook.setup_matrix
        times = tuple(
            SetupTime(before, after, matrix.duration_s(before, after) * factor)
            for (machine, before, after), factor in factory.setup.items()
            if machine == name and before != after
        )
        reliability = Reliability(factory.between_failures[name], factory.repair[name])
        matrix = SetupMatrix(matrix.id, matrix.default_s, times)
        return replace(outlook, setup_matrix=matrix, reliability=reliability)

    machines = {name: true_machine(outlook) for name, outlook in work.machines.items()}
    return replace(work, tasks=tuple(true_task(task) for task in work.tasks), machines=machines)


def _work(factory: HiddenFactory, random: np.random.Generator) -> Work:
    plant = factory.plant
    epoch = plant.starts_at + timedelta(days=35, hours=6)
    windows = plant.calendars[0].windows(epoch, epoch + timedelta(weeks=6))
    clock = WorkingTime.of([((a - epoch).total_seconds(), (b - epoch).total_seconds()) for a, b in windows])
    families = sorted({family for machine, family, _ in factory.setup})
    machines = {}
    for machine in plant.machines:
        mine = [family for family in families if family.startswith(machine.capabilities[0])]
        machines[machine.id] = MachineOutlook(
            machine.id,
            clock,
            plant.setup_matrix_of(machine.id),
            setup_family=str(random.choice(mine)),
            reliability=machine.reliability,
        )
    tasks = []
    for number in range(ORDERS):
        item = plant.items[random.integers(len(plant.items))]
        quantity = int(random.integers(5, 20))
        before: tuple[str, ...] = ()
        for operation in item.routing:
            id_ = f"O{number}/{operation.id}"
            durations_s = {
                machine.id: operation.duration_s(quantity, machine.speed)
                for machine in plant.machines_with(operation.capability)
            }
            tasks.append(
                Task(
                    id_,
                    f"O{number}",
                    item.id,
                    operation.id,
                    quantity,
                    before,
                    durations_s,
                    operation.setup_family,
                    variation=operation.variation,
                    scrap_ratio=operation.scrap_ratio,
                )
            )
            before = (id_,)
    orders = {f"O{number}": OrderDemand(f"O{number}", 0.0) for number in range(ORDERS)}
    return Work(epoch, tuple(tasks), machines, orders)


def _plan(work: Work) -> tuple[Plan, dict[str, float]]:
    """Take the task that can begin first, on the machine that ends it first; return when orders would be done."""
    free_s = dict.fromkeys(work.machines, 0.0)
    family = {name: outlook.setup_family for name, outlook in work.machines.items()}
    places = dict.fromkeys(work.machines, 0)
    done_s: dict[str, float] = {}
    waiting = list(work.tasks)
    operations = []
    while waiting:
        options = [
            (max(free_s[machine], max((done_s[name] for name in task.predecessors), default=0.0)), place, machine)
            for place, task in enumerate(waiting)
            if all(name in done_s for name in task.predecessors)
            for machine in task.durations_s
        ]
        begin_s, place, machine = min(options)
        task = waiting.pop(place)
        outlook = work.machines[machine]
        setup_s = outlook.setup_matrix.duration_s(family[machine], task.setup_family)
        end_s = outlook.working_time.finish(begin_s, setup_s + task.durations_s[machine])
        operations.append(PlannedOperation(task.id, machine, places[machine], begin_s, end_s, setup_s))
        places[machine] += 1
        free_s[machine] = done_s[task.id] = end_s
        family[machine] = task.setup_family
    by_order: dict[str, float] = {}
    for task in work.tasks:
        by_order[task.order] = max(by_order.get(task.order, 0.0), done_s[task.id])
    return Plan(work.epoch, tuple(operations)), by_order


def _demands(work: Work, done_s: dict[str, float], random: np.random.Generator) -> dict[str, OrderDemand]:
    clock = next(iter(work.machines.values())).working_time
    found = {}
    for order, planned_s in done_s.items():
        worked_s = clock.worked_at(planned_s) * random.uniform(*_SLACK)
        found[order] = OrderDemand(order, clock.clock_at(worked_s))
    return found
