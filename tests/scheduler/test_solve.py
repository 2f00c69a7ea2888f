"""`scheduler.solve`: always a plan, possible, at least as good as any rule's, and the optimum where it is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.calendar import WorkingTime
from plant.errors import Cancelled, InvalidInput
from plant.item import Attendance
from plant.objective import OBJECTIVE
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix, SetupTime
from plant.text import Text
from plant.tuning import DEFAULT, MoveShares, RuleKind, RuleTuning, Tuning
from plant.work import PersonOutlook, Running, Wait, Work
from scheduler.candidate import Dispatcher
from scheduler.check import check
from scheduler.decode import decode
from scheduler.dispatch import ATC, FIFO, Index
from scheduler.objective import weights_of
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import LEARNED, RULES, portfolio
from scheduler.score import Aims, everything
from scheduler.search import Search
from scheduler.shares import shares_of
from scheduler.solve import SolverSettings, solve
from scheduler.stop import Enough
from scheduler.walk import begin
from tests.requirements import reference_data
from tests.scheduler.shops import (
    FT06,
    HOUR,
    days,
    flexible_job_shop,
    job_shop,
    late_s,
    machine,
    random_work,
    task,
    work,
)

SKILLS = {"P": ("saw", "weld"), "Q": ("saw",)}
QUICK = SolverSettings(time_limit_s=60, effort=0.1, workers=1)
"""Ends by its effort, so that a busy machine changes nothing."""


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_every_plan_is_possible_and_no_worse_than_any_rule(seed: int) -> None:
    note(f"seed {seed}")
    some = random_work(seed)
    solution = solve(some, QUICK)
    assert check(some, solution.plan) == []
    problem = Problem(some)
    dispatcher = Dispatcher(problem, opening(problem, None))
    for rule in RULES:
        found = dispatcher.plan(rule.index)
        assert found is not None
        assert solution.report.weighted_tardiness_s <= found.score.tardiness + 1e-6


def test_ft06_is_solved_to_its_optimum() -> None:
    solution = solve(job_shop(FT06.splitlines()), SolverSettings(time_limit_s=20))
    assert solution.plan.makespan_s == 55
    assert solution.report.status == "optimal"


def test_a_flexible_reference_instance_comes_within_five_percent() -> None:
    some = flexible_job_shop(reference_data() / "jobshop" / "fjsp" / "brandimarte" / "mk01.txt")
    assert solve(some, SolverSettings(time_limit_s=20)).plan.makespan_s <= 42  # best known: 40


def test_tasks_that_take_no_time_are_planned_behind_what_they_wait_for() -> None:
    tasks = [task("a", "o", {"M2": 0.0}), task("b", "o", {"M1": 0.0}, "a")]
    tasks += [task(name, name, {"M3": HOUR}) for name in ("c", "d")]
    some = work(tasks, [machine("M1"), machine("M2"), machine("M3")], {"c": HOUR, "d": HOUR})
    solution = solve(some, QUICK)
    assert check(some, solution.plan) == []
    assert solution.report.weighted_tardiness_s == HOUR


def test_nothing_to_do_gives_an_empty_plan() -> None:
    some = Work(work([], [machine("M1")], {}).epoch, (), {"M1": machine("M1")}, {})
    solution = solve(some, QUICK)
    assert solution.plan.operations == ()
    assert solution.report.weighted_tardiness_s == 0
    assert solution.report.status == "optimal"


def test_an_urgent_order_goes_first_and_priority_decides_between_equals() -> None:
    tasks = [task(name, name, {"M1": 4 * HOUR}) for name in ("a", "b", "c")]
    some = work(tasks, [machine("M1")], {"a": 5 * HOUR, "b": 5 * HOUR, "c": 50 * HOUR}, high=["b"])
    plan = solve(some, QUICK).plan
    assert [step[0].job_order for step in plan.sequences["M1"]] == ["b", "a", "c"]


def test_what_follows_something_complete_and_must_not_wait_longer_goes_before_what_is_urgent() -> None:
    urgent = task("a", "urgent", {"M": HOUR})
    hot = task("b", "hot", {"M": HOUR}, ended_s={"heated": -HOUR}, waits={"heated": Wait(most_s=1.5 * HOUR)})
    some = work([urgent, hot], [machine("M")], {"urgent": HOUR}, high=["urgent"])
    assert [one.job_order for one in sorted(solve(some, QUICK).plan.operations, key=start)] == ["b", "a"]
    cold = replace(hot, waits={"heated": Wait(most_s=2 * HOUR)})
    late = replace(some, tasks=(urgent, cold))
    assert [one.job_order for one in sorted(solve(late, QUICK).plan.operations, key=start)] == ["a", "b"]


def start(one: PlannedOperation) -> float:
    return one.start_s


def test_setups_are_saved_by_keeping_families_together() -> None:
    tasks = [task(f"t{n}", f"o{n}", {"M1": HOUR}, setup_family="AB"[n % 2]) for n in range(8)]
    some = work(tasks, [machine("M1", setup_matrix=SetupMatrix("m", HOUR), setup_family="A")], {})
    assert solve(some, SolverSettings(time_limit_s=20)).plan.makespan_s == 9 * HOUR


def test_a_batch_machine_is_filled() -> None:
    tasks = [task(f"t{n}", f"o{n}", {"oven": 2 * HOUR}) for n in range(6)]
    plan = solve(work(tasks, [machine("oven", batch_capacity=3)], {}), QUICK).plan
    assert [len(step) for step in plan.sequences["oven"]] == [3, 3]
    assert len({operation.batch for operation in plan.operations}) == 2


def test_a_machine_that_is_down_is_avoided_and_what_runs_stays() -> None:
    some = work(
        [
            task("runs", "o1", {"M1": 4 * HOUR}, running=Running("M1", -HOUR, 3 * HOUR)),
            task("next", "o2", {"M1": HOUR, "M2": 2 * HOUR}),
        ],
        [machine("M1", available_from_s=2 * HOUR), machine("M2")],
        {},
    )
    plan = solve(some, QUICK).plan
    assert plan.by_job_order["runs"].end_s == 5 * HOUR
    assert (plan.by_job_order["next"].machine, plan.by_job_order["next"].end_s) == ("M2", 2 * HOUR)


def test_machines_with_other_hours_are_timed_by_their_own() -> None:
    """An early-shift saw before a two-shift lathe: the model's two time axes must agree with the decoded plan."""
    tasks = []
    for n in range(6):
        tasks += [task(f"s{n}", f"o{n}", {"saw": 3 * HOUR}), task(f"l{n}", f"o{n}", {"lathe": 4 * HOUR}, f"s{n}")]
    some = work(
        tasks, [machine("saw", days([(6, 14)])), machine("lathe", days([(6, 22)]))], {"o5": 20 * HOUR, "o3": 40 * HOUR}
    )
    solution = solve(some, SolverSettings(time_limit_s=5))
    assert check(some, solution.plan) == []
    assert solution.report.weighted_tardiness_s == 0
    assert solution.report.status == "optimal in the model"
    assert solution.report.makespan_s == 60 * HOUR


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_frozen_operations_keep_machine_and_order_at_the_head(seed: int) -> None:
    note(f"seed {seed}")
    some = random_work(seed)
    first = solve(some, QUICK).plan
    horizon = first.makespan_s / 2
    frozen = Plan(first.epoch, tuple(one for one in first.operations if one.end_s <= horizon))
    again = solve(some, QUICK, frozen=frozen).plan
    assert check(some, again, frozen) == []
    for name, steps in frozen.sequences.items():
        expected = [{one.job_order for one in step} for step in steps]
        assert [{one.job_order for one in step} for step in again.sequences[name]][: len(expected)] == expected


