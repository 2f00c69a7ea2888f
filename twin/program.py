"""A plan's graph laid out in arrays, as `twin.kernel` walks it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.work import Work
from twin.draws import Row
from twin.graph import Node, has_longest_wait
from twin.luck import Changeover, Luck, Matrix

Array = NDArray[np.generic]

_NONE = -1

_GRID = 4
"""Points of a grid per window: enough that most windows hold one."""

_ATTENDED = {Attendance.NONE: 0, Attendance.SETUP: 1, Attendance.ALL: 2}


@dataclass(frozen=True)
class Program:
    """Nodes and their working times for the kernel.

    Attributes
    ----------
    machines
        Machines with nodes, in the order of the kernel's numbers.
    nodes, maps
        The kernel's arrays; their order is that of its first lines.
    freed
        Per node row whose person goes before the step ends: its row in the matrix of those moments.
    begun_rows
        Node rows with a longest wait: of these it is asked when their changeover (or processing) begins.
    families
        The kernel's numbers of setup families; 0 is what a machine begins with if nothing follows in that family.
    """

    machines: tuple[str, ...]
    nodes: tuple[Array, ...]
    maps: tuple[Array, ...]
    freed: Mapping[int, int]
    families: Mapping[str, int]
    begun_rows: tuple[int, ...]
    release_rows: tuple[int, ...]
    needed_rows: tuple[int, ...]


def program_of(work: Work, nodes: Sequence[Node]) -> Program:
    """Lay out sorted nodes (see `twin.graph.graph_of`)."""
    machines = tuple(dict.fromkeys(node.machine for node in nodes))
    number = {name: index for index, name in enumerate(machines)}
    people = {name: index for index, name in enumerate(work.people)}
    tasks = [work.tasks[node.row] for node in nodes]
    families = {name: index for index, name in enumerate(dict.fromkeys(task.setup_family for task in tasks), start=1)}
    freed = [node.row for node in nodes if node.attendance is Attendance.SETUP]
    begun = [node.row for node in nodes if has_longest_wait(work, node)]
    waiting = [
        node.row
        for node in nodes
        if not node.running and any(work.tasks[member].material is not None for member in node.members)
    ]
    needed = [node.row for node in nodes if node.rework is not None]
    maps = _Maps(work)
    layout = (
        _whole(node.row for node in nodes),
        _whole(number[node.machine] for node in nodes),
        _whole(_NONE if node.person is None else people[node.person] for node in nodes),
        _whole(_ATTENDED[node.attendance] for node in nodes),
        np.array([node.floor_s for node in nodes], dtype=float),
        np.array([-1.0 if node.setup_s is None else node.setup_s for node in nodes], dtype=float),
        _whole(families[task.setup_family] for task in tasks),
        np.array([not node.interruptible for node in nodes], dtype=bool),
        *_ragged([node.after for node in nodes]),
        np.array([lag_s for node in nodes for lag_s in node.lags_s], dtype=float),
        *_ragged([node.members for node in nodes]),
        places_of(nodes, waiting),
        places_of(nodes, needed),
        places_of(nodes, freed),
        _whole(maps.number(node.machine, node.person) for node in nodes),
        _whole(maps.number(node.machine, node.person if node.attendance is Attendance.ALL else None) for node in nodes),
        _whole(families.get(work.machines[name].setup_family or "", 0) for name in machines),
        _setup_table(work, nodes, machines, families),
    )
    places = {row: place for place, row in enumerate(freed)}
    return Program(machines, layout, maps.arrays(), places, families, tuple(begun), tuple(waiting), tuple(needed))


def luck_arrays(program: Program, luck: Luck) -> tuple[Array, ...]:
    """Lay out drawn luck for the kernel."""
    replications = luck.processing_s.shape[1]
    nothing = np.zeros((0, replications))
    releases = [luck.release_s[row] for row in program.release_rows]
    needed = [luck.needed[row] for row in program.needed_rows]
    point_row, repair_row = np.full(len(program.machines), _NONE), np.full(len(program.machines), _NONE)
    points, repairs = [nothing], [nothing]
    for index, name in enumerate(program.machines):
        if name in luck.failures:
            point_row[index], repair_row[index] = sum(map(len, points)), sum(map(len, repairs))
            points.append(luck.failures[name].points_s)
            repairs.append(luck.failures[name].repairs_s)
    return (
        luck.processing_s,
        np.array(releases).reshape(len(releases), replications),
        np.array(needed, dtype=bool).reshape(len(needed), replications),
        point_row,
        np.concatenate(points),
        repair_row,
        np.concatenate(repairs),
        *_factors(program, luck.setup_factors, nothing),
    )


def _factors(program: Program, factors: Mapping[Changeover, Row], nothing: Matrix) -> tuple[Array, Array]:
    """Return the rows of factors on changeovers by machine and families (-1: none), and the rows."""
    if not factors:
        return np.full((1, 1, 1), _NONE), nothing
    number = {name: index for index, name in enumerate(program.machines)}
    count = len(program.families) + 1
    rows = np.full((len(number), count, count), _NONE)
    for row, (machine, before, after) in enumerate(factors):
        rows[number[machine], program.families.get(before or "", 0), program.families[after]] = row
    return rows, np.array([*factors.values()])


class _Maps:
    """Working times by number: those of machines, and those machines share with who attends them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._numbers: dict[tuple[str, str | None], int] = {}

    def number(self, machine: str, person: str | None) -> int:
        """Return the number of a machine's working time, or of what it has in common with a person's.

        Each pair has its own: a map is cheapest to walk where the moments asked for only grow.
        """
        return self._numbers.setdefault((machine, person), len(self._numbers))

    def arrays(self) -> tuple[Array, ...]:
        """Return the windows of all maps, and grids to find them by.

        Where each map begins and ends; starts, ends and work done at the starts, each map followed by a window that
        never begins; where each grid begins and ends, the window open at each of its points, points per second.
        """
        maps = [common_time(self._work, machine, person) for machine, person in self._numbers]
        edges = _whole(np.cumsum([0, *(len(one.starts) + 1 for one in maps)]).tolist())
        grids = [_grid(one) for one in maps]
        return (
            edges,
            np.array([start for one in maps for start in (*one.starts, math.inf)], dtype=float),
            # Work goes on for ever in the last window.
            np.array([end for one in maps for end in (*one.ends[:-1], math.inf, math.inf)], dtype=float),
            np.array([worked for one in maps for worked in (*one.worked, math.inf)], dtype=float),
            _whole(np.cumsum([0, *(len(grid) for grid, _ in grids)]).tolist()),
            np.concatenate([edge + grid for edge, (grid, _) in zip(edges[:-1], grids, strict=True)])
            if grids
            else _whole(()),
            np.array([pitch for _, pitch in grids], dtype=float),
        )


