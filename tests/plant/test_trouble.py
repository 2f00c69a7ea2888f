"""What is new among the troubles of a floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from plant.trouble import Abort, Troubles

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