def test_a_frozen_operation_that_waits_for_a_free_one_is_freed() -> None:
    some = work([task("a", "o", {"M1": HOUR}), task("b", "o", {"M1": HOUR}, "a")], [machine("M1")], {})
    plan = solve(some, QUICK).plan
    frozen = Plan(plan.epoch, (plan.by_job_order["b"],))
    assert check(some, solve(some, QUICK, frozen=frozen).plan) == []


def test_cancelling_stops_the_search_and_enough_keeps_the_best() -> None:
    some = random_work(7, most_orders=20)

    def cancel(share: float, doing: Text) -> None:
        if str(doing).startswith("least"):
            raise Cancelled("asked to stop")

    def enough(share: float, doing: Text) -> None:
        if str(doing).startswith("least"):
            raise Enough

    with pytest.raises(Cancelled):
        solve(some, SolverSettings(time_limit_s=2), cancel)
    solution = solve(some, SolverSettings(time_limit_s=2), enough)
    assert check(some, solution.plan) == []
    assert solution.report.status.startswith("stopped early")


def test_with_an_effort_the_same_seed_gives_the_same_plan() -> None:
    some = random_work(11, most_orders=12)
    settings_ = SolverSettings(time_limit_s=60, effort=0.5, seed=3)
    assert solve(some, settings_).plan == solve(some, settings_).plan


def test_an_effort_without_end_ends_with_the_time_and_any_seed_will_do() -> None:
    some = random_work(11, most_orders=12)
    solution = solve(some, SolverSettings(time_limit_s=1, effort=1e9, seed=2**40))
    assert check(some, solution.plan) == []


