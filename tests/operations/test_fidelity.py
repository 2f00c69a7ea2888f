"""The twin's error, measured from what plans predicted and what the floor did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from historian import calibrations, orders, plans, states
from historian import fidelity as kept
from historian.database import Historian
from historian.documents import document
from operations import calibration, fidelity, planning, releases
from plant.actor import SYSTEM
from plant.calibration import Calibration, Estimate, Parameter
from plant.machine_state import MachineState, StateInterval
from plant.order import JobProgress, JobState
from runtime.compute import InlineCompute
from tests.operations.shop import (
    MONDAY,
    PLANNER,
    RULES,
    VERSION,
    Clock,
    at,
    jobs,
    ledger_of,
    order,
    plan_version,
    with_orders,
)
from twin.drift import Direction
from twin.fidelity import Forecast

HOUR = 3600.0


def around(hours: float) -> tuple[float, ...]:
    """Quantiles of a prediction: a quarter of an hour about `hours`."""
    return tuple(hours * HOUR + 45.0 * (number - 19) for number in range(39))


async def complete(historian: Historian, job: str, hours: float, machine: str = "L1") -> None:
    async with historian.transaction(SYSTEM, "test") as tx:
        found = await orders.lock_job(tx, job)
        done = replace(
            found, state=JobState.COMPLETED, machine=machine, started_at=at(0), completed_at=at(hours * HOUR)
        )
        await orders.save_progress(tx, replace(done, good=found.job.quantity))


async def in_force(historian: Historian) -> None:
    """Two plans, the second one released four hours after the first."""
    first = plan_version("plan-1", ("CO-1/1-10", "L1", 0), ("CO-1/1-20", "MILL", HOUR))
    second = plan_version("plan-2", ("CO-1/1-20", "MILL", 5 * HOUR), parent="plan-1", made_s=4 * HOUR)
    predicted = Forecast({"CO-1": around(3)}, {"CO-1/1-10": around(2), "CO-1/1-20": around(3)})
    again = Forecast({"CO-1": around(2)}, {"CO-1/1-20": around(2)})  # from four o'clock on
    async with historian.transaction(SYSTEM, "test") as tx:
        for version, forecast in ((first, predicted), (second, again)):
            await plans.insert(tx, version)
            await kept.keep_forecast(tx, version.id, document(forecast))
            await plans.release(tx, version.parent, version.id)


async def test_predictions_are_held_against_what_happened_while_their_plan_was_in_force(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await in_force(historian)
    await complete(historian, "CO-1/1-10", 2.1)
    found = await fidelity.measure(historian, PLANNER, Clock(at(5 * HOUR)))
    # The first plan's milling was not done when the next plan came: decided, and an hour late at least.
    assert (found.job_orders.plans, found.job_orders.cases) == (2, 3)
    assert (found.job_orders.completed, found.job_orders.censored) == (1, 2)
    assert (found.job_orders.error.cases, found.job_orders.error.still_open) == (2, 1)
    assert found.job_orders.error.bias_s == pytest.approx((0.1 * HOUR + HOUR) / 2)
    assert [(one.cases, one.inside) for one in found.job_orders.coverage] == [(2, 1)] * 3
    assert (found.orders.cases, found.orders.completed) == (2, 0)

    await complete(historian, "CO-1/1-20", 6.0)
    later = await fidelity.measure(historian, PLANNER, Clock(at(8 * HOUR)))
    assert (later.job_orders.completed, later.orders.completed) == (2, 1)
    assert later.orders.error.cases == 2
    assert later.job_orders.error.mae_s == pytest.approx((0.1 + 1 + 0) / 3 * HOUR)
    assert await fidelity.newest(historian, PLANNER) == later
    assert [entry.kind for entry in await ledger_of(historian, "fidelity")] == ["measured", "measured"]


async def test_plans_from_long_ago_are_not_looked_back_at(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await in_force(historian)
    found = await fidelity.measure(historian, PLANNER, Clock(at(4 * HOUR) + fidelity.LOOK_BACK))
    assert found.job_orders.plans == 1
    assert (await fidelity.measure(historian, PLANNER, Clock(at(9 * HOUR) + fidelity.LOOK_BACK))).orders.cases == 0


async def test_nothing_is_known_before_anything_was_measured(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    assert await fidelity.newest(historian, PLANNER) is None
    found = await fidelity.measure(historian, PLANNER, Clock())
    assert (found.orders.cases, found.job_orders.crps_s, found.oee.bias, found.drift) == (0, None, None, ())
    assert found.twin_error.bias_s is None


async def test_a_plan_keeps_its_predictions_and_states_the_twins_error(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    clock = Clock()
    version = await planning.make_plan(historian, InlineCompute(), clock, PLANNER, RULES, "first plan")
    assert version.verdict.twin_error is not None
    assert (version.verdict.twin_error.measured_at, version.verdict.twin_error.plans) == (MONDAY, 0)
    await releases.release(historian, clock, PLANNER, RULES, version.id, "for the test")
    for place, job in enumerate(sorted(await jobs(historian))):
        await complete(historian, job, 100.0 + place)

    clock.moment = at(200 * HOUR)
    async with historian.transaction(SYSTEM, "test") as tx:
        (released,) = await kept.released(tx, MONDAY)
    error = (await fidelity.up_to_date(historian, PLANNER, clock.now())).twin_error
    soon = clock.now() + fidelity.RENEWED_AFTER / 2
    again = (await fidelity.up_to_date(historian, PLANNER, soon)).twin_error
    assert set(released.forecast["job_orders"]) == set(version.plan.by_job_order)
    assert (error.plans, error.predictions, error.inside_80) == (1, len(version.plan.operations), 0.0)
    assert error.bias_s is not None
    assert error.bias_s > HOUR
    assert again == error, "measured a while ago is recent enough"


COUNT, CHANGED = 160, 100


async def drifting(historian: Historian) -> list[datetime]:
    """L1 turns 160 lots, from the hundredth on half as long again; return when each was done."""
    print("seed 1")
    rng = np.random.default_rng(1)
    await with_orders(historian, *(order(f"CO-{number}") for number in range(COUNT)))
    ratios = rng.lognormal(0, 0.1, COUNT)
    ratios[CHANGED:] *= 1.5
    began, done = 0.0, []
    async with historian.transaction(SYSTEM, "test") as tx:
        intervals = []
        for number, ratio in enumerate(ratios.tolist()):
            job = await orders.lock_job(tx, f"CO-{number}/1-10")
            ends = began + (60.0 + 4 * 600.0) * ratio
            await orders.save_progress(tx, _done(job, began, ends))
            intervals.append(StateInterval("L1", at(began), at(ends), MachineState.EXECUTING, "", job.job.id))
            done.append(at(ends))
            began = ends
        intervals.append(StateInterval("L1", at(began), None, MachineState.IDLE, "", None))
        await states.replace_from(tx, "L1", intervals)
    return done


async def test_drift_of_a_machines_cycle_times_is_found_and_told(historian: Historian) -> None:
    done = await drifting(historian)
    now = done[-1] + timedelta(hours=1)
    found = await fidelity.measure(historian, PLANNER, Clock(now))
    assert (found.charts, found.charts_since) == (1, None)
    (drift,) = found.drift
    assert (drift.machine, drift.item, drift.operation, drift.direction) == ("L1", "shaft", "10", Direction.LONGER)
    assert abs(drift.since - done[CHANGED]) < timedelta(hours=5)
    assert drift.seen_at > drift.since
    assert found.twin_error.drifted == ("L1 shaft/10",)
    much_later = await fidelity.measure(historian, PLANNER, Clock(now + fidelity.LOOK_BACK))
    assert (much_later.charts, much_later.drift) == (1, ())


async def adopt(historian: Historian, until: datetime) -> None:
    """Have the twin use a calibration that rests on the history up to a moment."""
    slow = Estimate(Parameter.DURATION, "L1", "shaft/10", 1.2, 1.1, 1.3, 12, 0, 1.0)
    made = Calibration(VERSION.id, at(-HOUR), until, (slow,))
    async with historian.transaction(SYSTEM, "test") as tx:
        await calibrations.insert(tx, made)
    await calibration.adopt(historian, PLANNER, made.id)


async def test_what_an_adopted_calibration_rests_on_raises_no_alarm_any_more(historian: Historian) -> None:
    done = await drifting(historian)
    clock = Clock(done[-1] + timedelta(hours=1))
    await adopt(historian, done[50])  # it knows nothing of the change: that is still seen
    seen = await fidelity.measure(historian, PLANNER, clock)
    assert (seen.charts, seen.charts_since) == (1, done[50])
    assert abs(seen.drift[0].since - done[CHANGED]) < timedelta(hours=5)
    await adopt(historian, done[-2])  # of what it does not rest on, one lot is left
    begun_anew = await fidelity.measure(historian, PLANNER, clock)
    assert (begun_anew.charts, begun_anew.charts_since, begun_anew.drift) == (1, done[-2], ())
    assert begun_anew.job_orders == seen.job_orders, "predictions are judged as before"
    await adopt(historian, clock.now())
    assert (await fidelity.measure(historian, PLANNER, clock)).charts == 0
    for expected in (done[-2], done[50], None):
        await calibration.roll_back(historian, PLANNER)
        assert (await fidelity.measure(historian, PLANNER, clock)).charts_since == expected
    assert [one.machine for one in (await fidelity.newest(historian, PLANNER)).drift] == ["L1"]  # type: ignore[union-attr]


async def test_another_calibration_in_use_makes_a_measurement_old(historian: Historian) -> None:
    done = await drifting(historian)
    clock = Clock(done[-1] + timedelta(hours=1))
    assert await fidelity.renew_if_recalibrated(historian, clock) is None, "nothing was measured yet"
    before = await fidelity.measure(historian, PLANNER, clock)
    assert await fidelity.renew_if_recalibrated(historian, clock) is None
    assert await fidelity.up_to_date(historian, PLANNER, clock.now()) == before
    await adopt(historian, done[-1])
    renewed = await fidelity.renew_if_recalibrated(historian, clock)
    assert renewed is not None
    assert (len(before.drift), len(renewed.drift)) == (1, 0)
    assert await fidelity.newest(historian, PLANNER) == renewed
    await calibration.roll_back(historian, PLANNER)
    assert (await fidelity.up_to_date(historian, PLANNER, clock.now())).drift == before.drift


def _done(job: JobProgress, began: float, ends: float) -> JobProgress:
    return replace(
        job,
        state=JobState.COMPLETED,
        machine="L1",
        started_at=at(began),
        completed_at=at(ends),
        good=job.job.quantity,
    )


async def test_measured_oee_is_held_against_the_expected_one(historian: Historian) -> None:
    await with_orders(historian, order("CO-1"))
    await in_force(historian)
    async with historian.transaction(SYSTEM, "test") as tx:
        await states.replace_from(tx, "L1", [StateInterval("L1", at(0), None, MachineState.IDLE, "", None)])
    found = await fidelity.measure(historian, PLANNER, Clock(at(5 * HOUR)))
    # The plans expected 0.5 of L1, and it made nothing in the time they were in force.
    assert (found.oee.compared, found.oee.bias, found.oee.mae) == (2, pytest.approx(-0.5), pytest.approx(0.5))
