"""What the twin says of a plan: risk per order, load and expected OEE per machine, and the bottleneck."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from plant.checks import require
from plant.plan import Plan
from plant.verdict import MachineVerdict, OperationVerdict, OrderVerdict, PersonVerdict, Verdict
from plant.work import Work
from twin.bindings import bindings_of
from twin.buffers import TARGET, buffers_of
from twin.critical import Critical, critical_of
from twin.draws import Row
from twin.luck import planned_s
from twin.oee import Times
from twin.replay import Replay
from twin.working_rows import worked_at

_Z = 1.959963984540054
"""97.5 % quantile of the standard normal distribution: a two-sided interval of 95 %."""


_OPERATIONS = 20
"""Operations that a verdict names."""


def judge(work: Work, plan: Plan, replay: Replay) -> Verdict:
    """Return the verdict on the plan that was replayed.

    Orders without any task in the work are complete and left out.

    Raises
    ------
    InvalidInput
        If `replay` is not one of this plan and work.
    """
    require(
        replay.work == work and set(plan.by_job_order) == set(work.by_id),
        "the replay to judge is of another work or plan; replay this plan first",
    )
    orders = order_verdicts(replay)
    at_risk = frozenset(one.order for one in orders if one.on_time_low < TARGET)
    critical = critical_of(replay)
    times = {machine: _expected(replay, machine) for machine in critical.machines}
    machines = tuple(
        MachineVerdict(machine, _load(replay, machine), times[machine].oee or 0.0, share)
        for machine, share in sorted(critical.machines.items())
    )
    return Verdict(
        engine=replay.engine,
        replications=replay.replications,
        seed=replay.seed,
        orders=orders,
        machines=machines,
        oee=sum(times.values(), start=Times()).oee or 0.0,
        bottleneck=max(machines, key=lambda found: found.critical).machine if machines else None,
        operations=_operations(replay, critical),
        people=tuple(
            PersonVerdict(person, share)
            for person, share in sorted(critical.people.items(), key=lambda found: (-found[1], found[0]))
        ),
        buffers=buffers_of(replay),
        bindings=bindings_of(replay, critical.waits, at_risk),
    )


def order_verdicts(replay: Replay) -> tuple[OrderVerdict, ...]:
    """Return what a replay says of each order that has a task: all that plans are compared by."""
    with_tasks = {task.order for task in replay.work.tasks}
    return tuple(order_verdict(replay, order) for order in replay.work.orders if order in with_tasks)


def _operations(replay: Replay, critical: Critical) -> tuple[OperationVerdict, ...]:
    """Return the operations most chains run through."""
    machine = {row: node.machine for node in replay.nodes for row in node.members}
    rows = np.argsort(-critical.operations, kind="stable")[:_OPERATIONS].tolist()
    return tuple(
        OperationVerdict(replay.work.tasks[row].id, machine[row], float(critical.operations[row])) for row in rows
    )


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return midpoint and lower bound of the 95 % Wilson score interval of a proportion.

    ``(p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)``; E. B. Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22 (1927), 209-212.
    """
    share, square = successes / trials, _Z * _Z / trials
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return middle, max(middle - half, 0.0)


def order_verdict(replay: Replay, order: str) -> OrderVerdict:
    """Return the verdict on one order that has tasks in the work."""
    work, due_s = replay.work, replay.work.orders[order].due_s
    completion_s = replay.completion_s(order)
    late_s = completion_s - due_s
    on_time, on_time_low = wilson(int(np.count_nonzero(late_s <= 0)), replay.replications)
    p50, p80, p95 = _quantiles(work, completion_s)
    return OrderVerdict(
        order=order,
        due_at=work.moment(due_s),
        on_time=on_time,
        on_time_low=on_time_low,
        p50=p50,
        p80=p80,
        p95=p95,
        tardiness_mean_s=float(np.maximum(late_s, 0.0).mean()),
        tardiness_p90_s=float(max(np.quantile(late_s, 0.9, method="inverted_cdf"), 0.0)),
    )


def _quantiles(work: Work, completion_s: Row) -> list[datetime]:
    # An observed completion, not a mean of two: those may lie on either side of a night.
    return [work.moment(float(q)) for q in np.quantile(completion_s, [0.5, 0.8, 0.95], method="inverted_cdf")]


def _span_s(replay: Replay, machine: str) -> float:
    """Working seconds of a machine from the epoch to the end of its last step, mean over replications."""
    last = [node.row for node in replay.nodes if node.machine == machine][-1]
    working_time = replay.work.machines[machine].working_time
    return float(worked_at(working_time, replay.finish_s[last]).mean()) - working_time.worked_at(0.0)


def _load(replay: Replay, machine: str) -> float:
    span_s = _span_s(replay, machine)
    return float(replay.busy(machine).total_s.mean()) / span_s if span_s > 0 else 0.0


def _expected(replay: Replay, machine: str) -> Times:
    """Times the plan is expected to show: planned run times at planned yield over the machine's working time.

    A batch counts its longest member once, at the members' mean yield. Pieces do not matter to the result; time
    stands for quantity.
    """
    good_s = 0.0
    for node in replay.nodes:
        if node.machine == machine:
            done = replay.done.get(node.row, np.ones(1)).mean()
            tasks = [replay.work.tasks[row] for row in node.members]
            pieces = sum(task.quantity for task in tasks)
            yielded = sum(task.quantity * (1 - task.scrap_ratio) for task in tasks) / pieces
            good_s += max(planned_s(task, machine) for task in tasks) * yielded * float(done)
    return Times(pbt_s=_span_s(replay, machine), planned_run_s=good_s, good=1)