def test_times_beyond_whole_seconds_are_refused_by_name() -> None:
    some = work([task("long", "o", {"M1": 1e12})], [machine("M1")], {})
    with pytest.raises(InvalidInput, match=r"task long takes 11574074\.1 days"):
        solve(some, QUICK)


def test_setups_beyond_whole_seconds_are_refused_by_name() -> None:
    endless = SetupMatrix("paint", 60.0, (SetupTime("family", "family", 1e12),))
    some = work([task("one", "o", {"M1": 60.0})], [machine("M1", setup_matrix=endless)], {})
    with pytest.raises(InvalidInput, match=r"a setup of M1 takes .* days; check setup matrix paint"):
        solve(some, QUICK)


def test_progress_never_goes_back_and_says_what_is_done() -> None:
    seen: list[tuple[float, Text]] = []
    solve(random_work(5), QUICK, lambda share, doing: seen.append((share, doing)))
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert 0 <= seen[0][0] <= seen[-1][0] <= 1
    assert any("weighted tardiness" in str(doing) for _, doing in seen)


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_going_on_from_a_plan_is_never_worse_than_it(seed: int) -> None:
    note(f"seed {seed}")
    some = random_work(seed)
    start = solve(some, replace(QUICK, seed=seed)).plan
    hasty = SolverSettings(time_limit_s=60, effort=1e-4, workers=1)
    found = solve(some, hasty, start=start)
    assert check(some, found.plan) == []
    before = late_s(some, start) + 1e-6, start.makespan_s + 1e-6
    assert (found.report.weighted_tardiness_s, found.report.makespan_s) <= before


def test_enough_at_once_returns_the_plan_to_start_from() -> None:
    some = random_work(7, most_orders=20)
    start = solve(some, SolverSettings(time_limit_s=60, effort=0.3)).plan

    def enough(share: float, doing: Text) -> None:
        raise Enough

    found = solve(some, QUICK, enough, start=start)
    assert found.report.weighted_tardiness_s == late_s(some, start)


def test_a_plan_to_start_from_gives_way_to_what_is_frozen() -> None:
    some = work([task(name, name, {"M1": HOUR}) for name in "ab"], [machine("M1")], {})
    first, second = decode(some, {"M1": [["a"], ["b"]]}), decode(some, {"M1": [["b"], ["a"]]})
    frozen = Plan(first.epoch, first.operations[:1])
    found = solve(some, QUICK, frozen=frozen, start=second).plan
    assert check(some, found, frozen) == []


def test_a_plan_to_start_from_must_be_one_of_this_work() -> None:
    some = work([task(name, name, {"M1": HOUR}) for name in "ab"], [machine("M1")], {})
    less = Plan(some.epoch, decode(some, {"M1": [["a"], ["b"]]}).operations[:1])
    with pytest.raises(InvalidInput, match=r"missing or doubled: \['b'\]"):
        solve(some, QUICK, start=less)


def test_who_attends_is_kept_where_that_is_better() -> None:
    """P can do everything, Q less: left to itself, the scheduler sends Q first."""
    people = {name: PersonOutlook(name, WorkingTime.always(), skills) for name, skills in SKILLS.items()}
    tasks = [
        task("a", "o", {"M1": HOUR}, attendance=Attendance.ALL, skill="saw"),
        task("b", "p", {"M2": HOUR}, attendance=Attendance.ALL, skill="weld"),
    ]
    some = replace(work(tasks, [machine("M1"), machine("M2")], {}), people=people)
    start = decode(some, {"M1": [["a"]], "M2": [["b"]]}, {"a": "Q", "b": "P"})
    hasty = SolverSettings(time_limit_s=60, effort=1e-4, workers=1)
    assert solve(some, hasty, start=start).plan.makespan_s <= start.makespan_s


@pytest.mark.parametrize("stage", ["dispatching rules", "local search", "least tardiness"])
def test_stopped_in_any_stage_the_best_plan_so_far_is_returned(stage: str) -> None:
    """Every stage tells what it does; whoever has enough there still gets a possible plan."""
    some, seen = random_work(7, most_orders=20), []

    def enough(share: float, doing: Text) -> None:
        if stage in str(doing):
            seen.append(str(doing))
            raise Enough

    solution = solve(some, SolverSettings(time_limit_s=60, effort=0.3, workers=1), enough)
    assert seen, "the stage was never reached"
    assert check(some, solution.plan) == []
    assert solution.report.status.startswith("stopped early")
    assert solution.report.weighted_tardiness_s == pytest.approx(late_s(some, solution.plan))


