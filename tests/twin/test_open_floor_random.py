"""Random floors with everything on them at once: whatever happens, what must hold holds.

Each floor is drawn from a seed that the test's name shows. A floor whose buffers lock up must say so with names.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.floors import Values, floor, item, machine, operation
from plant.errors import Infeasible
from plant.floor_model import FloorModel
from twin.draws import Draws
from twin.happened import STATES, Happened
from twin.open_floor import simulate_floor

SHORT, LONG = range(60), range(60, 1000)
RULES = ("FIFO", "EDD", "SPT", "critical ratio", "ATC", "least setup")


def random_floor(seed: int) -> FloorModel:
    """Return a floor of two to five machines and up to four items, each feature there with some probability."""
    luck = random.Random(seed)
    capabilities = ["cut", "bend", "paint"][: luck.randint(1, 3)]
    tight = luck.random() < 0.3
    buffers: Values = {"input_buffer": luck.randint(0, 3), "output_buffer": luck.randint(0, 1)} if tight else {}
    machines = [machine("HERE", capabilities[0], **buffers)]
    machines += [_machine(luck, f"M{n}", luck.choice(capabilities), tight) for n in range(luck.randint(2, 5))]
    machines += [machine(f"X{n}", name, work_center="far", **buffers) for n, name in enumerate(capabilities)]
    items = [_item(luck, f"A{n}", capabilities) for n in range(luck.randint(1, 4))]
    if len(items) > 1 and luck.random() < 0.5:
        items[-1] = {**items[-1], "bom": [{"item": "A0", "quantity": 1}]}
    if luck.random() < 0.4:
        stock = {"reorder_point": 3, "quantity": 5, "lead_time": {"family": "uniform", "low_h": 1, "high_h": 9}}
        items.append({"id": "BAR", "name": "Bar", "kind": "purchased", "lead_time_days": 1, "stock": 4})
        items[-1] = {**items[-1], "replenishment": stock}
        items[0] = {**items[0], "bom": [{"item": "BAR", "quantity": 1}]}
    # Nobody orders Z: it is there so that every machine and family a folder names exists.
    every = [operation(capabilities[0], 60.0, id=family, setup_family=family) for family in ("f0", "f1", "f2")]
    items.append(item("Z", *every))
    made = [one["id"] for one in items if one["kind"] == "made" and one["id"] != "Z"]
    demand = [
        f"O{n},C,{luck.choice(made)},{luck.randint(1, 6)},2026-01-05T{luck.randint(0, 9):02}:00,2026-01-07T00:00,normal"
        for n in range(luck.randint(1, 15))
    ]
    more: dict[str, list[Values]] = {
        "shift": [{"id": "s", "days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "06:00", "end": "14:00"}],
        "calendar": [{"id": "day", "shifts": ["s"]}],
        "setup_matrix": [{"id": "slow", "default_s": 900}],
        "crew": [{"id": "fitters", "count": luck.randint(1, 2)}],
        "tool": [{"id": "jig", "count": luck.randint(1, 2)}],
        "person": [
            {"id": f"Q{n}", "name": "Q", "skills": capabilities, "calendar": luck.choice(["always", "day"])}
            for n in range(2)
        ],
    }
    if luck.random() < 0.4:
        way: Values = {"before": "cell", "after": "far", "time_s": luck.randint(60, 3600)}
        more["carrier"] = [{"id": "cart", "count": luck.randint(1, 2)}]
        more["transport"] = [{**way, "carrier": "cart", "return_s": 300} if luck.random() < 0.5 else way]
    return floor(machines, items, more=more, orders=demand)


def _machine(luck: random.Random, name: str, capability: str, tight: bool) -> Values:
    more: dict[str, object] = {"speed": luck.choice([1.0, 2.0]), "work_center": luck.choice(["cell", "far"])}
    more |= {"calendar": luck.choice(["always", "day"]), "setup_matrix": luck.choice(["none", "slow"])}
    more["power_kw"] = {"executing": 10, "idle": 1}
    if luck.random() < 0.3:
        more |= {"batch_capacity": luck.randint(2, 3), "batch_wait_s": luck.choice([0, 3600])}
        more["batch_families"] = [["f0", "f1"]]
    if luck.random() < 0.5:
        more["reliability"] = {
            "time_between_failures": {"family": "exponential", "mean_h": 5},
            "time_to_repair": {"family": "gamma", "mean_min": 40, "variation": 0.5},
            "failure_time": luck.choice(["operating", "calendar"]),
        } | ({"crew": "fitters"} if luck.random() < 0.5 else {})
    if luck.random() < 0.3:
        more["maintenance"] = {"every_h": 4, "duration_h": 1}
    if tight:
        more |= {"input_buffer": luck.randint(0, 2), "output_buffer": luck.randint(0, 1)}
    if luck.random() < 0.3:
        more["rule"] = luck.choice(RULES)
    return machine(name, capability, **more)


def _item(luck: random.Random, name: str, capabilities: list[str]) -> Values:
    steps = []
    for place in range(luck.randint(1, 4)):
        capability = luck.choice(capabilities)
        more: dict[str, object] = {"id": str(place), "setup_family": f"f{luck.randint(0, 2)}", "fixed_s": 120}
        more |= {"attendance": luck.choice(["none", "none", "setup", "all"]), "people": luck.randint(1, 2)}
        if luck.random() < 0.3:
            more["tools"] = ["jig"]
        if luck.random() < 0.2:
            more["interruptible"] = False
        if luck.random() < 0.3:
            more["scrap_ratio"] = 0.2
        if luck.random() < 0.3:
            more["rework"] = {"ratio": 0.3, "to": str(luck.randint(0, place)), "limit": 2}
        steps.append(
            operation(capability, luck.randint(60, 3000), {"family": "gamma", "mean": 1, "variation": 0.4}, **more)
        )
    return item(name, *steps, **({"transfer_batch": luck.randint(1, 3)} if luck.random() < 0.3 else {}))


def judge(seed: int) -> bool:
    """Run one floor and check all that must hold; tell whether it came to an end."""
    model = random_floor(seed)
    try:
        happened = simulate_floor(model, Draws(seed, 1), 0)
    except Infeasible as error:
        return _is_deadlock(str(error))
    _check_pieces(happened)
    _check_machines(model, happened)
    _check_people(model, happened)
    _check_tools(model, happened)
    states = happened.energy
    powers = [machine.power_kw for machine in model.plant.machines]
    expected = [powers[m].of(STATES[s]) for m, s in zip(states["machine"], states["state"], strict=True)]
    assert np.allclose(states["energy_kwh"], np.array(expected) * states["duration_s"] / 3600)
    return True


def _is_deadlock(told: str) -> bool:
    assert "deadlocked" in told, told
    assert "waits for a place at" in told
    return False


def _check_pieces(happened: Happened) -> None:
    orders, rows = happened.orders, happened.operations
    assert not np.isnan(orders["completed_s"]).any()
    assert (orders["good"] + orders["scrap"] == orders["quantity"]).all()
    assert (rows["good"] + rows["scrap"] + rows["rework"] == rows["quantity"]).all()
    assert (np.bincount(rows["order"], rows["scrap"], minlength=len(orders["id"])) == orders["scrap"]).all()
    released = orders["released_s"][rows["order"]]
    assert (released <= rows["queued_s"]).all()
    assert (rows["queued_s"] <= rows["begin_s"]).all()
    assert (rows["begin_s"] <= rows["start_s"]).all()
    assert (rows["start_s"] <= rows["finish_s"]).all()
    assert happened.wip["orders"].min(initial=0) >= 0
    assert happened.wip["orders"][-1] == 0


def _check_machines(model: FloorModel, happened: Happened) -> None:
    rows, states = happened.operations, happened.machine_states
    for place, spec in enumerate(model.plant.machines):
        mine = rows["machine"] == place
        spans = sorted(set(zip(rows["begin_s"][mine].tolist(), rows["finish_s"][mine].tolist(), strict=True)))
        assert all(a[1] <= b[0] for a, b in pairwise(spans)), spec.id
        together = np.unique(rows["begin_s"][mine], return_counts=True)[1]
        assert together.max(initial=0) <= spec.batch_capacity
        kept = states["machine"] == place
        since_s, until_s = states["since_s"][kept], states["until_s"][kept]
        assert (since_s[1:] == until_s[:-1]).all()
        assert since_s[0] == 0
        assert until_s[-1] == happened.until_s
        if spec.input_buffer is not None:
            room = spec.input_buffer + spec.batch_capacity
            assert most_at_once(rows["queued_s"][mine], rows["finish_s"][mine]) <= room, spec.id


def _check_people(model: FloorModel, happened: Happened) -> None:
    spans = happened.attendance
    for person in range(len(model.plant.people)):
        mine = spans["person"] == person
        assert most_at_once(spans["since_s"][mine], spans["until_s"][mine]) <= 1
    assert len(happened.operations["order"]) > 0 or not model.orders


def _check_tools(model: FloorModel, happened: Happened) -> None:
    rows = happened.operations
    counts = {pool.id: pool.count for pool in model.plant.tools}
    needs = {}
    for one in model.plant.items:
        needs |= {f"{one.id}-{step.id}": step.tools for step in one.routing}
    using = np.array([bool(needs[happened.names["stage"][stage]]) for stage in rows["stage"]], dtype=bool)
    batched = np.array([model.plant.machines[m].batch_capacity > 1 for m in rows["machine"]], dtype=bool)
    alone = using & ~batched  # a batch takes the tools of its first member only
    assert most_at_once(rows["begin_s"][alone], rows["finish_s"][alone]) <= counts["jig"]


def most_at_once(since_s: np.ndarray, until_s: np.ndarray) -> int:
    """Return how many spans overlap at most; one that ends when another begins does not."""
    events = sorted([(at, 1) for at in since_s.tolist()] + [(at, -1) for at in until_s.tolist()])
    depth = most = 0
    for _, change in events:
        depth += change
        most = max(most, depth)
    return most


@pytest.mark.parametrize("seed", SHORT)
def test_what_must_hold_holds_on_a_random_floor(seed: int) -> None:
    judge(seed)


@pytest.mark.long
def test_what_must_hold_holds_on_many_random_floors() -> None:
    ended = sum(judge(seed) for seed in LONG)
    assert ended > 0.8 * len(LONG), "most random floors come to an end"
    assert math.isfinite(ended)
