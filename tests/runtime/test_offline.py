"""`forerun plan` end to end: the machine shop's folder in, plan.json, report.html and a summary out."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import floors
from benchmarks.floors import item, machine, write_floor
from methods.explosion import explode, job_orders
from operations.gate import Thresholds
from plant.errors import InvalidInput, PlantInvalid
from plant.folder import load, load_orders
from plant.objective import Aim, Objective
from plant.order import JobProgress, JobState
from plant.snapshot import Snapshot
from plant.text import Text
from plant.tuning import DEFAULT
from plant.version import version_of
from runtime import offline
from runtime.offline import OfflinePlan, plan_offline
from runtime.plan_file import read_plan
from twin.snapshot_file import snapshot_text

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[OfflinePlan, str]:
    said = io.StringIO()
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    return plan_offline(SHOP, out, 1.5, 100, console=Console(file=said, width=100)), said.getvalue()


def test_the_plan_file_holds_every_operation_with_utc_times(planned: tuple[OfflinePlan, str]) -> None:
    written, _ = planned
    document = json.loads(written.plan_file.read_text(encoding="utf-8"))
    assert document["format"] == 1
    plan = written.version.plan
    assert len(document["operations"]) == len(plan.operations) > 0
    for entry, operation in zip(document["operations"], plan.operations, strict=True):
        assert entry["job_order"] == operation.job_order
        seconds = (datetime.fromisoformat(entry["end_at"]) - plan.epoch).total_seconds()
        assert seconds == pytest.approx(operation.end_s, abs=1e-3)
    assert {one["order"] for one in document["verdict"]["orders"]} == set(document["orders"])
    assert document["judgement"]["passed"] is written.version.judgement.passed


def test_the_plan_file_tells_what_the_plan_costs_and_each_order_the_others(planned: tuple[OfflinePlan, str]) -> None:
    written, said = planned
    solver = json.loads(written.plan_file.read_text(encoding="utf-8"))["solver"]
    assert solver["objective"] == {"aims": ["tardiness", "makespan"], "weights": []}
    assert (solver["tuning"]["rule"], solver["tuning"]["shares"]) == (None, asdict(DEFAULT.shares))
    assert solver["costs"]["setup_s"] == pytest.approx(sum({
        (one.machine, one.position): one.setup_s for one in written.version.plan.operations
    }.values()))  # fmt: skip
    assert set(solver["to_others"]) == set(written.version.orders)
    dearest = max(solver["to_others"], key=lambda order: solver["to_others"][order]["tardiness_s"])
    if solver["to_others"][dearest]["tardiness_s"] > 0:
        assert f"Costs others most: {dearest} " in said
    assert "Work in process: " in said
    report = written.report_file.read_text(encoding="utf-8")
    holds_up = any(abs(one["tardiness_s"]) >= 30 for one in solver["to_others"].values())
    assert ("<th class=n>Costs others</th>" in report) is holds_up
    assert report.count('<td class=n title="Without it, ') == (len(written.version.orders) if holds_up else 0)


def test_a_plan_is_made_for_the_objective_and_reported_in_the_language_that_are_asked_for(tmp_path: Path) -> None:
    asked = Objective((Aim.SETUP, Aim.TARDINESS))
    said = io.StringIO()
    console = Console(file=said, width=100)
    written = plan_offline(SHOP, tmp_path, 2.0, 20, console=console, objective=asked, language="zh")
    assert written.version.solver.objective == asked
    assert '<html lang="zh">' in written.report_file.read_text(encoding="utf-8")
    assert "Objective: setup, tardiness\n" in said.getvalue()


def test_the_report_needs_nothing_else_and_names_every_order(planned: tuple[OfflinePlan, str]) -> None:
    written, _ = planned
    html = written.report_file.read_text(encoding="utf-8")
    assert "<script src=" not in html
    assert "<link " not in html
    assert html.count('class="js-plotly') + html.count("plotly-graph-div") >= 3
    assert all(order in html for order in written.version.orders)
    assert list(written.report_file.parent.iterdir()) != []
    assert {file.name for file in written.report_file.parent.iterdir()} == {"plan.json", "report.html"}


def test_the_summary_names_risk_bottleneck_oee_and_gate(planned: tuple[OfflinePlan, str]) -> None:
    written, said = planned
    verdict = written.version.verdict
    assert f"Bottleneck: {verdict.bottleneck} " in said
    assert f"Expected OEE: {verdict.oee:.1%}" in said
    assert f"of {len(verdict.orders)}" in said
    assert "Gate: passed" in said or "Gate: refused" in said
    assert str(written.plan_file) in said.replace("\n", "")


def test_what_changes_against_an_earlier_plan_is_in_the_report(
    planned: tuple[OfflinePlan, str], tmp_path: Path
) -> None:
    written, _ = planned
    before = read_plan(written.plan_file)
    plan = written.version.plan
    for one in before.plan.operations:
        planned_one = plan.by_job_order[one.job_order]
        assert (one.machine, one.position) == (planned_one.machine, planned_one.position)
        assert one.start_s == pytest.approx(planned_one.start_s, abs=1e-3)
    assert before.verdict.orders[0].on_time == written.version.verdict.orders[0].on_time
    quiet = Console(file=io.StringIO())
    again = plan_offline(SHOP, tmp_path / "out", 0.5, 20, console=quiet, against=written.plan_file)
    assert "What changes" in again.report_file.read_text("utf-8")
    assert "What changes" not in written.report_file.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"format": 1, "seed": NaN}', "NaN is no number of JSON"),
        ('{"format": 9}', "no plan of format 1"),
        ('{"format": 1, "epoch": "2026-01-05T06:00:00Z"}', "no whole plan"),
        ('{"format": 1, "epoch": "2026-01-05T06:00:00Z", "operations": []}', "PlanVersion"),
    ],
)
def test_a_plan_to_compare_with_that_is_none_is_refused_before_anything_is_planned(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=told):
        plan_offline(SHOP, tmp_path / "out", console=Console(file=io.StringIO()), against=tmp_path / "plan.json")
    assert not (tmp_path / "out").exists()


def test_a_plan_of_other_orders_is_nothing_to_compare_with(planned: tuple[OfflinePlan, str], tmp_path: Path) -> None:
    text = planned[0].plan_file.read_text(encoding="utf-8").replace('"CO-', '"XX-')
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="plans none of these orders' operations"):
        plan_offline(SHOP, tmp_path / "out", console=Console(file=io.StringIO()), against=tmp_path / "plan.json")


def test_a_refusal_tells_its_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    orders = (folder / "orders.csv").read_text(encoding="utf-8").splitlines()
    first = orders[1].split(",")
    first[orders[0].split(",").index("due_at")] = "2026-01-05T06:30"
    (folder / "orders.csv").write_text("\n".join([orders[0], ",".join(first)]) + "\n", encoding="utf-8")
    said = io.StringIO()
    written = plan_offline(folder, tmp_path / "out", 0.5, 50, console=Console(file=said, width=200))
    assert not written.version.judgement.passed
    assert "Gate: refused" in said.getvalue()
    assert "It is due Mon 5 Jan 06:30" in said.getvalue()
    assert "Refused because" in written.report_file.read_text(encoding="utf-8")


def test_a_plan_that_there_was_no_time_to_look_for_says_so_in_both_languages(tmp_path: Path) -> None:
    said = io.StringIO()
    written = plan_offline(SHOP, tmp_path, 0.01, 20, console=Console(file=said, width=200), language="zh")
    assert written.version.solver.unsearched
    assert "The time ran out before the search for a better plan began" in said.getvalue()
    assert "run `forerun compile` once" in said.getvalue()
    assert "--time-limit" in said.getvalue()
    report = written.report_file.read_text(encoding="utf-8")
    assert "还没有开始搜索更好的计划，时间就用完了" in report
    assert json.loads(written.plan_file.read_text(encoding="utf-8"))["solver"]["unsearched"] is True


def test_the_first_interrupt_takes_the_best_plan_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C once the search has begun: an hour of solving ends at once, and a plan is written."""
    rehearse, before = offline.rehearse, signal.getsignal(signal.SIGINT)

    def interrupted(*args: object, terms: object, progress: object) -> object:
        sent = False

        def report(share: float, doing: Text) -> None:
            nonlocal sent
            if str(doing).startswith("local search") and not sent:
                sent = True
                os.kill(os.getpid(), signal.SIGINT)
            progress(share, doing)  # type: ignore[operator]

        return rehearse(*args, terms=terms, progress=report)  # type: ignore[arg-type]

    monkeypatch.setattr(offline, "rehearse", interrupted)
    said = io.StringIO()
    written = plan_offline(SHOP, tmp_path, 3600, 50, console=Console(file=said, width=100))
    assert written.version.solver.status.startswith("stopped early")
    assert written.plan_file.exists()
    assert "best plan so far" in said.getvalue()
    assert signal.getsignal(signal.SIGINT) is before


