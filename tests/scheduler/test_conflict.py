"""`scheduler.conflict`: what cannot be is explained in few words, and nothing that can be is called impossible."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import PersonOutlook, Running, Task, Wait, Work
from scheduler.conflict import Conflict, conflict
from scheduler.conflict_model import Answer, ConflictModel, _pieces
from scheduler.conflict_words import chains
from scheduler.requirement import Demands, Fixed, Kind, words
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import EPOCH, HOUR, days, machine, random_work, task, work


def told(some: Work, demands: Demands) -> list[str]:
    found = conflict(some, demands)
    assert found is not None
    assert found.minimal
    assert_each_is_needed(some, demands, found)
    return [str(one) for one in found.words(some)]


def assert_each_is_needed(some: Work, demands: Demands, found: Conflict) -> None:
    """Solve again: all together cannot be met, and without any one of them the others can."""
    model = ConflictModel(some, demands)
    assert model.can(found.requirements, 5.0)[0] is Answer.NO
    for one in found.requirements:
        others = [other for other in found.requirements if other != one]
        assert model.can(others, 5.0)[0] is Answer.YES, one


def chain(release_s: float = 0.0) -> Work:
    tasks = [task("1007-a", "1007", {"M1": HOUR}, release_s=release_s), task("1007-b", "1007", {"M2": HOUR}, "1007-a")]
    return work(tasks, [machine("M1"), machine("M2")], {})


def test_what_can_be_done_in_time_has_no_conflict() -> None:
    assert conflict(chain(), Demands({"1007": 2 * HOUR})) is None
    assert conflict(chain(), Demands()) is None


def test_a_chain_that_takes_too_long() -> None:
    assert told(chain(), Demands({"1007": 2 * HOUR - 1})) == [
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 01:59 for 2 steps one after the other, 1007-a to 1007-b, which "
        "take 2.0 h at least",
    ]


def routing(steps: int, **fields: object) -> list[Task]:
    """Return an order 1007 of so many hourly steps, each on a machine of its own or another that is slower."""
    made: list[Task] = []
    for number in range(steps):
        durations = {f"M{number}": HOUR, f"S{number}": 1.5 * HOUR}
        made.append(task(f"1007-{number}", "1007", durations, *[one.id for one in made[-1:]], **fields))
    return made


def shop(*tasks: Task, hours: WorkingTime | None = None) -> Work:
    names = dict.fromkeys(name for one in tasks for name in one.durations_s)
    return work(tasks, [machine(name, hours) for name in names], {})


def test_a_routing_of_many_steps_is_one_sentence() -> None:
    steps = routing(8)
    steps[0] = replace(steps[0], release_s=9 * HOUR)
    assert told(shop(*steps), Demands({"1007": 16 * HOUR})) == [
        "1007 has from Mon 5 Jan 09:00 to Mon 5 Jan 16:00 for 8 steps one after the other, 1007-0 to 1007-7, which "
        "take 8.0 h at least",
    ]
    assert conflict(shop(*steps), Demands({"1007": 17 * HOUR})) is None


def test_whose_hours_are_in_the_way_is_told_with_the_steps() -> None:
    day = days([(6.0, 14.0)])
    assert told(shop(*routing(3), hours=day), Demands({"1007": 8 * HOUR})) == [
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 08:00 for 3 steps one after the other, 1007-0 to 1007-2, which "
        "take 3.0 h at least, with the hours of M0, S0 from Mon 5 Jan 06:00 on in the way",
    ]
    people = {
        "Ada": PersonOutlook("Ada", day, ("grinding",)),
        "Bo": PersonOutlook("Bo", days([(10.0, 14.0)]), ("grinding",)),
    }
    some = replace(shop(*routing(3, attendance=Attendance.ALL, skill="grinding")), people=people)
    assert told(some, Demands({"1007": 8 * HOUR})) == [
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 08:00 for 3 steps one after the other, 1007-0 to 1007-2, which "
        "take 3.0 h at least, with the hours of Ada, Bo (grinding) from Mon 5 Jan 06:00 on in the way",
    ]


def test_what_two_orders_share_is_told_beside_their_steps() -> None:
    """The hours of the machine concern both; each order's own steps are one sentence."""
    other = [replace(one, id=one.id.replace("1007", "1008"), order="1008") for one in routing(2)]
    other[1] = replace(other[1], predecessors=("1008-0",))
    rows = [replace(one, durations_s={f"M{number}": 3 * HOUR}) for number, one in enumerate([*routing(2), *other])]
    rows[3] = replace(rows[3], durations_s={"M1": 3 * HOUR})
    some = shop(*rows, hours=days([(6.0, 20.0)]))
    said = told(some, Demands({"1007": 13 * HOUR, "1008": 13 * HOUR}))
    assert [one.split(", which")[0] for one in said if " steps " in one] == [
        "1008 has from Mon 5 Jan 00:00 to Mon 5 Jan 13:00 for 2 steps one after the other, 1008-0 to 1008-1",
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 13:00 for 2 steps one after the other, 1007-0 to 1007-1",
    ]
    assert "M1 takes 1 at a time" in said


