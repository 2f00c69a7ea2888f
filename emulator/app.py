"""The emulated factory as a process: its own clock, its machines on real sockets, and the reference MES."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import signal
import socket
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from emulator.factory import Factory, Step, resume_at
from emulator.floor import EmulatedFloor
from emulator.journal import Entry, Journal
from emulator.machines import Machines
from emulator.mes import build_api
from emulator.responses import ResponseSender
from emulator.settings import HOST, EmulatorSettings
from emulator.signals import ConditionModel
from emulator.timekeeper import Timekeeper
from emulator.truth import Truth
from plant.errors import Conflict, Unavailable
from plant.folder import load
from plant.plant import Plant

__all__ = ["EmulatorSettings", "run"]

TICK_S = 0.02
"""Wall time between two steps of the floor."""
ENDPOINTS_FILE = "endpoints.json"
"""In `state_dir`, while the process serves: where its API and each connection are reached."""
_log = structlog.get_logger(__name__)


def run(settings: EmulatorSettings) -> None:
    """Run the emulated plant until SIGTERM or SIGINT.

    Raises
    ------
    PlantInvalid
        When the plant folder cannot be used.
    Conflict
        When another process uses `state_dir`.
    Unavailable
        When a port is taken.
    """
    with _sole_user(settings.state_dir):
        endpoints = settings.state_dir / ENDPOINTS_FILE
        endpoints.unlink(missing_ok=True)
        try:
            asyncio.run(_run(settings))
        finally:
            endpoints.unlink(missing_ok=True)


async def _run(settings: EmulatorSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    emulator = Emulator(load(settings.plant_folder), _with_ports(settings))
    try:
        await emulator.start()
        await emulator.run_until(stop)
    finally:
        await emulator.close()


class Emulator:
    """Wires one emulated plant and runs it: floor and log, the machines' sockets, the MES, the job responses."""

    def __init__(self, plant: Plant, settings: EmulatorSettings) -> None:
        self._settings = settings
        self._journal = journal = Journal(settings.state_dir)
        state: Mapping[str, Any] = journal.snapshot or {}
        none: Mapping[str, Any] = {"responses": 0, "mqtt": {}}
        positions: Mapping[str, Any] = journal.leased["positions"] if journal.leased else none
        self._machines = Machines(plant, settings, positions["mqtt"])
        self._responses = ResponseSender(
            settings.gateway_url, settings.api_key, min(positions["responses"], journal.last), self._note_refusal
        )
        self._timekeeper = Timekeeper(plant, resume_at(plant, journal), settings.rate)
        self._factory = Factory(
            plant,
            EmulatedFloor(plant, Truth.of(plant, settings.seed), plant.starts_at, state.get("floor")),
            journal,
            self._timekeeper,
            ConditionModel(plant, settings.seed, state.get("conditions")),
            self._machines.check,
            self._positions,
        )
        self._api = _ApiServer(build_api(self._factory, self._health), settings.host, settings.http_port)

    async def start(self) -> None:
        """Take up the floor where it was left, open every socket, let the clock go, and tell where all this is."""
        again = self._factory.resume()
        endpoints = await self._machines.start(self._factory, again.updates)
        for entry in self._journal.entries(self._responses.delivered):
            if entry["kind"] == "job":
                self._responses.queue(entry)
        self._timekeeper.run()
        told = {"http": self._api.listen(), "connections": endpoints}
        _write(self._settings.state_dir / ENDPOINTS_FILE, told)
        _log.info("emulated plant runs", plant_time=self._factory.now().isoformat(), **told)

    async def run_until(self, stop: asyncio.Event) -> None:
        """Step the floor every `TICK_S` until `stop` is set, then bring it to rest."""
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._responses.run())
            serving = tasks.create_task(self._api.answer())
            while not stop.is_set():
                await self._tell(self._factory.step())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        await stop.wait()
            await self._tell(self._factory.step())
            sending.cancel()
            self._api.should_exit = True
            await serving
        await self._machines.stop()
        self._factory.rest()

    async def close(self) -> None:
        """Release what is still held; harmless after a clean end."""
        await self._machines.stop()
        self._api.close()
        self._journal.close()

    async def _tell(self, step: Step) -> None:
        await self._machines.publish(step.updates)
        for entry in step.responses:
            self._responses.queue(entry)

    def _positions(self) -> dict[str, Any]:
        return {"responses": self._responses.delivered, "mqtt": self._machines.acknowledged}

    def _note_refusal(self, entry: Entry, answer: str) -> None:
        self._factory.note(
            {"kind": "refused", "response": entry["id"], "job_order": entry["job_order"], "answer": answer}
        )

    def _health(self) -> dict[str, Any]:
        return {
            "plant_time": self._factory.now().isoformat(),
            "responses_waiting": self._responses.waiting,
            "mqtt_waiting": self._machines.mqtt_waiting,
            "mqtt_dropped": self._machines.mqtt_dropped,
        }


class _ApiServer(uvicorn.Server):
    """uvicorn on a loopback socket of ours, inside our event loop; signals stay ours, too."""

    def __init__(self, api: FastAPI, host: str, port: int) -> None:
        super().__init__(uvicorn.Config(api, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        self._host, self._port = host, port
        self._socket: socket.socket | None = None

    def listen(self) -> str:
        """Bind the port and return the server's address: who connects now is answered once it serves."""
        # asyncio switches Nagle's algorithm off only where the protocol is named, and create_server does not name it.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self._host, self._port))
            self._socket.listen()
        except OSError as error:
            raise Unavailable(
                f"the MES cannot listen on {self._host}:{self._port}: {error}; choose another port"
            ) from error
        return f"http://{self._host}:{self._socket.getsockname()[1]}"

    async def answer(self) -> None:
        """Serve until `should_exit` is set."""
        assert self._socket is not None, "answer before listen"
        await self.serve([self._socket])

    def close(self) -> None:
        """Close the port; harmless when it is closed."""
        if self._socket is not None:
            self._socket.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave SIGTERM and SIGINT to `run`."""
        yield


def _write(path: Path, told: Mapping[str, Any]) -> None:
    """Write a file that is there whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(path)


def _with_ports(settings: EmulatorSettings) -> EmulatorSettings:
    """Return the settings with every port of 0 replaced by a free one."""
    return replace(
        settings,
        opcua_port=settings.opcua_port or _free_port(),
        modbus_port=settings.modbus_port or _free_port(),
    )


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _sole_user(folder: Path) -> Generator[None, None, None]:
    """Hold the folder's lock; the kernel lets it go however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"another emulated plant runs in {folder}; stop it or choose another folder") from error
        yield
