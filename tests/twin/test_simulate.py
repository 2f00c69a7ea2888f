"""twin/simulate.py: hand-computed cases, and random ones against the formulas the model stands for."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family, constant, exponential
from plant.errors import InvalidInput
from plant.machine_state import MachineState
from plant.plan import Plan, PlannedOperation
from plant.plant import Reliability, SetupMatrix, SetupTime
from plant.work import MachineOutlook, OrderDemand, Running, Task, Work
from twin.draws import Draws
from twin.replay import replay
from twin.simulate import MachineEvent, Simulation, simulate

EPOCH = datetime(2026, 1, 5, 6, tzinfo=UTC)
MATRIX = SetupMatrix("std", 30.0, (SetupTime("a", "b", 10.0), SetupTime("b", "b", 2.0)))
NO_LUCK = Draws(seed=1, replications=1)


def outlook(name: str, *windows: tuple[float, float], **more) -> MachineOutlook:
    working_time = WorkingTime.of(windows) if windows else WorkingTime.always()
    return MachineOutlook(name, working_time, MATRIX, **{"setup_family": "a", **more})


def task(name: str, duration_s: float, *predecessors: str, on: str = "M1", **more) -> Task:
    family = more.pop("setup_family", "a")
    return Task(name, "CO", "I", "10", 1, predecessors, {on: duration_s}, family, **more)


def work_of(machines: list[MachineOutlook], *tasks: Task) -> Work:
    return Work(EPOCH, tasks, {machine.id: machine for machine in machines}, {"CO": OrderDemand("CO", 0.0)})


def plan_of(*sequences: tuple[str, list[str | tuple[str, ...]]]) -> Plan:
    operations = []
    for machine, steps in sequences:
        for position, step in enumerate(steps):
            members = (step,) if isinstance(step, str) else step
            batch = f"{machine}/{position}" if len(members) > 1 else None
            operations += [PlannedOperation(name, machine, position, 0.0, 0.0, batch=batch) for name in members]
    return Plan(EPOCH, tuple(operations))


def test_setup_begins_when_the_machine_is_free_and_the_job_is_there() -> None:
    work = work_of(
        [outlook("M1"), outlook("M2")],
        task("A", 100.0),
        task("B", 50.0, "A", on="M2", setup_family="b"),
        task("C", 20.0, on="M2", setup_family="b", release_s=400.0),
    )
    run = simulate(work, plan_of(("M1", ["A"]), ("M2", ["B", "C"])), NO_LUCK, 0)
    assert run.start_s == {"A": 0.0, "B": 110.0, "C": 402.0}
    assert run.finish_s == {"A": 100.0, "B": 160.0, "C": 422.0}
    assert run.completion_s == {"CO": 422.0}
    assert (run.busy["M2"].setup_s, run.busy["M2"].processing_s, run.busy["M2"].repair_s) == (12.0, 70.0, 0.0)


def test_breaks_and_weekends_interrupt_setup_and_processing() -> None:
    work = work_of(
        [outlook("M1", (0, 100), (150, 200), (1000, 2000))], task("A", 95.0), task("B", 70.0, setup_family="b")
    )
    run = simulate(work, plan_of(("M1", ["A", "B"])), NO_LUCK, 0)
    # A to 95; the changeover of 10 s runs 95-100 and 150-155; 45 s of B fit before the weekend, 25 s follow it.
    assert run.start_s == {"A": 0.0, "B": 155.0}
    assert run.finish_s == {"A": 95.0, "B": 1025.0}


def test_processing_never_starts_in_closed_time() -> None:
    work = work_of([outlook("M1", (0, 100), (150, 200))], task("A", 90.0), task("B", 30.0, setup_family="b"))
    run = simulate(work, plan_of(("M1", ["A", "B"])), NO_LUCK, 0)
    assert run.start_s["B"] == 150.0
    assert run.finish_s["B"] == 180.0


def test_failures_come_with_operating_time_and_are_repaired_in_working_time() -> None:
    reliability = Reliability(constant(60.0), constant(25.0))
    machine = outlook("M1", (0, 100), (200, 1000), reliability=reliability)
    work = work_of([machine], task("A", 50.0), task("B", 40.0, release_s=70.0, setup_family="b"))
    run = simulate(work, plan_of(("M1", ["A", "B"])), NO_LUCK, 0)
    # B: changeover 70-80; 10 s of it bring operating time to 60 at 90; repaired 90-100 and 200-215; 30 s are left.
    assert run.finish_s == {"A": 50.0, "B": 245.0}
    assert run.busy["M1"].repair_s == 25.0


def test_a_failure_at_the_very_end_of_a_step_delays_its_end() -> None:
    machine = outlook("M1", reliability=Reliability(constant(50.0), constant(7.0)))
    run = simulate(work_of([machine], task("A", 50.0), task("B", 49.0)), plan_of(("M1", ["A", "B"])), NO_LUCK, 0)
    assert run.finish_s == {"A": 57.0, "B": 106.0}


def test_a_batch_waits_for_all_members_and_takes_as_long_as_the_longest() -> None:
    work = work_of(
        [outlook("M1"), outlook("OVEN", batch_capacity=2)],
        task("A", 100.0),
        task("B", 30.0, "A", on="OVEN"),
        task("C", 80.0, on="OVEN"),
        task("D", 5.0, on="OVEN"),
    )
    run = simulate(work, plan_of(("M1", ["A"]), ("OVEN", [("B", "C"), "D"])), NO_LUCK, 0)
    assert run.start_s == {"A": 0.0, "B": 100.0, "C": 100.0, "D": 180.0}
    assert run.finish_s == {"A": 100.0, "B": 180.0, "C": 180.0, "D": 185.0}
    assert run.busy["OVEN"].processing_s == 85.0


def test_a_running_task_goes_on_without_changeover_once_its_machine_is_up() -> None:
    work = work_of(
        [outlook("M1", available_from_s=40.0)],
        task("A", 500.0, setup_family="b", running=Running("M1", -100.0, 60.0), release_s=1e6),
        task("B", 10.0),
    )
    run = simulate(work, plan_of(("M1", ["A", "B"])), NO_LUCK, 0)
    assert run.start_s == {"A": 40.0, "B": 130.0}
    assert run.finish_s == {"A": 100.0, "B": 140.0}


def test_events_tell_every_state_of_a_machine_in_order() -> None:
    machine = outlook("M1", (0, 100), (150, 400), reliability=Reliability(constant(80.0), constant(30.0)))
    work = work_of([machine], task("A", 20.0, setup_family="b", release_s=5.0), task("B", 90.0, setup_family="b"))
    seen: list[MachineEvent] = []
    simulate(work, plan_of(("M1", ["A", "B"])), NO_LUCK, 0, seen.append)
    assert [(event.at_s, event.state, event.tasks) for event in seen] == [
        (0.0, MachineState.STARVED, ("A",)),
        (5.0, MachineState.SETUP, ("A",)),
        (15.0, MachineState.EXECUTING, ("A",)),
        (35.0, MachineState.SETUP, ("B",)),
        (37.0, MachineState.EXECUTING, ("B",)),
        (97.0, MachineState.BREAKDOWN, ("B",)),
        (177.0, MachineState.EXECUTING, ("B",)),
        (207.0, MachineState.IDLE, ()),
    ]


def test_a_circular_plan_names_who_waits_for_whom() -> None:
    work = work_of(
        [outlook("M1"), outlook("M2")],
        task("A1", 1.0),
        task("A2", 1.0, "A1", on="M2"),
        task("B1", 1.0, on="M2"),
        task("B2", 1.0, "B1"),
    )
    with pytest.raises(InvalidInput) as caught:
        simulate(work, plan_of(("M1", ["B2", "A1"]), ("M2", ["A2", "B1"])), NO_LUCK, 0)
    assert str(caught.value) == (
        "the plan is circular: B2 on M1 waits for B1, which stands behind A2 on M2; "
        "A2 on M2 waits for A1, which stands behind B2 on M1"
    )


def test_a_batch_that_waits_for_itself_is_circular() -> None:
    work = work_of([outlook("M1", batch_capacity=2)], task("A", 1.0), task("B", 1.0, "A"))
    with pytest.raises(InvalidInput, match="B on M1 waits for A, which is in the same batch"):
        simulate(work, plan_of(("M1", [("A", "B")])), NO_LUCK, 0)


_TWO = [outlook("M1"), outlook("M2")]
_RUNNING = task("R", 5.0, running=Running("M1", -5.0, 3.0))


@pytest.mark.parametrize(
    ("work", "plan", "message"),
    [
        (work_of(_TWO, task("A", 1.0), task("B", 1.0)), plan_of(("M1", ["A"])), "leaves out B"),
        (work_of(_TWO, task("A", 1.0)), plan_of(("M1", ["A", "X"])), "holds X, not in the work"),
        (work_of(_TWO, task("A", 1.0)), plan_of(("M9", ["A"])), "A on the unknown machine M9; known are M1, M2"),
        (work_of(_TWO, task("A", 1.0)), plan_of(("M2", ["A"])), "A on M2, which cannot take it"),
        (work_of(_TWO, task("A", 1.0), task("B", 1.0)), plan_of(("M1", [("A", "B")])), "at most 1 go together"),
        (work_of(_TWO, task("A", 1.0), _RUNNING), plan_of(("M1", ["A", "R"])), "R runs on M1, but the plan puts A"),
        (
            work_of([outlook("M1", batch_capacity=3)], task("A", 1.0), task("B", 1.0, setup_family="b")),
            plan_of(("M1", [("A", "B")])),
            "mixes setup families",
        ),
        (
            work_of([outlook("M1", batch_capacity=3)], task("A", 1.0), _RUNNING),
            plan_of(("M1", [("A", "R")])),
            "mixes running and waiting tasks",
        ),
    ],
)
def test_a_plan_that_does_not_fit_the_work_is_refused(work: Work, plan: Plan, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        simulate(work, plan, NO_LUCK, 0)


def test_one_simulation_gives_the_same_as_single_runs() -> None:
    rng = random.Random(5)
    work, plan = random_case(rng)
    draws = Draws(seed=3, replications=3)
    simulation = Simulation(work, plan, draws)
    for replication in (2, 0, 1):
        assert simulation.run(replication).finish_s == simulate(work, plan, draws, replication).finish_s


@pytest.mark.parametrize("seed", range(60))
def test_random_plans_follow_the_formulas(seed: int) -> None:
    print(f"seed {seed}")
    work, plan = random_case(random.Random(seed))
    draws = Draws(seed=seed, replications=3)
    for replication in range(3):
        run = simulate(work, plan, draws, replication)
        watched = simulate(work, plan, draws, replication, lambda event: None)
        assert watched == run
        start_s, finish_s = by_formula(work, plan, draws, replication)
        assert run.start_s == pytest.approx(start_s, abs=1e-9, rel=1e-14)
        assert run.finish_s == pytest.approx(finish_s, abs=1e-9, rel=1e-14)


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_random_plans_agree_with_replay(seed: int) -> None:
    print(f"seed {seed}")
    work, plan = random_case(random.Random(seed))
    draws = Draws(seed=seed, replications=4)
    replayed, simulation = replay(work, plan, draws), Simulation(work, plan, draws)
    for replication in range(4):
        run = simulation.run(replication)
        for row, one in enumerate(work.tasks):
            assert abs(run.start_s[one.id] - replayed.start_s[row, replication]) <= 1e-9
            assert abs(run.finish_s[one.id] - replayed.finish_s[row, replication]) <= 1e-9


def by_formula(work: Work, plan: Plan, draws: Draws, replication: int) -> tuple[dict[str, float], dict[str, float]]:
    """What the model stands for, step by step in an order in which everything awaited is known."""
    start_s: dict[str, float] = {}
    finish_s: dict[str, float] = {}
    sequences = {machine: list(steps) for machine, steps in plan.sequences.items()}
    free = {name: max(machine.available_from_s, 0.0) for name, machine in work.machines.items()}
    family = {name: machine.setup_family for name, machine in work.machines.items()}
    operated = dict.fromkeys(work.machines, 0.0)
    while any(sequences.values()):
        for name, steps in sequences.items():
            if not steps:
                continue
            tasks = [work.by_id[operation.job_order] for operation in steps[0]]
            awaited = [predecessor for member in tasks for predecessor in member.predecessors]
            running = tasks[0].running is not None
            if not running and any(predecessor not in finish_s for predecessor in awaited):
                continue
            steps.pop(0)
            machine = work.machines[name]
            times = [max(member.release_s, *(finish_s[p] for p in member.predecessors), 0.0) for member in tasks]
            begin = free[name] if running else max(free[name], *times)
            setup_s = 0.0 if running else machine.setup_matrix.duration_s(family[name], tasks[0].setup_family)
            setup_end = machine.working_time.finish(begin, setup_s)
            processing_s = max(planned(member, name) * factor(member, draws, replication) for member in tasks)
            repairs_s = repairs(machine, operated[name], operated[name] + processing_s, draws, replication)
            free[name] = machine.working_time.finish(setup_end, processing_s + repairs_s)
            family[name] = tasks[0].setup_family
            operated[name] += processing_s
            for member in tasks:
                start_s[member.id] = machine.working_time.begin(setup_end)
                finish_s[member.id] = free[name]
    return start_s, finish_s


def planned(member: Task, machine: str) -> float:
    return member.durations_s[machine] if member.running is None else member.running.remaining_s


def factor(member: Task, draws: Draws, replication: int) -> float:
    if member.variation == 0:
        return 1.0
    distribution = Distribution(Family.LOGNORMAL, 1.0, member.variation)
    return float(draws.row(distribution, "processing", member.id)[replication])


def repairs(machine: MachineOutlook, before_s: float, after_s: float, draws: Draws, replication: int) -> float:
    if machine.reliability is None:
        return 0.0
    point_s, total_s, ordinal = 0.0, 0.0, 0
    while True:
        between = machine.reliability.time_between_failures
        point_s += float(draws.row(between, "time between failures", machine.id, ordinal)[replication])
        if point_s > after_s:
            return total_s
        if point_s > before_s:
            repair = machine.reliability.time_to_repair
            total_s += float(draws.row(repair, "time to repair", machine.id, ordinal)[replication])
        ordinal += 1


def random_case(rng: random.Random) -> tuple[Work, Plan]:
    """A random floor with running and waiting tasks, batches, calendars and failures, and a plan that can be run."""
    machines = {name: random_machine(rng, name) for name in ("M1", "M2", "M3", "OVEN")}
    sequences: dict[str, list[list[str]]] = {name: [] for name in machines}
    tasks: list[Task] = []
    for name in machines:
        if rng.random() < 0.4:
            running = Running(name, -10.0, rng.uniform(1, 300))
            tasks.append(random_task(rng, f"R-{name}", name, (), "a", running))
            sequences[name].append([tasks[-1].id])
    closed: dict[str, list[str]] = {}
    for number in range(rng.randint(5, 25)):
        name = rng.choice(list(machines))
        joins = name == "OVEN" and sequences[name] and not sequences[name][-1][0].startswith("R") and rng.random() < 0.5
        last = sequences[name][-1] if joins else []
        # A member joins the last batch only while nobody waits for the batch yet, so no circle can arise.
        joins = bool(last) and len(last) < machines[name].batch_capacity and not any(m in closed for m in last)
        known = [known_task for known_task in tasks if known_task.id not in last]
        chosen = rng.sample(known, min(len(known), rng.randint(0, 2))) if not joins else []
        family = next(t.setup_family for t in tasks if t.id == last[0]) if joins else rng.choice("ab")
        tasks.append(random_task(rng, f"T{number}", name, tuple(t.id for t in chosen), family, None))
        for awaited in chosen:
            closed.setdefault(awaited.id, []).append(tasks[-1].id)
        if joins:
            last.append(tasks[-1].id)
        else:
            sequences[name].append([tasks[-1].id])
    work = Work(EPOCH, tuple(tasks), machines, {"CO": OrderDemand("CO", 0.0)})
    return work, plan_of(*((name, [tuple(step) for step in steps]) for name, steps in sequences.items()))


def random_machine(rng: random.Random, name: str) -> MachineOutlook:
    edges = sorted(rng.sample(range(-500, 5000), 12))
    windows = [(float(start), end + rng.random()) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    reliability = Reliability(exponential(rng.uniform(100, 900)), Distribution(Family.GAMMA, rng.uniform(5, 90), 0.7))
    return outlook(
        name,
        *(windows if rng.random() < 0.7 else []),
        available_from_s=rng.choice([0.0, rng.uniform(0, 600)]),
        setup_family=rng.choice([None, "a", "b"]),
        batch_capacity=3 if name == "OVEN" else 1,
        reliability=rng.choice([None, reliability]),
    )


def random_task(
    rng: random.Random, name: str, on: str, predecessors: tuple[str, ...], family: str, running: Running | None
) -> Task:
    return task(
        name,
        rng.choice([0.0, rng.uniform(1, 400), float(rng.randint(1, 300))]),
        *predecessors,
        on=on,
        setup_family=family,
        release_s=rng.choice([0.0, rng.uniform(0, 3000)]),
        variation=rng.choice([0.0, 0.3]),
        running=running,
    )
