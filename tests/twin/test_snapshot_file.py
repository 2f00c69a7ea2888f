"""twin/snapshot_file.py: saved, read back, and the same future from it in whatever process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from methods.explosion import explode, job_orders
from methods.work import build_work
from plant.errors import InvalidInput
from plant.machine_state import MachineState
from plant.order import CustomerOrder, JobProgress, JobState
from plant.plan import Plan, PlannedOperation
from plant.snapshot import MachineSnapshot, Snapshot
from plant.version import version_of
from tests.plant.shops import MONDAY, bought, made, operation, small_shop
from twin.draws import Draws
from twin.replay import replay
from twin.snapshot_file import read_snapshot, snapshot_text

ROOT = Path(__file__).parents[2]
SHOP = small_shop(
    (
        made("AXLE", operation("10", "turning"), operation("30", "milling"), bom=(("BAR", "0.5"),)),
        bought("BAR", 3600.0, 100),
    )
)
VERSION = version_of(SHOP)
NOW = MONDAY + timedelta(hours=2, microseconds=1)
SEED = 7


def snapshot() -> Snapshot:
    order = CustomerOrder("A", "Ada", "AXLE", 5, MONDAY, MONDAY + timedelta(days=4))
    jobs = [JobProgress(job, JobState.WAITING) for job in job_orders(SHOP, explode(SHOP, order))]
    jobs[0] = replace(jobs[0], state=JobState.RUNNING, machine="L1", started_at=MONDAY, good=1)
    machine = MachineSnapshot(
        "L1", "turning", None, MachineState.EXECUTING, MONDAY, 0.0, 1 / 3, (jobs[0].job.id,), (jobs[1].job.id,)
    )
    mill = MachineSnapshot("MILL", down_until=NOW + timedelta(minutes=7), state=MachineState.BREAKDOWN, repaired_s=0.1)
    return Snapshot(
        NOW,
        {"L1": machine, "MILL": mill},
        {jobs[0].job.id: 0.1 + 0.2},
        VERSION.id,
        (),
        {"BAR": Decimal("97.5")},
        (order,),
        tuple(jobs),
    )


def future(taken: Snapshot) -> str:
    """Digest of the bytes of 50 futures from a snapshot, every job order on the first machine that can take it."""
    work = build_work(SHOP, taken.orders, taken.jobs, taken)
    places: dict[str, int] = {}
    operations = []
    for task in work.tasks:
        machine = next(iter(task.durations_s))
        operations.append(PlannedOperation(task.id, machine, places.get(machine, 0), 0.0, 0.0))
        places[machine] = places.get(machine, 0) + 1
    found = replay(work, Plan(work.epoch, tuple(operations)), Draws(SEED, 50))
    return hashlib.sha256(found.finish_s.tobytes()).hexdigest()


def test_what_was_saved_is_read_back_to_the_last_digit() -> None:
    text = snapshot_text(snapshot())
    assert read_snapshot(text, VERSION) == snapshot()
    assert snapshot_text(read_snapshot(text, VERSION)) == text
    assert json.loads(text)["format"] == 1


def test_the_same_snapshot_and_seed_are_the_same_future_in_another_process(tmp_path: Path) -> None:
    file = tmp_path / "floor.json"
    file.write_text(snapshot_text(snapshot()), encoding="utf-8")
    program = (
        "import sys, pathlib; from tests.twin.test_snapshot_file import *; "
        "print(future(read_snapshot(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8'), VERSION)))"
    )
    said = set()
    for number in (1, 2):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program, str(file)]
        ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        said.add(ended.stdout.strip())
    assert said == {future(snapshot())}


def test_another_floor_is_another_future() -> None:
    worked = {snapshot().jobs[0].job.id: 900.0}
    assert future(replace(snapshot(), worked_s=worked)) != future(snapshot())


Edit = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Edit, str]] = {
    "format": (lambda d: d.update(format=2), r"format is 2; .* reads format 1"),
    "no format": (lambda d: d.pop("format"), r"format is None"),
    "another plant": (lambda d: d.update(plant_version="pv-other"), r"'pv-other', but .*pv-[0-9a-f]{12}.*take a new"),
    "no plant": (lambda d: d.pop("plant_version"), r"plant_version is None"),
    "machine": (lambda d: d["machines"].update(X={"machine": "X"}), r"snapshot\.machines\.X: unknown machine 'X'"),
    "renamed": (lambda d: d["machines"]["L1"].update(machine="L2"), r"machines\.L1\.machine is 'L2'"),
    "family": (lambda d: d["machines"]["L1"].update(setup_family="Z"), r"L1\.setup_family: unknown setup family Z"),
    "queue": (lambda d: d["machines"]["L1"].update(queue=["Z"]), r"machines\.L1\.queue: unknown job order Z"),
    "running": (lambda d: d["machines"]["L1"].update(running=["Z"]), r"machines\.L1\.running: unknown job order Z"),
    "people": (lambda d: d.update(people=["nobody"]), r"snapshot\.people: unknown person nobody"),
    "stock": (lambda d: d["stock"].update(GOLD="1"), r"snapshot\.stock: unknown item GOLD"),
    "less than none": (lambda d: d["stock"].update(BAR="-1"), r"item BAR: stock must be at least 0"),
    "no number": (lambda d: d["stock"].update(BAR="many"), r"snapshot\.stock\.BAR: 'many' is no Decimal"),
    "order": (lambda d: d["orders"][0].update(item="GOLD"), r"snapshot\.orders: A: unknown item 'GOLD'"),
    "no such order": (lambda d: d["orders"].clear(), r"customer_order: unknown order A"),
    "operation": (lambda d: d["jobs"][1]["job"].update(operation="99"), r"jobs: .*: item AXLE has no operation '99'"),
    "job's machine": (lambda d: d["jobs"][0].update(machine="X"), r"jobs: .*: machine: unknown machine 'X'"),
    "predecessor": (lambda d: d["jobs"][1]["job"].update(predecessors=["Z"]), r"predecessors: unknown job order Z"),
    "state": (lambda d: d["jobs"][0].update(state="flying"), r"snapshot\.jobs\[0\]\.state: 'flying' is no JobState"),
    "local time": (lambda d: d.update(at="2026-01-05T07:00:00"), r"at must be a UTC datetime"),
    "no time": (lambda d: d.update(at="noon"), r"snapshot\.at: 'noon' is no datetime"),
    "negative": (lambda d: d["machines"]["L1"].update(operated_s=-1), r"machines\.L1: .*operated_s .* at least 0"),
    "worked": (lambda d: d["worked_s"].update({"A/1-10": -1}), r"worked_s .* at least 0"),
    "worked at": (lambda d: d["worked_s"].update(Z=1), r"worked_s: unknown job order Z"),
    "text": (lambda d: d["worked_s"].update({"A/1-10": "1"}), r"snapshot\.worked_s\.A/1-10: must be a number"),
    "pieces": (lambda d: d["jobs"][0].update(good=1.5), r"snapshot\.jobs\[0\]\.good: must be a whole number"),
    "unknown field": (lambda d: d.update(weather="fine"), r"snapshot: unknown field weather"),
    "missing field": (lambda d: d["jobs"][0]["job"].pop("item"), r"snapshot\.jobs\[0\]\.job: item is missing"),
    "list": (lambda d: d.update(jobs={}), r"snapshot\.jobs: must be a list"),
    "object": (lambda d: d.update(machines=[]), r"snapshot\.machines: must be an object"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_with_what_and_where(name: str) -> None:
    edit, said = WRONG[name]
    document = json.loads(snapshot_text(snapshot()))
    edit(document)
    with pytest.raises(InvalidInput, match=said):
        read_snapshot(json.dumps(document), VERSION)


@pytest.mark.parametrize(("text", "said"), [("{", "no JSON"), ("[]", "must be a JSON object"), ("", "no JSON")])
def test_what_is_no_document_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_snapshot(text, VERSION)


def test_a_snapshot_of_no_plant_version_is_not_saved() -> None:
    with pytest.raises(InvalidInput, match="names no plant version"):
        snapshot_text(Snapshot(NOW))
