"""Weighted tardiness against PyJobShop and every dispatching rule, and how soon there is a first plan."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

from benchmarks.figures import Figure, significant
from benchmarks.tardiness_cases import GRID, MINUTE_S, SHIFTS_H, Factors, case
from plant.work import Work
from scheduler.candidate import Candidate, Dispatcher, evaluated
from scheduler.check import check
from scheduler.keep import keep
from scheduler.problem import Problem
from scheduler.rules import GRID as TUNED
from scheduler.rules import RULES, dispatched
from scheduler.solve import SolverSettings, solve

LIMIT_S, CASES, JOBS = 30.0, 20, 200
LARGE_JOBS, PEOPLE = 2000, 20
"""Of the case for the first plan: 10,000 operations."""

REPAIRED_JOBS = 400


def run(quick: bool) -> Iterator[Figure]:
    """Yield `tardiness_advantage`, `first_feasible_s` and `retime_s`."""
    warm()
    yield _first_feasible()
    yield _retimed()
    yield _advantage(1 if quick else CASES, LIMIT_S / 3 if quick else LIMIT_S)


def warm() -> None:
    """Have everything compiled: what that takes is paid when the project is installed."""
    solve(case(0, GRID[0], 3, people=3), SolverSettings(effort=0.01))


def _first_feasible() -> Figure:
    work = case(1, Factors(0.6, 0.75, 0.5), LARGE_JOBS, people=PEOPLE)
    began = time.perf_counter()
    plan = dispatched(work, RULES[0])
    took_s = time.perf_counter() - began
    detail = {"operations": len(work.tasks), "people": PEOPLE, "problems": len(check(work, plan))}
    return Figure("first_feasible_s", took_s, "s", "<= 3", detail)


def _retimed() -> Figure:
    """Keep a plan whose first machine is down for four hours: everything behind is shifted."""
    work = case(2, Factors(0.6, 0.75, 0.5), REPAIRED_JOBS, people=PEOPLE)
    plan = dispatched(work, RULES[0])
    began = time.perf_counter()
    kept = keep(work, plan)
    took_s = time.perf_counter() - began
    return Figure("retime_s", took_s, "s", "<= 0.25", {"operations": len(kept.plan.operations)})


def _advantage(cases: int, limit_s: float) -> Figure:
    ours_s = best_s = 0.0
    rows, ratios = {}, []
    for number in range(cases):
        factors = GRID[number % len(GRID)]
        work = case(100 + number, factors, JOBS)
        rules = min((_tardiness(found) for found in _by_rules(work)), default=0.0)
        other = _pyjobshop(work, limit_s)
        mine = solve(work, SolverSettings(time_limit_s=limit_s)).report.weighted_tardiness_s
        best = min(rules, other)
        ours_s, best_s = ours_s + mine, best_s + best
        if best > 0:
            ratios.append(mine / best)
        rows[f"{number}: {factors.tightness}/{factors.spread}/{factors.severity}"] = [
            round(value / 3600) if value < float("inf") else None for value in (mine, rules, other)
        ]
        print(f"  case {number} {factors}: {mine:.0f}, rules {rules:.0f}, PyJobShop {other:.0f}", file=sys.stderr)
    detail = {
        "cases": cases,
        "limit_s": limit_s,
        "mean_ratio": significant(statistics.mean(ratios)),
        "cases_with_tardiness": len(ratios),
        "hours (ours, best rule, PyJobShop)": rows,
    }
    return Figure("tardiness_advantage", ours_s / best_s, "1", "<= 0.85", detail)


def _tardiness(found: Candidate) -> float:
    return found.score.tardiness


def _by_rules(work: Work) -> Iterator[Candidate]:
    problem = Problem(work)
    dispatcher = Dispatcher(problem, [[] for _ in problem.machines])
    for rule in (*RULES, *TUNED):
        found = dispatcher.plan(rule.index)
        assert found is not None
        yield found


def _pyjobshop(work: Work, limit_s: float) -> float:
    """Return the weighted tardiness of PyJobShop's plan, infinite where it finds none.

    It plans in whole minutes, with closed time as breaks that interrupt work and setups between all pairs of tasks.
    Its sequences are timed as ours are. In its model a changeover may begin before the job is there, in ours it may
    not, so it may think better of its plan than we do.
    """
    try:
        from pyjobshop import Model
    except ImportError as error:
        raise SystemExit("tardiness needs PyJobShop: install it with `uv pip install --group bench`") from error
    model, problem = Model(), Problem(work)
    last_s = max(one.due_s for one in work.orders.values()) * 3
    machines = [model.add_machine(_breaks(last_s), name=one.id) for one in problem.machines]
    jobs = {
        name: model.add_job(weight=round(one.priority.weight), due_date=max(round(one.due_s / MINUTE_S), 0), name=name)
        for name, one in work.orders.items()
    }
    tasks = []
    modes = []
    for number, one in enumerate(problem.tasks):
        task = model.add_task(
            jobs[one.order], earliest_start=round(max(one.release_s, 0.0) / MINUTE_S), allow_breaks=True
        )
        tasks.append(task)
        for machine in problem.options(number):
            seconds = float(problem.shop.duration[number, machine])
            model.add_mode(task, machines[machine], round(seconds / MINUTE_S))
            modes.append((number, machine))
        for before in problem.predecessors(number):
            model.add_end_before_start(tasks[before], task)
    _setups(problem, model, machines, tasks)
    model.set_objective(weight_total_tardiness=1)
    result = model.solve(time_limit=limit_s, display=False, num_workers=2)
    if not result.best.tasks:
        return float("inf")
    placed: list[list[tuple[int, int]]] = [[] for _ in machines]
    for number, done in enumerate(result.best.tasks):
        placed[modes[done.mode][1]].append((done.start, number))
    found = evaluated(problem, [[(number,) for _, number in sorted(row)] for row in placed])
    return float("inf") if found is None else found.score.tardiness


def _setups(problem: Problem, model: object, machines: list[object], tasks: list[object]) -> None:
    shop = problem.shop
    able = [
        [number for number in range(len(tasks)) if shop.duration[number, machine] >= 0]
        for machine in range(len(machines))
    ]
    for machine, numbers in enumerate(able):
        matrix = shop.setup[shop.machines[machine]["matrix"]]
        for one in numbers:
            for two in numbers:
                minutes = round(float(matrix[shop.tasks["family"][one], shop.tasks["family"][two]]) / MINUTE_S)
                if one != two and minutes:
                    model.add_setup_time(machines[machine], tasks[one], tasks[two], minutes)  # type: ignore[attr-defined]


def _breaks(last_s: float) -> list[tuple[int, int]]:
    """Return the closed time of the two-shift calendar in minutes."""
    found, closed_from = [], 0
    for day in range(int(last_s / 86400) + 7):
        if day % 7 < 5:
            for start_h, end_h in SHIFTS_H:
                start = round((24 * day + start_h) * 60)
                if start > closed_from:
                    found.append((closed_from, start))
                closed_from = round((24 * day + end_h) * 60)
    return found
