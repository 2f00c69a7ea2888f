"""What is new among the troubles of a floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plant.errors import InvalidInput
from plant.plant import Absence
from plant.trouble import Abort, Tolerances, Troubles

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
KNOWN = Troubles({"L1": NOON}, {"CO-1/1-10": Abort(1, NOON)})


def test_what_is_known_is_no_news() -> None:
    assert not KNOWN.beyond(KNOWN)
    assert not Troubles().beyond(KNOWN)


def test_everything_is_news_to_who_knows_nothing() -> None:
    assert KNOWN.beyond(Troubles()) == KNOWN


def test_a_later_breakdown_of_the_same_machine_is_news_and_an_earlier_beginning_is_not() -> None:
    later = Troubles({"L1": NOON + timedelta(seconds=1)})
    assert later.beyond(KNOWN) == later
    assert not Troubles({"L1": NOON - timedelta(seconds=1)}).beyond(KNOWN)


def test_a_job_order_given_up_once_more_is_news_even_at_the_same_moment() -> None:
    again = Troubles(aborts={"CO-1/1-10": Abort(2, NOON), "CO-2/1-10": Abort(1, NOON)})
    assert again.beyond(KNOWN) == again
    assert not Troubles(aborts={"CO-1/1-10": Abort(1, NOON + timedelta(hours=1))}).beyond(KNOWN)


def test_other_due_dates_absences_and_deliveries_are_news_and_the_same_are_not() -> None:
    away = Absence(NOON, NOON + timedelta(days=1))
    known = Troubles(rush_orders={"CO-1": NOON}, absences={"P1": away}, late_materials={"bar": NOON})
    assert not known.beyond(known)
    later = Troubles(
        rush_orders={"CO-1": NOON - timedelta(days=1)},
        absences={"P1": Absence(NOON, NOON + timedelta(days=2))},
        late_materials={"bar": NOON + timedelta(days=1)},
    )
    assert later.beyond(known) == later


def test_a_delay_is_news_again_when_a_later_plan_is_missed_and_scrap_when_it_grows() -> None:
    known = Troubles(delays={"CO-1/1-10": NOON}, scrap={"CO-1/1-10": 5})
    assert not Troubles(delays={"CO-1/1-10": NOON - timedelta(1)}, scrap={"CO-1/1-10": 5}).beyond(known)
    grown = Troubles(delays={"CO-1/1-10": NOON + timedelta(1)}, scrap={"CO-1/1-10": 6})
    assert grown.beyond(known) == grown


@pytest.mark.parametrize("wrong", [{"delay_s": 0.0}, {"scrap": -0.1}, {"scrap": 2.0}])
def test_a_tolerance_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        Tolerances(**wrong)
