"""One case in many futures: the only module here that knows how the twin is run.

Every future runs on the open floor (`twin.open_floor`): dispatching rules decide as things happen. `prepare` does what
is the same in every future, `evaluate` runs a chunk of futures. Chunk k of a seed meets the same luck in every case,
whatever is evaluated before, beside or after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from methods.floor import floor_model
from plant.checks import require
from plant.floor_model import FloorModel
from plant.order import CustomerOrder
from scenarios.case import Case
from scenarios.staffing import staffed
from twin.dispatching import rule_named
from twin.draws import Draws
from twin.happened import Happened
from twin.oee import Times
from twin.open_floor import simulate_floor

CHUNK = 32
"""Replications that are run together: part of what a seed means, so it never depends on the workers."""

Values = NDArray[np.float64]

Sample = Values
"""Shape (replications, measures), columns in the order of `scenarios.measures.MEASURES`."""

Evaluator = Callable[["Prepared", int, int], Sample]
"""Looks at a chunk of futures of a prepared case: ``(prepared, seed, chunk)``; it can be pickled."""

_HOUR_S, _DAY_S = 3600.0, 86400.0


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case made ready.

    Attributes
    ----------
    rule
        As in `Case`.
    orders
        Customer orders of which something is still to be made.
    begun
        Which of them have begun.
    """

    model: FloorModel
    rule: str | None
    orders: tuple[CustomerOrder, ...]
    begun: frozenset[str]

    @cached_property
    def ordered_s(self) -> Values:
        """When each order was placed, in seconds since the epoch (before it: negative), shape (orders,)."""
        return np.array([self.model.seconds(order.ordered_at) for order in self.orders])

    @cached_property
    def due_s(self) -> Values:
        """When each order is due, in seconds since the epoch, shape (orders,)."""
        return np.array([self.model.seconds(order.due_at) for order in self.orders])

    @cached_property
    def weight(self) -> Values:
        """Weight of each order's lateness, shape (orders,)."""
        return np.array([order.priority.weight for order in self.orders], dtype=np.float64)

    @cached_property
    def row(self) -> NDArray[np.intp]:
        """Per production order of the model, the row of its customer order in `orders`."""
        rows = {order.id: row for row, order in enumerate(self.orders)}
        return np.array([rows[made.customer_order] for made in self.model.orders], dtype=np.intp)

    @cached_property
    def begun_s(self) -> Values:
        """0 for orders that have begun, infinite for the others, shape (orders,)."""
        return np.array([0.0 if order.id in self.begun else np.inf for order in self.orders])

    @cached_property
    def left_s(self) -> Values:
        """Per production order of the model, the planned time left of the operation that runs; 0 where none does."""
        return np.array([0.0 if one.running is None else one.running.remaining_s for one in self.model.orders])

    @cached_property
    def planned_s(self) -> dict[str, tuple[float, float]]:
        """Planned time at speed 1 by stage (item-operation): fixed, and per piece."""
        return {
            f"{item.id}-{operation.id}": (operation.fixed_s, operation.per_piece_s)
            for item in self.model.plant.items
            for operation in item.routing
        }


def prepare(case: Case) -> Prepared:
    """Explode the orders and lay out the calendars.

    Raises
    ------
    NotFound, InvalidInput
        If the case does not hold together, or leaves nothing to do.
    """
    for rule in case.rules:
        rule_named(rule)
    model = staffed(floor_model(case.plant, case.orders, case.snapshot, progress=case.progress))
    require(bool(model.orders), "there is nothing left to do in this case; give it an order")
    require(
        not model.plant.arrivals,
        f"the arrivals {', '.join(stream.id for stream in model.plant.arrivals)} have no end; scenarios run until "
        "every order is complete, so leave them out of the plant and list orders instead",
    )
    open_ = {made.customer_order for made in model.orders}
    return Prepared(model, case.rule, tuple(order for order in case.orders if order.id in open_), case.begun)


