"""The plant and what is looked up in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from plant.calendar import Calendar
from plant.errors import InvalidInput, NotFound
from plant.plant import Machine, Person, Plant, SetupMatrix, SetupTime
from tests.plant.shops import MONDAY, bought, made, operation, small_shop

SHOP = small_shop((made("AXLE", operation("10", "turning")), bought("BAR", 0.0, 5)))


def machine(**changes: object) -> Machine:
    return replace(SHOP.machine("L1"), **changes)  # type: ignore[arg-type]


def test_things_are_found_by_id_and_the_known_ones_are_named_where_not() -> None:
    assert SHOP.machine("L2").speed == 2.0
    assert SHOP.operation("AXLE", "10").capability == "turning"
    assert SHOP.machine_path("OVEN") == "site/hall/cell/OVEN"
    assert [one.id for one in SHOP.machines_with("turning")] == ["L1", "L2"]
    assert [one.id for one in SHOP.made_items()] == ["AXLE"]
    with pytest.raises(NotFound, match="unknown machine 'L3'; known are L1, L2, MILL, OVEN"):
        SHOP.machine("L3")
    many = replace(SHOP, machines=tuple(machine(id=f"L{number:02}") for number in range(23)))
    with pytest.raises(NotFound, match=r"L18, L19 and 3 more$"):
        many.machine("MILL")
    with pytest.raises(NotFound, match="item AXLE has no operation '20'"):
        SHOP.operation("AXLE", "20")


def test_a_changeover_follows_the_matrix() -> None:
    matrix = SetupMatrix("m", 600.0, (SetupTime("a", "b", 60.0), SetupTime("c", "c", 30.0)))
    assert matrix.duration_s("a", "b") == 60.0
    assert matrix.duration_s("b", "a") == 600.0, "not listed in this direction"
    assert matrix.duration_s("a", "a") == 0.0
    assert matrix.duration_s("c", "c") == 30.0, "listed, so it costs"
    assert matrix.duration_s(None, "a") == 600.0, "nothing made yet"


def test_the_plant_is_open_when_any_machine_is() -> None:
    always = replace(SHOP, calendars=(*SHOP.calendars, Calendar("always", "UTC")))
    assert always.open_windows(MONDAY, MONDAY + timedelta(days=1))[0][1] == MONDAY + timedelta(hours=4), "not used"
    oven = replace(SHOP.machine("OVEN"), calendar="always")
    shop = replace(always, machines=(*SHOP.machines[:3], oven))
    assert shop.open_windows(MONDAY, MONDAY + timedelta(days=1)) == [(MONDAY, MONDAY + timedelta(days=1))]


def twice(field: str) -> Callable[[], Plant]:
    return lambda: replace(SHOP, **{field: getattr(SHOP, field) * 2})


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (twice("machines"), "machine 'L1' is defined twice"),
        (twice("people"), "person 'P1' is defined twice"),
        (twice("items"), "item 'AXLE' is defined twice"),
        (twice("calendars"), "calendar 'day' is defined twice"),
        (twice("setup_matrices"), "setup matrix 'any' is defined twice"),
        (lambda: machine(speed=0.0), "speed must be a number above 0, not 0.0"),
        (lambda: machine(batch_capacity=0), "batch_capacity must be at least 1, not 0"),
        (lambda: machine(capabilities=()), "machine L1 needs at least one capability"),
        (lambda: machine(id="L/1"), "machine id 'L/1' must not contain '/'"),
        (lambda: Person("P", "Ada", (), "day"), "person P needs at least one skill"),
        (lambda: SetupMatrix("m", -1.0), "setup matrix m: default_s must be at least 0, not -1.0"),
        (lambda: SetupMatrix("m", 0.0, (SetupTime("a", "b", -5.0),)), "setup matrix m: a -> b must be at least 0"),
    ],
)
def test_what_cannot_be_is_refused(build: Callable[[], object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        build()