def test_steps_before_one_that_is_fixed_are_one_sentence() -> None:
    demands = Demands(fixed={"1007-3": Fixed("M3", 2 * HOUR)})
    assert told(shop(*routing(4)), demands) == [
        "1007-3 is fixed to M3 at Mon 5 Jan 02:00",
        "4 steps of 1007 one after the other, 1007-0 to 1007-3, begin on Mon 5 Jan 00:00 at the earliest and take "
        "4.0 h at least",
    ]


def tightest(some: Work, order: str) -> Conflict:
    """Return why an order cannot be done a moment sooner than it can: what needs all its steps."""
    low_s, high_s, found = 0.0, 400 * HOUR, None
    while high_s - low_s > 360:
        middle_s = (low_s + high_s) / 2
        reason = conflict(some, Demands({order: middle_s}))
        low_s, high_s, found = (low_s, middle_s, found) if reason is None else (middle_s, high_s, reason)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [3, 6, 7, 9, 10, 12, 13, 14, 16])
def test_every_requirement_is_in_one_sentence(seed: int) -> None:
    some = random_work(seed, most_orders=3)
    found = tightest(some, max(some.orders, key=lambda name: sum(one.order == name for one in some.tasks)))
    waits = [one for one in found.requirements if one.kind is Kind.PREDECESSOR]
    made = list(chains(some, found.requirements))
    assert waits, "a conflict without a wait says nothing of chains"
    assert Counter(link for one in made for link in one.links) == Counter(waits), f"seed {seed}"
    for one in made:
        follows = [(link.other, link.subject) for link in one.links]
        assert follows == [(before.id, after.id) for before, after in pairwise(one.tasks)]
        least_s = sum(min(step.durations_s.values()) for step in one.tasks if not step.running)
        assert one.least_s >= least_s - 1e-6, f"seed {seed}"
    said = [str(one) for one in found.words(some)]
    alone = {Kind.CAPACITY, Kind.DOWN, Kind.RUNNING, Kind.FROZEN}
    assert said[1:] == [str(words(some, one)) for one in found.requirements if one.kind in alone], f"seed {seed}"
    assert said[0].count("one after the other") == 1, f"seed {seed}"
    for one in found.requirements:
        if one.kind is Kind.HOURS:
            assert one.subject in said[0].split(" with the hours of ")[1], f"seed {seed}"


def test_material_that_comes_after_the_deadline() -> None:
    assert told(chain(9 * HOUR), Demands({"1007": 8 * HOUR})) == [
        "1007 must be done by Mon 5 Jan 08:00",
        "what 1007-a needs is there on Mon 5 Jan 09:00",
    ]


def test_hours_that_begin_too_late_and_breaks_in_between() -> None:
    shift = machine("M1", days([(6.0, 9.0), (10.0, 12.0)]))
    some = work([task("a", "o", {"M1": 4 * HOUR})], [shift], {})
    assert conflict(some, Demands({"o": 11 * HOUR})) is None
    assert told(some, Demands({"o": 11 * HOUR - 60})) == [
        "o has from Mon 5 Jan 00:00 to Mon 5 Jan 10:59 for a, which takes 4.0 h at least, with the hours of M1 from "
        "Mon 5 Jan 06:00 on in the way",
    ]