def test_wrong_folders_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(PlantInvalid):
        plan_offline(tmp_path, tmp_path / "out")
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(InvalidInput, match="is not a folder"):
        plan_offline(SHOP, taken)


def test_stricter_thresholds_are_used(tmp_path: Path) -> None:
    strict, said = Thresholds(high=0.99, normal=0.99), io.StringIO()
    written = plan_offline(SHOP, tmp_path, 0.5, 50, console=Console(file=said, width=100), thresholds=strict)
    assert not written.version.judgement.passed  # 50 replications do not prove 99 %
    report = written.report_file.read_text("utf-8")
    assert "Price of certainty" in report
    assert "robustness" in json.loads(written.plan_file.read_text("utf-8"))


def test_remedies_of_a_refused_plan_are_told_everywhere(tmp_path: Path) -> None:
    """Due within minutes of the start, an order can be helped by another promise only."""
    plant = load(SHOP)
    order = replace(load_orders(SHOP, plant)[0], ordered_at=plant.starts_at)
    order = replace(order, due_at=order.ordered_at + timedelta(minutes=1))
    jobs = tuple(JobProgress(job, JobState.WAITING) for job in job_orders(plant, explode(plant, order)))
    file, said = tmp_path / "floor.json", io.StringIO()
    taken = Snapshot(plant.starts_at, plant_version=version_of(plant).id, orders=(order,), jobs=jobs)
    file.write_text(snapshot_text(taken), encoding="utf-8")
    written = plan_offline(SHOP, tmp_path, 0.5, 200, console=Console(file=said, width=100), snapshot_file=file)
    (remedy,) = written.version.judgement.remedies
    assert str(remedy.what).startswith(f"promise {order.id} for")
    for told in (said.getvalue(), written.report_file.read_text("utf-8"), written.plan_file.read_text("utf-8")):
        assert str(remedy.what) in told


