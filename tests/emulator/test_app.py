"""The emulated plant as a process of its own, reached only over its sockets."""

from __future__ import annotations

import asyncio
import itertools
import signal
import struct
from collections import Counter, defaultdict
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from emulator.app import EmulatorSettings, run
from plant.errors import Conflict
from plant.folder import load
from plant.machine_state import MachineState, packml_of, state_of
from plant.plant import Plant
from tests.emulator.parts import SHOP, Mosquitto, free_port, until
from tests.emulator.running import EmulatorProcess, Gateway, MqttReader, dispatch_to_all, wait_for

RATE = 2400.0
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load(SHOP)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture(scope="module")
def broker(folder: Path) -> Generator[Mosquitto, None, None]:
    with Mosquitto(folder) as running:
        yield running


@pytest.fixture(scope="module")
def gateway() -> Generator[Gateway, None, None]:
    """A gateway that is away until a test starts it."""
    running = Gateway(free_port())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def reader(broker: Mosquitto) -> Generator[MqttReader, None, None]:
    """A subscriber who is there before the machines."""
    running = MqttReader(broker.port)
    yield running
    running.close()


@pytest.fixture(scope="module")
def emulator(
    folder: Path, broker: Mosquitto, reader: MqttReader, gateway: Gateway
) -> Generator[EmulatorProcess, None, None]:
    """One plant for all tests of this module: it lives on through their kills and restarts."""
    running = EmulatorProcess(folder, broker.port, gateway.port, RATE)
    running.start()
    yield running
    running.close()


def _completed(log: list[Entry]) -> list[Entry]:
    return [entry for entry in log if entry["kind"] == "job" and entry["response"] == "completed"]


def _machines_done(emulator: EmulatorProcess) -> set[str]:
    return {entry["machine"] for entry in _completed(emulator.log())}


def _states(log: list[Entry], machine: str) -> list[tuple[datetime, str, str]]:
    return [
        (datetime.fromisoformat(entry["at"]), entry["state"], entry["job_order"] or "")
        for entry in log
        if entry["kind"] == "state" and entry["machine"] == machine
    ]


def test_all_protocols_tell_what_the_log_says(
    plant: Plant, emulator: EmulatorProcess, reader: MqttReader, gateway: Gateway
) -> None:
    opcua, ring = asyncio.run(_watch(plant, emulator))
    log = emulator.log()
    _check_opcua(log, opcua)
    assert ring == [(at, packml_of(MachineState(state)), job) for at, state, job in _states(log, "M11")[: len(ring)]]
    truth = _states(log, "M06")
    wait_for(lambda: _mqtt_states(reader, "M06")[: len(truth)] == truth, "all states of M06")
    assert {group for _, group, _ in reader.messages} == {"state", "count", "condition"}
    _check_job_responses(log, gateway)


async def _watch(plant: Plant, emulator: EmulatorProcess) -> tuple[dict[str, list[Any]], list[Any]]:
    """Subscribe and poll from before the first job order is dispatched until machines on all protocols have worked."""
    seen: dict[str, list[Any]] = defaultdict(list)

    class Handler:
        def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
            stamp = data.monitored_item.Value.SourceTimestamp.replace(tzinfo=UTC)
            seen[node.nodeid.Identifier].append((stamp, value))

    controller = AsyncModbusTcpClient("127.0.0.1", port=emulator.modbus_port)
    assert await controller.connect()
    async with Client(emulator.opcua) as client:
        index = await client.get_namespace_index("urn:forerun:machine-shop")
        names = ["packml_state", "packml_mode", "interlocks", "job_order", "good_count", "scrap_count", "temperature_c"]
        subscription = await client.create_subscription(50, Handler())
        nodes = [client.get_node(ua.NodeId(f"M02.{name}", index)) for name in names]
        await subscription.subscribe_data_change(nodes, queuesize=1000)
        await asyncio.to_thread(dispatch_to_all, emulator, plant, 3, "CO-P")
        await asyncio.to_thread(wait_for, lambda: len(_machines_done(emulator)) >= 10, "ten machines to have worked")
        ring = await _read_ring(controller, 11)
        last = _states(await asyncio.to_thread(emulator.log), "M02")[-1]
        await until(lambda: seen["M02.job_order"][-1][0] >= last[0], "the last change over OPC UA")
    controller.close()
    return dict(seen), ring


