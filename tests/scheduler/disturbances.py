"""What happens to a plan: time passes, work is done, machines fail, orders come, lots are made again."""

from __future__ import annotations

import random
from dataclasses import replace

from benchmarks.disturbances import left_at
from plant.order import Priority
from plant.plan import Plan
from plant.work import OrderDemand, Task, Work
from tests.scheduler.shops import HOUR, task


def disturbed(dice: random.Random, some: Work, plan: Plan) -> Work:
    """Return the work some hours later: what should be done is, what should run does, and something went wrong."""
    now_s = dice.uniform(0, 0.6) * plan.makespan_s
    left = left_at(some, plan, now_s)
    tasks, machines, orders = list(left.tasks), {**left.machines}, {**left.orders}
    down = dice.choice(sorted(machines))
    machines[down] = replace(machines[down], available_from_s=dice.choice([0.0, 0.5, 3.0, 30.0]) * HOUR)
    if dice.random() < 0.6:
        tasks += _new_order(dice, sorted(machines))
        orders["new"] = OrderDemand("new", dice.uniform(0, 40) * HOUR, dice.choice(list(Priority)))
    if dice.random() < 0.5:
        tasks = [_late_material(dice, one) for one in tasks]
    return replace(left, tasks=tuple(tasks), machines=machines, orders=orders)


def frozen_part(plan: Plan, later: Work, zone_s: float) -> Plan | None:
    """Return what of the plan is left and begins first on each machine, within a zone."""
    left = [one for one in plan.operations if one.job_order in later.by_id]
    first = min((one.start_s for one in left), default=0.0)
    near = tuple(one for one in left if one.start_s <= first + zone_s)
    return Plan(plan.epoch, near) if near else None


def _new_order(dice: random.Random, machines: list[str]) -> list[Task]:
    found: list[Task] = []
    for place in range(dice.randint(1, 4)):
        able = dice.sample(machines, dice.randint(1, min(3, len(machines))))
        before = [found[-1].id] if found else []
        durations = {name: dice.uniform(0.1, 3) * HOUR for name in able}
        found.append(task(f"new-{place}", "new", durations, *before, setup_family=dice.choice("ABC")))
    return found


def _late_material(dice: random.Random, one: Task) -> Task:
    late = one.running is None and not one.predecessors and dice.random() < 0.3
    return replace(one, release_s=one.release_s + dice.uniform(0, 20) * HOUR) if late else one
