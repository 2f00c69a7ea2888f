"""Random shops with all that a plan must keep, and what happens to them."""

from __future__ import annotations

import random
from dataclasses import replace

from operations.locked import begin_s
from plant.calendar import WorkingTime
from plant.distribution import constant
from plant.item import Attendance
from plant.plan import Plan
from plant.work import Delivery, Lock, MachineOutlook, PersonOutlook, ReworkPass, Task, Wait, Work
from scheduler.rules import RULES, dispatched
from tests.scheduler.disturbances import disturbed
from tests.scheduler.shops import HOUR, days, random_work


def everything(seed: int, most_orders: int = 5) -> Work:
    """Return a random shop with people, ways, waits, materials, maintenance, rework passes and unbroken work."""
    dice, some = random.Random(seed), random_work(seed, most_orders)
    tasks = [made for one in some.tasks for made in _with_rework(dice, _with_more(dice, one))]
    people = [
        PersonOutlook(
            f"P{number}",
            days(dice.choice([[(6, 14)], [(5, 23)], [(0, 24)]])),
            ("saw", "weld"),
            dice.choice([0.0, 0.0, dice.uniform(0, 30) * HOUR]),
        )
        for number in range(2)
    ]
    ways = {(one, two): dice.uniform(0, HOUR) for one in some.machines for two in some.machines if dice.random() < 0.5}
    machines = {name: _maintained(dice, one) for name, one in some.machines.items()}
    return replace(
        some, tasks=tuple(tasks), machines=machines, people={one.id: one for one in people}, transport_s=ways
    )


def demanding(seed: int, most_orders: int = 5) -> tuple[Work, Plan]:
    """Return a random shop, with locks and waits that must not be longer, and a plan that keeps all of them."""
    dice, some = random.Random(seed), everything(seed, most_orders)
    plan = dispatched(some, RULES[0])

    def stricter(task: Task) -> Task:
        if task.running is not None:
            return task
        planned = plan.by_job_order[task.id]
        waits = dict(task.waits)
        for name in task.predecessors:
            if dice.random() < 0.3:
                spent_s = planned.start_s - plan.by_job_order[name].end_s
                least_s = waits.get(name, Wait()).least_s
                waits[name] = Wait(least_s, max(spent_s, least_s) * dice.choice([1.0, 1.5]))
        fixed = planned.batch is None and task.rework is None and dice.random() < 0.2
        return replace(task, waits=waits, lock=Lock(planned.machine, begin_s(some, task, planned)) if fixed else None)

    return replace(some, tasks=tuple(map(stricter, some.tasks))), plan


def later(seed: int, some: Work, plan: Plan) -> Work:
    """Return the shop some time after its plan was made, when something has gone wrong, perhaps with people, too."""
    dice = random.Random(seed)
    found = disturbed(dice, some, plan)
    away = {
        name: replace(one, available_from_s=max(one.available_from_s, dice.choice([0.0, 4.0, 40.0]) * HOUR))
        for name, one in found.people.items()
    }
    return replace(found, people=away)


def _with_more(dice: random.Random, one: Task) -> Task:
    waits = {
        name: Wait(dice.choice([0.0, dice.uniform(0, 5) * HOUR])) for name in one.predecessors if dice.random() < 0.5
    }
    return replace(
        one,
        attendance=dice.choice([*Attendance]) if one.running is None else Attendance.NONE,
        skill=dice.choice([None, "saw", "weld"]),
        interruptible=dice.random() < 0.8 or min(one.durations_s.values()) > 2 * HOUR,
        material=Delivery(one.order, dice.uniform(0, 20) * HOUR, constant(HOUR)) if dice.random() < 0.2 else None,
        waits=waits,
    )


def _with_rework(dice: random.Random, one: Task) -> list[Task]:
    """Return the task, and sometimes a pass that is done again if its lot fails."""
    if one.running is not None or dice.random() > 0.1:
        return [one]
    again = replace(
        one,
        id=f"{one.id} again",
        predecessors=(one.id,),
        waits={},
        material=None,
        rework=ReworkPass(one.id),
    )
    return [one, again]


def _maintained(dice: random.Random, one: MachineOutlook) -> MachineOutlook:
    """Return the machine, sometimes with a few hours of its working time taken for maintenance."""
    if dice.random() < 0.7:
        return one
    begin = dice.uniform(0, 40) * HOUR
    end = begin + dice.uniform(1, 6) * HOUR
    time = one.working_time
    cut = [
        part
        for start, stop in zip(time.starts, time.ends, strict=True)
        for part in ((start, min(stop, begin)), (max(start, end), stop))
        if part[0] < part[1]
    ]
    return replace(one, working_time=WorkingTime.of(cut), maintenance=((begin, end),))
