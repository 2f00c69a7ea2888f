from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest
from asyncua import Client, ua

from emulator.opcua_server import OpcUaServer
from plant.connection import Connection, Protocol
from plant.errors import InvalidInput, Unavailable
from plant.machine_state import MachineState
from tests.emulator.parts import OPCUA, at, condition, count, free_port, state, until


class Seen:
    """Collects data changes: node identifier, value, source timestamp."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, Any, datetime]] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        stamp = data.monitored_item.Value.SourceTimestamp
        self.changes.append((node.nodeid.Identifier, value, stamp.replace(tzinfo=at(0).tzinfo)))

    def of(self, node: str) -> list[tuple[Any, datetime]]:
        return [(value, stamp) for name, value, stamp in self.changes if name == node]


PRESENT = [state(m, 0, MachineState.IDLE) for m in OPCUA.machines] + [count(m, 0, 0, 0) for m in OPCUA.machines]


async def _subscribe(client: Client, seen: Seen, names: list[str]) -> None:
    index = await client.get_namespace_index("urn:test")
    nodes = [client.get_node(ua.NodeId(name, index)) for name in names]
    subscription = await client.create_subscription(20, seen)
    for handle in await subscription.subscribe_data_change(nodes, queuesize=200):
        assert isinstance(handle, int), f"refused: {handle}"


@pytest.fixture(scope="module")
def loop() -> Generator[asyncio.Runner, None, None]:
    """One event loop for all tests here: building a server's address space takes over a second."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def server(loop: asyncio.Runner) -> Generator[OpcUaServer, None, None]:
    running = OpcUaServer([OPCUA], "127.0.0.1", free_port())
    loop.run(running.start(PRESENT))
    yield running
    loop.run(running.stop())


def test_a_subscriber_sees_every_change_with_its_plant_time(loop: asyncio.Runner, server: OpcUaServer) -> None:
    async def scenario() -> None:
        async with Client(server.endpoint) as client:
            seen = Seen()
            await _subscribe(client, seen, ["M01.packml_state", "M01.job_order", "M01.good_count"])
            await until(lambda: len(seen.changes) == 3, "the present values")
            assert seen.of("M01.packml_state") == [(4, at(0))]
            for k in range(1, 51):
                what = MachineState.EXECUTING if k % 2 else MachineState.IDLE
                await server.publish(state("M01", k / 3, what, f"CO-1/1-{k}"))
            await server.publish(count("M01", 20, 7, 1))
            await until(lambda: len(seen.of("M01.job_order")) == 51 and len(seen.changes) == 104, "all changes")
            assert [value for value, _ in seen.of("M01.packml_state")[1:]] == [6, 4] * 25
            assert [stamp for _, stamp in seen.of("M01.packml_state")[1:]] == [at(k / 3) for k in range(1, 51)]
            assert seen.of("M01.good_count")[-1] == (7, at(20))

    loop.run(scenario())


def test_types_qualities_and_that_nobody_may_write(loop: asyncio.Runner, server: OpcUaServer) -> None:
    async def scenario() -> None:
        await server.publish(condition("M02", 30, 31.5))
        async with Client(server.endpoint) as client:
            index = await client.get_namespace_index("urn:test")

            def node(name: str) -> Any:
                return client.get_node(ua.NodeId(name, index))

            temperature = await node("M02.temperature_c").read_data_value()
            assert temperature.Value == ua.Variant(31.5, ua.VariantType.Double)
            assert temperature.StatusCode.is_good()
            assert (await node("M02.part_count").read_data_value()).Value.VariantType is ua.VariantType.Int64
            assert (await node("M02.interlocks").read_data_value()).Value.VariantType is ua.VariantType.Int32
            assert await node("M02.job_order").read_value() == ""
            unknown = await node("M01.temperature_c").read_data_value(raise_on_bad_status=False)
            assert unknown.StatusCode.value == ua.StatusCodes.BadWaitingForInitialData
            with pytest.raises(ua.UaStatusCodeError):
                await node("M02.part_count").write_value(5, ua.VariantType.Int64)

    loop.run(scenario())


def test_a_taken_port_and_wrong_options_are_refused(loop: asyncio.Runner, server: OpcUaServer) -> None:
    port = int(server.endpoint.rsplit(":", 1)[1])
    with pytest.raises(Unavailable, match=str(port)):
        loop.run(OpcUaServer([OPCUA], "127.0.0.1", port).start([]))
    for options, name in [({}, "namespace"), ({"namespace": "urn:x", "node": "{machine}"}, "node")]:
        with pytest.raises(InvalidInput, match=rf"connection x: options\.{name}"):
            OpcUaServer([Connection("x", Protocol.OPCUA, "e", ("M01",), options)], "127.0.0.1", 1)
