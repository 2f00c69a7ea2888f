"""`scheduler.conflict`: what cannot be is explained in few words, and nothing that can be is called impossible."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from plant.calendar import WorkingTime
from plant.item import Attendance
from plant.plan import Plan, PlannedOperation
from plant.work import PersonOutlook, Running, Wait, Work
from scheduler.conflict import Conflict, conflict
from scheduler.conflict_model import Answer, ConflictModel, _pieces
from scheduler.requirement import Demands, Fixed, Kind
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
        "1007 must be done by Mon 5 Jan 01:59",
        "1007-b waits for 1007-a",
    ]


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
        "o must be done by Mon 5 Jan 10:59",
        "M1 works at its hours only, from Mon 5 Jan 06:00 on",
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
        "1007 must be done by Mon 5 Jan 15:00",
        "a needs the skill grinding: Ada, there from Mon 5 Jan 14:00 on",
    ]


def test_two_orders_that_need_the_machine_at_once() -> None:
    some = work([task(name, name, {"M1": 2 * HOUR}) for name in "abc"], [machine("M1")], {})
    assert told(some, Demands({"a": 3 * HOUR, "b": 3 * HOUR, "c": 99 * HOUR})) == [
        "b must be done by Mon 5 Jan 03:00",
        "a must be done by Mon 5 Jan 03:00",
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
        "o must be done by Mon 5 Jan 09:00",
        "M1 is down until Mon 5 Jan 09:00",
    ]
    running = task("r", "x", {"M1": 5 * HOUR}, running=Running("M1", -HOUR, 4 * HOUR))
    busy = work([running, task("a", "o", {"M1": HOUR})], [machine("M1")], {})
    assert conflict(busy, Demands({"o": 5 * HOUR})) is None
    assert told(busy, Demands({"o": 4 * HOUR})) == [
        "o must be done by Mon 5 Jan 04:00",
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
        "no plan can meet all of this at once: 1007 must be done by Mon 5 Jan 08:00, what 1007-a needs is there on "
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
        "1007 must be done by Mon 5 Jan 04:59",
        "1007-b waits for 1007-a",
    ]
    carried = replace(some, transport_s={("M1", "M2"): HOUR})
    assert conflict(carried, Demands({"1007": 3 * HOUR})) is None
    assert conflict(carried, Demands({"1007": 3 * HOUR - 1})) is not None
