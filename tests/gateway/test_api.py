"""The REST interface: what it takes, what it answers, and how it says what was wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from historian import calibrations, learned, outbox, plans
from plant.actor import SYSTEM, Role
from plant.calibration import Calibration, Estimate, Parameter
from plant.learned import Learned, Paired
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt, new_message_id
from plant.tuning import RuleTuning, Tuning
from tests.gateway.conftest import Site
from tests.operations.shop import MONDAY, VERSION, plan_version

ORDER = {"id": "CO-2", "customer": "ACME", "item": "shaft", "quantity": 2, "due_at": "2026-01-15T12:00:00+01:00"}


def _response(**other: Any) -> dict[str, Any]:
    values = {"id": new_message_id(), "job_order": "CO-1/1-10", "kind": "started", "at": "2026-01-05T08:00:00+01:00"}
    return {**values, "machine": "L1", **other}


def _is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told


async def test_an_order_is_entered_and_listed_in_utc(site: Site) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        site.clock.moment = MONDAY + timedelta(hours=1)
        answer = await client.post("/api/v1/orders", json=ORDER)
        assert answer.status_code == 201
        assert answer.json()["due_at"] == "2026-01-15T11:00:00Z"
        assert answer.json()["ordered_at"] == "2026-01-05T07:00:00Z"
        assert [one["id"] for one in (await client.get("/api/v1/orders")).json()] == ["CO-1", "CO-2"]
        jobs = (await client.get("/api/v1/job-orders", params={"customer_order": "CO-2"})).json()
        assert [(one["job"]["id"], one["state"]) for one in jobs] == [
            ("CO-2/1-10", "waiting"),
            ("CO-2/1-20", "waiting"),
        ]


async def test_the_same_order_again_is_fine_and_another_under_its_id_is_409(site: Site) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        told = {**ORDER, "ordered_at": "2026-01-05T06:00:00Z"}
        assert [(await client.post("/api/v1/orders", json=told)).status_code for _ in range(2)] == [201, 201]
        problem = _is_problem(await client.post("/api/v1/orders", json={**told, "quantity": 3}), 409)
        assert problem["title"] == "conflict"
        assert "CO-2" in problem["detail"]


async def test_an_order_without_ordered_at_can_be_sent_again_later(site: Site) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        first = (await client.post("/api/v1/orders", json=ORDER)).json()
        site.clock.moment += timedelta(minutes=1)
        again = await client.post("/api/v1/orders", json=ORDER)
        assert (again.status_code, again.json()) == (201, first)


@pytest.mark.parametrize(
    "path",
    [
        "/plans/%00",
        "/plans/%00/verdict",
        "/jobs/%00",
        "/machines/%00/states?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z",
        "/job-orders?customer_order=%00",
    ],
)
async def test_an_id_that_cannot_be_kept_is_told_by_name(site: Site, path: str) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        problem = _is_problem(await client.get(f"/api/v1{path}"), 422)
    assert "must not hold the character NUL" in problem["detail"]
    assert "database" not in problem["detail"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"id": "42"}, "id"),
        ({"reason": "a\0b"}, "reason"),
        ({"job_order": "a\0b"}, "job_order"),
        ({"good": 2**31}, "good"),
        ({"scrap": 10**30}, "scrap"),
    ],
)
async def test_what_is_wrong_with_a_response_is_told_by_field(site: Site, change: dict[str, Any], where: str) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        problem = _is_problem(await client.post("/api/v1/job-responses", json=_response(**change)), 422)
    assert [one["where"] for one in problem["problems"]] == [f"body.{where}"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10**9}, "quantity"),
        ({"due_at": "2026-01-15T12:00:00"}, "due_at"),
        ({"due_at": "soon"}, "due_at"),
        ({"due_at": "0001-01-01T00:00:00+14:00"}, "due_at"),
        ({"ordered_at": "9999-12-31T23:59:59-12:00"}, "ordered_at"),
        ({"priority": "urgent"}, "priority"),
        ({"qantity": 1}, "qantity"),
        ({"id": None}, "id"),
        ({"id": "x" * 101}, "id"),
    ],
)
async def test_what_is_wrong_with_a_body_is_told_by_field(site: Site, change: dict[str, Any], where: str) -> None:
    async with await site.machine(Role.SALES) as client:
        problem = _is_problem(await client.post("/api/v1/orders", json={**ORDER, **change}), 422)
    assert [one["where"] for one in problem["problems"]] == [f"body.{where}"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"item": "ghost"}, "ghost"),
        ({"item": "bar"}, "purchased"),
        ({"due_at": "2026-01-01T00:00:00Z"}, "due_at must be after"),
        ({"id": " CO-2"}, "outer spaces"),
        ({"id": "CO\u00002"}, "cannot be printed"),
        ({"customer": "A\nB"}, "cannot be printed"),
        ({"due_at": "2036-01-01T00:00:00Z"}, "due within 5 years"),
        ({"ordered_at": "9999-12-30T00:00:00Z", "due_at": "9999-12-31T00:00:00Z"}, "CO-2"),
    ],
)
async def test_what_makes_no_sense_is_told_in_a_sentence(site: Site, change: dict[str, Any], reason: str) -> None:
    async with await site.machine(Role.SALES) as client:
        problem = _is_problem(await client.post("/api/v1/orders", json={**ORDER, **change}), 422)
        assert reason in problem["detail"]
        assert [one["id"] for one in (await client.get("/api/v1/orders")).json()] == ["CO-1"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"id": "\\ud800"}', b"[" * 100_000, b"1" * 9000]
)
async def test_what_is_no_json_object_is_422(site: Site, body: bytes) -> None:
    async with await site.machine(Role.SALES) as client:
        answer = await client.post("/api/v1/orders", content=body, headers={"content-type": "application/json"})
    assert _is_problem(answer, answer.status_code)["status"] in {400, 422}


async def test_job_responses_are_taken_once_and_refused_with_their_reason(site: Site) -> None:
    async with await site.machine(Role.INTEGRATION) as client:
        started = _response()
        for _ in range(2):
            told = (await client.post("/api/v1/job-responses", json=started)).json()
            assert (told["state"], told["machine"], told["started_at"]) == ("running", "L1", "2026-01-05T07:00:00Z")
        _is_problem(await client.post("/api/v1/job-responses", json={**started, "good": 1}), 409)
        unknown = _is_problem(await client.post("/api/v1/job-responses", json=_response(job_order="ghost")), 404)
        assert "ghost" in unknown["detail"]
        _is_problem(await client.post("/api/v1/job-responses", json=_response(machine="M99")), 422)
        _is_problem(await client.post("/api/v1/job-responses", json=_response(good=-1)), 422)
        _is_problem(await client.post("/api/v1/job-responses", json=_response(kind="paused")), 422)


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        (Role.VIEWER, "POST", "/orders", ORDER),
        (Role.PLANNER, "POST", "/job-responses", _response()),
        (Role.VIEWER, "POST", "/plans", {"reason": "any"}),
        (Role.INTEGRATION, "POST", "/plans/plan-1/release", {}),
        (Role.SUPPLIER, "GET", "/machines", None),
        (Role.MAINTENANCE, "GET", "/plans", None),
        (Role.OPERATOR, "GET", "/orders", None),
        (Role.SALES, "GET", "/health", None),
        (Role.CUSTOMER, "GET", "/oee?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z", None),
        (Role.CUSTOMER, "GET", "/kpis?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z", None),
    ],
)
async def test_a_role_without_the_permission_is_403(site: Site, role: Role, method: str, path: str, body: Any) -> None:
    async with await site.machine(role) as client:
        problem = _is_problem(await client.request(method, f"/api/v1{path}", json=body), 403)
    assert "may not" in problem["detail"]


async def test_a_plan_is_released_or_refused_with_the_gates_reasons(site: Site) -> None:
    async with site.historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, plan_version("plan-1", ("CO-1/1-10", "L1", 0), passed=False))
    async with await site.machine(Role.PLANNER) as client:
        judged = (await client.get("/api/v1/plans/plan-1/verdict")).json()
        assert judged["judgement"]["passed"] is False
        refused = _is_problem(await client.post("/api/v1/plans/plan-1/release", json={}), 409)
        assert (refused["title"], refused["reasons"]) == ("refused by the gate", ["CO-1 is late."])
        _is_problem(await client.post("/api/v1/plans/plan-1/release", json={"override_reason": " "}), 422)
        _is_problem(await client.post("/api/v1/plans/plan-1/release", json={"reason": "misspelt"}), 422)
        body = {"override_reason": "the customer agreed"}
        assert (await client.post("/api/v1/plans/plan-1/release", json=body)).json()["state"] == "released"
        assert (await client.get("/api/v1/plans/plan-1")).json()["state"] == "released"
        assert [one["id"] for one in (await client.get("/api/v1/plans")).json()] == ["plan-1"]
        _is_problem(await client.post("/api/v1/plans/plan-1/release", json=body), 409)


async def test_a_plan_that_is_asked_for_can_be_followed_and_cancelled(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        answer = await client.post("/api/v1/plans", json={"reason": "new orders"})
        assert answer.status_code == 202
        job = answer.json()
        assert site.queue.deferred == [("plan", job["id"])]
        assert (await client.get(f"/api/v1/jobs/{job['id']}")).json()["state"] == "queued"
        assert (await client.post(f"/api/v1/jobs/{job['id']}/cancel")).json()["state"] == "cancelled"


async def test_a_calibration_is_asked_for_listed_and_rolled_back(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        asked = await client.post("/api/v1/calibrations", json={"days": 14})
        assert asked.status_code == 202
        assert (asked.json()["kind"], asked.json()["subject"]) == ("calibration", "last 14 days")
        assert site.queue.deferred == [("calibration", asked.json()["id"])]
        _is_problem(await client.post("/api/v1/calibrations", json={"days": 0}), 422)
        assert (await client.get("/api/v1/calibrations")).json() == []
        _is_problem(await client.post("/api/v1/calibrations/roll-back"), 409)
        _is_problem(await client.post("/api/v1/calibrations/cal-1/adopt"), 404)
        _is_problem(await client.get("/api/v1/calibrations/cal-1/differences", params={"other": "cal-2"}), 404)


async def test_estimates_are_told_without_their_draws(site: Site) -> None:
    estimate = Estimate(Parameter.SCRAP, None, "shaft/10", 0.02, 0.01, 0.03, 500, 0, 0.01, None, (0.02, 0.025))
    made = Calibration(VERSION.id, MONDAY, MONDAY + timedelta(days=1), (estimate,))
    async with site.historian.transaction(SYSTEM, "test") as tx:
        await calibrations.insert(tx, made)
    async with await site.machine(Role.PLANNER) as client:
        told = (await client.get(f"/api/v1/calibrations/{made.id}")).json()
        assert (told["id"], told["plant_version"]) == (made.id, VERSION.id)
        assert (told["estimates"][0]["value"], told["estimates"][0]["posterior"]) == (0.02, 2)
        assert (await client.post(f"/api/v1/calibrations/{made.id}/adopt")).json() == {"in_use": made.id}
        assert [one["adopted"] for one in (await client.get("/api/v1/calibrations")).json()] == [True]
        same = await client.get(f"/api/v1/calibrations/{made.id}/differences", params={"other": made.id})
        assert same.json() == []
        (one,) = (await client.get(f"/api/v1/calibrations/{made.id}/differences")).json()
        assert (one["before"], one["after"], one["low"], one["high"], one["count"]) == (0.01, 0.02, 0.01, 0.03, 500)
        assert (await client.post("/api/v1/calibrations/roll-back")).json() == {"in_use": None}


async def test_learning_is_asked_for_and_what_came_of_it_is_listed_and_given_up(site: Site) -> None:
    better = Paired(8.0, 9.0, 0.5, 0.95, 10, 8, 2)
    span = (MONDAY, MONDAY + timedelta(days=9))
    made = Learned(VERSION.id, Tuning(RuleTuning()), better, None, None, *span, orders=7, candidates=3, seed=1)
    async with await site.machine(Role.PLANNER) as client:
        asked = await client.post("/api/v1/learned")
        assert (asked.status_code, asked.json()["kind"]) == (202, "learning")
        assert site.queue.deferred == [("learning", asked.json()["id"])]
        assert (await client.get("/api/v1/learned")).json() == []
        _is_problem(await client.post("/api/v1/learned/roll-back"), 409)
        async with site.historian.transaction(SYSTEM, "test") as tx:
            await learned.insert(tx, made)
            await learned.adopt(tx, made.id)
        (one,) = (await client.get("/api/v1/learned")).json()
        assert (one["id"], one["better"], one["learned"]["tuning"]["rule"]["kind"]) == (made.id, True, "ATC")
        assert one["used_since"] is not None
        assert (await client.post("/api/v1/learned/roll-back")).json() == {"in_use": None}
        assert [one["used_since"] for one in (await client.get("/api/v1/learned")).json()] == [None]
    async with await site.machine(Role.VIEWER) as client:
        _is_problem(await client.post("/api/v1/learned"), 403)


@pytest.mark.parametrize(
    "path",
    [
        "/plans/ghost",
        "/plans/ghost/verdict",
        "/jobs/ghost",
        "/jobs/0193f0a0-0000-7000-8000-000000000009",
        "/nope",
        "/plans/a/b/c",
    ],
)
async def test_what_does_not_exist_is_404_json(site: Site, path: str) -> None:
    async with await site.machine(Role.PLANNER) as client:
        _is_problem(await client.get(f"/api/v1{path}"), 404)


async def test_a_method_that_does_not_exist_is_405_and_says_which_do(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        answer = await client.delete("/api/v1/orders")
        _is_problem(answer, 405)
        assert set(answer.headers["allow"].split(", ")) & {"GET", "POST"}


@pytest.mark.parametrize(
    ("since", "until", "detail"),
    [
        ("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "366 days"),
        ("2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z", "end after it starts"),
        ("0001-01-01T00:00:00+14:00", "2026-01-05T00:00:00Z", "since"),
        ("2026-01-05T00:00:00", "2026-01-06T00:00:00Z", "since"),
        ("yesterday", "2026-01-06T00:00:00Z", "since"),
    ],
)
async def test_a_period_that_makes_no_sense_is_422(site: Site, since: str, until: str, detail: str) -> None:
    async with await site.machine(Role.VIEWER) as client:
        for path in ("/oee", "/kpis", "/machines/L1/states"):
            answer = await client.get(f"/api/v1{path}", params={"since": since, "until": until})
            assert detail in _is_problem(answer, 422)["detail"]


async def test_the_floor_is_told(site: Site) -> None:
    period = {"since": "2026-01-05T00:00:00Z", "until": "2026-01-06T00:00:00Z"}
    async with await site.machine(Role.VIEWER) as client:
        machines = (await client.get("/api/v1/machines")).json()
        assert [(one["id"], one["state"]) for one in machines] == [(m, "unknown") for m in ("L1", "L2", "MILL", "OVEN")]
        assert (await client.get("/api/v1/machines/L1/states", params=period)).json() == []
        _is_problem(await client.get("/api/v1/machines/M99/states", params=period), 404)
        oee = (await client.get("/api/v1/oee", params=period)).json()
        assert [one["machine"] for one in oee] == [one["id"] for one in machines]
        assert [one["state"] for one in (await client.get("/api/v1/health")).json()] == ["unknown"] * 4
        assert (await client.get("/api/v1/clock")).json() == {"plant_time": MONDAY.isoformat()}


async def test_kpis_are_told_by_machine_and_added_up_to_the_site(site: Site) -> None:
    period = {"since": "2026-01-05T00:00:00Z", "until": "2026-01-06T00:00:00Z"}
    async with await site.machine(Role.VIEWER) as client:
        (one,) = (await client.get("/api/v1/kpis", params={**period, "machine": "L2"})).json()
        assert (one["path"], one["machines"]) == ("site/hall/cell/L2", ["L2"])
        assert one["tally"]["times"]["unknown_s"] == 7.5 * 3600  # an early shift with its break of half an hour
        assert (one["kpis"]["oee"], one["kpis"]["mtbf_s"]) == (0.0, None)
        (whole,) = (await client.get("/api/v1/kpis", params={**period, "level": "site"})).json()
        assert (whole["path"], whole["tally"]["times"]["pbt_s"]) == ("site", 4 * 7.5 * 3600)
        _is_problem(await client.get("/api/v1/kpis", params={**period, "machine": "M99"}), 404)
        _is_problem(await client.get("/api/v1/kpis", params={**period, "level": "galaxy"}), 422)
        _is_problem(await client.get("/api/v1/kpis", params={**period, "micro_stop_s": -1}), 422)
        _is_problem(await client.get("/api/v1/kpis", params={**period, "micro_stop_s": "nan"}), 422)


async def test_a_fault_of_ours_is_500_without_its_insides(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("historian.orders.customer_orders", fail)
    async with await site.machine(Role.VIEWER) as client:
        answer = await client.get("/api/v1/orders")
    _is_problem(answer, 500)
    assert "secret" not in answer.text


async def test_alive_and_ready_are_open_to_all_metrics_are_not(site: Site) -> None:
    async with site.browser() as client:
        assert (await client.get("/healthz")).text == "ok"
        assert (await client.get("/readyz")).json() == {"database": "ok"}
        site.parts = {"database": "no answer"}
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/metrics")).status_code == 401
    async with await site.machine(Role.CUSTOMER) as client:
        _is_problem(await client.get("/metrics"), 403)
    async with await site.machine(Role.VIEWER) as client:
        assert "python_info" in (await client.get("/metrics")).text


async def test_the_interface_description_names_every_route(site: Site) -> None:
    async with await site.machine(Role.VIEWER) as client:
        described = (await client.get("/api/v1/openapi.json")).json()
    assert set(described["paths"]) == {
        "/api/v1/orders",
        "/api/v1/job-orders",
        "/api/v1/job-responses",
        "/api/v1/refused-messages",
        "/api/v1/refused-messages/{message_id}/send-again",
        "/api/v1/plans",
        "/api/v1/plans/{plan_id}",
        "/api/v1/plans/{plan_id}/verdict",
        "/api/v1/plans/{plan_id}/diff",
        "/api/v1/promises",
        "/api/v1/why-not",
        "/api/v1/locks",
        "/api/v1/absences",
        "/api/v1/late-materials",
        "/api/v1/planned-stops",
        "/api/v1/plans/{plan_id}/release",
        "/api/v1/calibrations",
        "/api/v1/calibrations/roll-back",
        "/api/v1/calibrations/{calibration_id}",
        "/api/v1/calibrations/{calibration_id}/adopt",
        "/api/v1/calibrations/{calibration_id}/differences",
        "/api/v1/learned",
        "/api/v1/learned/roll-back",
        "/api/v1/jobs",
        "/api/v1/jobs/{job_id}",
        "/api/v1/jobs/{job_id}/cancel",
        "/api/v1/machines",
        "/api/v1/machines/{machine_id}/states",
        "/api/v1/oee",
        "/api/v1/kpis",
        "/api/v1/health",
        "/api/v1/fidelity",
        "/api/v1/clock",
    }
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            assert told["summary"], (method, path)
            assert any(status.startswith("2") for status in told["responses"])


async def test_what_the_mes_refused_is_listed_and_sent_again_on_command(site: Site) -> None:
    id_ = new_message_id()
    async with site.historian.transaction(SYSTEM, "test") as tx:
        job = {"id": "CO-1/1-10", "revision": 1}
        await outbox.add(tx, OutboxMessage(id_, MessageKind.DISPATCH, "job-order/CO-1/1-10", job))
        await outbox.settle(tx, id_, Receipt(DeliveryState.REFUSED, "unknown machine L1"), MONDAY)
    async with await site.machine(Role.PLANNER) as client:
        (parked,) = (await client.get("/api/v1/refused-messages")).json()
        assert (parked["id"], parked["reason"], parked["payload"]) == (id_, "unknown machine L1", job)
        again = await client.post(f"/api/v1/refused-messages/{id_}/send-again")
        assert again.status_code == 202
        assert (again.json()["payload"], again.json()["id"] != id_) == (job, True)
        assert (await client.get("/api/v1/refused-messages")).json() == []
        _is_problem(await client.post(f"/api/v1/refused-messages/{id_}/send-again"), 404)
    async with await site.machine(Role.SALES) as client:
        _is_problem(await client.post(f"/api/v1/refused-messages/{id_}/send-again"), 403)


async def test_the_twins_error_is_measured_and_read(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        assert (await client.get("/api/v1/fidelity")).json() is None
        measured = await client.post("/api/v1/fidelity")
        assert measured.status_code == 200
        assert measured.json()["job_orders"]["cases"] == 0
        assert (await client.get("/api/v1/fidelity")).json() == measured.json()
    async with await site.machine(Role.VIEWER) as client:
        _is_problem(await client.post("/api/v1/fidelity"), 403)


async def test_when_an_order_could_be_delivered_is_answered_and_nothing_is_kept(site: Site) -> None:
    async with await site.machine(Role.SALES) as client:
        asked = {"item": "shaft", "quantity": 2, "due_at": "2026-01-20T12:00:00Z", "replan": True}
        answer = await client.post("/api/v1/promises", json=asked)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        for way in ("inserted", "replanned"):
            assert "2026-01-05T07" < told[way]["p50"] <= told[way]["p80"] <= told[way]["p95"] < "2026-01-20"
            assert told[way]["on_time"] > 0.9
            assert told[way]["sentences"]
        assert [one["id"] for one in (await client.get("/api/v1/orders")).json()] == ["CO-1"]
        undated = (await client.post("/api/v1/promises", json={"item": "shaft", "quantity": 2})).json()
        assert (undated["inserted"]["on_time"], undated["replanned"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"item": "gold"}, "gold"),
        ({"item": "bar"}, "purchased"),
        ({"quantity": 0}, "greater than 0"),
        ({"due_at": "2026-01-01T00:00:00Z"}, "has passed"),
        ({"due_at": "2051-01-01T00:00:00Z"}, "implausible dates"),
    ],
)
async def test_a_promise_that_cannot_be_asked_for_is_refused(site: Site, change: dict[str, Any], told: str) -> None:
    async with await site.machine(Role.SALES) as client:
        asked = {"item": "shaft", "quantity": 2, **change}
        assert told in _is_problem(await client.post("/api/v1/promises", json=asked), 422)["detail"]
    async with await site.machine(Role.VIEWER) as client:
        _is_problem(await client.post("/api/v1/promises", json={"item": "shaft", "quantity": 2}), 403)


async def test_an_absence_and_a_late_delivery_are_reported(site: Site) -> None:
    async with await site.machine(Role.WAREHOUSE) as client:
        late = {"item": "bar", "until": "2026-01-09T06:00:00Z"}
        assert (await client.post("/api/v1/late-materials", json=late)).status_code == 201
        away = {"person": "P1", "start": "2026-01-05T06:00:00Z", "end": "2026-01-06T06:00:00Z"}
        assert (await client.post("/api/v1/absences", json=away)).status_code == 201
        _is_problem(await client.post("/api/v1/absences", json={**away, "person": "P9"}), 422)


async def test_a_stop_is_planned_listed_and_called_off(site: Site) -> None:
    stop = {"start": "2026-01-06T06:00:00Z", "end": "2026-01-06T10:00:00Z"}
    async with await site.machine(Role.MAINTENANCE) as client:
        assert (await client.post("/api/v1/planned-stops", json={"machine": "L1", **stop})).status_code == 201
        assert (await client.get("/api/v1/planned-stops")).json() == {"L1": stop}
        _is_problem(await client.post("/api/v1/planned-stops", json={"machine": "L9", **stop}), 422)
        turned = {"machine": "L1", "start": stop["end"], "end": stop["start"]}
        _is_problem(await client.post("/api/v1/planned-stops", json=turned), 422)
        assert (await client.delete("/api/v1/planned-stops", params={"machine": "L1"})).status_code == 204
        _is_problem(await client.delete("/api/v1/planned-stops", params={"machine": "L1"}), 404)
    async with await site.machine(Role.VIEWER) as client:
        _is_problem(await client.post("/api/v1/planned-stops", json={"machine": "L1", **stop}), 403)


async def test_a_job_order_is_locked_listed_and_unlocked(site: Site) -> None:
    wanted = {"job_order": "CO-1/1-10", "machine": "L1", "start_at": "2026-01-06T07:00:00Z"}
    async with await site.machine(Role.PLANNER) as client:
        made = await client.post("/api/v1/locks", json=wanted)
        assert made.status_code == 201, made.text
        (listed,) = (await client.get("/api/v1/locks")).json()
        assert listed == made.json()
        assert {name: listed[name] for name in wanted} == wanted
        why = _is_problem(await client.post("/api/v1/locks", json={**wanted, "machine": "MILL"}), 422)
        assert why["detail"] == "MILL cannot take CO-1/1-10; L1, L2 can"
        assert (await client.delete("/api/v1/locks", params={"job_order": "CO-1/1-10"})).status_code == 204
        _is_problem(await client.delete("/api/v1/locks", params={"job_order": "CO-1/1-10"}), 404)
        assert (await client.get("/api/v1/locks")).json() == []
    async with await site.machine(Role.VIEWER) as client:
        _is_problem(await client.post("/api/v1/locks", json=wanted), 403)


async def test_two_plans_are_compared(site: Site) -> None:
    first = plan_version("plan-1", ("CO-1/1-10", "L1", 0.0))
    second = plan_version("plan-2", ("CO-1/1-10", "L2", 0.0), parent="plan-1")
    async with site.historian.transaction(SYSTEM, "test") as tx:
        await plans.insert(tx, first)
        await plans.insert(tx, second)
    async with await site.machine(Role.VIEWER) as client:
        told = (await client.get("/api/v1/plans/plan-2/diff")).json()
        assert told["machines"] == [{"job_order": "CO-1/1-10", "before": "L1", "after": "L2"}]
        assert told["sentences"][0] == "CO-1/1-10 goes to L2 instead of L1."
        same = await client.get("/api/v1/plans/plan-2/diff", params={"against": "plan-2"})
        assert same.json()["sentences"] == ["Both plans do the same in the same order."]
        _is_problem(await client.get("/api/v1/plans/plan-1/diff"), 422)
        _is_problem(await client.get("/api/v1/plans/plan-9/diff"), 404)


async def test_why_an_order_cannot_be_done_in_time_is_told_in_shop_words(site: Site) -> None:
    async with await site.machine(Role.PLANNER) as client:
        early = {"orders": ["CO-1"], "by": "2026-01-05T07:00:00Z"}
        answer = await client.post("/api/v1/why-not", json=early)
        assert answer.status_code == 200, answer.text
        assert answer.json()["conflict"] == [
            "CO-1 has from Mon 5 Jan 06:00 to Mon 5 Jan 07:00 for 2 steps one after the other, CO-1/1-10 to CO-1/1-20, "
            "which take 62 min at least"
        ]
        assert (await client.post("/api/v1/why-not", json={"orders": ["CO-1"]})).json() == {"conflict": []}
        _is_problem(await client.post("/api/v1/why-not", json={"orders": ["CO-9"]}), 404)
        _is_problem(await client.post("/api/v1/why-not", json={"orders": []}), 422)


async def test_a_date_that_cannot_be_promised_is_explained(site: Site) -> None:
    async with await site.machine(Role.SALES) as client:
        asked = {"item": "shaft", "quantity": 2, "due_at": "2026-01-05T06:50:00Z"}
        told = (await client.post("/api/v1/promises", json=asked)).json()
    assert told["inserted"]["on_time"] < 0.05
    assert told["impossible"] == [
        "(new) must be done by Mon 5 Jan 06:50",
        "what (new)/1-10 needs is there on Mon 5 Jan 07:00",
    ]
