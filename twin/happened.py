"""What happened on the open floor, as columns: operations, orders, machine states, energy, people, transports.

Every table is a mapping from a column's name to a numpy array; all columns of a table have one length. Machines,
people, stages and items stand in them as places in `Happened.names`, so a long run stays small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plant.calendar import WorkingTime
from plant.machine_state import MachineState
from plant.resource import Power

Column = NDArray[Any]
Columns = Mapping[str, Column]

STATES = tuple(MachineState)
"""Machine states in the order of their numbers in the columns."""

OPERATION_COLUMNS = (
    "order",
    "stage",
    "part",
    "attempt",
    "machine",
    "person",
    "queued_s",
    "begin_s",
    "start_s",
    "finish_s",
    "quantity",
    "good",
    "scrap",
    "rework",
)
_WHOLE = {"order", "stage", "part", "attempt", "machine", "person", "quantity", "good", "scrap", "rework", "state"}


class Log:
    """Takes down what happens, as it happens."""

    def __init__(self) -> None:
        self.operations: list[tuple[float, ...]] = []
        self.stops: list[tuple[int, MachineState, float, float]] = []
        self.attendance: list[tuple[int, int, float, float]] = []
        self.transports: list[tuple[int, int, float, float]] = []
        self.deliveries: list[tuple[str, float, float]] = []
        self.failures = 0

    def stop(self, machine: int, state: MachineState, since_s: float, until_s: float) -> None:
        """Note that a machine was held, blocked, broken down or maintained."""
        self.stops.append((machine, state, since_s, until_s))

    def pauses(self, machine: int, since_s: float, until_s: float, time: WorkingTime) -> None:
        """Note when a machine was held because those who attend it were away."""
        edges = [since_s]
        for start, end in zip(time.starts, time.ends, strict=True):
            if end > since_s and start < until_s:
                edges += [max(start, since_s), min(end, until_s)]
        edges.append(until_s)
        if len(edges) > 2:
            for a, b in zip(edges[::2], edges[1::2], strict=True):
                if a < b:
                    self.stop(machine, MachineState.HELD, a, b)


@dataclass(frozen=True)
class Happened:
    """One future of an open floor, from the epoch to `until_s`. Times are seconds since the epoch.

    Attributes
    ----------
    names
        Texts that numbers in the columns stand for: "machine", "person", "stage" (item-operation), "state".
    operations
        One row a lot and operation done: order (place in `orders`), stage, part, attempt, machine, person (-1: nobody),
        queued_s, begin_s (changeover), start_s (processing), finish_s, quantity, good, scrap, rework (pieces).
    orders
        One row a production order: id, customer_order, item, released_s, weight (of its lateness), due_s, completed_s
        (NaN while it is not), quantity, good, scrap, lost (1: it found no place).
    attendance, transports
        (person, machine, since_s, until_s) and (order, machine it left, since_s, until_s).
    """

    until_s: float
    names: Mapping[str, tuple[str, ...]]
    operations: Columns
    orders: Columns
    attendance: Columns
    transports: Columns
    stops: Columns = field(repr=False)
    working: Sequence[WorkingTime] = field(repr=False)
    power: Sequence[Power] = field(repr=False)
    unfinished: Columns = field(repr=False, default_factory=dict)

    @cached_property
    def machine_states(self) -> Columns:
        """Columns machine, state, since_s, until_s: for each machine a partition of [0, `until_s`).

        Of what is true at once, a breakdown goes before a planned stop (maintenance, closed hours), that before
        held, blocked, setup and executing. Otherwise the machine is starved while an order is in process of which
        something will still come to it, else idle.
        """
        rows = [self._states_of(machine) for machine in range(len(self.names["machine"]))]
        machine = np.concatenate([np.full(len(state), n) for n, (state, _, _) in enumerate(rows)])
        state, since_s, until_s = (np.concatenate([row[part] for row in rows]) for part in range(3))
        return {"machine": machine, "state": state, "since_s": since_s, "until_s": until_s}

    def _states_of(self, machine: int) -> tuple[Column, Column, Column]:
        layers = list(self._layers(machine))
        cut = [np.clip(np.concatenate(edges), 0.0, self.until_s) for _, *edges in layers]
        edges = np.unique(np.concatenate([np.array([0.0, self.until_s]), *cut]))
        state = np.full(len(edges) - 1, STATES.index(MachineState.IDLE))
        for name, start, end in layers:
            depth = np.zeros(len(edges), dtype=np.int64)
            np.add.at(depth, np.searchsorted(edges, np.clip(start, 0.0, self.until_s)), 1)
            np.add.at(depth, np.searchsorted(edges, np.clip(end, 0.0, self.until_s)), -1)
            state[np.cumsum(depth)[:-1] > 0] = STATES.index(name)
        first = np.flatnonzero(np.concatenate([[True], state[1:] != state[:-1]])) if len(state) else np.zeros(0, int)
        return state[first], edges[:-1][first], np.append(edges[first[1:]], edges[-1:])[: len(first)]

    def _layers(self, machine: int) -> list[tuple[MachineState, Column, Column]]:
        """What the machine was in, (state, starts, ends), the later ones painted over the earlier ones."""
        mine = self.operations["machine"] == machine
        begin, start, finish = (self.operations[name][mine] for name in ("begin_s", "start_s", "finish_s"))
        open_ = self.unfinished
        there = open_["machine"] == machine
        upstream = self.orders["released_s"][self.operations["order"][mine]]
        layers = [
            (MachineState.STARVED, upstream, self.operations["queued_s"][mine]),
            (MachineState.EXECUTING, start, finish),
            (MachineState.EXECUTING, open_["start_s"][there], open_["until_s"][there]),
            (MachineState.SETUP, begin, start),
            (MachineState.SETUP, open_["begin_s"][there], open_["start_s"][there]),
        ]
        stopped = self.stops["machine"] == machine
        for state in (MachineState.BLOCKED, MachineState.HELD, MachineState.PLANNED_STOP):
            chosen = stopped & (self.stops["state"] == STATES.index(state))
            layers.append((state, self.stops["since_s"][chosen], self.stops["until_s"][chosen]))
        time = self.working[machine]
        closed = np.array([0.0, *time.ends[:-1]]), np.array(time.starts)
        layers.append((MachineState.PLANNED_STOP, *closed))
        chosen = stopped & (self.stops["state"] == STATES.index(MachineState.BREAKDOWN))
        layers.append((MachineState.BREAKDOWN, self.stops["since_s"][chosen], self.stops["until_s"][chosen]))
        return layers

    @cached_property
    def energy(self) -> Columns:
        """Columns machine, state, duration_s, energy_kwh: one row for each state a machine was in."""
        states = self.machine_states
        key = states["machine"] * len(STATES) + states["state"]
        length_s = np.bincount(
            key, states["until_s"] - states["since_s"], minlength=len(self.names["machine"]) * len(STATES)
        )
        (kept,) = np.nonzero(length_s)
        machine, state = kept // len(STATES), kept % len(STATES)
        draws_kw = np.array(
            [self.power[m].of(STATES[s]) for m, s in zip(machine.tolist(), state.tolist(), strict=True)]
        )
        return {
            "machine": machine,
            "state": state,
            "duration_s": length_s[kept],
            "energy_kwh": draws_kw * length_s[kept] / 3600,
        }

    @cached_property
    def wip(self) -> Columns:
        """Columns at_s, orders: how many orders are in process from `at_s` on."""
        taken = ~self.orders["lost"].astype(bool) & ~np.isnan(self.orders["released_s"])
        entered = self.orders["released_s"][taken]
        left = self.orders["completed_s"][taken]
        return _steps(entered, left[~np.isnan(left)], "orders")

    def queue(self, machine: str) -> Columns:
        """Return columns at_s, lots: how many of the lots it processed waited from `at_s` on."""
        mine = self.operations["machine"] == self.names["machine"].index(machine)
        return _steps(self.operations["queued_s"][mine], self.operations["begin_s"][mine], "lots")

    def columns(self) -> dict[str, Columns]:
        """Return all tables by name."""
        return {
            "operations": self.operations,
            "orders": self.orders,
            "machine_states": self.machine_states,
            "energy": self.energy,
            "attendance": self.attendance,
            "transports": self.transports,
            "wip": self.wip,
        }

    def save(self, folder: Path) -> list[Path]:
        """Write every table into `folder`: as Parquet where pyarrow is installed, else as numpy's .npz."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            import pyarrow as arrow
            from pyarrow import parquet
        except ImportError:
            arrow = None
        written = []
        for name, table in self.columns().items():
            path = folder / f"{name}.{'npz' if arrow is None else 'parquet'}"
            if arrow is None:
                np.savez_compressed(path, **table)  # type: ignore[arg-type]
            else:
                parquet.write_table(arrow.table(dict(table)), path)
            written.append(path)
        return written


def _steps(up: Column, down: Column, name: str) -> Columns:
    """Return a step function that rises at `up` and falls at `down`."""
    at_s = np.concatenate([up, down])
    change = np.concatenate([np.ones(len(up), dtype=np.int64), np.full(len(down), -1, dtype=np.int64)])
    moments, place = np.unique(at_s, return_inverse=True)
    return {"at_s": moments, name: np.cumsum(np.bincount(place, change, minlength=len(moments)).astype(np.int64))}


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Columns:
    """Return rows of numbers as columns; those that count or name are whole numbers."""
    block = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {
        name: block[:, place].astype(np.int64) if name in _WHOLE else block[:, place].copy()
        for place, name in enumerate(names)
    }
