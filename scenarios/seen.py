"""What became of a case in one future: its orders, and the times its machines' OEE is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.prepare import Prepared, Values
from twin.happened import Happened
from twin.oee import Times


@dataclass(frozen=True, eq=False)
class OrdersSeen:
    """The orders of a case and those that have arrived since, one row an order; times in seconds since the epoch.

    Attributes
    ----------
    begun_s
        When the first operation that was done of it began, at the earliest now; inf where none was.
    completed_s
        When its last production order was complete; nan where it is not.
    """

    id: NDArray[np.str_]
    ordered_s: Values
    due_s: Values
    weight: Values
    begun_s: Values
    completed_s: Values


def orders_seen(prepared: Prepared, happened: Happened) -> OrdersSeen:
    """Return what became of the orders."""
    orders, done = prepared.orders, happened.operations
    arrived = {name: column[len(prepared.row) :] for name, column in happened.orders.items()}
    count = len(arrived["id"])
    rows = np.append(prepared.row, len(orders) + np.arange(count))
    completed_s = np.zeros(len(orders) + count)
    is_open = np.isnan(happened.orders["completed_s"]) | (happened.orders["lost"] == 1)
    np.maximum.at(completed_s, rows, np.where(is_open, np.inf, happened.orders["completed_s"]))
    begun_s = np.append([0.0 if order.id in prepared.begun else np.inf for order in orders], np.full(count, np.inf))
    np.minimum.at(begun_s, rows[done["order"]], done["begin_s"])
    return OrdersSeen(
        np.append(np.array([order.id for order in orders], dtype=np.str_), arrived["id"]),
        np.append(prepared.ordered_s, arrived["released_s"]),
        np.append(prepared.due_s, arrived["due_s"]),
        np.append([order.priority.weight for order in orders], arrived["weight"]),
        begun_s,
        np.where(np.isinf(completed_s), np.nan, completed_s),
    )


def times_of(prepared: Prepared, happened: Happened) -> Times:
    """Return what ISO 22400 makes the OEE of, over all machines, each until its last operation.

    A batch is planned to take as long as its longest member.
    """
    done, machines = happened.operations, prepared.model.plant.machines
    steps, step = np.unique(np.stack([done["machine"], done["start_s"]]), axis=1, return_inverse=True)
    longest_s = np.zeros(steps.shape[1])
    np.maximum.at(longest_s, step, _planned_s(prepared, happened))
    last_s = np.zeros(len(machines))
    np.maximum.at(last_s, done["machine"], done["finish_s"])
    return Times(
        pbt_s=sum(time.worked_at(end_s) for time, end_s in zip(happened.working, last_s.tolist(), strict=True)),
        planned_run_s=float(longest_s.sum()),
        good=int(done["good"].sum()),
        scrap=int(done["scrap"].sum()),
        rework=int(done["rework"].sum()),
    )


def _planned_s(prepared: Prepared, happened: Happened) -> Values:
    """Return the planned time of every operation done, of a running one what was left of it, shape (operations,)."""
    done = happened.operations
    stages = np.array([prepared.planned_s[name] for name in happened.names["stage"]])[done["stage"]]
    speed = np.array([machine.speed for machine in prepared.model.plant.machines])[done["machine"]]
    planned_s = (np.where(done["part"] == 0, stages[:, 0], 0.0) + done["quantity"] * stages[:, 1]) / speed
    left_s = np.zeros(len(happened.orders["id"]))
    left_s[: len(prepared.left_s)] = prepared.left_s
    resumed = (done["begin_s"] <= 0) & (left_s[done["order"]] > 0)
    return np.where(resumed, left_s[done["order"]], planned_s)
