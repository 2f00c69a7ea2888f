"""A plan nobody asked for: the first one, one per breakdown, and one whenever the MES gives a job order up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from historian import long_jobs, plans
from historian.database import Historian
from operations import dispatch, disturbances, ingest, jobs, planning, replanning, situation
from plant.actor import SYSTEM, Actor, Role
from plant.errors import InvalidInput, NotFound
from plant.long_job import LongJob, LongJobState
from plant.machine_state import MachineState, packml_of
from plant.order import Priority
from plant.reading import Reading, Signal
from plant.trouble import Abort, Troubles
from runtime.compute import InlineCompute
from tests.operations.shop import (
    PLANNER,
    PLANT,
    RULES,
    Clock,
    Queue,
    at,
    enter,
    order,
    plan_version,
    report,
    response,
    with_orders,
)

HOUR = 3600.0


async def _machine(historian: Historian, machine: str, seconds: float, state: MachineState) -> None:
    """Have a machine's controller tell its state."""
    number, mode, interlocks = packml_of(state)
    told = {Signal.PACKML_STATE: number, Signal.PACKML_MODE: mode, Signal.INTERLOCKS: interlocks}
    path = PLANT.machine_path(machine)
    readings = [Reading(f"{path}/{signal}", at(seconds), value) for signal, value in told.items()]
    await ingest.store(historian, SYSTEM, Clock(at(10 * HOUR)), ingest.Known.of(PLANT), "line", readings)


async def _ask(historian: Historian, now_s: float = 0.0) -> LongJob | None:
    return await replanning.replan_if_stale(historian, Queue(), Clock(at(now_s)), RULES.tolerances)


async def _end(historian: Historian, job: LongJob, state: LongJobState) -> None:
    async with historian.transaction(SYSTEM, "test") as tx:
        await long_jobs.finish(tx, job.id, state)


async def _planned(historian: Historian, id_: str, made_s: float) -> None:
    """Keep a plan as it would have been made from the floor of that moment, as far as is stored by now."""
    async with historian.transaction(SYSTEM, "test") as tx:
        knew = await situation.troubles(tx, at(made_s), RULES.tolerances, before=at(made_s))
        version = plan_version(id_, ("CO-1/1-10", "L1", made_s), made_s=made_s)
        await plans.insert(tx, replace(version, knew=knew))


async def test_without_orders_no_plan_is_needed(historian: Historian) -> None:
    await with_orders(historian)
    assert await _ask(historian) is None


