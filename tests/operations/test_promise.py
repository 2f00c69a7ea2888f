"""`operations.promise`: a date that the plan can keep, what it hangs on, and that the others do not pay for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from operations.promise import Binding, Loss, Offer, Rehearsing, promise, sentences
from plant.distribution import exponential
from plant.objective import Aim, Objective
from plant.plan import Plan
from plant.plant import Reliability
from plant.work import Work
from scheduler.decode import decode
from scheduler.solve import SolverSettings
from tests.scheduler.shops import EPOCH, HOUR, machine, task, work

FUTURES = Rehearsing(200, 1)


def shop(*, release_s: float = 0.0, due_h: float = 100.0) -> tuple[Work, Plan]:
    """Return a machine with four hours planned and a gap of one after the second, and an order "new" of an hour."""
    tasks = [
        task("a", "a", {"M1": 2 * HOUR}),
        task("b", "b", {"M1": 2 * HOUR}, release_s=3 * HOUR),
    ]
    plan = decode(work(tasks, [machine("M1")], {}), {"M1": [["a"], ["b"]]})
    new = task("new-1", "new", {"M1": HOUR}, release_s=release_s)
    return work([*tasks, new], [machine("M1")], {"new": due_h * HOUR}), plan


def hours(offer: Offer) -> tuple[float, float, float]:
    return tuple((at - EPOCH) / timedelta(hours=1) for at in (offer.p50, offer.p80, offer.p95))  # type: ignore[return-value]


def test_a_new_order_goes_into_the_gap_and_nobody_loses() -> None:
    some, plan = shop()
    found = promise(some, "new", plan, None, FUTURES)
    assert hours(found.inserted) == (3.0, 3.0, 3.0)
    assert found.inserted.binding == (Binding("machine", "M1", 1.0),)
    assert (found.inserted.losses, found.replanned) == ((), None)
    assert found.inserted.on_time is not None
    assert found.inserted.on_time > 0.98


def test_material_that_comes_after_the_gap_binds() -> None:
    some, plan = shop(release_s=2.5 * HOUR)
    offer = promise(some, "new", plan, None, FUTURES, dated=False).inserted
    assert hours(offer)[0] == 6.0  # the gap is too short by then
    late, plan = shop(release_s=8 * HOUR)
    offer = promise(late, "new", plan, None, FUTURES, dated=False).inserted
    assert hours(offer)[0] == 9.0
    assert offer.binding[0] == Binding("material", "item", at=EPOCH + timedelta(hours=8))
    assert str(sentences(offer)[0]) == "Material for item is there on Mon 5 Jan 08:00."
    assert offer.on_time is None


def test_planned_anew_it_is_earlier_and_what_that_costs_is_told() -> None:
    some, plan = shop(due_h=1.0)
    found = promise(some, "new", plan, None, FUTURES, SolverSettings(effort=0.05, workers=1))
    assert found.replanned is not None
    assert hours(found.replanned)[0] == 1.0
    (loss,) = found.replanned.losses
    assert (loss.order, loss.later_s, loss.at_risk) == ("a", HOUR, False)
    assert str(sentences(found.replanned)[-1]) == (
        "Finished later, by up to 60 min, but as likely to be on time as before: a."
    )


def test_an_order_that_gets_late_is_told_apart_from_one_that_only_ends_later() -> None:
    some, plan = shop(due_h=1.0)
    tight = replace(some, orders={**some.orders, "a": replace(some.orders["a"], due_s=2 * HOUR)})
    found = promise(tight, "new", plan, None, FUTURES, SolverSettings(effort=0.05, workers=1))
    assert found.replanned is not None
    (loss,) = found.replanned.losses
    assert loss.at_risk
    assert str(sentences(found.replanned)[-1]) == (
        "a is on time with a probability of 1 % instead of 99 %; half of the futures finish it 60 min later or more."
    )
    offer = replace(found.replanned, binding=(), losses=(Loss("b", 900.0, 0.5, 0.5), Loss("c", 7200.0, 0.9, 0.9)))
    assert [str(one) for one in sentences(offer)] == [
        "Finished later, by up to 2.0 h, but as likely to be on time as before: b, c."
    ]


def test_planned_anew_near_the_plan_in_force_nobody_loses() -> None:
    some, plan = shop(due_h=1.0)
    near = SolverSettings(effort=0.05, workers=1, objective=Objective((Aim.NEARNESS, Aim.TARDINESS)))
    found = promise(some, "new", plan, None, FUTURES, near)
    assert found.replanned is not None
    assert (hours(found.replanned)[0], found.replanned.losses) == (3.0, ())


def test_breakdowns_spread_the_dates() -> None:
    some, plan = shop()
    failing = replace(some.machines["M1"], reliability=Reliability(exponential(2 * HOUR), exponential(HOUR)))
    offer = promise(replace(some, machines={"M1": failing}), "new", plan, None, FUTURES).inserted
    p50, p80, p95 = hours(offer)
    assert p50 < p80 < p95


def test_without_a_plan_in_force_the_other_orders_come_first() -> None:
    some, _ = shop()
    empty = promise(some, "new", None, None, FUTURES)
    assert hours(empty.inserted)[0] == 3.0
    alone = work([some.by_id["new-1"]], [machine("M1")], {})
    assert hours(promise(alone, "new", None, None, FUTURES).inserted)[0] == 1.0


def test_somebody_who_is_waited_for_is_named() -> None:
    some, plan = shop()
    offer = promise(some, "new", plan, None, FUTURES).inserted
    said = sentences(replace(offer, binding=(Binding("person", "Ada", 0.4),)))
    assert [str(one) for one in said] == ["Ada is waited for in 40 % of the futures."]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_question_gets_the_same_answer(seed: int) -> None:
    some, plan = shop()
    failing = replace(some.machines["M1"], reliability=Reliability(exponential(2 * HOUR), exponential(HOUR)))
    uncertain = replace(some, machines={"M1": failing})
    asked = Rehearsing(50, seed)
    assert promise(uncertain, "new", plan, None, asked) == promise(uncertain, "new", plan, None, asked)
