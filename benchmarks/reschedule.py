"""Rescheduling: how quickly a disturbed plan is repaired and optimised near, how little moves; and promising dates.

A hundred disturbances (`benchmarks.disturbances`) hit the plan of a shop with 2,000 operations left. `repair_p95_s` is
the time until the repaired plan is there, `reschedule_p95_s` that until the one optimised near it is, rehearsed.
Counted besides: operations of the frozen zone that changed machine or order, and operations that changed their machine
though theirs could still take them. `promise_s` asks for dates in the shipped machine shop.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.disturbances import HOUR_S, Disturbed, disturb, shop
from benchmarks.figures import Figure, significant
from methods.explosion import explode, job_orders
from methods.work import build_work
from operations.promise import Rehearsing, promise
from operations.promises import ASKED, Question, order_of
from operations.rescheduling import Replanning, rehearse_near
from plant.folder import load, load_orders
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan
from plant.plant import Plant
from plant.snapshot import Snapshot
from plant.work import Work
from scheduler.check import check
from scheduler.cost import score_of
from scheduler.keep import keep
from scheduler.nearness import Nearness, moved
from scheduler.repair import repair
from scheduler.solve import SolverSettings, solve

OPERATIONS = 2000
FROZEN_ZONE_S = 4 * HOUR_S
REPLICATIONS = 200
SOLVER = SolverSettings(time_limit_s=3.0)
MACHINE_SHOP = Path(__file__).parents[1] / "plants" / "machine_shop"


def run(quick: bool) -> Iterable[Figure]:
    """Yield the figures."""
    yield from _rescheduled(12 if quick else 100, OPERATIONS)
    yield promise_s(5 if quick else 20)


def _rescheduled(count: int, operations: int) -> Iterable[Figure]:
    base = shop(1, operations * 5 // 4)
    plan = solve(base, SolverSettings(time_limit_s=10.0)).plan
    _repaired_and_near(disturb(count, base, plan, FROZEN_ZONE_S, operations), plan)  # the first one warms up
    measured: dict[str, list[float]] = defaultdict(list)
    for seed in range(count):
        for name, value in _repaired_and_near(disturb(seed, base, plan, FROZEN_ZONE_S, operations), plan).items():
            measured[name].append(value)
    detail = {
        "disturbances": count,
        "operations": f"{min(measured['operations']):.0f} to {max(measured['operations']):.0f}",
    }
    repair_s, reschedule_s = measured["repair_s"], measured["reschedule_s"]
    spread = {"median_s": significant(statistics.median(repair_s)), "most_s": significant(max(repair_s))}
    yield Figure("repair_p95_s", float(np.quantile(repair_s, 0.95)), "s", "<= 0.25", detail | spread)
    gained = sum(measured["repaired_h"]) - sum(measured["near_h"])
    spread = {
        "median_s": significant(statistics.median(reschedule_s)),
        "most_s": significant(max(reschedule_s)),
        "weighted_tardiness_saved": significant(gained / max(sum(measured["repaired_h"]), 1e-9)),
    }
    yield Figure("reschedule_p95_s", float(np.quantile(reschedule_s, 0.95)), "s", "<= 5", detail | spread)
    yield Figure("frozen_moves", sum(measured["frozen_moves"]), "1", "<= 0", detail)
    yield Figure("moved_share", max(measured["moved"]), "1", "<= 0.05", detail)
    yield Figure("impossible_plans", sum(measured["wrong"]), "1", "<= 0", detail)


def _repaired_and_near(found: Disturbed, plan: Plan) -> dict[str, float]:
    work, frozen = found.work, found.frozen
    began = time.perf_counter()
    repaired = repair(work, plan, frozen)
    repair_s = time.perf_counter() - began
    replanning = Replanning(plan, frozen, Nearness())
    began = time.perf_counter()
    near = rehearse_near(work, replanning, SOLVER, REPLICATIONS, 1)
    plans = (repaired.plan, near.plan)
    return {
        "repair_s": repair_s,
        "reschedule_s": time.perf_counter() - began,
        "operations": len(work.tasks),
        "frozen_moves": sum(_frozen_moves(work, frozen, one) for one in plans),
        "moved": max(_moved_share(work, plan, one) for one in plans),
        "wrong": sum(bool(check(work, one)) for one in plans),
        "repaired_h": score_of(work, repaired.plan).tardiness / HOUR_S,
        "near_h": score_of(work, near.plan).tardiness / HOUR_S,
    }


def _frozen_moves(work: Work, frozen: Plan | None, plan: Plan) -> int:
    """Return how many frozen operations changed machine, or do not come first in their old order there."""
    if frozen is None:
        return 0
    moves = 0
    for machine, steps in keep(work, frozen).plan.sequences.items():
        now = plan.sequences.get(machine, ())
        moves += sum(
            {one.job_order for one in step} != {one.job_order for one in now[place]} if place < len(now) else True
            for place, step in enumerate(steps)
        )
    return moves


def _moved_share(work: Work, before: Plan, after: Plan) -> float:
    able = [
        name for name in moved(work, before, after) if before.by_job_order[name].machine in work.by_id[name].durations_s
    ]
    return len(able) / len(work.tasks)


def promise_s(questions: int) -> Figure:
    """Return the time to promise dates in the machine shop, the 95th percentile over made items."""
    plant = load(MACHINE_SHOP)
    orders = load_orders(MACHINE_SHOP, plant)
    plan = solve(_work(plant, orders), SolverSettings(time_limit_s=3.0)).plan
    items = [item.id for item in plant.made_items()]
    seconds = []
    for number in range(questions + 1):
        asked = Question(items[number % len(items)], 1 + number)
        began = time.perf_counter()
        work = _work(plant, (*orders, order_of(plant, asked, plant.starts_at)))
        promise(work, ASKED, plan, None, Rehearsing(1000, 1), dated=False)
        seconds.append(time.perf_counter() - began)
    first, *others = seconds
    detail = {"questions": questions, "first_s": significant(first), "replications": 1000}
    detail["median_s"] = significant(statistics.median(others))
    return Figure("promise_s", float(np.quantile(others, 0.95)), "s", "<= 2", detail)


def _work(plant: Plant, orders: Iterable[CustomerOrder]) -> Work:
    wanted = tuple(orders)
    jobs = [JobProgress(job, JobState.WAITING) for one in wanted for job in job_orders(plant, explode(plant, one))]
    return build_work(plant, wanted, jobs, Snapshot(plant.starts_at))