async def test_the_first_plan_is_asked_for_once(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    queue = Queue()
    job = await replanning.replan_if_stale(historian, queue, Clock(), RULES.tolerances)
    assert job is not None
    assert (str(job.subject), job.requested_by) == ("first plan", SYSTEM.name)
    assert queue.deferred == [("plan", job.id)]
    assert await _ask(historian) is None  # it is being made
    await _planned(historian, "plan-1", 0)
    await _end(historian, job, LongJobState.DONE)
    assert await _ask(historian) is None


async def test_a_breakdown_asks_for_one_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _machine(historian, "L1", 60, MachineState.EXECUTING)
    assert await _ask(historian) is None
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "breakdown of L1 (Mon 5 Jan 07:00)"
    await _planned(historian, "plan-2", HOUR + 10)
    await _end(historian, job, LongJobState.DONE)
    assert await _ask(historian) is None


async def test_a_breakdown_while_a_plan_is_made_asks_for_the_next_one(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    asked = await jobs.request_plan(historian, Queue(), PLANNER, "new orders")
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    assert await _ask(historian) is None
    await _planned(historian, "plan-2", HOUR - 60)  # made from the floor before it broke
    await _end(historian, asked, LongJobState.DONE)
    assert await _ask(historian) is not None


async def test_the_next_breakdown_of_the_same_machine_asks_again(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    for number, hour in enumerate((1, 3), start=2):
        await _machine(historian, "L1", hour * HOUR, MachineState.BREAKDOWN)
        job = await _ask(historian)
        assert job is not None
        await _planned(historian, f"plan-{number}", hour * HOUR + 10)
        await _end(historian, job, LongJobState.DONE)
        await _machine(historian, "L1", (hour + 1) * HOUR, MachineState.EXECUTING)
        assert await _ask(historian) is None


async def test_machines_that_broke_down_together_are_named_together(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _machine(historian, "MILL", HOUR, MachineState.BREAKDOWN)
    await _machine(historian, "L2", HOUR, MachineState.BREAKDOWN)
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "breakdown of L2 (Mon 5 Jan 07:00), MILL (Mon 5 Jan 07:00)"


async def test_a_replan_that_was_called_off_is_not_asked_for_again(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    job = await _ask(historian)
    assert job is not None
    await jobs.cancel(historian, PLANNER, job.id)
    assert await _ask(historian) is None


async def test_a_replan_that_fails_is_tried_three_times(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    for _ in range(3):
        job = await _ask(historian)
        assert job is not None
        await _end(historian, job, LongJobState.FAILED)
    assert await _ask(historian) is None


async def test_a_breakdown_when_everything_is_complete_needs_no_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await report(historian, response("CO-1/1-10", "completed", 100, good=4))
    await report(historian, response("CO-1/1-20", "completed", 200, good=4, machine="MILL"))
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    assert await _ask(historian) is None


async def test_a_breakdown_that_was_stored_after_the_plan_was_made_counts_whenever_it_happened(
    historian: Historian,
) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 2 * HOUR)
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)  # the connection was away
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "breakdown of L1 (Mon 5 Jan 07:00)"
    await _planned(historian, "plan-2", 2 * HOUR + 10)
    await _end(historian, job, LongJobState.DONE)
    assert await _ask(historian) is None


async def test_a_known_breakdown_that_began_earlier_than_was_known_is_no_news(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    await _planned(historian, "plan-1", 2 * HOUR)
    await _machine(historian, "L1", HOUR - 60, MachineState.BREAKDOWN)
    assert await _ask(historian) is None


async def test_a_repair_and_another_breakdown_before_the_plan_but_stored_after_it_are_news(
    historian: Historian,
) -> None:
    await with_orders(historian, order("CO-1"))
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    await _planned(historian, "plan-1", 4 * HOUR)
    await _machine(historian, "L1", 2 * HOUR, MachineState.EXECUTING)
    assert await _ask(historian) is None
    await _machine(historian, "L1", 3 * HOUR, MachineState.BREAKDOWN)
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "breakdown of L1 (Mon 5 Jan 09:00)"


async def test_a_breakdown_that_is_over_when_it_is_heard_of_needs_no_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 3 * HOUR)
    await _machine(historian, "L1", 2 * HOUR, MachineState.EXECUTING)
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    assert await _ask(historian) is None


async def test_a_job_order_the_mes_gives_up_asks_for_one_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await report(historian, response("CO-1/1-10", "started", HOUR))
    assert await _ask(historian) is None
    await report(historian, response("CO-1/1-10", "aborted", HOUR + 60, reason="tool broken"))
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "job order CO-1/1-10 aborted (Mon 5 Jan 07:01)"
    await _planned(historian, "plan-2", HOUR + 70)
    await _end(historian, job, LongJobState.DONE)
    assert await _ask(historian) is None


async def test_one_that_is_given_up_again_asks_again(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _release(historian, "plan-1")
    await report(historian, response("CO-1/1-10", "aborted", HOUR))
    job = await _ask(historian)
    assert job is not None
    await _planned(historian, "plan-2", HOUR + 10)
    await _end(historian, job, LongJobState.DONE)
    await _release(historian, "plan-2", "plan-1")
    assert await _ask(historian) is None
    await report(historian, response("CO-1/1-10", "aborted", HOUR))  # by a controller whose clock stands still
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == "job order CO-1/1-10 aborted (Mon 5 Jan 07:00; 2 times by now)"


async def test_one_that_was_dispatched_again_meanwhile_needs_no_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _planned(historian, "plan-1", 0)
    await _planned(historian, "plan-2", 10)
    await report(historian, response("CO-1/1-10", "aborted", 5))
    await _release(historian, "plan-2")
    assert await _ask(historian) is None


async def test_what_went_wrong_together_is_told_together(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"), order("CO-2"))
    await _planned(historian, "plan-1", 0)
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    for job_order in ("CO-2/1-10", "CO-1/1-10"):
        await report(historian, response(job_order, "aborted", HOUR))
    job = await _ask(historian)
    assert job is not None
    assert str(job.subject) == (
        "breakdown of L1 (Mon 5 Jan 07:00), job order CO-1/1-10 aborted (Mon 5 Jan 07:00), "
        "job order CO-2/1-10 aborted (Mon 5 Jan 07:00)"
    )


async def test_a_plan_knows_what_had_gone_wrong_when_it_was_made(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _machine(historian, "L1", HOUR, MachineState.BREAKDOWN)
    await report(historian, response("CO-1/1-10", "aborted", HOUR))
    version = await planning.make_plan(historian, InlineCompute(), Clock(at(2 * HOUR)), PLANNER, RULES, "test")
    assert version.knew == Troubles({"L1": at(HOUR)}, {"CO-1/1-10": Abort(1, at(HOUR))})
    assert await _ask(historian) is None


async def _release(historian: Historian, id_: str, before: str | None = None) -> None:
    """Put a plan in force and dispatch it."""
    async with historian.transaction(SYSTEM, "test") as tx:
        await plans.release(tx, before, id_)
        await dispatch.dispatch(tx, await plans.get(tx, id_), at(0), 10 * HOUR)


async def _in_force(historian: Historian, *places: tuple[str, str, float]) -> None:
    """Put a plan in force that knows all there is to know at the plant's start."""
    async with historian.transaction(SYSTEM, "test") as tx:
        knew = await situation.troubles(tx, at(0), RULES.tolerances)
        await plans.insert(tx, replace(plan_version("plan-1", *places), knew=knew))
        await plans.release(tx, None, "plan-1")


async def _once(historian: Historian, now_s: float) -> str:
    """Ask for a plan, keep one that knows what there is, and return the reason; it is none a second time."""
    job = await _ask(historian, now_s)
    assert job is not None
    await _planned(historian, f"plan-at-{now_s:.0f}", now_s)
    await _end(historian, job, LongJobState.DONE)
    assert await _ask(historian, now_s) is None
    return str(job.subject)


async def test_a_job_order_that_runs_too_long_asks_for_one_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0), ("CO-1/1-20", "MILL", 600.0))
    await report(historian, response("CO-1/1-10", "started", 0))
    assert await _ask(historian, 600 + HOUR) is None
    assert await _once(historian, 601 + HOUR) == "job order CO-1/1-10 behind the plan (Mon 5 Jan 06:10)"


async def test_what_does_not_begin_is_late_and_what_waits_for_it_is_not(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"), order("CO-2"))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0), ("CO-2/1-10", "L1", 600.0), ("CO-1/1-20", "MILL", 600.0))
    assert await _ask(historian, HOUR) is None
    assert await _once(historian, 3 * HOUR) == "job order CO-1/1-10 behind the plan (Mon 5 Jan 06:00)"


async def test_closed_time_delays_nothing(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", 7.9 * HOUR))  # the plant closes at 14:00
    assert await _ask(historian, 24 * HOUR) is None
    assert await _ask(historian, 25 * HOUR) is not None


async def test_what_waits_for_a_machine_that_broke_down_is_no_second_reason(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0))
    await _machine(historian, "L1", 60, MachineState.BREAKDOWN)
    assert await _once(historian, 5 * HOUR) == "breakdown of L1 (Mon 5 Jan 06:01)"


async def test_a_rush_order_asks_for_one_plan_and_a_normal_one_for_none(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", HOUR))
    await enter(historian, order("CO-2"))
    assert await _ask(historian) is None
    await enter(historian, order("CO-3", priority=Priority.HIGH, due_days=2))
    assert await _once(historian, 0) == "rush order CO-3 (due Wed 7 Jan 06:00)"


async def test_more_scrap_than_planned_asks_for_a_plan_each_time_it_grows(historian: Historian) -> None:
    await with_orders(historian, order("CO-1", quantity=40))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0))
    await report(historian, response("CO-1/1-10", "started", 0))
    await report(historian, response("CO-1/1-10", "progress", 60, good=10, scrap=2))
    assert await _ask(historian, 60) is None
    await report(historian, response("CO-1/1-10", "progress", 120, good=10, scrap=9))
    assert await _once(historian, 120) == "9 bad pieces of job order CO-1/1-10"


async def test_one_bad_piece_of_a_small_lot_asks_for_no_plan(historian: Historian) -> None:
    await with_orders(historian, order("CO-1", quantity=4))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0))
    await report(historian, response("CO-1/1-10", "started", 0))
    await report(historian, response("CO-1/1-10", "progress", 60, good=1, scrap=1))
    assert await _ask(historian, 60) is None
    await report(historian, response("CO-1/1-10", "progress", 120, good=1, scrap=2))
    assert await _once(historian, 120) == "2 bad pieces of job order CO-1/1-10"


async def test_the_only_piece_of_a_lot_is_missed(historian: Historian) -> None:
    await with_orders(historian, order("CO-1", quantity=1))
    await _in_force(historian, ("CO-1/1-10", "L1", 0.0))
    await report(historian, response("CO-1/1-10", "started", 0))
    await report(historian, response("CO-1/1-10", "progress", 60, good=0, scrap=1))
    assert await _once(historian, 60) == "bad piece of job order CO-1/1-10"


async def test_a_late_delivery_asks_for_a_plan_where_a_job_order_waits_for_it(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", HOUR))
    await disturbances.report_late_material(historian, Clock(), PLANNER, "bar", at(48 * HOUR))
    assert await _once(historian, 0) == "bar late until Wed 7 Jan 06:00"
    version = await planning.make_plan(historian, InlineCompute(), Clock(at(60)), PLANNER, RULES, "test")
    assert version.plan.by_job_order["CO-1/1-10"].start_s >= 48 * HOUR - 60
    await disturbances.report_late_material(historian, Clock(at(60)), PLANNER, "bar", at(60))
    version = await planning.make_plan(historian, InlineCompute(), Clock(at(60)), PLANNER, RULES, "test")
    assert version.plan.by_job_order["CO-1/1-10"].start_s < 2 * HOUR


async def test_an_absence_asks_for_one_plan_and_a_longer_one_for_another(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", HOUR))
    person = PLANT.people[0].id
    for days in (1, 2):
        await disturbances.report_absence(historian, Clock(), PLANNER, person, at(0), at(days * 24 * HOUR))
        until = "Tue 6" if days == 1 else "Wed 7"
        assert await _once(historian, float(days)) == f"{person} absent from Mon 5 Jan 06:00 until {until} Jan 06:00"


MAINTENANCE = Actor("li", frozenset({Role.MAINTENANCE}))


async def test_a_planned_stop_asks_for_one_plan_that_leaves_the_machine_alone(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", HOUR))
    for machine in ("L1", "L2"):
        await disturbances.plan_stop(historian, Clock(), MAINTENANCE, machine, at(0), at(30 * HOUR))
    assert await _once(historian, 1.0) == (
        "L1 stopped as planned from Mon 5 Jan 06:00 until Tue 6 Jan 12:00, "
        "L2 stopped as planned from Mon 5 Jan 06:00 until Tue 6 Jan 12:00"
    )
    version = await planning.make_plan(historian, InlineCompute(), Clock(at(60)), PLANNER, RULES, "test")
    assert version.plan.by_job_order["CO-1/1-10"].start_s >= 30 * HOUR - 60
    assert sorted(version.knew.planned_stops) == ["L1", "L2"]
    for machine in ("L1", "L2"):
        await disturbances.call_off_stop(historian, Clock(at(60)), MAINTENANCE, machine)
        with pytest.raises(NotFound, match="no stop of"):
            await disturbances.call_off_stop(historian, Clock(at(60)), MAINTENANCE, machine)
    assert await disturbances.planned_stops(historian, Clock(at(60)), MAINTENANCE) == {}
    version = await planning.make_plan(historian, InlineCompute(), Clock(at(60)), PLANNER, RULES, "test")
    assert version.plan.by_job_order["CO-1/1-10"].start_s < 2 * HOUR


async def test_who_and_what_is_not_of_the_plant_is_refused(historian: Historian) -> None:
    await with_orders(historian)
    with pytest.raises(InvalidInput, match="person"):
        await disturbances.report_absence(historian, Clock(), PLANNER, "nobody", at(0), at(9))
    with pytest.raises(InvalidInput, match="machine"):
        await disturbances.plan_stop(historian, Clock(), PLANNER, "nothing", at(0), at(9))
    with pytest.raises(InvalidInput, match="over"):
        await disturbances.plan_stop(historian, Clock(at(10)), PLANNER, "L1", at(0), at(9))
    with pytest.raises(InvalidInput, match="item"):
        await disturbances.report_late_material(historian, Clock(), PLANNER, "gold", at(9))
    with pytest.raises(InvalidInput, match="made here"):
        await disturbances.report_late_material(historian, Clock(), PLANNER, "shaft", at(9))
    with pytest.raises(InvalidInput, match="past"):
        await disturbances.report_late_material(historian, Clock(at(10)), PLANNER, "bar", at(9))
    with pytest.raises(InvalidInput, match=r"bar cannot be 2190.0 days late; name a date within 1825.0 days"):
        await disturbances.report_late_material(historian, Clock(), PLANNER, "bar", at(6 * 365 * 24 * HOUR))


async def test_the_plan_in_force_is_repaired_and_the_repair_kept_once(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await _in_force(historian, ("CO-1/1-10", "L1", HOUR), ("CO-1/1-20", "MILL", 2 * HOUR))
    await enter(historian, order("CO-2"))
    asked = historian, InlineCompute(), Clock(at(60)), SYSTEM, RULES, "test"
    repaired = await planning.repair_plan(*asked)
    assert repaired is not None
    assert (str(repaired.reason), repaired.parent) == ("repair of the plan in force: test", "plan-1")
    assert set(repaired.plan.by_job_order) == {"CO-1/1-10", "CO-1/1-20", "CO-2/1-10", "CO-2/1-20"}
    assert repaired.plan.by_job_order["CO-1/1-10"].machine == "L1"
    assert repaired.solver.method == "repair"
    assert await planning.repair_plan(*asked) is None


async def test_without_a_plan_in_force_there_is_nothing_to_repair(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    assert await planning.repair_plan(historian, InlineCompute(), Clock(), SYSTEM, RULES, "test") is None
    version = await planning.make_plan(historian, InlineCompute(), Clock(), SYSTEM, RULES, "test", near=True)
    assert version.parent is None
