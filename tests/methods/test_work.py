"""The work still to be done, from orders, job progress and the floor as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from methods.explosion import explode, job_orders
from methods.work import build_work
from plant.errors import Infeasible, InvalidInput, NotFound
from plant.folder import load, load_orders
from plant.order import CustomerOrder, JobProgress, JobState, Priority
from plant.plant import Plant
from plant.resource import Transport
from plant.snapshot import MachineSnapshot, Snapshot
from plant.tariff import PricePeriod, Tariff
from plant.work import Running, Wait, Work
from tests.plant.shops import MONDAY, bought, made, operation, small_shop

NOON = MONDAY + timedelta(hours=2)
SHOP = small_shop(
    (
        made("AXLE", operation("10", "turning"), operation("20", "heating"), operation("30", "milling")),
        made("CART", operation("10", "milling", 300.0, 60.0), bom=(("AXLE", "2"), ("WHEEL", "4"))),
        bought("WHEEL", 86400.0, 0),
    )
)
AXLES = CustomerOrder("A", "Ada", "AXLE", 5, MONDAY, MONDAY + timedelta(days=4), Priority.HIGH)
CART = CustomerOrder("C", "Ada", "CART", 1, MONDAY, MONDAY + timedelta(hours=1))


def waiting(*orders: CustomerOrder) -> dict[str, JobProgress]:
    jobs = job_orders(SHOP, [production for order in orders for production in explode(SHOP, order)])
    return {job.id: JobProgress(job, JobState.WAITING) for job in jobs}


def build(
    progress: dict[str, JobProgress], snapshot: Snapshot | None = None, orders: Sequence[CustomerOrder] = (AXLES, CART)
) -> Work:
    return build_work(SHOP, orders, list(progress.values()), snapshot or Snapshot(NOON))


def set_state(progress: dict[str, JobProgress], job: str, state: JobState, **values: object) -> None:
    progress[job] = replace(progress[job], state=state, **values)  # type: ignore[arg-type]


def test_everything_waiting_is_to_be_done() -> None:
    work = build(waiting(AXLES, CART))
    assert work.epoch == NOON
    assert sorted(task.id for task in work.tasks) == [
        "A/1-10",
        "A/1-20",
        "A/1-30",
        "C/1-10",
        "C/1-20",
        "C/1-30",
        "C/2-10",
    ]
    turn = work.by_id["A/1-10"]
    assert turn.durations_s == {"L1": 60 + 5 * 600.0, "L2": (60 + 5 * 600.0) / 2}, "L2 is twice as fast"
    assert (turn.setup_family, turn.variation, turn.scrap_ratio, turn.running) == ("turning", 0.1, 0.01, None)
    assert work.by_id["C/2-10"].predecessors == ("C/1-30",)
    assert work.by_id["C/2-10"].release_s == 86400.0 - 7200.0, "the wheels arrive a day after the order, 22 h from now"
    assert turn.release_s == -7200.0


def test_demand_is_in_seconds_from_now_and_may_be_overdue() -> None:
    work = build(waiting(AXLES, CART))
    assert work.orders["A"].due_s == 4 * 86400 - 7200
    assert work.orders["A"].priority is Priority.HIGH
    assert work.orders["C"].due_s == -3600.0


def test_completed_jobs_are_left_out_and_so_are_their_orders() -> None:
    progress = waiting(AXLES, CART)
    for job in ("A/1-10", "A/1-20", "A/1-30"):
        set_state(progress, job, JobState.COMPLETED, good=5)
    set_state(progress, "C/1-10", JobState.COMPLETED, good=2)
    work = build(progress)
    assert [task.id for task in work.tasks] == ["C/1-20", "C/1-30", "C/2-10"]
    assert work.by_id["C/1-20"].predecessors == ()
    assert set(work.orders) == {"C"}


def test_a_dispatched_job_is_free_and_an_aborted_one_is_done_again() -> None:
    progress = waiting(AXLES)
    set_state(progress, "A/1-10", JobState.ABORTED, machine="L1", good=2)
    set_state(progress, "A/1-20", JobState.DISPATCHED, machine="OVEN")
    work = build(progress)
    assert set(work.by_id["A/1-10"].durations_s) == {"L1", "L2"}
    assert work.by_id["A/1-10"].quantity == 5
    assert all(task.running is None for task in work.tasks)


def test_a_running_job_stays_on_its_machine_with_what_is_left() -> None:
    progress = waiting(AXLES)
    set_state(progress, "A/1-10", JobState.RUNNING, machine="L2", started_at=NOON - timedelta(minutes=20))
    task = build(progress, Snapshot(NOON, worked_s={"A/1-10": 900.0})).by_id["A/1-10"]
    assert task.running == Running("L2", -1200.0, 1530.0 - 900.0, worked_s=900.0)
    assert task.durations_s == {"L2": 1530.0}


def test_a_running_job_that_outran_its_time_has_a_second_left() -> None:
    progress = waiting(AXLES)
    set_state(progress, "A/1-10", JobState.RUNNING, machine="L2", started_at=MONDAY)
    running = build(progress, Snapshot(NOON, worked_s={"A/1-10": 1e6})).by_id["A/1-10"].running
    assert running is not None
    assert running.remaining_s == 1.0


def test_jobs_running_together_on_one_machine_share_a_batch() -> None:
    other = replace(AXLES, id="B")
    progress = waiting(AXLES, other)
    for id_ in ("A", "B"):
        set_state(progress, f"{id_}/1-10", JobState.COMPLETED, good=5)
        set_state(progress, f"{id_}/1-20", JobState.RUNNING, machine="OVEN", started_at=MONDAY)
    work = build(progress, orders=(AXLES, other))
    batches = {task.running.batch for task in work.tasks if task.running}
    assert len(batches) == 1
    assert None not in batches
    set_state(progress, "B/1-20", JobState.COMPLETED, good=5)
    alone = build(progress, orders=(AXLES, other)).by_id["A/1-20"].running
    assert alone is not None
    assert alone.batch is None


def test_what_runs_is_not_held_up_by_a_completion_not_yet_told() -> None:
    progress = waiting(AXLES)
    set_state(progress, "A/1-10", JobState.RUNNING, machine="L1", started_at=MONDAY)
    set_state(progress, "A/1-20", JobState.RUNNING, machine="OVEN", started_at=NOON)
    assert build(progress).by_id["A/1-20"].predecessors == ()


def test_lost_pieces_are_not_processed_further() -> None:
    progress = waiting(AXLES, CART)
    set_state(progress, "A/1-10", JobState.COMPLETED, good=3, scrap=2)
    set_state(progress, "C/1-30", JobState.COMPLETED, good=1, scrap=1)
    work = build(progress)
    assert [work.by_id[id_].quantity for id_ in ("A/1-20", "A/1-30")] == [3, 3]
    assert work.by_id["A/1-30"].durations_s == {"MILL": 60 + 3 * 600.0}
    assert work.by_id["C/2-10"].quantity == 1, "pieces of another item are not counted against the parent's"


def test_a_completion_that_counted_nothing_loses_nothing() -> None:
    progress = waiting(AXLES)
    set_state(progress, "A/1-10", JobState.COMPLETED)
    assert build(progress).by_id["A/1-20"].quantity == 5


def test_machines_start_as_the_snapshot_says() -> None:
    machines = {
        "L1": MachineSnapshot("L1", "turning", NOON + timedelta(minutes=30)),
        "L2": MachineSnapshot("L2", "turning", NOON - timedelta(minutes=30)),
    }
    work = build(waiting(AXLES), Snapshot(NOON, machines))
    assert (work.machines["L1"].available_from_s, work.machines["L1"].setup_family) == (1800.0, "turning")
    assert work.machines["L2"].available_from_s == 0.0, "already over"
    mill = work.machines["MILL"]
    assert (mill.available_from_s, mill.setup_family, mill.setup_matrix.id) == (0.0, None, "any")
    assert work.machines["OVEN"].batch_capacity == 3
    assert mill.reliability == SHOP.machine("MILL").reliability


def test_working_time_begins_now_in_the_running_window() -> None:
    wt = build(waiting(AXLES)).machines["L1"].working_time  # 08:00; the break is from 10:00 to 10:30
    assert (wt.starts[0], wt.ends[0], wt.starts[1], wt.ends[1]) == (0.0, 7200.0, 9000.0, 21600.0)
    assert wt.finish(0.0, 5.5 * 3600) == 21600.0
    assert wt.finish(0.0, 5.5 * 3600 + 1) == 22 * 3600 + 1, "the rest is done on the next day at 06:00"
    night = build(waiting(AXLES), Snapshot(datetime(2026, 1, 10, 3, tzinfo=UTC))).machines["L1"].working_time
    assert night.begin(0.0) == 51 * 3600, "Saturday 03:00 to Monday 06:00"


def test_predecessors_come_first_however_the_jobs_are_given() -> None:
    progress = waiting(AXLES, CART)
    backwards = dict(reversed(progress.items()))
    assert {task.id for task in build(backwards).tasks} == set(progress)


def test_what_does_not_fit_together_is_refused() -> None:
    progress = waiting(AXLES, CART)
    with pytest.raises(InvalidInput, match="unknown order C"):
        build(progress, orders=(AXLES,))
    alone = {id_: one for id_, one in progress.items() if id_ != "A/1-10"}
    with pytest.raises(InvalidInput, match=r"A/1-20: predecessors A/1-10 are not among the job orders given"):
        build(alone)
    circle = dict(progress)
    first = circle["A/1-10"]
    circle["A/1-10"] = replace(first, job=replace(first.job, predecessors=("A/1-30",)))
    with pytest.raises(InvalidInput, match=r"job orders follow each other in a circle: .*A/1-10"):
        build(circle)
    set_state(progress, "A/1-10", JobState.RUNNING, machine="L9", started_at=MONDAY)
    with pytest.raises(NotFound, match="unknown machine 'L9'"):
        build(progress)


def test_the_shipped_shop_is_work_for_every_machine() -> None:
    folder = Path(__file__).parents[2] / "plants" / "machine_shop"
    plant = load(folder)
    orders = load_orders(folder, plant)
    jobs = job_orders(plant, [production for order in orders for production in explode(plant, order)])
    work = build_work(plant, orders, [JobProgress(job, JobState.WAITING) for job in jobs], Snapshot(plant.starts_at))
    assert [task.id for task in work.tasks] != []
    assert {machine for task in work.tasks for machine in task.durations_s} == set(work.machines)
    assert set(work.orders) == {order.id for order in orders}
    assert all(demand.due_s > 86400 for demand in work.orders.values())


def test_a_calendar_without_working_time_is_named() -> None:
    (day,) = SHOP.calendars
    closed = replace(day, closures=((MONDAY, MONDAY + timedelta(days=400)),))
    with pytest.raises(Infeasible, match="calendar day has no working time within 26 weeks from Mon 5 Jan 06:00 on"):
        build_work(replace(SHOP, calendars=(closed,)), [AXLES], list(waiting(AXLES).values()), Snapshot(MONDAY))


def test_overtime_is_what_is_open_besides_the_shifts() -> None:
    def span(day: int, first: int, last: int) -> tuple[datetime, datetime]:
        return MONDAY + timedelta(days=day, hours=first), MONDAY + timedelta(days=day, hours=last)

    own = SHOP.calendar_of("L1")
    plain = build_work(SHOP, [AXLES], list(waiting(AXLES).values()), Snapshot(NOON))
    assert all(not one.overtime for one in plain.machines.values())
    some_open, closed = own.windows(*span(0, 0, 24))[0], span(5, 1, 3)
    longer = replace(own, overtime=(some_open, span(5, 0, 4)), closures=(closed,))
    plant = replace(SHOP, calendars=tuple(longer if one.id == own.id else one for one in SHOP.calendars))
    work = build_work(plant, [AXLES], list(waiting(AXLES).values()), Snapshot(NOON))
    saturday_s = (span(5, 0, 4)[0] - NOON).total_seconds()
    expected = ((saturday_s, saturday_s + 3600), (saturday_s + 3 * 3600, saturday_s + 4 * 3600))
    assert work.machines["L1"].overtime == expected, "what the shifts cover and what is closed is none"


def test_energy_costs_what_the_tariff_says_from_the_epoch_on() -> None:
    progress = list(waiting(AXLES).values())
    assert build_work(SHOP, [AXLES], progress, Snapshot(NOON)).energy_prices == ()
    tariff = Tariff(0.6, (PricePeriod(time(22), time(6), 0.3),))
    plant = replace(SHOP, tariff=tariff)
    prices = build_work(plant, [AXLES], progress, Snapshot(NOON)).energy_prices
    local = NOON.astimezone(ZoneInfo(plant.timezone))
    night_s = (local.replace(hour=22, minute=0) - local).total_seconds()
    assert prices[:3] == ((0.0, 0.6), (night_s, 0.3), (night_s + 8 * 3600, 0.6))
    assert prices[-1][0] < timedelta(weeks=26).total_seconds() <= prices[-1][0] + 86400


def with_waits(**waits: float) -> Plant:
    """Return the shop with waits before heating, an hour from the hall to the oven in the heat shop, and none back."""
    turn, heat, mill = SHOP.item("AXLE").routing
    axle = replace(SHOP.item("AXLE"), routing=(turn, replace(heat, **waits), mill))  # type: ignore[arg-type]
    items = tuple(axle if one.id == "AXLE" else one for one in SHOP.items)
    machines = tuple(replace(one, work_center="heat shop") if one.id == "OVEN" else one for one in SHOP.machines)
    ways = (
        Transport("cell", "heat shop", 3600.0),
        Transport("heat shop", "cell", 0.0),
        Transport("cell", "cell", 60.0),
    )
    return replace(SHOP, items=items, machines=machines, transports=ways)


def test_waits_stand_behind_what_the_routing_has_before_and_ways_between_machines() -> None:
    plant = with_waits(wait_least_s=600.0, wait_most_s=14400.0)
    work = build_work(plant, (AXLES, CART), list(waiting(AXLES, CART).values()), Snapshot(NOON))
    assert work.by_id["A/1-20"].waits == {"A/1-10": Wait(600.0, 14400.0)}
    assert [task.id for task in work.tasks if task.waits] == ["A/1-20", "C/1-20"]
    among = list(permutations(("L1", "L2", "MILL"), 2))
    assert work.transport_s == {(name, "OVEN"): 3600.0 for name in ("L1", "L2", "MILL")} | dict.fromkeys(among, 60.0)
    plain = build(waiting(AXLES))
    assert (plain.transport_s, plain.by_id["A/1-20"].waits) == ({}, {})
    open_end = build_work(with_waits(wait_least_s=600.0), (AXLES,), list(waiting(AXLES).values()), Snapshot(NOON))
    assert open_end.by_id["A/1-20"].waits == {"A/1-10": Wait(600.0)}


@pytest.mark.parametrize(("least_s", "release_s"), [(600.0, 3600.0 - 900.0), (7200.0, 7200.0 - 900.0)])
def test_what_is_complete_is_waited_after_and_carried_from_its_end(least_s: float, release_s: float) -> None:
    plant = with_waits(wait_least_s=least_s, wait_most_s=9000.0)
    progress = waiting(AXLES)
    ended = NOON - timedelta(minutes=15)
    set_state(progress, "A/1-10", JobState.COMPLETED, machine="L2", good=5, completed_at=ended)
    task = build_work(plant, (AXLES,), list(progress.values()), Snapshot(NOON)).by_id["A/1-20"]
    assert (task.predecessors, task.release_s) == ((), release_s)
    assert task.ended_s == {"A/1-10": -900.0}
    assert task.latest_s == 9000.0 - 900.0
    set_state(progress, "A/1-20", JobState.RUNNING, machine="OVEN", started_at=NOON)
    running = build_work(plant, (AXLES,), list(progress.values()), Snapshot(NOON)).by_id["A/1-20"]
    assert (running.waits, running.ended_s, running.latest_s) == ({}, {}, inf)