def evaluate(prepared: Prepared, seed: int, chunk: int, counted: frozenset[str] | None = None) -> Sample:
    """Return what `CHUNK` futures come to, shape (CHUNK, measures).

    Parameters
    ----------
    chunk
        Ordinal from 0: replications ``chunk * CHUNK`` and following of this seed.
    counted
        Orders that lead time, on time and tardiness are measured on; None: all. The other measures are the shop's.

    Raises
    ------
    Infeasible
        If the floor cannot finish; the message names who waits for whom.
    """
    counts = np.array([counted is None or order.id in counted for order in prepared.orders])
    require(bool(counts.any()), "none of the orders that count is in this case")
    return np.array([_measured(prepared, happened, counts) for happened in _futures(prepared, seed, chunk)])


def lead_times_h(prepared: Prepared, seed: int, chunk: int, orders: tuple[str, ...]) -> Sample:
    """Return the lead time of orders in `CHUNK` futures, in hours, shape (orders, CHUNK); nan for one that is gone."""
    rows = {order.id: row for row, order in enumerate(prepared.orders)}
    there = [place for place, name in enumerate(orders) if name in rows]
    chosen = [rows[orders[place]] for place in there]
    lead_h = np.full((len(orders), CHUNK), np.nan)
    for column, happened in enumerate(_futures(prepared, seed, chunk)):
        lead_h[there, column] = (_completed_s(prepared, happened) - prepared.ordered_s)[chosen] / _HOUR_S
    return lead_h


def _futures(prepared: Prepared, seed: int, chunk: int) -> Iterator[Happened]:
    digest = hashlib.blake2b(f"{seed}\0chunk\0{chunk}".encode(), digest_size=8).digest()
    draws = Draws(int.from_bytes(digest, "big"), CHUNK)
    for replication in range(CHUNK):
        yield simulate_floor(prepared.model, draws, replication, rule=prepared.rule)


def _measured(prepared: Prepared, happened: Happened, counts: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return one future's measures."""
    completed_s = _completed_s(prepared, happened)
    late_s = np.maximum(completed_s - prepared.due_s, 0.0)[counts]
    last_s = float(completed_s.max())
    in_process_s = completed_s - np.minimum(_begun_s(prepared, happened), completed_s)
    return (
        float((completed_s - prepared.ordered_s)[counts].mean()) / _HOUR_S,
        float((late_s <= 0).mean()),
        float((prepared.weight[counts] * late_s).sum()) / _HOUR_S,
        len(completed_s) / (last_s / _DAY_S),
        times_of(prepared, happened).oee or 0.0,
        float(in_process_s.sum()) / last_s,
    )


def _completed_s(prepared: Prepared, happened: Happened) -> Values:
    """Return when the last production order of each order is complete, shape (orders,)."""
    completed_s = np.zeros(len(prepared.orders))
    np.maximum.at(completed_s, prepared.row, happened.orders["completed_s"])
    return completed_s


def _begun_s(prepared: Prepared, happened: Happened) -> Values:
    """Return when each order's first operation begins, shape (orders,), at the earliest now; inf where none does."""
    begun_s = prepared.begun_s.copy()
    np.minimum.at(begun_s, prepared.row[happened.operations["order"]], happened.operations["begin_s"])
    return begun_s


def times_of(prepared: Prepared, happened: Happened) -> Times:
    """Return what ISO 22400 makes the OEE of, over all machines, each until its last operation.

    A batch is planned to take as long as its longest member.
    """
    done, machines = happened.operations, prepared.model.plant.machines
    stages = np.array([prepared.planned_s[name] for name in happened.names["stage"]])[done["stage"]]
    speed = np.array([machine.speed for machine in machines])[done["machine"]]
    planned_s = (np.where(done["part"] == 0, stages[:, 0], 0.0) + done["quantity"] * stages[:, 1]) / speed
    left_s = prepared.left_s[done["order"]]
    planned_s = np.where((done["begin_s"] <= 0) & (left_s > 0), left_s, planned_s)
    steps, step = np.unique(np.stack([done["machine"], done["start_s"]]), axis=1, return_inverse=True)
    longest_s = np.zeros(steps.shape[1])
    np.maximum.at(longest_s, step, planned_s)
    last_s = np.zeros(len(machines))
    np.maximum.at(last_s, done["machine"], done["finish_s"])
    return Times(
        pbt_s=sum(time.worked_at(end_s) for time, end_s in zip(happened.working, last_s.tolist(), strict=True)),
        planned_run_s=float(longest_s.sum()),
        good=int(done["good"].sum()),
        scrap=int(done["scrap"].sum()),
        rework=int(done["rework"].sum()),
    )
