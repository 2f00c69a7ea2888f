"""Customer order to production orders to job orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.explosion import explode, job_orders
from plant.errors import InvalidInput, NotFound
from plant.folder import load, load_orders
from plant.item import ItemKind
from plant.order import CustomerOrder, ProductionOrder
from plant.plant import Plant
from tests.plant.shops import MONDAY, bought, made, operation, small_shop

SHOP_FOLDER = Path(__file__).parents[2] / "plants" / "machine_shop"
DAY_S = 86400.0

PUMP = made(
    "PUMP",
    operation("10", "turning"),
    operation("20", "milling"),
    bom=(("SHAFT", "2"), ("BOLT", "8"), ("BODY", "1"), ("SEAL", "1")),
)
BODY = made("BODY", operation("10", "milling"), bom=(("SHAFT", "0.5"), ("CASTING", "1")))
SHAFT = made(
    "SHAFT", operation("10", "turning"), operation("20", "heating"), operation("30", "turning"), bom=(("BAR", "0.25"),)
)
SHOP = small_shop(
    (
        PUMP,
        BODY,
        SHAFT,
        bought("BAR", 3 * DAY_S, 2),
        bought("BOLT", 2 * DAY_S, 24),
        bought("SEAL", 5 * DAY_S, 0),
        bought("CASTING", 9 * DAY_S, 100),
    )
)


def order(item: str = "PUMP", quantity: int = 3) -> CustomerOrder:
    return CustomerOrder("CO-7", "Wuxi", item, quantity, MONDAY, MONDAY + timedelta(days=9))


def test_every_made_line_gets_its_own_production_order_components_first() -> None:
    found = explode(SHOP, order())
    assert [(one.id, one.item, one.quantity, one.components) for one in found] == [
        ("CO-7/1", "SHAFT", 6, ()),
        ("CO-7/2", "SHAFT", 2, ()),  # half a shaft for each of three bodies: rounded up
        ("CO-7/3", "BODY", 3, ("CO-7/2",)),
        ("CO-7/4", "PUMP", 3, ("CO-7/1", "CO-7/3")),
    ]
    assert {one.customer_order for one in found} == {"CO-7"}


def test_purchased_lines_release_it_after_their_lead_time_unless_in_stock() -> None:
    released = {one.id: one.release_at - MONDAY for one in explode(SHOP, order())}
    assert released == {
        "CO-7/1": timedelta(0),  # 1.5 bars of 2 in stock
        "CO-7/2": timedelta(0),
        "CO-7/3": timedelta(0),  # castings in stock: their lead time does not count
        "CO-7/4": timedelta(days=5),  # no seal; 24 bolts are just enough
    }
    more = {one.id: one.release_at - MONDAY for one in explode(SHOP, order(quantity=5))}
    assert more["CO-7/1"] == timedelta(days=3), "2.5 bars are more than there are"
    assert more["CO-7/4"] == timedelta(days=5), "the slowest missing line decides"


def test_jobs_follow_the_routing_and_the_first_waits_for_every_component() -> None:
    jobs = job_orders(SHOP, explode(SHOP, order()))
    before = {job.id: job.predecessors for job in jobs}
    assert before == {
        "CO-7/1-10": (),
        "CO-7/1-20": ("CO-7/1-10",),
        "CO-7/1-30": ("CO-7/1-20",),
        "CO-7/2-10": (),
        "CO-7/2-20": ("CO-7/2-10",),
        "CO-7/2-30": ("CO-7/2-20",),
        "CO-7/3-10": ("CO-7/2-30",),
        "CO-7/4-10": ("CO-7/1-30", "CO-7/3-10"),
        "CO-7/4-20": ("CO-7/4-10",),
    }
    last = jobs[-1]
    assert (last.production_order, last.customer_order, last.item, last.operation) == ("CO-7/4", "CO-7", "PUMP", "20")
    assert (last.quantity, last.release_at) == (3, MONDAY + timedelta(days=5))


def test_what_cannot_be_ordered_is_refused() -> None:
    with pytest.raises(InvalidInput, match="order CO-7: BOLT is purchased; only made items can be ordered"):
        explode(SHOP, order("BOLT"))
    with pytest.raises(NotFound, match="unknown item 'PUMPE'"):
        explode(SHOP, order("PUMPE"))


def test_quantities_and_lead_times_without_end_are_refused_by_name() -> None:
    big = made("BIG", operation("10", "turning"), bom=(("PUMP", "1e308"),))
    with pytest.raises(InvalidInput, match="order CO-7 needs more than 1,000,000,000 PUMP; check its quantity"):
        explode(small_shop((*SHOP.items, big)), order("BIG"))
    late = made("LATE", operation("10", "turning"), bom=(("ORE", "1"),))
    with pytest.raises(InvalidInput, match=r"item LATE: what it needs comes .* when dates have ended"):
        explode(small_shop((late, bought("ORE", 1e15, 0))), order("LATE"))


def test_a_circle_is_refused_by_name() -> None:
    one = made("ONE", operation("10", "turning"), bom=(("TWO", "1"),))
    two = made("TWO", operation("10", "turning"), bom=(("ONE", "1"),))
    with pytest.raises(InvalidInput, match="item ONE would be made of itself: ONE -> TWO -> ONE"):
        explode(small_shop((one, two)), order("ONE"))


def test_components_must_come_first() -> None:
    late = ProductionOrder("X/1", "X", "PUMP", 1, MONDAY, ("X/2",))
    with pytest.raises(InvalidInput, match=r"production order X/1: components \['X/2'\] are unknown or stand after it"):
        job_orders(SHOP, [late])


# --- against a second, independent way of counting, on the shop that ships --------------------------------

SHIPPED = load(SHOP_FOLDER)


def needs(plant: Plant, item: str, pieces: int) -> Iterator[tuple[str, int]]:
    """Yield (made item, pieces) for every place in the tree below, `item` included."""
    yield item, pieces
    for line in plant.item(item).bom:
        if plant.item(line.item).kind is ItemKind.MADE:
            yield from needs(plant, line.item, ceil(Fraction(line.quantity) * pieces))


@given(st.sampled_from(sorted(item.id for item in SHIPPED.made_items())), st.integers(1, 500))
def test_every_level_is_made_in_the_needed_number(item: str, quantity: int) -> None:
    found = explode(SHIPPED, order(item, quantity))
    assert Counter((one.item, one.quantity) for one in found) == Counter(needs(SHIPPED, item, quantity))
    jobs = job_orders(SHIPPED, found)
    assert len(jobs) == sum(len(SHIPPED.item(one.item).routing) for one in found)
    seen: set[str] = set()
    for job in jobs:
        assert seen.issuperset(job.predecessors), "predecessors come first"
        seen.add(job.id)
    consumed = [name for job in jobs for name in job.predecessors]
    assert len(consumed) == len(set(consumed)) == len(jobs) - 1, "a tree: every job but the last has one follower"


def test_exploding_again_gives_the_same_ids() -> None:
    again = load(SHOP_FOLDER)
    for one in load_orders(SHOP_FOLDER, SHIPPED):
        assert explode(SHIPPED, one) == explode(again, one)


@given(st.decimals(Decimal("0.01"), Decimal(9), places=2), st.integers(1, 1000))
def test_fractions_of_a_piece_are_rounded_up_exactly(per_piece: Decimal, quantity: int) -> None:
    top = made("TOP", operation("10", "turning"), bom=(("PART", str(per_piece)),))
    shop = small_shop((top, made("PART", operation("10", "milling"))))
    part = explode(shop, order("TOP", quantity))[0]
    hundredths = int(per_piece * 100) * quantity
    assert part.quantity == -(-hundredths // 100)