def _grid(time: WorkingTime) -> tuple[NDArray[np.int64], float]:
    """Return the window open at each point of a grid over a map's starts, and points per second."""
    starts = np.array(time.starts)
    span_s = float(starts[-1] - starts[0])
    if span_s <= 0:
        return np.zeros(1, dtype=np.int64), 0.0
    count = _GRID * len(starts)
    points = starts[0] + np.arange(count) * (span_s / count)
    return (starts.searchsorted(points, side="right") - 1).astype(np.int64).clip(0), count / span_s


def common_time(work: Work, machine: str, person: str | None) -> WorkingTime:
    """Return a machine's working time, or what it has in common with that of who attends it."""
    mine = work.machines[machine].working_time
    return mine if person is None else mine.common(work.people[person].working_time)


def _whole(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(numbers, dtype=np.int64)


def _ragged(rows: Sequence[Sequence[int]]) -> tuple[Array, Array]:
    """Return where each row of numbers begins and ends, and all numbers."""
    return _whole(np.cumsum([0, *map(len, rows)]).tolist()), _whole(number for row in rows for number in row)


def places_of(nodes: Sequence[Node], rows: Sequence[int]) -> NDArray[np.int64]:
    """Return per node its place in `rows`, -1 where it is not among them."""
    places = {row: place for place, row in enumerate(rows)}
    return _whole(places.get(node.row, _NONE) for node in nodes)


def _setup_table(
    work: Work, nodes: Sequence[Node], machines: Sequence[str], families: Mapping[str, int]
) -> NDArray[np.float64]:
    """Return changeovers by machine and families (0: nothing made yet), for machines where nodes leave them open."""
    open_ = {node.machine for node in nodes if node.setup_s is None}
    if not open_:
        return np.zeros((1, 1, 1))
    table = np.zeros((len(machines), len(families) + 1, len(families) + 1))
    for index, name in enumerate(machines):
        if name in open_:
            outlook = work.machines[name]
            for after, column in families.items():
                table[index, 0, column] = outlook.setup_matrix.duration_s(outlook.setup_family, after)
                for before, row in families.items():
                    table[index, row, column] = outlook.setup_matrix.duration_s(before, after)
    return table
