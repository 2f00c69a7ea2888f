"""What an order waited for: the chain of steps that set its completion, walked back from its end.

In each replication an order's last step began when the last thing it waited for was there: a predecessor of its own,
the step before it on its machine, or the person who attends it. Going back so from step to step, until one waited
for no other, gives the chain. The machine on which most of the chain's time was spent is what the order's completion
hung on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.item import Attendance
from twin.draws import Row
from twin.graph import Node
from twin.luck import Matrix
from twin.replay import Replay
from twin.working_rows import worked_at

SAMPLE = 200
"""Replications that are walked: the share of a machine is known within 7 points then, and each walk costs."""

_NONE = -1


@dataclass(frozen=True)
class Critical:
    """Shares of (order, replication) pairs, each in [0, 1].

    Attributes
    ----------
    machines
        By machine, pairs whose completion hung on it; they sum up to 1 where there is any task.
    operations
        By row of `Replay.work.tasks`, pairs whose chain it is on; members of a batch share their node's.
    people
        By person, pairs whose chain waited for them at least once.
    waits
        Where the time of late orders went.
    """

    machines: dict[str, float]
    operations: NDArray[np.float64]
    people: dict[str, float]
    waits: Waits


@dataclass(frozen=True)
class Waits:
    """Where the time of an order's chains went, mean clock seconds over those that are late (over all where none is).

    Attributes
    ----------
    orders, machines, people
        What the axes count.
    own_s
        On steps of the order itself, but for what `attending_s` says of them, and on what its lots must wait or be
        carried between them, shape (orders,).
    others_s
        On steps of other orders, by machine, shape (orders, machines).
    attending_s
        While job and machine were there, until somebody came: from another machine, or back from their hours off,
        shape (orders, people).
    material_s
        From the epoch until its material was there, by row of `Replay.work.tasks`, shape (n tasks,).
    """

    orders: tuple[str, ...]
    machines: tuple[str, ...]
    people: tuple[str, ...]
    own_s: Row
    others_s: Matrix
    attending_s: Matrix
    material_s: Row


def critical_of(replay: Replay, sample: int = SAMPLE, orders: Collection[str] | None = None) -> Critical:
    """Return what completions hung on: those of `orders` (None: of all).

    At most `sample` replications, the first ones, are walked.
    """
    machines = list(dict.fromkeys(node.machine for node in replay.nodes))
    people = list(dict.fromkeys(node.person for node in replay.nodes if node.person is not None))
    if not machines:
        nothing = np.zeros(0)
        return Critical({}, nothing, {}, Waits((), (), (), nothing, np.zeros((0, 0)), np.zeros((0, 0)), nothing))
    chains = _Chains(replay, machines, people, min(sample, replay.replications), orders)
    spent_s, on_chain, waited = chains.walked()
    hung = np.bincount(spent_s.argmax(axis=1), minlength=len(machines)) / len(spent_s)
    operations = on_chain / len(spent_s)
    for node in replay.nodes:
        operations[list(node.members)] = operations[node.row]
    return Critical(
        dict(zip(machines, hung.tolist(), strict=True)),
        operations,
        dict(zip(people, waited.mean(axis=0).tolist(), strict=True)),
        chains.waits(),
    )


def critical_shares(replay: Replay, sample: int = SAMPLE) -> dict[str, float]:
    """Return `Critical.machines`."""
    return critical_of(replay, sample).machines


class _Chains:
    """What every node waited for last in the walked replications, and since when it did so no longer."""

    def __init__(
        self,
        replay: Replay,
        machines: Sequence[str],
        people: Sequence[str],
        taken: int,
        orders: Collection[str] | None = None,
    ) -> None:
        count = len(replay.work.tasks)
        self._replay, self._taken = replay, taken
        self._machines, self._people = machines, people
        asked = (task.order for task in replay.work.tasks if orders is None or task.order in orders)
        self._orders = list(dict.fromkeys(asked))
        self._finish_s = replay.finish_s[:, :taken]
        self._before = np.full((count, taken), _NONE, dtype=np.intp)
        self._bound_s, self._wait_s = np.zeros((count, taken)), np.zeros((count, taken))
        self._machine, self._person = np.zeros(count, dtype=np.intp), np.full(count, _NONE, dtype=np.intp)
        self._own, self._awaits = np.zeros((count, len(self._orders)), dtype=bool), np.zeros(count, dtype=bool)
        numbers = {name: index for index, name in enumerate(machines)}
        persons = {name: index for index, name in enumerate(people)}
        places = {name: index for index, name in enumerate(self._orders)}
        for node in replay.nodes:
            self._bind(node)
            orders_of = [replay.work.tasks[member].order for member in node.members]
            mine = [places[name] for name in orders_of if name in places]
            for member in node.members:
                self._machine[member] = numbers[node.machine]
                self._person[member] = _NONE if node.person is None else persons[node.person]
                self._own[member, mine] = True
                self._awaits[member] = self._awaits_material(node)
                for matrix in (self._before, self._bound_s, self._wait_s):
                    matrix[member] = matrix[node.row]
        size = len(self._orders)
        self._others_s, self._attending_s = np.zeros((size, len(machines))), np.zeros((size, len(people)))
        self._own_s, self._material_s = np.zeros(size), np.zeros(count)

    def _bind(self, node: Node) -> None:
        """Note of a node what it waited for last; of things done at once, predecessors come before resources."""
        bound_s = self._bound_s[node.row]
        bound_s[:] = self._floor_s(node)
        rows = [*zip(node.after, node.lags_s, strict=True), *(() if node.before is None else ((node.before, 0.0),))]
        for row, lag_s in rows:
            there_s = self._finish_s[row] if lag_s == 0 else self._finish_s[row] + self._lag_s(node, lag_s)
            later = there_s > bound_s
            np.copyto(self._before[node.row], row, where=later)
            np.maximum(bound_s, there_s, out=bound_s)
        if node.behind is not None:
            free_s = self._free_s(node.behind)
            self._wait_s[node.row] = np.maximum(free_s - bound_s, 0.0)
            np.copyto(self._before[node.row], node.behind, where=free_s > bound_s)
            np.maximum(bound_s, free_s, out=bound_s)

    def _lag_s(self, node: Node, lag_s: float) -> Matrix | float:
        """Return how long a node waits after a predecessor's end; a rework pass left out does not."""
        return (
            np.where(self._replay.done[node.row][: self._taken], lag_s, 0.0) if node.row in self._replay.done else lag_s
        )

    def _awaits_material(self, node: Node) -> bool:
        """Tell whether its material, and not its machine's being down, sets when a node can begin at the earliest."""
        down_s = self._replay.work.machines[node.machine].available_from_s
        return node.row in self._replay.release_s or node.floor_s > down_s

    def _floor_s(self, node: Node) -> Matrix | float:
        """Return the earliest begin for causes other than nodes; a rework pass left out has none."""
        floor_s: Matrix | float = node.floor_s
        if node.row in self._replay.release_s:
            floor_s = np.maximum(floor_s, self._replay.release_s[node.row][: self._taken])
        if node.row in self._replay.done:
            floor_s = np.where(self._replay.done[node.row][: self._taken], floor_s, 0.0)
        return floor_s

    def _free_s(self, row: int) -> Matrix:
        freed: Matrix = self._replay.freed_s.get(row, self._replay.finish_s[row])[: self._taken]
        return freed

    def walked(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Walk back the chain of every order and replication.

        Returns
        -------
        Seconds per machine, shape (chains, machines); chains through each row, shape (n tasks,); and whether the
        chain waited for each person, shape (chains, people).
        """
        from twin.chains import walk_back  # costs a second to import, as `twin.kernel` does

        ends = self._last_rows()
        weight = self._counted(np.take_along_axis(self._finish_s, ends, axis=0))
        spent_s = np.zeros((*ends.shape, len(self._machines)))
        through = np.zeros(len(self._machine))
        waited = np.zeros((*ends.shape, len(self._people)), dtype=bool)
        # One replication after the other: what its chains look at stays in the processor's cache.
        matrices = (self._before, self._bound_s, self._wait_s, self._off_s(), self._finish_s)
        walk_back(
            *(np.ascontiguousarray(one.T) for one in (ends, weight)),
            tuple(np.ascontiguousarray(one.T) for one in matrices),
            (self._machine, self._person, self._awaits, self._own),
            (spent_s, through, waited, self._own_s, self._others_s, self._attending_s, self._material_s),
        )
        spent, asked = (one.reshape(ends.size, one.shape[-1]) for one in (spent_s, waited))
        return spent, through, asked

    def _off_s(self) -> Matrix:
        """Return how long each step lay still on an open machine because whoever attends it was off."""
        work, found = self._replay.work, np.zeros_like(self._bound_s)
        attended: dict[tuple[str, str], list[Node]] = {}
        for node in self._replay.nodes:
            if node.person is not None and node.attendance is not Attendance.NONE:
                attended.setdefault((node.machine, node.person), []).append(node)
        for (machine, person), nodes in attended.items():
            open_time = work.machines[machine].working_time
            both = open_time.common(work.people[person].working_time)
            if both == open_time:
                continue
            rows = [node.row for node in nodes]
            freed_s = np.stack([self._free_s(row) for row in rows])
            edges = np.stack([np.minimum(self._bound_s[rows], freed_s), freed_s])
            machine_s, both_s = (np.diff(worked_at(one, edges), axis=0)[0] for one in (open_time, both))
            off_s = np.maximum(machine_s - both_s, 0.0)
            for node, mine_s in zip(nodes, off_s, strict=True):
                found[list(node.members)] = mine_s
        return found

    def _counted(self, completion_s: Matrix) -> Matrix:
        """Return what each chain counts for its order: late ones alike, the others nothing; all where none is late."""
        due_s = np.array([self._replay.work.orders[order].due_s for order in self._orders])
        late = completion_s > due_s[:, np.newaxis]
        late |= ~late.any(axis=1, keepdims=True)
        counted: Matrix = late / late.sum(axis=1, keepdims=True)
        return counted

    def waits(self) -> Waits:
        """Return where the time of the chains that were walked went."""
        return Waits(
            tuple(self._orders),
            tuple(self._machines),
            tuple(self._people),
            self._own_s,
            self._others_s,
            self._attending_s,
            self._material_s,
        )

    def _last_rows(self) -> NDArray[np.intp]:
        """Row of the task that finishes last, per order and replication."""
        rows: dict[str, list[int]] = {name: [] for name in self._orders}
        for row, task in enumerate(self._replay.work.tasks):
            if task.order in rows:
                rows[task.order].append(row)
        return np.array([np.array(mine)[self._finish_s[mine].argmax(axis=0)] for mine in rows.values()], dtype=np.intp)
