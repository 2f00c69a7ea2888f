"""The connectors as the shipped plant configures them, against the emulated machines' own servers."""

from __future__ import annotations

import asyncio
import random
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.build import build, check
from emulator.modbus_server import ModbusServer
from emulator.mqtt_publisher import MqttPublisher
from emulator.opcua_server import OpcUaServer
from emulator.update import Group, Publisher, Update
from plant.connection import Connection, Protocol
from plant.errors import SourceLost
from plant.folder import load
from plant.plant import Plant
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Reading, Signal
from tests.connectors.drivers import MosquittoDriver
from tests.connectors.shop import Haul, StandingClock, collect, free_port, try_until

HOST = "127.0.0.1"
PLANT = load(Path(__file__).parents[2] / "plants" / "machine_shop")
CONNECTIONS = {connection.protocol: connection for connection in PLANT.connections}
CLOCK = StandingClock(PLANT.starts_at + timedelta(days=1))


def updates(luck: random.Random, machines: tuple[str, ...], first: int, number: int) -> list[Update]:
    """Return updates of all groups and machines in the order of time, a second and some microseconds apart."""
    made = []
    for k in range(first, first + number):
        group, at = luck.choice(list(Group)), PLANT.starts_at + timedelta(seconds=k, microseconds=luck.randrange(10**6))
        made.append(Update(luck.choice(machines), at, group, _values(luck, group, k), k + 1))
    return made


def _values(luck: random.Random, group: Group, k: int) -> dict[Signal, Any]:
    if group is Group.STATE:
        job = luck.choice(["", f"CO-{k}/1-10"])
        return dict(zip(STATE_SIGNALS, (luck.randint(1, 17), luck.randint(1, 4), luck.randint(0, 3), job), strict=True))
    if group is Group.COUNT:
        return dict(zip(COUNTER_SIGNALS, (k + 70_000, k, 70_000), strict=True))
    # What a float32 holds, so that all protocols carry it exactly.
    values = [struct.unpack(">f", struct.pack(">f", luck.uniform(0, 99)))[0] for _ in CONDITION_SIGNALS]
    return dict(zip(CONDITION_SIGNALS, values, strict=True))


def readings(plant: Plant, update: Update) -> list[Reading]:
    """Return what an update must become."""
    path = plant.machine_path(update.machine)
    return [Reading(f"{path}/{signal}", update.at, value) for signal, value in update.values.items()]


def shown(protocol: Protocol, made: list[Update]) -> set[Reading]:
    """Return the readings that must arrive: of values that Modbus registers only hold, the last ones at least."""
    last = {(update.machine, update.group): update for update in made}
    kept = [
        u for u in made if protocol is not Protocol.MODBUS or u.group is Group.STATE or u is last[u.machine, u.group]
    ]
    return {reading for update in kept for reading in readings(PLANT, update)}


def server_of(connection: Connection, port: int) -> Publisher:
    """Return the emulated end of a connection."""
    if connection.protocol is Protocol.OPCUA:
        return OpcUaServer([connection], HOST, port)
    if connection.protocol is Protocol.MQTT:
        return MqttPublisher([connection], HOST, port, "emulated-machines")
    return ModbusServer([connection], HOST, port, {})


async def _publish(server: Publisher, made: list[Update]) -> None:
    for update in made:
        await server.publish(update)
        await asyncio.sleep(0)


async def _exchange(connection: Connection, port: int, luck: random.Random) -> None:
    endpoint = {Protocol.OPCUA: "opc.tcp", Protocol.MQTT: "mqtt", Protocol.MODBUS: "tcp"}[connection.protocol]
    source = build(connection, PLANT, CLOCK, f"{endpoint}://{HOST}:{port}")
    server = server_of(connection, port)
    present = updates(luck, connection.machines, 0, 40)
    if connection.protocol is Protocol.MQTT:
        await try_until(source.open, SourceLost)
    await server.start(present)
    try:
        if connection.protocol is not Protocol.MQTT:
            await source.open()
        first = updates(luck, connection.machines, 100, 60)
        await _publish(server, first)
        haul = await collect(source, lambda haul: shown(connection.protocol, first) <= set(haul.readings))
        _judge(haul, connection, present + first)
        second = updates(luck, connection.machines, 200, 60)
        await _publish(server, second)
        haul = await collect(source, lambda haul: shown(connection.protocol, second) <= set(haul.readings))
        _judge(haul, connection, second)
        assert all(reading.value is not None for reading in haul.readings)
    finally:
        await source.close()
        await server.stop()


def _judge(haul: Haul, connection: Connection, made: list[Update]) -> None:
    """Nothing is refused, nothing is made up, and the states of each machine come in the order of time."""
    assert haul.rejected == []
    possible = {reading for update in made for reading in readings(PLANT, update)}
    bad = {reading for reading in haul.readings if reading.value is None}
    assert set(haul.readings) - bad <= possible
    for machine in connection.machines:
        tag = f"{PLANT.machine_path(machine)}/{Signal.PACKML_STATE}"
        times = [reading.time for reading in haul.readings if reading.tag == tag and reading.value is not None]
        assert times == sorted(set(times)), machine


@pytest.mark.parametrize("protocol", Protocol)
def test_the_shipped_connections_read_the_emulated_machines_exactly(protocol: Protocol, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    connection = CONNECTIONS[protocol]
    assert check(connection) == []

    async def test() -> None:
        if protocol is not Protocol.MQTT:
            await _exchange(connection, free_port(), random.Random(seed))
            return
        broker = MosquittoDriver(tmp_path)
        await broker.start()
        try:
            await _exchange(connection, broker.port, random.Random(seed))
        finally:
            await broker.stop()

    asyncio.run(test())
