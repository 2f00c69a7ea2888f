"""What the twin says of a plan: risk per order, load and expected OEE per machine, and the bottleneck."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from plant.checks import require
from plant.plan import Plan
from plant.verdict import MachineVerdict, OperationVerdict, OrderVerdict, PersonVerdict, Verdict
from plant.work import Work
from twin.bindings import bindings_of
from twin.buffers import TARGET, buffers_of
from twin.critical import Critical, critical_of
from twin.longest_waits import broken_waits
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
        waits=broken_waits(replay),
    )


def order_verdicts(replay: Replay) -> tuple[OrderVerdict, ...]:
    """Return what a replay says of each order that has a task: all that plans are compared by."""
    names = [order for order in replay.work.orders if order in replay.rows_of]
    return _order_verdicts(replay, names) if names else ()


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
    return _order_verdicts(replay, [order])[0]


def _order_verdicts(replay: Replay, names: Sequence[str]) -> tuple[OrderVerdict, ...]:
    work = replay.work
    due_s = np.array([work.orders[name].due_s for name in names])
    completion_s = np.array([replay.completion_s(name) for name in names])
    late_s = completion_s - due_s[:, np.newaxis]
    met = np.count_nonzero(late_s <= 0, axis=1).tolist()
    mean_s = np.maximum(late_s, 0.0).mean(axis=1).tolist()
    late_90_s = np.maximum(np.quantile(late_s, 0.9, axis=1, method="inverted_cdf"), 0.0).tolist()
    # An observed completion, not a mean of two: those may lie on either side of a night.
    moments_s = np.quantile(completion_s, [0.5, 0.8, 0.95], axis=1, method="inverted_cdf").T.tolist()
    found = []
    for row, name in enumerate(names):
        on_time, on_time_low = wilson(met[row], replay.replications)
        p50, p80, p95 = map(work.moment, moments_s[row])
        due_at = work.moment(work.orders[name].due_s)
        found.append(OrderVerdict(name, due_at, on_time, on_time_low, p50, p80, p95, mean_s[row], late_90_s[row]))
    return tuple(found)


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
