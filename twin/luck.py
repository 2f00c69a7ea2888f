"""The luck of a plan, drawn: processing times per step, and per machine when it fails and how long repairs take.

The rows are keyed as in `twin.draws`, so the sequence of a plan does not change them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.checks import require
from plant.distribution import Distribution, Family
from plant.plant import Reliability
from plant.work import Task, Work
from twin.draws import Draws, Row
from twin.graph import Node

Matrix = NDArray[np.float64]


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
        Shape (n tasks, R), filled in the rows of nodes (`Node.row`).
    failures
        By machine; a machine without failures within the plan is left out.
    """

    processing_s: Matrix
    failures: Mapping[str, Failures]


def draw(work: Work, nodes: Sequence[Node], draws: Draws) -> Luck:
    """Draw what R replications of the nodes meet.

    Raises
    ------
    InvalidInput
        If a machine's mean time between failures is 0: it could never finish anything.
    """
    processing_s = np.zeros((len(work.tasks), draws.replications))
    operating_s: dict[str, Row] = {}
    for node in nodes:
        row = processing_s[node.row]
        for member in node.members:
            task = work.tasks[member]
            np.maximum(row, planned_s(task, node.machine) * factor(task, draws), out=row)
        operating_s.setdefault(node.machine, np.zeros(draws.replications))
        operating_s[node.machine] += row
    failures = {}
    for machine, total_s in operating_s.items():
        reliability = work.machines[machine].reliability
        if reliability is not None:
            failures[machine] = _failures(machine, reliability, total_s, draws)
    return Luck(processing_s, {name: found for name, found in failures.items() if len(found.repairs_s)})


def planned_s(task: Task, machine: str) -> float:
    """Return the planned processing time that is left of a task, in working seconds."""
    return task.durations_s[machine] if task.running is None else task.running.remaining_s


def factor(task: Task, draws: Draws) -> Row:
    """Return the factors on a task's planned time, shape (R,): lognormal with mean 1."""
    if task.variation == 0:
        return np.ones(draws.replications)
    return draws.row(Distribution(Family.LOGNORMAL, 1.0, task.variation), "processing", task.id)


def _failures(machine: str, reliability: Reliability, operating_s: Row, draws: Draws) -> Failures:
    between, repair = reliability.time_between_failures, reliability.time_to_repair
    require(between.mean > 0, f"machine {machine}: the mean time between failures must be above 0")
    points = [draws.row(between, "time between failures", machine, 0)]
    repairs: list[Row] = []
    # A replication whose last point lies within its operating time fails there: it needs the repair and one more.
    while (points[-1] <= operating_s).any():
        repairs.append(draws.row(repair, "time to repair", machine, len(repairs)))
        points.append(points[-1] + draws.row(between, "time between failures", machine, len(points)))
    shape = (len(repairs), draws.replications)
    return Failures(np.array(points), np.array(repairs).reshape(shape))
