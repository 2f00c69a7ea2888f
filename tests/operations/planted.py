"""Plans with something planted in them: what makes them impossible, what makes them fragile, or nothing but room."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from operations.gate import Thresholds
from plant.distribution import Distribution, Family, exponential
from plant.errors import InvalidInput
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability
from plant.work import OrderDemand, Work
from scheduler.keep import keep
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import HOUR, random_work
from twin.draws import Draws
from twin.rehearse import rehearse

REPLICATIONS = 400
SOLVER = SolverSettings(time_limit_s=60, effort=0.01, workers=1)
_MARGIN = 0.1
"""How far the truth lies from what the gate asks; 400 replications tell that apart."""


@dataclass(frozen=True)
class Planted:
    """A plan to be judged, and what was done to it."""

    what: str
    work: Work
    plan: Plan
    frozen: Plan | None = None


def base(seed: int) -> tuple[Work, Plan]:
    """Return a random shop whose times vary and whose machines fail, with a plan of it."""
    dice = random.Random(seed)
    work = random_work(seed)
    failing = Reliability(exponential(dice.uniform(20, 200) * HOUR), Distribution(Family.LOGNORMAL, HOUR, 0.5))
    machines = {
        name: replace(one, reliability=failing if dice.random() < 0.5 else None) for name, one in work.machines.items()
    }
    tasks = tuple(replace(task, variation=dice.uniform(0.1, 0.4)) for task in work.tasks)
    work = replace(work, tasks=tasks, machines=machines)
    return work, solve(work, SOLVER).plan


def completions_s(work: Work, plan: Plan, seed: int) -> dict[str, np.ndarray]:
    """Return the truth: completions in 2,000 futures that nobody judges by."""
    ran = rehearse(work, plan, Draws(seed + 10**6, 2000))
    return {order: ran.completion_s(order) for order in work.orders}


def sound(work: Work, plan: Plan, seed: int) -> Planted:
    """Return the plan with due dates that every order meets more surely than the gate asks."""
    limits = Thresholds()
    orders = {
        name: _due(work.orders[name], done_s, min(limits.of(work.orders[name].priority) + _MARGIN, 0.99))
        for name, done_s in completions_s(work, plan, seed).items()
    }
    return Planted("room enough", replace(work, orders=orders), plan)


def fragile(room: Planted, seed: int) -> Planted:
    """Return a sound plan in which one order is due too soon for what the gate asks."""
    dice = random.Random(seed)
    name = dice.choice(sorted(room.work.orders))
    demand = room.work.orders[name]
    share = Thresholds().of(demand.priority) - dice.uniform(_MARGIN, 0.6)
    short = _due(demand, completions_s(room.work, room.plan, seed)[name], share)
    return replace(room, what=f"{name} kept with {share:.0%}", work=_with(room.work, short))


def _with(work: Work, demand: OrderDemand) -> Work:
    return replace(work, orders={**work.orders, demand.id: demand})


def _due(demand: OrderDemand, done_s: np.ndarray, share: float) -> OrderDemand:
    """Return the demand due when this share of the futures is done; the next one is a second too late."""
    return replace(demand, due_s=float(np.quantile(done_s, share, method="lower")) + 1e-3)


def impossible(room: Planted, seed: int) -> Planted:
    """Return a sound plan spoiled in one way that its shop has room for."""
    dice = random.Random(seed)
    spoilers = list(SPOILERS)
    dice.shuffle(spoilers)
    for spoil in spoilers:
        found = spoil(room, dice)
        if found is not None:
            return found
    raise AssertionError("leaving out an operation is always possible")


def _changed(room: Planted, what: str, one: PlannedOperation, **changes: object) -> Planted:
    operations = tuple(
        replace(other, **changes) if other == one else other  # type: ignore[arg-type]
        for other in room.plan.operations
    )
    return replace(room, what=f"{what}: {one.job_order}", plan=Plan(room.plan.epoch, operations))


def _waiting(room: Planted) -> list[PlannedOperation]:
    return [one for one in room.plan.operations if room.work.by_id[one.job_order].running is None]


def _left_out(room: Planted, dice: random.Random) -> Planted:
    lost = dice.choice(room.plan.operations)
    rest = tuple(one for one in room.plan.operations if one != lost)
    return replace(room, what=f"left out: {lost.job_order}", plan=Plan(room.plan.epoch, rest))


def _unknown(room: Planted, dice: random.Random) -> Planted:
    return _changed(room, "unknown", dice.choice(room.plan.operations), job_order="nobody's")


def _elsewhere(room: Planted, dice: random.Random) -> Planted | None:
    wrong = [
        (one, machine)
        for one in room.plan.operations
        for machine in room.work.machines
        if machine not in room.work.by_id[one.job_order].durations_s
    ]
    if not wrong:
        return None
    one, machine = dice.choice(wrong)
    return _changed(room, "cannot be made there", one, machine=machine, position=10_000)


def _too_early(room: Planted, dice: random.Random) -> Planted | None:
    if not (waiting := _waiting(room)):
        return None
    one, early_s = dice.choice(waiting), dice.uniform(1, 5 * HOUR)
    return _changed(room, "too early", one, start_s=one.start_s - early_s, end_s=one.end_s - early_s)


def _too_short(room: Planted, dice: random.Random) -> Planted:
    one = dice.choice(room.plan.operations)
    return _changed(room, "too short", one, end_s=one.end_s - dice.uniform(0.01, 0.9) * (one.end_s - one.start_s))


def _wrong_setup(room: Planted, dice: random.Random) -> Planted | None:
    if not (waiting := _waiting(room)):
        return None
    one = dice.choice(waiting)
    return _changed(room, "wrong changeover", one, setup_s=one.setup_s + dice.uniform(1, 600))


def _out_of_turn(room: Planted, dice: random.Random) -> Planted | None:
    """Exchange two neighbours on a machine without telling them other times."""
    pairs = [(one, other) for steps in room.plan.sequences.values() for one, other in pairwise(steps)]
    if not pairs:
        return None
    one, other = dice.choice(pairs)
    places = {a.job_order: other[0].position for a in one} | {b.job_order: one[0].position for b in other}
    operations = tuple(replace(op, position=places.get(op.job_order, op.position)) for op in room.plan.operations)
    return replace(room, what=f"out of turn: {', '.join(places)}", plan=Plan(room.plan.epoch, operations))


def _overfull(room: Planted, dice: random.Random) -> Planted | None:
    """Let two steps share a place on a machine that takes one at a time."""
    single = [
        (steps[place][0], steps[place + 1][0])
        for machine, steps in room.plan.sequences.items()
        if room.work.machines[machine].batch_capacity == 1
        for place in range(len(steps) - 1)
    ]
    if not single:
        return None
    one, other = dice.choice(single)
    together = _changed(room, "two at once", one, batch="b")
    return _changed(
        together, "two at once", other, position=one.position, start_s=one.start_s, end_s=one.end_s, batch="b"
    )


def _frozen_moved(room: Planted, dice: random.Random) -> Planted | None:
    """Plan a frozen operation last on its machine, at times that would be possible."""
    waiting = [
        (machine, place)
        for machine, steps in room.plan.sequences.items()
        for place, step in enumerate(steps[:-1])
        if room.work.by_id[step[0].job_order].running is None
    ]
    dice.shuffle(waiting)
    for machine, place in waiting:
        steps = room.plan.sequences[machine]
        held = [one for step in steps[: place + 1] for one in step]
        frozen = Plan(room.plan.epoch, tuple(held))
        stays = keep(room.work, frozen).plan.by_job_order
        if any(one.job_order not in stays for one in held):
            continue  # it waits for what is not frozen, so its place is free
        try:
            moved = keep(room.work, _last(room.plan, machine, steps[place])).plan
        except InvalidInput:
            continue
        return replace(room, what=f"frozen moved: {held[-1].job_order}", plan=moved, frozen=frozen)
    return None


def _last(plan: Plan, machine: str, step: Sequence[PlannedOperation]) -> Plan:
    names = {one.job_order for one in step}
    end = len(plan.sequences[machine])
    return Plan(
        plan.epoch,
        tuple(replace(one, position=end) if one.job_order in names else one for one in plan.operations),
    )


SPOILERS: tuple[Callable[[Planted, random.Random], Planted | None], ...] = (
    _left_out,
    _unknown,
    _elsewhere,
    _too_early,
    _too_short,
    _wrong_setup,
    _out_of_turn,
    _overfull,
    _frozen_moved,
)