async def _read_ring(client: AsyncModbusTcpClient, device: int) -> list[Any]:
    async def read(address: int, size: int) -> bytes:
        answer = await client.read_input_registers(address, count=size, device_id=device)
        return struct.pack(f">{size}H", *answer.registers)

    (head,) = struct.unpack(">I", await read(40, 2))
    assert 3 < head <= 32, "few enough to be all in the ring"
    found = []
    for number in range(1, head + 1):
        _, stamp, *shown, job = struct.unpack(">IQHHH24s", await read(50 + 21 * (number % 32), 21))
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp)
        found.append((moment, tuple(shown), job.rstrip(b"\0").decode()))
    return found


def _check_opcua(log: list[Entry], seen: dict[str, list[Any]]) -> None:
    """Each value of the state tuple, folded over its source timestamps, is the log's at each change."""
    stamps = {name: dict(changes) for name, changes in seen.items()}
    for moment, state, job in _states(log, "M02"):
        if moment > seen["M02.job_order"][-1][0]:
            break
        tuple_then = [_value_at(seen[f"M02.{name}"], moment) for name in ("packml_state", "packml_mode", "interlocks")]
        assert state_of(*tuple_then) == state, f"at {moment}"
        assert _value_at(seen["M02.job_order"], moment) == job
    counts = [entry for entry in log if entry["kind"] == "count" and entry["machine"] == "M02"]
    assert counts, "M02 made pieces"
    changed = stamps["M02.good_count"]
    assert set(changed.items()) <= {(datetime.fromisoformat(c["at"]), c["good"]) for c in counts} | {
        min(changed.items())
    }
    sampled = [moment for moment, _ in seen["M02.temperature_c"]]
    assert len(sampled) > 20
    assert all((moment - sampled[0]) % timedelta(seconds=30) == timedelta(0) for moment in sampled)


def _value_at(changes: list[tuple[datetime, Any]], moment: datetime) -> Any:
    return [value for stamp, value in changes if stamp <= moment][-1]


def _mqtt_states(reader: MqttReader, machine: str) -> list[tuple[datetime, str, str]]:
    found = [
        (
            datetime.fromisoformat(body["time"]),
            str(state_of(*(body["values"][name] for name in ("packml_state", "packml_mode", "interlocks")))),
            body["values"]["job_order"],
        )
        for sender, group, body in list(reader.messages)
        if (sender, group) == (machine, "state")
    ]
    return list(dict.fromkeys(found))


def _check_job_responses(log: list[Entry], gateway: Gateway) -> None:
    """The gateway was away all the time: all responses come, each once, in order."""
    assert gateway.bodies == []
    gateway.refuse = {_completed(log)[0]["job_order"]}
    gateway.start()
    expected = [entry["id"] for entry in log if entry["kind"] == "job"]
    wait_for(lambda: len(gateway.bodies) >= len(expected), "the job responses")
    assert [body["id"] for body in gateway.bodies[: len(expected)]] == expected
    by_job: dict[str, list[Entry]] = defaultdict(list)
    for body in gateway.bodies:
        by_job[body["job_order"]].append(body)
    for entry in _completed(log):
        kinds = [body["kind"] for body in by_job[entry["job_order"]]]
        assert kinds[0] == "started"
        assert kinds[-1] == "completed"
        assert set(kinds[1:-1]) <= {"progress"}
        last = by_job[entry["job_order"]][-1]
        assert (last["good"] + last["scrap"], last["machine"]) == (2, entry["machine"])


