"""A plan as a graph: what waits for what once every machine's sequence is fixed.

A node is a step of a machine's sequence: one operation, or the members of one batch. It waits for the node before
it on its machine and for those of its members' predecessors. The graph must be acyclic; `graph_of` checks that
and sorts it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plant.errors import InvalidInput
from plant.item import Attendance
from plant.plan import Plan
from plant.text import told
from plant.work import ReworkPass, Work
from twin.steps import PlannedStep, planned_steps


@dataclass(frozen=True, slots=True)
class Node:
    """A step among all others. Rows count `Work.tasks` from 0.

    Attributes
    ----------
    row
        Row of the first member; it stands for the node wherever one is named by a number.
    members
        Rows of all members.
    preceding
        All nodes it waits for, those of its members' predecessors first; a running step waits only for its machine
        and its person.
    floor_s
        Earliest begin for causes other than nodes (releases, the machine's availability), at least 0; 0 also where
        something it waits for cannot begin earlier than that anyway.
    setup_s
        Changeover before it, in working seconds; None where that depends on which rework passes are left out.
    after, lags_s
        Rows of the members' predecessors: `preceding` without machine and person; and the clock seconds from the end
        of each until it may begin. A rework pass that is left out waits for none of them.
    before, behind
        Rows of the nodes before it on its machine and with its person.
    person, attendance, interruptible, rework
        As in `twin.steps.PlannedStep`.
    """

    row: int
    members: tuple[int, ...]
    machine: str
    preceding: tuple[int, ...]
    floor_s: float
    setup_s: float | None
    after: tuple[int, ...] = ()
    lags_s: tuple[float, ...] = ()
    before: int | None = None
    behind: int | None = None
    person: str | None = None
    attendance: Attendance = Attendance.NONE
    interruptible: bool = True
    rework: ReworkPass | None = None
    running: bool = False


def graph_of(work: Work, plan: Plan) -> tuple[Node, ...]:
    """Return the steps of `plan` in an order in which every node comes after all it waits for.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work (see `twin.steps.planned_steps`) or is circular: the message names the
        tasks in the circle.
    """
    steps = planned_steps(work, plan)
    rows = {task.id: row for row, task in enumerate(work.tasks)}
    node_of = {
        task.id: rows[step.tasks[0].id] for sequence in steps.values() for step in sequence for task in step.tasks
    }
    nodes: dict[int, Node] = {}
    for sequence in steps.values():
        before: PlannedStep | None = None
        for step in sequence:
            node = _node(work, step, before, rows, node_of)
            nodes[node.row] = node
            before = step
    return _sorted(work, nodes)


def _node(
    work: Work, step: PlannedStep, before: PlannedStep | None, rows: Mapping[str, int], node_of: Mapping[str, int]
) -> Node:
    outlook = work.machines[step.machine]
    away_s = 0.0 if step.person is None else work.people[step.person].available_from_s
    after: dict[int, float] = {}
    for name in step.predecessors:
        after[node_of[name]] = max(after.get(node_of[name], 0.0), step.lags_s.get(name, 0.0))
    machine_before = None if before is None else node_of[before.tasks[0].id]
    behind = None if step.behind is None else node_of[step.behind]
    resources = [row for row in (machine_before, behind) if row is not None]
    return Node(
        row=rows[step.tasks[0].id],
        members=tuple(rows[task.id] for task in step.tasks),
        machine=step.machine,
        preceding=tuple(dict.fromkeys((*after, *resources))),
        floor_s=max(0.0, step.release_s, outlook.available_from_s, away_s),
        setup_s=step.setup_s,
        after=tuple(after),
        lags_s=tuple(after.values()),
        before=machine_before,
        behind=behind,
        person=step.person,
        attendance=step.attendance,
        interruptible=step.interruptible,
        rework=step.rework,
        running=step.running,
    )


def has_longest_wait(work: Work, node: Node) -> bool:
    """Tell whether a member of a step must not wait too long after a predecessor."""
    waits = (wait for member in node.members for wait in work.tasks[member].waits.values())
    return not node.running and any(wait.most_s < math.inf for wait in waits)


def _sorted(work: Work, nodes: Mapping[int, Node]) -> tuple[Node, ...]:
    """Sort so that every node comes after all it waits for (Kahn's algorithm)."""
    waiting = {row: len(node.preceding) for row, node in nodes.items()}
    followers: dict[int, list[int]] = {row: [] for row in nodes}
    for row, node in nodes.items():
        for before in node.preceding:
            followers[before].append(row)
    ready = [row for row in sorted(nodes) if waiting[row] == 0]
    for row in ready:  # grows while it is walked
        for follower in followers[row]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    if len(ready) < len(nodes):
        stuck = {row: node.preceding for row, node in nodes.items() if waiting[row] > 0}
        circle = " -> ".join(work.tasks[row].id for row in _circle(stuck))
        raise InvalidInput(
            told("the plan is circular, each waits for the next: {circle}; change a machine's sequence", circle=circle)
        )
    return _without_needless_floors([nodes[row] for row in ready])


def _without_needless_floors(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Set `floor_s` to 0 where something before cannot begin earlier anyway: one comparison of rows less."""
    reached: dict[int, float] = {}
    found = []
    for node in nodes:
        before_s = max((reached[before] for before in node.preceding), default=-1.0)
        # A rework pass that is not needed does not wait for its floor.
        reached[node.row] = before_s if node.rework is not None else max(before_s, node.floor_s)
        found.append(node if node.floor_s > before_s else replace(node, floor_s=0.0))
    return tuple(found)


def _circle(stuck: Mapping[int, Sequence[int]]) -> list[int]:
    """Return one circle among nodes that each wait for another of them, its first node repeated at the end."""
    row = min(stuck)
    path: list[int] = []
    while row not in path:
        path.append(row)
        row = next(before for before in stuck[row] if before in stuck)
    return [*path[path.index(row) :], row]
