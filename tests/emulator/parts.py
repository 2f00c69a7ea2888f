"""What the emulator's tests share: connections, updates, free ports, and a broker on real sockets."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emulator.update import Group, Update
from plant.connection import Connection, Protocol
from plant.machine_state import MachineState, packml_of
from plant.reading import Signal
from tests.requirements import require_program

MONDAY = datetime(2026, 1, 4, 22, tzinfo=UTC)
"""06:00 in Shanghai."""
SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"
OPCUA = Connection("lathes", Protocol.OPCUA, "opc.tcp://h:1", ("M01", "M02"), {"namespace": "urn:test"})
MQTT = Connection("cells", Protocol.MQTT, "mqtt://h:1", ("M06", "M07"), {"prefix": "hall"})
MODBUS = Connection("plc", Protocol.MODBUS, "tcp://h:1", ("M10", "M11"), {"devices": {"M10": 10, "M11": 11}})


def at(seconds: float) -> datetime:
    """Return the plant time this long after the start."""
    return MONDAY + timedelta(seconds=seconds)


def state(machine: str, seconds: float, what: MachineState, job_order: str = "", number: int = 0) -> Update:
    """Return a change of state."""
    shown = packml_of(what)
    values: dict[Signal, float | int | str] = dict(
        zip((Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS), shown, strict=True)
    )
    return Update(machine, at(seconds), Group.STATE, {**values, Signal.JOB_ORDER: job_order}, number)


def count(machine: str, seconds: float, good: int, scrap: int, number: int = 0) -> Update:
    """Return a count."""
    values = {Signal.PART_COUNT: good + scrap, Signal.GOOD_COUNT: good, Signal.SCRAP_COUNT: scrap}
    return Update(machine, at(seconds), Group.COUNT, values, number)


def condition(machine: str, seconds: float, temperature_c: float) -> Update:
    """Return a sample of the condition signals."""
    values = {Signal.TEMPERATURE: temperature_c, Signal.VIBRATION: 1.25, Signal.POWER: 7.5}
    return Update(machine, at(seconds), Group.CONDITION, values)


def free_port() -> int:
    """Return a loopback port nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    """Wait until `condition` holds; fail naming `what` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        await asyncio.sleep(0.01)


class Mosquitto:
    """A mosquitto on a loopback port, started and stopped at will."""

    def __init__(self, folder: Path) -> None:
        self._program = require_program("mosquitto", "mosquitto")
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"persistence true\npersistence_location {folder}/\n"  # subscribers' sessions outlive its stops
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it accepts."""
        self._process = subprocess.Popen(
            [self._program, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, "mosquitto ended at once"
                assert time.monotonic() < deadline, "mosquitto does not accept"
                time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
