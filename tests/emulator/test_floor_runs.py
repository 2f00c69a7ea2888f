"""emulator/floor.py on the machine shop: what must always hold, going on after a restart, and its peer."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from emulator.events import (
    Counted,
    DispatchedJob,
    Event,
    JobCompleted,
    StateChanged,
)
from emulator.floor import EmulatedFloor
from emulator.truth import Truth
from methods.explosion import explode, job_orders
from methods.work import build_work
from plant.errors import Conflict
from plant.folder import load, load_orders
from plant.machine_state import MachineState
from plant.order import JobOrder, JobState
from plant.order import JobProgress as OrderProgress
from plant.plan import Plan, PlannedOperation
from plant.plant import Plant, Reliability
from plant.snapshot import Snapshot
from plant.work import Work
from tests.emulator.small_floor import (
    BREAKDOWN,
    PLANNED_STOP,
    SHOP,
    of_kind,
    truth_of,
)
from twin.draws import Draws
from twin.simulate import simulate


@pytest.fixture(scope="module")
def shop() -> Plant:
    return load(SHOP)


@pytest.fixture(scope="module")
def shop_jobs(shop: Plant) -> list[JobOrder]:
    orders = load_orders(SHOP, shop)
    return [job for order in orders for job in job_orders(shop, explode(shop, order))]


def dispatch(shop: Plant, jobs: list[JobOrder], rng: random.Random, revision: int = 1) -> list[DispatchedJob]:
    """Put jobs on random machines in a random order that can be run; ovens get batches of what is ready together."""
    waiting, dispatched, places = list(jobs), [], dict[str, int]()
    while waiting:
        unplaced = {one.id for one in waiting}
        ready = [one for one in waiting if unplaced.isdisjoint(one.predecessors)]
        chosen = rng.choice(ready)
        operation = shop.operation(chosen.item, chosen.operation)
        machine = rng.choice(shop.machines_with(operation.capability))
        alike = [one for one in ready if family_of(shop, one) == operation.setup_family and one is not chosen]
        members = [chosen, *alike[: rng.randint(0, machine.batch_capacity - 1)]]
        place = places[machine.id] = places.get(machine.id, -1) + 1
        batch = f"{machine.id}/{revision}/{place}" if len(members) > 1 else None
        waiting = [one for one in waiting if one not in members]
        dispatched += [dispatched_job(shop, one, machine.id, place, batch, revision, rng) for one in members]
    return dispatched


def family_of(shop: Plant, one: JobOrder) -> str:
    return shop.operation(one.item, one.operation).setup_family


def dispatched_job(
    shop: Plant, one: JobOrder, machine: str, place: int, batch: str | None, revision: int, rng: random.Random
) -> DispatchedJob:
    return DispatchedJob(
        id=one.id,
        revision=revision,
        machine=machine,
        item=one.item,
        operation=one.operation,
        quantity=one.quantity,
        setup_family=family_of(shop, one),
        planned_start=shop.starts_at,
        planned_end=shop.starts_at + timedelta(days=1),
        sequence=place,
        production_order=one.production_order,
        customer_order=one.customer_order,
        release_at=min(one.release_at, shop.starts_at + timedelta(hours=rng.randint(0, 30))),
        batch=batch,
        predecessors=one.predecessors,
    )


Script = list[tuple[datetime, str, tuple]]


def script_of(shop: Plant, jobs: list[JobOrder], rng: random.Random, days: int) -> Script:
    """Random job orders and commands at random moments, some of them at round ones, in order."""
    end_s = days * 86400
    script: Script = [(shop.starts_at, "store", (one,)) for one in dispatch(shop, jobs, rng)]

    def moment() -> datetime:
        seconds = rng.choice([rng.uniform(0, end_s), rng.randrange(0, end_s, 900)])
        return shop.starts_at + timedelta(seconds=seconds)

    replanned = moment()
    script += [(replanned, "store", (one,)) for one in dispatch(shop, jobs, rng, revision=2)]
    for _ in range(8):
        machine = rng.choice(shop.machines).id
        script.append((moment(), "break_machine", (machine, rng.choice([None, rng.uniform(60, 9000)]))))
        script.append((moment(), "repair", (rng.choice(shop.machines).id,)))
        script.append((moment(), "abort", (rng.choice(jobs).id, "test")))
    return sorted(script, key=lambda entry: entry[0])


def play(floor: EmulatedFloor, script: Script, end: datetime) -> list[Event]:
    events = []
    for at, command, arguments in script:
        events += floor.advance(at)
        carry_out(floor, command, arguments)
    return events + floor.advance(end)


def carry_out(floor: EmulatedFloor, command: str, arguments: tuple) -> None:
    try:
        getattr(floor, command)(*arguments)
    except Conflict:
        assert command == "abort"


@pytest.mark.parametrize("seed", range(4))
def test_a_random_run_keeps_its_books(shop: Plant, shop_jobs: list[JobOrder], seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    truth = Truth.of(shop, seed)
    floor = EmulatedFloor(shop, truth, shop.starts_at)
    events = play(floor, script_of(shop, shop_jobs, rng, 5), shop.starts_at + timedelta(days=7))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert len(of_kind(events, JobCompleted)) > 50
    check_states(shop, events)
    check_counts(shop, floor, events)
    check_jobs(floor, events)


def check_states(shop: Plant, events: list[Event]) -> None:
    seen = dict.fromkeys((machine.id for machine in shop.machines), (MachineState.IDLE, None))
    last: dict[str, datetime] = {}
    for event in of_kind(events, StateChanged):
        assert (event.state, event.job_order) != seen[event.machine] or event.machine not in last
        assert event.machine not in last or last[event.machine] < event.at, f"two states of {event.machine} at once"
        is_open = shop.calendar_of(event.machine).is_open(event.at)
        assert is_open or event.state in (PLANNED_STOP, BREAKDOWN)
        assert not is_open or event.state is not PLANNED_STOP
        seen[event.machine] = (event.state, event.job_order)
        last[event.machine] = event.at


def check_counts(shop: Plant, floor: EmulatedFloor, events: list[Event]) -> None:
    totals = {machine.id: (0, 0, 0) for machine in shop.machines}
    for event in of_kind(events, Counted):
        part, good, scrap = totals[event.machine]
        assert event.delta_good + event.delta_scrap == 1
        totals[event.machine] = (part + 1, good + event.delta_good, scrap + event.delta_scrap)
        assert (event.part, event.good, event.scrap) == totals[event.machine]
    for machine, total in totals.items():
        status = floor.status(machine)
        assert (status.part, status.good, status.scrap) == total
        assert 0 <= status.wear <= 1


def check_jobs(floor: EmulatedFloor, events: list[Event]) -> None:
    records = {one.job.id: one for one in floor.jobs()}
    completed = {event.job_order: event for event in of_kind(events, JobCompleted)}
    assert len(completed) == len(of_kind(events, JobCompleted)), "no job completes twice"
    for name, event in completed.items():
        record = records[name]
        assert record.state is JobState.COMPLETED
        assert (event.good, event.scrap) == (record.good, record.scrap)
        assert event.good + event.scrap == record.pieces
        before = [records[predecessor] for predecessor in record.job.predecessors]
        assert all(one.ended_at <= record.started_at and one.state is JobState.COMPLETED for one in before)
        same = [one for one in before if one.job.production_order == record.job.production_order]
        assert record.pieces == min([record.job.quantity, *(one.good for one in same)])


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_at_any_moment_changes_nothing(shop: Plant, shop_jobs: list[JobOrder], seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    truth = Truth.of(shop, seed)
    script = script_of(shop, shop_jobs, rng, 3)
    end = shop.starts_at + timedelta(days=3)
    whole = play(EmulatedFloor(shop, truth, shop.starts_at), script, end)
    interrupted: list[Event] = []
    floor = EmulatedFloor(shop, truth, shop.starts_at)
    # Stop at random moments, at the very moments of events, and between the commands of one moment.
    stops = [rng.choice(whole).at for _ in range(15)] + [shop.starts_at + (end - shop.starts_at) * rng.random()]
    for at, command, arguments in sorted([*script, *((at, "restart", ()) for at in stops)], key=lambda entry: entry[0]):
        interrupted += floor.advance(at)
        if command != "restart":
            carry_out(floor, command, arguments)
        if rng.random() < {"restart": 1.0, "store": 0.01}.get(command, 0.3):
            floor = EmulatedFloor(shop, truth, shop.starts_at, json.loads(json.dumps(floor.dump())))
            assert floor.now == at
    interrupted += floor.advance(end)
    assert interrupted == whole
    assert len(of_kind(whole, Counted)) > 100


def test_with_the_planned_parameters_the_floor_does_what_the_reference_model_says(
    shop: Plant, shop_jobs: list[JobOrder]
) -> None:
    print("seed 11")
    jobs = dispatch(shop, shop_jobs, random.Random(11))
    assert any(one.batch for one in jobs)
    planned = truth_of(shop, {machine.id: 60_000.0 + 777 * place for place, machine in enumerate(shop.machines)})
    floor = EmulatedFloor(shop, planned, shop.starts_at)
    for one in jobs:
        floor.store(one)
    events = floor.advance(shop.starts_at + timedelta(days=150))
    assert any(event.state is BREAKDOWN for event in of_kind(events, StateChanged))
    run = simulate(*reference(shop, planned, shop_jobs, jobs), Draws(1, 1), 0)
    ended = {one.job.id: (one.ended_at - shop.starts_at).total_seconds() for one in floor.jobs() if one.ended_at}
    assert ended == pytest.approx(run.finish_s, abs=1e-6)


def reference(shop: Plant, truth: Truth, orders: list[JobOrder], jobs: list[DispatchedJob]) -> tuple[Work, Plan]:
    """The same job orders as work and plan of the reference model, with the truth's failures and no variation."""
    release_at = {one.id: one.release_at for one in jobs}
    progress = [OrderProgress(replace(one, release_at=release_at[one.id]), JobState.DISPATCHED) for one in orders]
    work = build_work(shop, load_orders(SHOP, shop), progress, Snapshot(shop.starts_at))
    tasks = tuple(replace(task, variation=0.0) for task in work.tasks)
    machines = {name: replace(machine, reliability=sure(truth, name)) for name, machine in work.machines.items()}
    plan = Plan(
        work.epoch,
        tuple(PlannedOperation(one.id, one.machine, one.sequence, 0.0, 0.0, batch=one.batch) for one in jobs),
    )
    return replace(work, tasks=tasks, machines=machines), plan


def sure(truth: Truth, machine: str) -> Reliability | None:
    true = truth.machines[machine]
    assert true.time_between_failures is not None
    return Reliability(true.time_between_failures, true.time_to_repair)
