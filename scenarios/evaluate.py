"""One case in many futures: the only module here that knows how the twin is run.

The floor's decisions are made once, by the case's dispatching rule at planned times; the twin then replays that
plan. `prepare` does what is the same in every future, `evaluate` runs a chunk of futures. Chunk k of a seed meets
the same luck in every case, whatever is evaluated before, beside or after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.explosion import explode, job_orders
from methods.work import HORIZON, build_work
from plant.checks import require
from plant.errors import NotFound
from plant.folder_table import unknown
from plant.order import JobProgress, JobState
from plant.plan import Plan
from plant.work import Work
from scenarios.case import Case
from scenarios.staffing import staffed
from scheduler.rules import RULES, Rule, dispatched
from twin.draws import Draws, Row
from twin.luck import planned_s
from twin.replay import Replay, replay
from twin.working_rows import worked_at

CHUNK = 64
"""Replications that are drawn and run together: part of what a seed means, so it never depends on the workers."""

Sample = NDArray[np.float64]
"""Shape (replications, measures), columns in the order of `scenarios.measures.MEASURES`."""

Evaluator = Callable[["Prepared", int, int], Sample]
"""Looks at a chunk of futures of a prepared case: ``(prepared, seed, chunk)``; it can be pickled."""

_HOUR_S, _DAY_S = 3600.0, 86400.0


@dataclass(frozen=True)
class Prepared:
    """A case made ready: what there is to do, and who does what in which order.

    Attributes
    ----------
    ordered_s
        Per order of `work.orders`, when it was ordered, in seconds since the epoch (before it: negative).
    rows
        Per order of `work.orders`, its tasks' rows in `work.tasks`.
    """

    work: Work
    plan: Plan
    ordered_s: tuple[float, ...]
    rows: tuple[tuple[int, ...], ...]


def rule_named(name: str) -> Rule:
    """Return a dispatching rule, or raise `NotFound` with those there are."""
    for rule in RULES:
        if rule.name == name:
            return rule
    raise NotFound(unknown("dispatching rule", name, [rule.name for rule in RULES]))


def prepare(case: Case) -> Prepared:
    """Explode the orders, and decide the sequences by the case's rule.

    Raises
    ------
    NotFound, InvalidInput
        If the case does not hold together, or leaves nothing to do.
    """
    told = {progress.job.id: progress for progress in case.progress}
    jobs = [job for order in case.orders for job in job_orders(case.plant, explode(case.plant, order))]
    progress = [told.get(job.id, JobProgress(job, JobState.WAITING)) for job in jobs]
    work = staffed(build_work(case.plant, case.orders, progress, case.snapshot), case.plant, HORIZON)
    require(bool(work.tasks), "there is nothing left to do in this case; give it an order")
    plan = dispatched(work, rule_named(case.rule))
    ordered = {order.id: work.seconds(order.ordered_at) for order in case.orders}
    rows: dict[str, list[int]] = {name: [] for name in work.orders}
    for row, task in enumerate(work.tasks):
        rows[task.order].append(row)
    return Prepared(
        work, plan, tuple(ordered[name] for name in work.orders), tuple(tuple(found) for found in rows.values())
    )


def evaluate(prepared: Prepared, seed: int, chunk: int, counted: frozenset[str] | None = None) -> Sample:
    """Return what `CHUNK` futures come to, shape (CHUNK, measures).

    Parameters
    ----------
    chunk
        Ordinal from 0: replications ``chunk * CHUNK`` and following of this seed.
    counted
        Orders that lead time, on time and tardiness are measured on; None: all. The other measures are the shop's.
    """
    ran = _run(prepared, seed, chunk)
    orders = list(prepared.work.orders.values())
    completed = _completed_s(prepared, ran)
    rows = [row for row, order in enumerate(orders) if counted is None or order.id in counted]
    require(bool(rows), "none of the orders that count is in this case")
    late_s = np.maximum(completed[rows] - np.array([[orders[row].due_s] for row in rows]), 0.0)
    weights = np.array([[orders[row].priority.weight] for row in rows])
    last_s = completed.max(axis=0)
    columns = (
        (completed[rows] - np.array(prepared.ordered_s)[rows, None]).mean(axis=0) / _HOUR_S,
        (late_s <= 0).mean(axis=0),
        (weights * late_s).sum(axis=0) / _HOUR_S,
        len(orders) / (last_s / _DAY_S),
        _oee(ran),
        (completed - _begun_s(prepared, ran)).sum(axis=0) / last_s,
    )
    return np.stack(columns, axis=1)


def lead_times_h(prepared: Prepared, seed: int, chunk: int, orders: tuple[str, ...]) -> Sample:
    """Return the lead time of orders in `CHUNK` futures, in hours, shape (orders, CHUNK); nan for one that is gone."""
    there = {name: row for row, name in enumerate(prepared.work.orders)}
    lead_h = (_completed_s(prepared, _run(prepared, seed, chunk)) - np.array(prepared.ordered_s)[:, None]) / _HOUR_S
    gone = np.full(CHUNK, np.nan)
    return np.array([lead_h[there[name]] if name in there else gone for name in orders])


def _run(prepared: Prepared, seed: int, chunk: int) -> Replay:
    digest = hashlib.blake2b(f"{seed}\0chunk\0{chunk}".encode(), digest_size=8).digest()
    return replay(prepared.work, prepared.plan, Draws(int.from_bytes(digest, "big"), CHUNK))


def _completed_s(prepared: Prepared, ran: Replay) -> NDArray[np.float64]:
    """Return when each order is complete, shape (orders, R)."""
    return np.array([ran.finish_s[list(rows)].max(axis=0) for rows in prepared.rows])


def _begun_s(prepared: Prepared, ran: Replay) -> NDArray[np.float64]:
    """Return when each order's first processing starts, shape (orders, R), at the earliest now."""
    begun = np.array([ran.start_s[list(rows)].min(axis=0) for rows in prepared.rows])
    return np.asarray(np.maximum(begun, 0.0))


def _oee(ran: Replay) -> Row:
    """Return planned time of good work over working time, until each machine's last operation, shape (R,)."""
    good_s, open_s = 0.0, np.zeros(ran.replications)
    last: dict[str, int] = {}
    for node in ran.nodes:
        tasks = [ran.work.tasks[row] for row in node.members]
        share = sum(task.quantity * (1 - task.scrap_ratio) for task in tasks) / sum(task.quantity for task in tasks)
        good_s += max(planned_s(task, node.machine) for task in tasks) * share
        last[node.machine] = node.row
    for machine, row in last.items():
        working_time = ran.work.machines[machine].working_time
        open_s += worked_at(working_time, ran.finish_s[row]) - working_time.worked_at(0.0)
    return good_s / open_s