def test_the_mes_and_its_commands(plant: Plant, emulator: EmulatorProcess, gateway: Gateway) -> None:
    gateway.refuse = {"CO-1/1-10"}
    gateway.start()
    waiting = {"predecessors": ["CO-9/9-99"]}
    assert emulator.put("CO-1/2-10", revision=5, sequence=7, **waiting).json()["result"] == "stored"
    assert emulator.put("CO-1/2-10", revision=4, sequence=1, **waiting).json()["result"] == "superseded"
    assert emulator.http.get("/job-orders/CO-1/2-10").json()["sequence"] == 7
    assert emulator.put("CO-1/2-10", revision=6, sequence=8, **waiting).json()["result"] == "stored"
    known = emulator.http.get("/job-orders/CO-1/2-10").json()
    assert (known["sequence"], known["state"]) == (8, "dispatched")

    assert emulator.put("CO-1/1-10", key="k1").status_code == 200
    wait_for(lambda: emulator.http.get("/job-orders/CO-1/1-10").json()["state"] != "dispatched", "the start")
    refused = emulator.put("CO-1/1-10", key="k2", revision=2)
    assert refused.status_code == 409
    assert "CO-1/1-10 has begun" in refused.json()["detail"]
    assert emulator.put("CO-1/1-10", key="k1").status_code == 200, "the same message again has the same answer"
    _check_refusals(emulator)

    assert emulator.http.post("/commands/break", json={"machine": "M05", "duration_s": None}).status_code == 202
    broken = wait_for(lambda: _latest(emulator, "M05", "breakdown"), "the breakdown")
    assert emulator.http.post("/commands/repair", json={"machine": "M05"}).status_code == 202
    wait_for(lambda: _latest(emulator, "M05", "idle"), "the repair")
    assert emulator.http.post("/commands/abort", json={"job_order": "CO-1/2-10", "reason": "cancelled"}).is_success
    wait_for(lambda: any(body["kind"] == "aborted" for body in gateway.bodies), "the aborted response")
    aborted = next(body for body in gateway.bodies if body["kind"] == "aborted")
    assert (aborted["job_order"], aborted["reason"], aborted["good"]) == ("CO-1/2-10", "cancelled", 0)

    log = emulator.log()
    commands = [entry for entry in log if entry["kind"] in ("break", "repair", "abort")]
    assert [entry["kind"] for entry in commands] == ["break", "repair", "abort"]
    assert datetime.fromisoformat(commands[0]["at"]) <= broken
    told = wait_for(lambda: _refused(emulator, "CO-1/1-10"), "the refused response in the log")
    assert "404" in told[0]["answer"]
    assert emulator.http.get("/log", params={"since": log[4]["n"], "limit": 2}).json() == log[5:7]


def _refused(emulator: EmulatorProcess, job_order: str) -> list[Entry]:
    return [entry for entry in emulator.log() if entry["kind"] == "refused" and entry["job_order"] == job_order]


def _check_refusals(emulator: EmulatorProcess) -> None:
    for changes, status, word in [
        ({"machine": "M99"}, 422, "M99"),
        ({"machine": "M02"}, 422, "sawing"),
        ({"quantity": 0}, 422, "quantity"),
        ({"planned_start": "2026-01-05T06:00:00"}, 422, "planned_start"),
        ({"unheard": 1}, 422, "unheard"),
    ]:
        answer = emulator.put("CO-2/1-10", **changes)
        assert answer.status_code == status, answer.text
        assert word in answer.text
    too_long = emulator.put("CO-" + "9" * 30, machine="M11", item="HS-100", operation="40")
    assert too_long.status_code == 422
    assert "24 ASCII" in too_long.json()["detail"]
    assert emulator.http.get("/job-orders/CO-2/1-10").status_code == 404
    assert emulator.http.post("/commands/break", json={"machine": "M99"}).status_code == 404


def _latest(emulator: EmulatorProcess, machine: str, state: str) -> datetime | None:
    at, shown, _ = _states(emulator.log(), machine)[-1]
    return at if shown == state else None


