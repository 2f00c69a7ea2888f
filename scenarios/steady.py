"""Steady-state questions: orders go on and on, and what comes before the steady state does not count.

Where a plant has arrivals, they come; elsewhere the order book is repeated, so that orders keep coming as they came.
The orders of the beginning, when the floor was emptier than it will be, are left out as MSER-5 says, and so are the
last ones, which nothing follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import numpy as np

from plant.checks import require
from plant.order import CustomerOrder
from scenarios.case import Case
from scenarios.evaluate import lead_times_h
from scenarios.experiment import Runner
from scenarios.warm_up import BATCH, mser5

MOST_WEEKS = 24
"""Calendars are laid out for half a year."""

_LEAST_ARRIVALS = 40
_RUN_OUT = 10
"""One in so many arrivals, the last ones, is left out: some would still be in process at the end."""


@dataclass(frozen=True)
class Steady:
    """Which orders count.

    Attributes
    ----------
    counted
        Ids of the orders that lead time, on time and tardiness are measured on.
    deleted, last
        How many orders were left out at the beginning, and at the end.
    settled
        Whether every case has a steady state within the time looked at.
    """

    counted: frozenset[str]
    deleted: int
    last: int
    settled: bool


def lasting(case: Case, weeks: int) -> Case:
    """Return the case with orders for so many weeks: those that arrive, or else its order book, repeated.

    A plant with arrivals is looked at for so long, with its order book as it is.

    Raises
    ------
    InvalidInput
        If that is more than calendars are laid out for, or too little to tell.
    """
    require(weeks <= MOST_WEEKS, f"a steady state is looked for within {MOST_WEEKS} weeks at most, not {weeks}")
    if not case.plant.arrivals:
        return _repeated(case, weeks)
    changed = replace(case, until=case.now + timedelta(weeks=weeks))
    count = len(_ids_in_order(changed))
    require(
        count >= _LEAST_ARRIVALS,
        f"{weeks} weeks bring {count} arrivals; {_LEAST_ARRIVALS} are the least (streams that keep a number of orders "
        "in process do not count)",
    )
    return changed


def _repeated(case: Case, weeks: int) -> Case:
    """Return the case with its order book repeated until it covers so many weeks.

    Each repetition is shifted by whole weeks, as many as the book took to come in; its orders are called ``ID~2``,
    ``ID~3``, ...

    Raises
    ------
    InvalidInput
        If that is not at least three books.
    """
    span = _span(case)
    books = timedelta(weeks=weeks) // span
    require(
        books >= 3,
        f"{weeks} weeks hold {books} of this plant's order books of {span.days // 7} weeks; three are the least: one "
        "to warm up, one to look at, one that nothing follows",
    )
    orders = [_shifted(order, book, span) for book in range(books) for order in case.orders]
    return replace(case, orders=tuple(orders))


def _span(case: Case) -> timedelta:
    """Return the whole weeks that the order book took to come in."""
    placed = [order.ordered_at for order in case.orders]
    return timedelta(weeks=max(-(-(max(placed) - min(placed)) // timedelta(weeks=1)), 1))


def _shifted(order: CustomerOrder, book: int, span: timedelta) -> CustomerOrder:
    if book == 0:
        return order
    return replace(
        order, id=f"{order.id}~{book + 1}", ordered_at=order.ordered_at + book * span, due_at=order.due_at + book * span
    )


def settle(cases: Mapping[str, Case], book_orders: int, seed: int, runner: Runner) -> Steady:
    """Return which orders count: the same ones in all cases, after the longest of their warm-ups.

    Parameters
    ----------
    cases
        The base first, as `lasting` made it.
    book_orders
        Orders of its order book.
    """
    base = next(iter(cases.values()))
    ids = _ids_in_order(base)
    last = book_orders if base.until is None else len(ids) // _RUN_OUT
    looked_at = ids[: len(ids) - last]
    pieces = [(name, 0) for name in cases]
    found = dict(runner.run(cases, seed, pieces, partial(lead_times_h, orders=tuple(looked_at))))
    warm_ups = [mser5(np.nanmean(found[piece], axis=1)) for piece in pieces]
    deleted = max(one.delete for one in warm_ups)
    # A series without a steady state would leave nothing; half of it is looked at then, and the report says so.
    deleted = min(deleted, len(looked_at) // 2 // BATCH * BATCH)
    return Steady(frozenset(looked_at[deleted:]), deleted, last, all(one.settled for one in warm_ups))


def _ids_in_order(case: Case) -> list[str]:
    """Return the orders as they come; of arrivals as many as are expected."""
    if case.until is None:
        return [order.id for order in sorted(case.orders, key=lambda order: (order.ordered_at, order.id))]
    span_s = (case.until - case.now).total_seconds()
    coming = [
        (number * stream.interarrival.mean, f"{stream.id}/{number}")
        for stream in case.plant.arrivals
        if stream.interarrival is not None
        for number in range(int(span_s / stream.interarrival.mean))
    ]
    return [name for _, name in sorted(coming)]