def test_a_skill_that_nobody_has() -> None:
    grinding = task("a", "o", {"M1": HOUR}, attendance=Attendance.ALL, skill="grinding")
    some = replace(work([grinding], [machine("M1")], {}), people={"P": PersonOutlook("P", WorkingTime.always())})
    assert told(some, Demands()) == ["a needs the skill grinding, which nobody has"]


def test_a_skill_that_nobody_has_in_the_window() -> None:
    grinding = task("a", "1007", {"M1": 2 * HOUR}, attendance=Attendance.ALL, skill="grinding")
    people = {
        "Ada": PersonOutlook("Ada", days([(14.0, 22.0)]), ("grinding",)),
        "Bo": PersonOutlook("Bo", days([(6.0, 14.0)]), ("milling",)),
    }
    some = replace(work([grinding], [machine("M1")], {}), people=people)
    assert conflict(some, Demands({"1007": 16 * HOUR})) is None
    assert told(some, Demands({"1007": 15 * HOUR})) == [
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 15:00 for a, which takes 2.0 h at least, with the hours of Ada "
        "(grinding) from Mon 5 Jan 14:00 on in the way",
    ]


def test_two_orders_that_need_the_machine_at_once() -> None:
    some = work([task(name, name, {"M1": 2 * HOUR}) for name in "abc"], [machine("M1")], {})
    assert told(some, Demands({"a": 3 * HOUR, "b": 3 * HOUR, "c": 99 * HOUR})) == [
        "b has from Mon 5 Jan 00:00 to Mon 5 Jan 03:00 for b, which takes 2.0 h at least",
        "a has from Mon 5 Jan 00:00 to Mon 5 Jan 03:00 for a, which takes 2.0 h at least",
        "M1 takes 1 at a time",
    ]


def test_fixed_starts_that_contradict() -> None:
    some = work([task(name, name, {"M1": 2 * HOUR}) for name in "ab"], [machine("M1")], {})
    assert told(some, Demands(fixed={"a": Fixed("M1", HOUR), "b": Fixed("M1", 2 * HOUR)})) == [
        "b is fixed to M1 at Mon 5 Jan 02:00",
        "a is fixed to M1 at Mon 5 Jan 01:00",
        "M1 takes 1 at a time",
    ]
    assert conflict(some, Demands(fixed={"a": Fixed("M1", HOUR), "b": Fixed("M1", 3 * HOUR)})) is None
    assert told(some, Demands(fixed={"a": Fixed("M9", HOUR)})) == ["a is fixed to M9 at Mon 5 Jan 01:00"]


def test_a_machine_that_is_down_and_what_runs_on_it() -> None:
    some = work([task("a", "o", {"M1": HOUR})], [machine("M1", available_from_s=9 * HOUR)], {})
    assert told(some, Demands({"o": 9 * HOUR})) == [
        "o has from Mon 5 Jan 00:00 to Mon 5 Jan 09:00 for a, which takes 60 min at least",
        "M1 is down until Mon 5 Jan 09:00",
    ]
    running = task("r", "x", {"M1": 5 * HOUR}, running=Running("M1", -HOUR, 4 * HOUR))
    busy = work([running, task("a", "o", {"M1": HOUR})], [machine("M1")], {})
    assert conflict(busy, Demands({"o": 5 * HOUR})) is None
    assert told(busy, Demands({"o": 4 * HOUR})) == [
        "o has from Mon 5 Jan 00:00 to Mon 5 Jan 04:00 for a, which takes 60 min at least",
        "M1 takes 1 at a time",
        "r runs on M1",
    ]


def test_a_circle_in_the_frozen_zone() -> None:
    tasks = [
        task("a1", "a", {"M1": HOUR}), task("a2", "a", {"M2": HOUR}, "a1"),
        task("b1", "b", {"M2": HOUR}), task("b2", "b", {"M1": HOUR}, "b1"),
    ]  # fmt: skip
    places = [("b2", "M1", 0), ("a1", "M1", 1), ("a2", "M2", 0), ("b1", "M2", 1)]
    frozen = Plan(EPOCH, tuple(PlannedOperation(name, where, place, 0.0, 1.0) for name, where, place in places))
    assert sorted(told(work(tasks, [machine("M1"), machine("M2")], {}), Demands(frozen=frozen))) == [
        "a1 stands behind b2 in the frozen zone",
        "a2 waits for a1",
        "b1 stands behind a2 in the frozen zone",
        "b2 waits for b1",
    ]


