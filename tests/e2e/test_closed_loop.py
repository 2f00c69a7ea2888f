"""The closed loop from order to completion, checked against what truly happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import ROOT, Installation, until
from tests.e2e.truth import Truth

pytestmark = pytest.mark.alone

PLANT = ROOT / "plants" / "machine_shop"
SETTLE = timedelta(minutes=2)
QUIET = timedelta(minutes=1)
POLLED = {"M10", "M11", "M12", "M13"}


def finished_job(api: httpx.Client, job_id: str, seconds: float = 60) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = api.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
        return job if job["state"] not in {"queued", "running"} else None

    job: dict[str, Any] = until(ended, f"long job {job_id} to end", seconds)
    return job


def plan_time(api: httpx.Client) -> datetime:
    return datetime.fromisoformat(api.get("/api/v1/clock").raise_for_status().json()["plant_time"])


def emulator_log(forerun: Installation) -> list[dict[str, Any]]:
    with forerun.emulator() as emulator:
        entries: list[dict[str, Any]] = []
        while True:
            page = emulator.get("/log", params={"since": entries[-1]["n"] if entries else 0}).raise_for_status().json()
            if not page:
                return entries
            entries += page


def quiet_moment(log: list[dict[str, Any]], latest: datetime) -> datetime:
    """Return a moment around which no polled controller counts: of two counts between two polls it shows the last."""
    counts = [
        datetime.fromisoformat(entry["at"]) for entry in log if entry["kind"] == "count" and entry["machine"] in POLLED
    ]
    moment = latest
    while any(abs(at - moment) < QUIET for at in counts):
        moment -= timedelta(seconds=10)
    return moment


@pytest.fixture(scope="module")
def released(forerun: Installation) -> str:
    """A plan that was made, judged and released over the API."""
    with forerun.api() as api:
        orders = api.get("/api/v1/orders").raise_for_status().json()
        assert len(orders) >= 40
        first = until(lambda: api.get("/api/v1/plans").raise_for_status().json(), "the first plan", 60)
        plan = first[0]["id"]
        verdict = api.get(f"/api/v1/plans/{plan}/verdict").raise_for_status().json()
        assert verdict["verdict"]["replications"] == 1000
        assert {one["order"] for one in verdict["verdict"]["orders"]} == {order["id"] for order in orders}
        assert verdict["judgement"]["passed"], verdict["judgement"]["reasons"]
        api.post(f"/api/v1/plans/{plan}/release", json={}).raise_for_status()
        return str(plan)


def completed(api: httpx.Client) -> list[dict[str, Any]]:
    jobs = api.get("/api/v1/job-orders").raise_for_status().json()
    return [job for job in jobs if job["state"] == "completed"]


def test_ten_job_orders_go_all_the_way_and_what_is_stored_is_what_happened(
    forerun: Installation, released: str
) -> None:
    with forerun.api() as api:
        until(lambda: len(completed(api)) >= 10, "10 completed job orders", 120)
        past: Past = until(lambda: _look_back(forerun, api), "a quiet moment after 10 completed job orders", 60)
        until(lambda: _is_told(api, past), "what happened before it to be stored", 60)
        _check_states(api, past)
        _check_counters(api, past)
        _check_progress(api, past)
        _check_oee(api, past)


@dataclass(frozen=True)
class Past:
    """What truly happened in a period."""

    truth: Truth
    start: datetime
    cut: datetime

    @property
    def period(self) -> dict[str, str]:
        return {"since": self.start.isoformat(), "until": self.cut.isoformat()}


def _look_back(forerun: Installation, api: httpx.Client) -> Past | None:
    """Return the past up to a quiet moment, None while fewer than ten job orders were completed before it."""
    now = plan_time(api)
    log = emulator_log(forerun)
    cut = quiet_moment(log, now - SETTLE)
    truth = Truth(PLANT, log, cut)
    return Past(truth, datetime.fromisoformat(log[0]["at"]), cut) if len(truth.completed()) >= 10 else None


def _is_told(api: httpx.Client, past: Past) -> bool:
    """Tell whether as much is stored as happened: readings and responses are on their way for a while."""
    stored = {job["job"]["id"] for job in completed(api)}
    counts = {name: good + scrap for name, (good, scrap) in _counted(api, past).items()}
    return stored >= past.truth.completed().keys() and all(
        len(_stored_states(api, machine, past)) >= len(past.truth.states(machine))
        and counts[machine] >= sum(past.truth.pieces(machine, past.start))
        for machine in past.truth.machines
    )


def _stored_states(api: httpx.Client, machine: str, past: Past) -> list[tuple[datetime, str, str | None]]:
    stored = api.get(f"/api/v1/machines/{machine}/states", params=past.period).raise_for_status().json()
    seen = [(datetime.fromisoformat(one["started_at"]), one["state"], one["job_order"]) for one in stored]
    return [one for one in seen if one[0] <= past.cut]


def _counted(api: httpx.Client, past: Past) -> dict[str, tuple[int, int]]:
    figures = api.get("/api/v1/oee", params=past.period).raise_for_status().json()
    return {one["machine"]: (one["times"]["good"], one["times"]["scrap"]) for one in figures}


def _check_states(api: httpx.Client, past: Past) -> None:
    for machine in past.truth.machines:
        happened = [(one.at, one.state, one.job_order) for one in past.truth.states(machine)]
        assert _stored_states(api, machine, past) == happened, machine


def _check_counters(api: httpx.Client, past: Past) -> None:
    counted = _counted(api, past)
    for machine in past.truth.machines:
        assert counted[machine] == past.truth.pieces(machine, past.start), machine
    assert sum(map(sum, counted.values())) > 0


def _check_progress(api: httpx.Client, past: Past) -> None:
    stored = {job["job"]["id"]: job for job in completed(api)}
    for name, entry in past.truth.completed().items():
        assert (stored[name]["good"], stored[name]["scrap"]) == (entry["good"], entry["scrap"]), name
        assert datetime.fromisoformat(stored[name]["completed_at"]) == entry["at"]
        assert stored[name]["machine"] == entry["machine"]


def _check_oee(api: httpx.Client, past: Past) -> None:
    for one in api.get("/api/v1/oee", params=past.period).raise_for_status().json():
        overtime = one["times"]["overtime_s"]
        assert overtime == 0 or one["machine"] == "M10", f"{one['machine']} worked {overtime} s outside its calendar"
        expected = past.truth.oee(one["machine"], past.start)
        if expected is None:
            assert one["oee"] is None
        else:
            assert one["oee"] == pytest.approx(expected, abs=0.001), one["machine"]


def test_a_commanded_breakdown_leads_to_a_new_plan_version(forerun: Installation, released: str) -> None:
    with forerun.api() as api, forerun.emulator() as emulator:
        known = {plan["id"] for plan in api.get("/api/v1/plans").raise_for_status().json()}
        busy = until(
            lambda: [one["id"] for one in api.get("/api/v1/machines").json() if one["state"] == "executing"],
            "a machine to run",
            60,
        )[0]
        emulator.post("/commands/break", json={"machine": busy, "duration_s": 7200}).raise_for_status()

        def fresh() -> list[dict[str, Any]]:
            plans = api.get("/api/v1/plans").raise_for_status().json()
            return [plan for plan in plans if plan["id"] not in known and busy in plan["reason"]]

        plan = until(fresh, f"a plan because of the breakdown of {busy}", 60)[0]
        version = api.get(f"/api/v1/plans/{plan['id']}").raise_for_status().json()
        assert version["parent"] == released


def test_what_cannot_be_right_is_refused_with_its_reason_and_the_loop_goes_on(
    forerun: Installation, released: str
) -> None:
    with forerun.api() as api, forerun.mes_api() as mes:
        unknown_item = {
            "id": "CO-X",
            "customer": "x",
            "item": "no-such",
            "quantity": 1,
            "due_at": "2026-02-01T00:00:00Z",
        }
        answer = api.post("/api/v1/orders", json=unknown_item)
        assert answer.status_code == 422
        assert "no-such" in answer.json()["detail"]
        response = {
            "id": "0193f0a0-0000-7000-8000-000000000001",
            "job_order": "no-such-job",
            "kind": "started",
            "at": "2026-01-05T00:00:00Z",
            "machine": "M01",
        }
        answer = mes.post("/api/v1/job-responses", json=response)
        assert answer.status_code == 404
        assert "no-such-job" in answer.json()["detail"]
        before = len(completed(api))
        until(lambda: len(completed(api)) > before, "another completed job order", 90)


def test_the_same_job_response_again_changes_nothing(forerun: Installation, released: str) -> None:
    with forerun.api() as api, forerun.mes_api() as mes:
        until(lambda: completed(api), "a completed job order", 120)
        sent = next(
            entry for entry in emulator_log(forerun) if entry["kind"] == "job" and entry["response"] == "completed"
        )
        body = {
            name: sent[name] for name in ("id", "job_order", "at", "machine", "good", "scrap", "reason") if name in sent
        }
        body["kind"] = "completed"
        before = next(job for job in completed(api) if job["job"]["id"] == sent["job_order"])
        again = mes.post("/api/v1/job-responses", json=body)
        assert again.status_code == 200, again.text
        assert again.json() == before
        body["good"] += 1
        assert mes.post("/api/v1/job-responses", json=body).status_code == 409


def test_nobody_gets_in_unknown(forerun: Installation) -> None:
    with httpx.Client(base_url=forerun.url, trust_env=False) as nobody:
        assert nobody.get("/api/v1/orders").status_code == 401
        assert nobody.get("/metrics").status_code in {303, 401}
        assert nobody.get("/").headers["location"].startswith("/login")
        assert nobody.get("/api/v1/orders", headers={"Host": "evil.example"}).status_code == 400
        assert nobody.get("/healthz").text == "ok"