def test_killed_and_started_again_it_contradicts_nothing(
    plant: Plant, emulator: EmulatorProcess, reader: MqttReader, gateway: Gateway
) -> None:
    gateway.start()
    ids = dispatch_to_all(emulator, plant, 3, "CO-R")
    done = len(_completed(emulator.log()))
    for completed in (done + 4, done + 10):
        wait_for(lambda least=completed: len(_completed(emulator.log())) >= least, f"{completed} completed")
        last_job = emulator.put(f"CO-K/{completed}-10", predecessors=["never"], key=f"kill {completed}")
        assert last_job.status_code == 200
        before, shown = emulator.log(), emulator.clock(plant)
        assert emulator.end(signal.SIGKILL) == -signal.SIGKILL
        emulator.start()
        assert emulator.clock(plant) >= shown, "the clock does not go back"
        assert emulator.log()[: len(before)] == before, "what the log has told stays told"
        assert emulator.http.get(f"/job-orders/CO-K/{completed}-10").is_success, "an answered command is kept"
    wait_for(lambda: len(_completed(emulator.log())) >= done + 14, "work to go on")
    log = emulator.log()
    _check_log(log, plant, ids)
    _check_mqtt(log, reader)
    expected = [entry["id"] for entry in log if entry["kind"] == "job"]
    wait_for(lambda: set(expected) <= {body["id"] for body in gateway.bodies}, "all job responses")
    told = list(dict.fromkeys(body["id"] for body in gateway.bodies))
    assert told[: len(expected)] == expected, "in order, each once by its id"


def _check_log(log: list[Entry], plant: Plant, ids: list[str]) -> None:
    assert [entry["n"] for entry in log] == list(range(1, len(log) + 1)), "numbered without a gap"
    for machine in plant.machines:
        states = _states(log, machine.id)
        assert all(one[0] < two[0] for one, two in itertools.pairwise(states)), f"{machine.id}: time goes on"
        assert all(one[1:] != two[1:] for one, two in itertools.pairwise(states)), f"{machine.id}: each is a change"
        parts = [entry for entry in log if entry["kind"] == "count" and entry["machine"] == machine.id]
        for one, two in itertools.pairwise(parts):
            assert two["good"] - one["good"] == two["delta_good"]
            assert two["scrap"] - one["scrap"] == two["delta_scrap"]
    ends = Counter(entry["job_order"] for entry in _completed(log))
    assert len(set(ends) & set(ids)) >= 10
    assert set(ends.values()) == {1}, "nothing is completed twice"
    starts = Counter(e["job_order"] for e in log if e["kind"] == "job" and e["response"] == "started")
    assert set(starts.values()) == {1}, "nothing is begun twice"


def _check_mqtt(log: list[Entry], reader: MqttReader) -> None:
    """All was published, nothing else was, and no reading ever had two values."""
    for machine in ("M06", "M07", "M08", "M09"):
        truth = _states(log, machine)
        wait_for(lambda m=machine, t=truth: _mqtt_states(reader, m)[: len(t)] == t, f"all states of {machine}")
    values: dict[tuple[str, str, str], set[Any]] = defaultdict(set)
    for machine, _, body in list(reader.messages):
        for signal_name, value in body["values"].items():
            values[machine, signal_name, body["time"]].add(value)
    contradictions = {key: found for key, found in values.items() if len(found) > 1}
    # Two changes at one instant are told one after the other: the state tuple alone may have both.
    assert {key for key in contradictions if key[1].endswith(("_c", "_s", "_kw", "_count"))} == set()


def test_stopped_it_stands_still(plant: Plant, emulator: EmulatorProcess) -> None:
    assert emulator.http.get("/healthz").status_code == 200  # or the next line would run a plant of its own, for ever
    with pytest.raises(Conflict, match="another emulated plant runs in"):
        run(EmulatorSettings(SHOP, emulator.state_dir, gateway_url="http://127.0.0.1:1", api_key="x"))
    shown = emulator.clock(plant)
    assert emulator.end(signal.SIGINT) == 0
    emulator.start()
    told = emulator.http.get("/clock").json()
    stood_still_at = datetime.fromisoformat(told["plant"])
    assert shown <= stood_still_at <= emulator.clock(plant)
    assert told["rate"] == RATE
