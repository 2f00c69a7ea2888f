from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime, timedelta

import pytest
from pymodbus.client import AsyncModbusTcpClient

from emulator.modbus_server import ENTRY_REGISTERS, RING_ENTRIES, Layout, ModbusServer, job_order_bytes
from plant.connection import Connection, Protocol
from plant.errors import InvalidInput, Unavailable
from plant.machine_state import MachineState
from tests.emulator.parts import MODBUS, at, condition, count, free_port, state


async def _read(client: AsyncModbusTcpClient, address: int, size: int, device: int = 10) -> bytes:
    answer = await client.read_input_registers(address, count=size, device_id=device)
    assert not answer.isError(), answer
    return struct.pack(f">{size}H", *answer.registers)


def _time(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def test_the_ring_holds_the_last_32_changes_numbered_and_stamped() -> None:
    async def scenario() -> None:
        server = ModbusServer([MODBUS], "127.0.0.1", free_port(), {"M10": 100})
        await server.start([state("M10", 0, MachineState.IDLE)])
        client = AsyncModbusTcpClient("127.0.0.1", port=int(server.endpoint.rsplit(":", 1)[1]))
        assert await client.connect()
        try:
            assert struct.unpack(">I", await _read(client, 40, 2)) == (101,), "numbering goes on over a restart"
            for k in range(1, 41):
                await server.publish(state("M10", k + 0.000001, MachineState.EXECUTING, f"CO-1/1-{k}"))
            (head,) = struct.unpack(">I", await _read(client, 40, 2))
            assert head == 141
            for number in range(head - RING_ENTRIES + 1, head + 1):
                raw = await _read(client, 50 + ENTRY_REGISTERS * (number % RING_ENTRIES), ENTRY_REGISTERS)
                stored, stamp, packml, mode, interlocks, job = struct.unpack(">IQHHH24s", raw)
                k = number - 101
                assert (stored, packml, mode, interlocks) == (number, 6, 1, 0)
                assert _time(stamp) == at(k + 0.000001), "microseconds survive"
                assert job.rstrip(b"\0").decode() == f"CO-1/1-{k}"
            assert struct.unpack(">I", await _read(client, 40, 2, device=11)) == (0,), "another device, another ring"
        finally:
            client.close()
            await server.stop()

    asyncio.run(scenario())


def test_counters_and_conditions_and_what_is_not_served() -> None:
    async def scenario() -> None:
        server = ModbusServer([MODBUS], "127.0.0.1", free_port(), {})
        await server.start([count("M10", 5, 70_000, 3), condition("M10", 30, 36.5)])
        client = AsyncModbusTcpClient("127.0.0.1", port=int(server.endpoint.rsplit(":", 1)[1]))
        assert await client.connect()
        try:
            part, good, scrap, counted = struct.unpack(">IIIQ", await _read(client, 0, 10))
            assert (part, good, scrap, _time(counted)) == (70_003, 70_000, 3, at(5))
            *values, sampled = struct.unpack(">fffQ", await _read(client, 20, 10))
            assert (values, _time(sampled)) == ([36.5, 1.25, 7.5], at(30))
            assert (await client.read_holding_registers(0, count=2, device_id=10)).isError()
            assert (await client.write_register(0, 1, device_id=10)).isError()
            assert (await client.read_input_registers(60_000, count=2, device_id=10)).isError()
            assert struct.unpack(">III", await _read(client, 0, 6)) == (70_003, 70_000, 3), "nobody can write"
        finally:
            client.close()
            await server.stop()

    asyncio.run(scenario())


def test_word_and_byte_order() -> None:
    big = Layout()
    assert big.words(struct.pack(">I", 0x01020304)) == [0x0102, 0x0304]
    assert Layout(word_order="little").words(struct.pack(">I", 0x01020304)) == [0x0304, 0x0102]
    assert Layout(byte_order="little").words(struct.pack(">I", 0x01020304)) == [0x0201, 0x0403]


def test_wrong_options_are_refused_by_name() -> None:
    def connection(**options: object) -> Connection:
        return Connection("plc", Protocol.MODBUS, "e", ("M10",), {"devices": {"M10": 10}, **options})

    for options, name in [
        ({"devices": {}}, r"options\.devices\.M10"),
        ({"devices": {"M10": 300}}, r"options\.devices\.M10"),
        ({"word_order": "middle"}, r"options\.word_order"),
        ({"head": 25}, r"options\.head"),
    ]:
        with pytest.raises(InvalidInput, match=name):
            ModbusServer([connection(**options)], "127.0.0.1", 1, {})
    with pytest.raises(InvalidInput, match=r"options\.devices\.M11"):
        ModbusServer(
            [Connection("plc", Protocol.MODBUS, "e", ("M10", "M11"), {"devices": {"M10": 1, "M11": 1}})], "h", 1, {}
        )


def test_a_job_order_that_does_not_fit_is_refused() -> None:
    assert job_order_bytes("CO-1001/1-10").rstrip(b"\0") == b"CO-1001/1-10"
    for wrong in ("x" * 25, "订单-1"):
        with pytest.raises(InvalidInput, match="24 ASCII"):
            job_order_bytes(wrong)


def test_a_taken_port_is_told() -> None:
    async def scenario() -> None:
        port = free_port()
        first = ModbusServer([MODBUS], "127.0.0.1", port, {})
        await first.start([])
        with pytest.raises(Unavailable, match=str(port)):
            await ModbusServer([MODBUS], "127.0.0.1", port, {}).start([])
        await first.stop()

    asyncio.run(scenario())
