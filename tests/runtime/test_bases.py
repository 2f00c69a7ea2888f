"""What scenarios begin with: a plant's folder, a saved floor, the live floor; and what is refused."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from historian.database import Historian
from methods.explosion import explode, job_orders
from operations import plants
from plant.actor import SYSTEM
from plant.errors import InvalidInput
from plant.folder import load, load_orders
from plant.order import JobProgress, JobState
from plant.snapshot import MachineSnapshot, Snapshot
from plant.version import version_of
from runtime.bases import LIVE, base_case
from runtime.experiments import Means, run_scenarios
from scenarios.evaluate import CHUNK
from scenarios.experiment import Question
from scenarios.prepare import prepare
from tests.operations.shop import PLANT, order
from tests.scenarios.shop import SHOP
from twin.snapshot_file import snapshot_text


def floor_of_a_tuesday() -> Snapshot:
    """The machine shop with two orders of which one job is complete and one runs."""
    plant = load(SHOP)
    orders = load_orders(SHOP, plant)[1:3]
    first, *rest = [job for one in orders for job in job_orders(plant, explode(plant, one))]
    at = plant.starts_at + timedelta(days=1, hours=2)
    hour = timedelta(hours=1)
    jobs = (
        JobProgress(first, JobState.COMPLETED, "M01", at - 4 * hour, at - 3 * hour, good=first.quantity),
        JobProgress(rest[0], JobState.RUNNING, "M03", at - hour),
        *(JobProgress(job, JobState.WAITING) for job in rest[1:]),
    )
    machines = {"M03": MachineSnapshot("M03", "turn shaft", running=(rest[0].id,))}
    return Snapshot(at, machines, {rest[0].id: 3600.0}, version_of(plant).id, orders=orders, jobs=jobs)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "floor.json"
    file.write_text(snapshot_text(floor_of_a_tuesday()), encoding="utf-8")
    return file


def test_scenarios_begin_with_a_saved_floor(saved: Path) -> None:
    base = base_case(SHOP, str(saved))
    floor = floor_of_a_tuesday()
    assert (base.now, base.orders, base.begun) == (floor.at, floor.orders, frozenset({floor.orders[0].id}))
    running = [one.running for one in prepare(base).model.orders if one.running is not None]
    assert [one.machine for one in running] == ["M03"]
    said = io.StringIO()
    question = Question(half_width=None, max_replications=CHUNK)
    outcome = run_scenarios(["machine_down_4h"], base, question, Means(1), None, Console(file=said, width=120))
    assert "2 orders" in said.getvalue()
    assert outcome.replications == CHUNK


def test_a_saved_floor_of_another_plant_version_is_refused_with_what_and_where(saved: Path) -> None:
    saved.write_text(snapshot_text(replace(floor_of_a_tuesday(), plant_version="pv-other")), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"floor\.json: the snapshot's plant_version is 'pv-other', but the plant"):
        base_case(SHOP, str(saved))


def test_what_cannot_be_a_base_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json cannot be read"):
        base_case(SHOP, str(tmp_path / "none.json"))
    saved.write_text(snapshot_text(replace(floor_of_a_tuesday(), machines={}, worked_s={}, orders=(), jobs=())))
    with pytest.raises(InvalidInput, match=r"floor\.json holds no order"):
        base_case(SHOP, str(saved))
    with pytest.raises(InvalidInput, match=r"unknown dispatching rule 'LIFO'; known are ATC, EDD"):
        base_case(SHOP, rule="LIFO")


def test_the_live_floor_of_an_installation_is_a_base(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def install() -> None:
        historian = await Historian.open(database_url, connections=1)
        await plants.import_plant(historian, SYSTEM, PLANT, (order("CO-1"), order("CO-2", "pump")))
        await historian.close()

    asyncio.run(install())
    monkeypatch.setenv("FORERUN_DATABASE_URL", database_url)
    base = base_case(snapshot=LIVE, rule="EDD")
    assert (base.plant, [one.id for one in base.orders], base.rules) == (PLANT, ["CO-1", "CO-2"], ("EDD",))
    assert {one.customer_order for one in prepare(base).model.orders} == {"CO-1", "CO-2"}
    with pytest.raises(InvalidInput, match=r"machine_shop is not the plant that is installed: .*plant_version"):
        base_case(SHOP, LIVE)