def test_the_error_names_what_conflicts() -> None:
    some, demands = chain(9 * HOUR), Demands({"1007": 8 * HOUR})
    found = conflict(some, demands)
    assert found is not None
    assert str(found.error(some)) == (
        "no plan can meet all of this at once: 1007 must be done by Mon 5 Jan 08:00; what 1007-a needs is there on "
        "Mon 5 Jan 09:00; change one of them"
    )


@pytest.mark.parametrize("seed", range(25))
def test_what_a_plan_achieves_is_never_called_impossible(seed: int) -> None:
    some = random_work(seed, most_orders=4)
    plan = solve(some, SolverSettings(time_limit_s=1.0, effort=0.003, workers=1)).plan
    ends = {one.order: 0.0 for one in some.tasks}
    for one in some.tasks:
        ends[one.order] = max(ends[one.order], plan.by_job_order[one.id].end_s)
    assert conflict(some, Demands(ends), most_s=2.0) is None, f"seed {seed}"
    fixed = {one.id: Fixed(plan.by_job_order[one.id].machine, plan.by_job_order[one.id].start_s) for one in some.tasks}
    running = {one.id for one in some.tasks if one.running}
    assert conflict(some, Demands(fixed={k: v for k, v in fixed.items() if k not in running}), most_s=2.0) is None


@pytest.mark.parametrize("seed", range(15))
def test_every_conflict_of_random_shops_is_minimal(seed: int) -> None:
    some = random_work(seed, most_orders=3)
    demands = Demands({one.order: random.Random(seed).uniform(0, 3) * HOUR for one in some.tasks})
    found = conflict(some, demands)
    if found is not None:
        assert found.minimal
        assert any(one.kind is Kind.DEADLINE for one in found.requirements)
        assert_each_is_needed(some, demands, found)


@pytest.mark.parametrize("seed", range(40))
def test_pieces_of_working_time_allow_every_true_finish(seed: int) -> None:
    dice = random.Random(seed)
    hours = days([(6.0, 9.5), (10.0, 14.0)], 4)
    work_s = dice.choice([0.0, HOUR, 3.5 * HOUR, 7.5 * HOUR, dice.uniform(0, 20 * HOUR)])
    pieces = _pieces(hours, work_s, 96 * 3600)
    starts = [dice.uniform(0, 80 * HOUR) for _ in range(50)] + [*hours.starts]
    for start in (hours.begin(moment) for moment in starts):
        finish = hours.finish(start, work_s)
        here = [offset for low, high, offset in pieces if low <= start <= high]
        assert here, f"seed {seed}: no piece at {start}"
        assert min(here) <= finish - start + 1e-6, f"seed {seed}: {start}"
    for low, high, offset in pieces:  # and none promises more than rounding to whole seconds
        inside = hours.begin(low + (high - low) / 2)
        assert offset >= hours.finish(inside, work_s) - inside - 2 or high - low <= 2, f"seed {seed}"


def test_what_dries_or_is_carried_takes_its_time() -> None:
    some = chain()
    dried = replace(some.tasks[1], waits={"1007-a": Wait(3 * HOUR)})
    drying = replace(some, tasks=(some.tasks[0], dried), transport_s={("M1", "M2"): HOUR})
    assert conflict(drying, Demands({"1007": 5 * HOUR})) is None
    assert told(drying, Demands({"1007": 5 * HOUR - 1})) == [
        "1007 has from Mon 5 Jan 00:00 to Mon 5 Jan 04:59 for 2 steps one after the other, 1007-a to 1007-b, which "
        "take 5.0 h at least",
    ]
    carried = replace(some, transport_s={("M1", "M2"): HOUR})
    assert conflict(carried, Demands({"1007": 3 * HOUR})) is None
    assert conflict(carried, Demands({"1007": 3 * HOUR - 1})) is not None
