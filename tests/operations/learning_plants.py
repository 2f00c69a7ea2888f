"""Plants to learn from: one that the usual portfolio does not suit, and one in which nothing can be gained."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from methods.order_books import OrderBook, PastOrder
from operations.learner import LearningSettings, Subject
from plant.item import Operation
from plant.order import CustomerOrder
from plant.plant import Plant, SetupMatrix
from plant.version import version_of
from scheduler.solve import SolverSettings
from tests.plant.shops import MONDAY, made, small_shop

_FAMILIES = 20
_ORDERS = 260
"""Too many for CP-SAT, which would find by itself what the rules miss."""

QUICK = LearningSettings(candidates=8, first_cases=1, cases=12, effort=0.001, replications=20)


def setups_matter(seed: int) -> Subject:
    """Return a plant whose changeovers take half a day's work each, with orders of seconds due over a month.

    Slack is thousands of processing times, so that in every usual rule it outweighs changeovers, and machines change
    over again and again for whatever is due next.
    """
    items = tuple(
        made(f"part{n}", Operation("10", f"turn {n}", "turning", "turning", f"family{n}", 6.0, 0.0, 0.1, 0.0))
        for n in range(_FAMILIES)
    )
    plant = replace(small_shop(items), setup_matrices=(SetupMatrix("any", 4 * 3600.0),))
    dice = random.Random(seed)
    orders = tuple(
        _order(n, f"part{dice.randrange(_FAMILIES)}", MONDAY + timedelta(hours=dice.uniform(8.0, 800.0)))
        for n in range(_ORDERS)
    )
    return _subject(plant, orders)


def nothing_to_gain(seed: int) -> Subject:
    """Return a plant with a handful of orders that are due in a year."""
    plant = small_shop((made("shaft", Operation("10", "turn", "turning", "turning", "turning", 60.0, 60.0, 0.1, 0.0)),))
    dice = random.Random(seed)
    orders = tuple(_order(n, "shaft", MONDAY + timedelta(days=365 + dice.randrange(9))) for n in range(8))
    return _subject(plant, orders)


def busy(seed: int) -> Subject:
    """Return a plant with more to do in a week than it can, in which the usual portfolio does as well as any."""
    items = tuple(
        made(f"part{n}", Operation("10", "turn", "turning", "turning", f"family{n % 4}", 600.0, 60.0 * n, 0.1, 0.0))
        for n in range(1, 9)
    )
    dice = random.Random(seed)
    orders = tuple(
        _order(
            n, f"part{dice.randrange(1, 9)}", MONDAY + timedelta(hours=dice.uniform(2.0, 60.0)), dice.randrange(1, 20)
        )
        for n in range(_ORDERS)
    )
    return _subject(small_shop(items), orders)


def _order(number: int, item: str, due_at: datetime, quantity: int = 1) -> CustomerOrder:
    return CustomerOrder(f"CO-{number}", "ACME", item, quantity, MONDAY, due_at)


def _subject(plant: Plant, orders: tuple[CustomerOrder, ...]) -> Subject:
    version = version_of(plant, MONDAY)
    past = tuple(PastOrder(order) for order in orders)
    return Subject(version, past, (OrderBook(MONDAY, orders),), SolverSettings(workers=1))
