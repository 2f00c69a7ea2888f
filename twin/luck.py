"""The luck of a plan, drawn: how long steps take, which rework is needed, when materials come and machines fail.

The rows are keyed as in `twin.draws`, so the sequence of a plan does not change them. Both engines take them from
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plant.checks import require
from plant.distribution import Distribution, Family
from plant.plant import Reliability
from plant.work import MachineOutlook, ReworkPass, Task, Work
from twin.draws import Draws, Row
from twin.graph import Node

_SOON_S = 1e-9

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Changeover = tuple[str, str | None, str]
"""Machine, and the families before and after."""


@dataclass(frozen=True)
class Failures:
    """Failures of one machine in its operating time.

    Attributes
    ----------
    points_s
        Operating seconds at which it fails, shape (K + 1, R), increasing in each replication; the last row lies
        beyond all the machine has to process.
    repairs_s
        Working seconds of the repairs, shape (K, R).
    """

    points_s: Matrix
    repairs_s: Matrix


@dataclass(frozen=True)
class Luck:
    """What R replications of a plan meet.

    Attributes
    ----------
    processing_s
        Shape (n tasks, R), filled in the rows of nodes (`Node.row`); 0 where a rework pass is not needed.
    failures
        By machine; a machine without failures within the plan is left out.
    release_s
        By `Node.row`: when the deliveries are there that a node waits for, shape (R,).
    needed
        By `Node.row` of a rework pass: whether it is done, shape (R,).
    setup_factors
        By machine and families before and after: what a changeover's time is multiplied with, shape (R,).
    """

    processing_s: Matrix
    failures: Mapping[str, Failures]
    release_s: Mapping[int, Row] = field(default_factory=dict)
    needed: Mapping[int, Flags] = field(default_factory=dict)
    setup_factors: Mapping[Changeover, Row] = field(default_factory=dict)


def draw(work: Work, nodes: Sequence[Node], draws: Draws) -> Luck:
    """Draw what R replications of the nodes meet.

    Raises
    ------
    InvalidInput
        If a machine's mean time between failures is 0: it could never finish anything.
    """
    processing_s = np.zeros((len(work.tasks), draws.replications))
    operating_s: dict[str, Row] = {}
    releases: dict[int, Row] = {}
    needed: dict[int, Flags] = {}
    for node in nodes:
        tasks = [work.tasks[member] for member in node.members]
        row = processing_s[node.row]
        step_s(tasks, node.machine, draws, row)
        if node.rework is not None:
            needed[node.row] = failed(node.rework, work, draws)
            row *= needed[node.row]
        if not node.running and (awaited := delivered_s(tasks, draws)) is not None:
            releases[node.row] = awaited
        if work.machines[node.machine].reliability is not None:
            total_s = operating_s.setdefault(node.machine, np.zeros(draws.replications))
            total_s += row
    failures = {name: _failures(work.machines[name], total_s, draws) for name, total_s in operating_s.items()}
    found = {name: each for name, each in failures.items() if len(each.repairs_s)}
    factors = {each: factor for each in changeovers(work, nodes) if (factor := draws.setup_factor(*each)) is not None}
    return Luck(processing_s, found, releases, needed, factors)


def changeovers(work: Work, nodes: Iterable[Node]) -> Iterable[Changeover]:
    """Return the changeovers that may come up; after a rework pass, which may be left out, several."""
    families: dict[str, set[str | None]] = {name: {outlook.setup_family} for name, outlook in work.machines.items()}
    found: dict[Changeover, None] = {}
    for node in nodes:
        before, after = families[node.machine], work.tasks[node.row].setup_family
        if not node.running:
            found |= dict.fromkeys((node.machine, one, after) for one in before)
        families[node.machine] = {*before, after} if node.rework is not None else {after}
    return found


def step_s(tasks: Iterable[Task], machine: str, draws: Draws, out: Row) -> Row:
    """Raise `out`, of shape (R,), to the working seconds a step takes: its longest member's. Return it."""
    for task in tasks:
        np.maximum(out, processing_s(task, machine, draws), out=out)
    return out


def planned_s(task: Task, machine: str) -> float:
    """Return the planned processing time that is left of a task, in working seconds."""
    return task.durations_s[machine] if task.running is None else task.running.remaining_s


def processing_s(task: Task, machine: str, draws: Draws) -> Row:
    """Return the working seconds a task takes, or has left, shape (R,).

    The factor on its planned time is lognormal with mean 1. What has been worked at already has a factor from the
    part of the distribution that is left: ``factor * planned - worked`` given ``factor * planned > worked``.
    """
    planned, running = planned_s(task, machine), task.running
    if running is not None and running.worked_s > 0 and task.variation > 0 and task.durations_s[machine] > 0:
        whole = Distribution(Family.LOGNORMAL, task.durations_s[machine], task.variation)
        return draws.beyond(whole, running.worked_s, "processing", task.id)
    taken_s = planned * _factor(task, draws)
    if task.replenish and running is None and task.scrap_ratio > 0:
        bad = draws.failures(task.quantity, 1 - task.scrap_ratio, "scrap", task.id)
        taken_s *= task.fixed_share + (1 - task.fixed_share) * ((task.quantity + bad) / task.quantity)
    return taken_s


def _factor(task: Task, draws: Draws) -> Row:
    if task.variation == 0:
        return np.ones(draws.replications)
    return draws.row(Distribution(Family.LOGNORMAL, 1.0, task.variation), "processing", task.id)


def delivered_s(tasks: Iterable[Task], draws: Draws) -> Row | None:
    """Return when all deliveries are there that the members of a step wait for, shape (R,); None without any."""
    deliveries = dict.fromkeys(task.material for task in tasks if task.material is not None)
    found: Row | None = None
    for delivery in deliveries:
        at_s = delivery.due_s + draws.row(delivery.delay, "material", delivery.id)
        found = at_s if found is None else np.maximum(found, at_s)
    return found


def failed(rework: ReworkPass, work: Work, draws: Draws) -> Flags:
    """Return whether the lot fails so often that this pass is needed, shape (R,)."""
    chance = work.by_id[rework.of].rework_chance
    found = np.ones(draws.replications, dtype=bool)
    for attempt in range(1, rework.number + 1):
        found &= draws.uniform("rework", rework.of, attempt) < chance
    return found


def first_failure_s(machine: str, reliability: Reliability, operated_s: float, draws: Draws) -> Row:
    """Return the operating seconds from the epoch to the first failure, shape (R,), given those it has come through."""
    between = reliability.time_between_failures
    require(between.mean > 0, f"machine {machine}: the mean time between failures must be above 0")
    # What is overdue fails when it processes, not before.
    return np.maximum(draws.beyond(between, operated_s, "time between failures", machine), _SOON_S)


def _failures(machine: MachineOutlook, operating_s: Row, draws: Draws) -> Failures:
    reliability = machine.reliability
    assert reliability is not None
    between, repair = reliability.time_between_failures, reliability.time_to_repair
    points = [first_failure_s(machine.id, reliability, machine.operated_s, draws)]
    repairs: list[Row] = []
    # A replication whose last point lies within its operating time fails there: it needs the repair and one more.
    while (points[-1] <= operating_s).any():
        repairs.append(draws.row(repair, "time to repair", machine.id, len(repairs)))
        points.append(points[-1] + draws.row(between, "time between failures", machine.id, len(points)))
    shape = (len(repairs), draws.replications)
    return Failures(np.array(points), np.array(repairs).reshape(shape))
