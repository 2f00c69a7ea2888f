"""The emulated plant as its own process, a gateway that takes its responses, and readers of its sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from plant.clock import Anchor, EmulatedPlantClock
from plant.plant import Plant
from tests.emulator.parts import SHOP, at, free_port

ROOT = Path(__file__).parents[2]
KEY = "key-of-the-emulated-plant"
SOON = 20.0


def wait_for(condition: Callable[[], Any], what: str, seconds: float = SOON) -> Any:
    """Return the first true value of `condition`; fail naming `what` when it stays false for `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.02)
    return value


class EmulatorProcess:
    """``python -m emulator``, started, killed and started again on the same state."""

    def __init__(self, folder: Path, mqtt_port: int, gateway_port: int, rate: float) -> None:
        self.state_dir = folder / "state"
        self._log = folder / "emulator.log"
        self._ports = {name: free_port() for name in ("opcua", "modbus", "http")}
        self._arguments = [
            *(sys.executable, "-m", "emulator", str(SHOP), "--state-dir", str(self.state_dir), "--rate", str(rate)),
            *("--gateway-url", f"http://127.0.0.1:{gateway_port}", "--mqtt-port", str(mqtt_port)),
            *(part for name, port in self._ports.items() for part in (f"--{name}-port", str(port))),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self._ports['http']}", timeout=10, trust_env=False)

    @property
    def opcua(self) -> str:
        """Where its OPC UA server listens."""
        return f"opc.tcp://127.0.0.1:{self._ports['opcua']}"

    @property
    def modbus_port(self) -> int:
        """Where its Modbus server listens."""
        return self._ports["modbus"]

    def start(self) -> None:
        """Start it and wait until it has told its endpoints."""
        endpoints = self.state_dir / "endpoints.json"
        endpoints.unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORERUN_EMULATOR_API_KEY": KEY}
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(self._arguments, env=environment, stdout=log, stderr=log)
        wait_for(lambda: endpoints.exists() or process.poll() is not None, "the emulator to start")
        assert process.poll() is None, self._log.read_text()[-2000:]

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        return process.wait(SOON)

    def close(self) -> None:
        """End it however it stands."""
        self.http.close()
        if self._process is not None:
            self.end(signal.SIGKILL)

    def log(self) -> list[dict[str, Any]]:
        """Return the whole truth log."""
        entries: list[dict[str, Any]] = self.http.get("/log").raise_for_status().json()
        return entries

    def clock(self, plant: Plant) -> datetime:
        """Return the plant time as another process knows it from the anchor."""
        told = self.http.get("/clock").raise_for_status().json()
        times = {name: datetime.fromisoformat(told[name]) for name in ("plant", "wall")}
        return EmulatedPlantClock(plant, Anchor(**times, rate=told["rate"])).now()

    def put(self, job_order: str, key: str | None = None, **changes: Any) -> httpx.Response:
        """Dispatch a job order: two pieces of the first operation its machine can do, unless `changes` say else."""
        body = {
            **{"revision": 1, "item": "SH-20", "operation": "10", "quantity": 2, "setup_family": "saw small bar"},
            **{"machine": "M01", "planned_start": at(0).isoformat(), "planned_end": at(3600).isoformat()},
            **{"sequence": 0, "production_order": job_order.split("-", 2)[0], "customer_order": "CO-1"},
            **{"release_at": at(0).isoformat(), "predecessors": [], "batch": None},
            **changes,
        }
        return self.http.put(f"/job-orders/{job_order}", json=body, headers={"Idempotency-Key": key} if key else {})


def dispatch_to_all(emulator: EmulatorProcess, plant: Plant, rounds: int, prefix: str) -> list[str]:
    """Give every machine `rounds` short job orders that wait for nobody; return their ids."""
    ids: list[str] = []
    for machine in plant.machines:
        doable = [
            (item.id, operation)
            for item in plant.made_items()
            for operation in item.routing
            if operation.capability in machine.capabilities
        ]
        for number in range(rounds):
            item, operation = doable[number % len(doable)]
            job_order = f"{prefix}-{machine.id}/{number}-{operation.id}"
            answer = emulator.put(
                job_order,
                f"key-{job_order}",
                **{"machine": machine.id, "item": item, "operation": operation.id, "sequence": number},
                **{"setup_family": operation.setup_family},
            )
            assert answer.status_code == 200, answer.text
            ids.append(job_order)
    return ids


class Gateway:
    """A real HTTP server in the gateway's place."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._server: ThreadingHTTPServer | None = None
        self.bodies: list[dict[str, Any]] = []
        self.refuse: set[str] = set()
        """Job orders whose responses are refused."""
        self.faults: list[int] = []
        """Status codes of the next answers, before it takes anything."""

    def start(self) -> None:
        """Listen; harmless when it does."""
        if self._server is not None:
            return
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/api/v1/job-responses"
                assert self.headers["Authorization"] == f"Bearer {KEY}"
                if gateway.faults:
                    self.send_response(gateway.faults.pop(0))
                    self.end_headers()
                    return
                refused = body["job_order"] in gateway.refuse
                gateway.bodies.append(body)
                self.send_response(404 if refused else 202)
                self.end_headers()
                self.wfile.write(b'{"detail": "unknown job order"}' if refused else b"{}")

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class MqttReader:
    """A subscriber with a persistent session that keeps what it is sent."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, str, dict[str, Any]]] = []
        """Machine, group and body."""
        granted = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="reader", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe("machine-shop/#", qos=1)
        self._client.on_subscribe = lambda *_: granted.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert granted.wait(SOON), "the subscription was not granted"

    def _take(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        _, machine, group = message.topic.rsplit("/", 2)
        self.messages.append((machine, group, json.loads(message.payload)))

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