def test_a_snapshot_takes_the_place_of_the_start_and_its_orders(tmp_path: Path) -> None:
    plant = load(SHOP)
    order = load_orders(SHOP, plant)[0]
    at = plant.starts_at + timedelta(days=7)
    jobs = tuple(JobProgress(job, JobState.WAITING) for job in job_orders(plant, explode(plant, order)))
    taken = Snapshot(at, plant_version=version_of(plant).id, orders=(order,), jobs=jobs)
    file = tmp_path / "floor.json"
    file.write_text(snapshot_text(taken), encoding="utf-8")
    quiet = Console(file=io.StringIO())
    written = plan_offline(SHOP, tmp_path / "out", 0.3, 20, console=quiet, snapshot_file=file)
    assert (written.version.orders, written.version.made_at) == ((order.id,), at)

    file.write_text(snapshot_text(replace(taken, plant_version="pv-other")), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"floor\.json: .*'pv-other'"):
        plan_offline(SHOP, tmp_path / "out", 0.3, 20, console=quiet, snapshot_file=file)
    with pytest.raises(InvalidInput, match="cannot be read"):
        plan_offline(SHOP, tmp_path / "out", 0.3, 20, console=quiet, snapshot_file=tmp_path / "none.json")


HOUR = 3600.0
ORDER = "{},C,{},1,2026-01-05T00:00,2026-01-{}T00:00,normal"


def test_waits_and_ways_of_the_folder_are_planned_and_rehearsed(tmp_path: Path) -> None:
    machines = [machine("M1", "heat"), machine("M2", "quench", work_center="far")]
    dried = item(
        "A", floors.operation("heat", HOUR, None), floors.operation("quench", HOUR, None, wait_least_s=3 * HOUR)
    )
    carried = item("B", floors.operation("heat", HOUR, None), floors.operation("quench", HOUR, None))
    ways = {"transport": [{"before": "cell", "after": "far", "time_s": 2 * HOUR}]}
    orders = [ORDER.format("O1", "A", "06"), ORDER.format("O2", "B", "07")]
    write_floor(tmp_path / "floor", machines, [dried, carried], more=ways, orders=orders)
    version = plan_offline(tmp_path / "floor", tmp_path / "out", 0.5, 20, console=Console(file=io.StringIO())).version
    assert version.judgement.passed, version.judgement
    done_h = {one.order: (one.p50 - version.made_at) / timedelta(hours=1) for one in version.verdict.orders}
    assert done_h in ({"O1": 5, "O2": 6}, {"O1": 6, "O2": 4})  # whichever is heated first
    planned = {one.job_order: one.start_s / HOUR for one in version.plan.operations}
    first = planned["O1/1-heat"]
    assert planned["O1/1-quench"] >= first + 4
    assert version.verdict.waits == ()


def test_what_may_wait_too_long_is_told_and_refused_where_that_is_asked(tmp_path: Path) -> None:
    machines = [machine("M1", "heat"), machine("M2", "quench")]
    varied = {"variation": 0.3}
    hot = item(
        "A",
        floors.operation("heat", HOUR, None, **varied),
        floors.operation("quench", HOUR, None, wait_most_s=60),
    )
    other = item("B", floors.operation("quench", HOUR, None, **varied))
    orders = [ORDER.format("O1", "A", "06"), ORDER.format("O2", "B", "06")]
    write_floor(tmp_path / "floor", machines, [hot, other], orders=orders)
    said = io.StringIO()
    console = Console(file=said, width=300)
    version = plan_offline(tmp_path / "floor", tmp_path / "out", 0.5, 400, console=console).version
    (wait,) = version.verdict.waits
    assert (wait.order, wait.job_order, wait.before, wait.most_s) == ("O1", "O1/1-quench", "O1/1-heat", 60.0)
    assert 0.35 < wait.broken < 0.6  # as often as not M2 is busy when what is hot comes
    assert version.judgement.passed
    assert "O1 may spoil: in" in said.getvalue()
    strict = plan_offline(
        tmp_path / "floor", tmp_path / "strict", 0.5, 400, console=console, thresholds=Thresholds(longest_wait=0.2)
    )
    assert not strict.version.judgement.passed
    assert read_plan(strict.plan_file).verdict.waits == strict.version.verdict.waits != ()