def test_the_learned_rule_is_tried_before_all_others() -> None:
    tuned = portfolio(Tuning(RuleTuning(RuleKind.FIFO)))
    assert tuned[0].name == LEARNED
    assert tuned[0].index.kind == FIFO
    assert tuned[1:] == portfolio(DEFAULT)


def test_the_shares_choose_the_moves() -> None:
    """On one machine nothing can go elsewhere: whoever tries nothing else stays where it began."""
    assert shares_of(DEFAULT.shares) == (0.8, 0.1, 0.4, 0.2, 0.35, 0.5, 0.65, 0.9)
    names = [f"J{n}" for n in range(6)]
    tasks = [task(name, name, {"M": HOUR}) for name in names]
    some = work(tasks, [machine("M")], {name: (6 - n) * HOUR for n, name in enumerate(names)})
    problem = Problem(some)
    head = opening(problem, None)
    start = Dispatcher(problem, head).plan(RULES[-1].index)
    assert start is not None
    aims = Aims(weights_of(OBJECTIVE), everything(len(tasks)).near)
    late = [
        Search(problem, aims, head, 1, 1, shares).run(start, 50, lambda moves, _: moves / 5000).score.tardiness
        for shares in (DEFAULT.shares, MoveShares(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    ]
    assert late == [0.0, start.score.tardiness]
    assert start.score.tardiness > 0


def test_the_report_tells_how_the_plan_was_looked_for() -> None:
    tuned = Tuning(RuleTuning(RuleKind.EDD), MoveShares(critical=0.5))
    assert solve(random_work(3), replace(QUICK, tuning=tuned)).report.tuning == tuned


def test_a_plan_that_there_was_no_time_to_better_says_so() -> None:
    some = random_work(3, most_orders=5)
    late = replace(some, orders={name: replace(one, due_s=1.0) for name, one in some.orders.items()})
    hurried = solve(late, SolverSettings(time_limit_s=1e-6, workers=1)).report
    assert (hurried.status, hurried.unsearched) == ("feasible", True)
    assert not solve(late, QUICK).report.unsearched, "there was time"
    in_time = work([task("a", "o", {"M1": HOUR})], [machine("M1")], {})
    assert not solve(in_time, SolverSettings(time_limit_s=1e-6, workers=1)).report.unsearched, "nothing is better"


def test_the_search_ends_early_only_where_no_move_can_be_made() -> None:
    """However short its bursts are."""

    def moves_of(orders: int) -> int:
        names, made = [f"J{n}" for n in range(orders)], 0
        some = work([task(name, name, {"M": HOUR}) for name in names], [machine("M")], dict.fromkeys(names, HOUR))
        problem = Problem(some)
        head = opening(problem, None)
        start = Dispatcher(problem, head).plan(RULES[0].index)
        assert start is not None

        def spent(moves: int, _: object) -> float:
            nonlocal made
            made = moves
            return moves / 5000

        Search(problem, Aims(weights_of(OBJECTIVE), everything(orders).near), head, 1, 1).run(start, 1, spent)
        return made

    assert moves_of(6) == 5000
    assert moves_of(1) < 5000


@pytest.mark.parametrize("families", [1, 2])
def test_the_search_begins_as_hot_as_its_moves_are_dear(families: int) -> None:
    """Forty late orders of equal work: to swap two costs nothing, a changeover more delays all that is behind it."""
    names = [f"J{n}" for n in range(40)]
    tasks = [task(name, name, {"M": HOUR}, setup_family=f"F{n % families}") for n, name in enumerate(names)]
    some = work(tasks, [machine("M", setup_matrix=SetupMatrix("m", HOUR))], dict.fromkeys(names, 0.0))
    problem = Problem(some)
    head = opening(problem, None)
    start = Dispatcher(problem, head).plan(Index(ATC, 3.0, 1.0, 0.25))
    assert start is not None
    aims = Aims(weights_of(OBJECTIVE), everything(len(tasks)).near)
    search = Search(problem, aims, head, 1, 1)
    walk = search.walk(start, 0)
    begin(problem.shop, walk, aims)
    hot, cold = search.temperatures(start, walk)
    if families == 1:
        assert (hot, cold) == pytest.approx((HOUR, HOUR / 1000))
    else:
        assert hot > 4 * HOUR
        assert HOUR / 1000 < cold < hot


def test_a_number_of_workers_that_no_machine_is_meant_for_is_refused() -> None:
    for workers in (0, 1_000_000):
        with pytest.raises(InvalidInput, match=f"workers must be 1 to 64, not {workers}"):
            SolverSettings(workers=workers)
