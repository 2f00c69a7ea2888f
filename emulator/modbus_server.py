"""The machines that speak Modbus TCP: one device per machine, its signals in input registers.

A controller cannot push, so each keeps its last 32 state changes in a ring, numbered and stamped; a poller that looks
less than 32 changes later misses none. Layout, in registers of 16 bits:

=====================  =============================================================================
counters + 0, 2, 4     part, good, scrap count (uint32 each)
counters + 6           plant time of the last count (microseconds since the Unix epoch, uint64)
conditions + 0, 2, 4   temperature_c, vibration_mm_s, power_kw (float32 each)
conditions + 6         plant time of the sample (uint64)
head                   number of the latest state change (uint32); 0: none yet
ring + 21 i            entry of the changes whose number is i modulo 32: number (uint32), plant time (uint64),
                       packml_state, packml_mode, interlocks (uint16 each), job order (24 bytes ASCII, zero padded)
=====================  =============================================================================

Only function 4 (read input registers) is served. All registers of a request come from one moment.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from emulator.update import Group, Update
from plant.connection import Connection, Protocol
from plant.errors import InvalidInput, Unavailable
from plant.naming import JOB_ORDER_BYTES
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, Signal

RING_ENTRIES = 32
_JOB_ORDER_BYTES = JOB_ORDER_BYTES[Protocol.MODBUS]
ENTRY_REGISTERS = 9 + _JOB_ORDER_BYTES // 2
_READ_INPUT_REGISTERS = 4
_BLOCK_REGISTERS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Layout:
    """Where a connection's devices keep what, and in which order they store bytes and words."""

    counters: int = 0
    conditions: int = 20
    head: int = 40
    ring: int = 50
    byte_order: str = "big"
    word_order: str = "big"

    @staticmethod
    def of(connection: Connection) -> Layout:
        """Read the layout from a connection's options.

        Raises
        ------
        InvalidInput
            When an address or an order is wrong, or two areas overlap.
        """
        layout = Layout(**{name: connection.options[name] for name in _LAYOUT_NAMES if name in connection.options})
        for name in ("byte_order", "word_order"):
            order = getattr(layout, name)
            if order not in ("big", "little"):
                raise InvalidInput(f"connection {connection.id}: options.{name} must be big or little, not {order!r}")
        layout._require_disjoint(connection.id)
        return layout

    @property
    def areas(self) -> list[tuple[int, int, str]]:
        """First register, number of registers and name of each area, by address."""
        ring = (self.ring, RING_ENTRIES * ENTRY_REGISTERS, "ring")
        blocks = [(self.counters, _BLOCK_REGISTERS, "counters"), (self.conditions, _BLOCK_REGISTERS, "conditions")]
        return sorted([*blocks, (self.head, 2, "head"), ring])

    def words(self, data: bytes) -> list[int]:
        """Return one value's bytes (most significant first) as registers in the layout's orders."""
        order = ">" if self.byte_order == "big" else "<"
        words = list(struct.unpack(f"{order}{len(data) // 2}H", data))
        return words if self.word_order == "big" else words[::-1]

    def text(self, data: bytes) -> list[int]:
        """Return a text's bytes as registers: words stay in reading order."""
        return list(struct.unpack(f"{'>' if self.byte_order == 'big' else '<'}{len(data) // 2}H", data))

    def _require_disjoint(self, connection: str) -> None:
        end, before = 0, "register 0"
        for first, size, name in self.areas:
            if not isinstance(first, int) or first < end or first + size > 65536:
                raise InvalidInput(
                    f"connection {connection}: options.{name} = {first!r} must be a register address behind {before}"
                )
            end, before = first + size, name


_LAYOUT_NAMES = ("counters", "conditions", "head", "ring", "byte_order", "word_order")


class Registers:
    """The input registers of one machine.

    Parameters
    ----------
    number
        Number of the latest state change before this process; numbering goes on from it.
    """

    def __init__(self, layout: Layout, number: int = 0) -> None:
        self._layout = layout
        self.number = number
        self.image = [0] * max(first + size for first, size, _ in layout.areas)

    def apply(self, update: Update) -> None:
        """Show an update. A state change is entered into the ring first, then the head moves on to it."""
        if update.group is Group.STATE:
            self._enter_state(update)
        elif update.group is Group.COUNT:
            counts = [struct.pack(">I", int(update.values[signal])) for signal in COUNTER_SIGNALS]
            self._write_block(self._layout.counters, counts, update.at)
        else:
            conditions = [struct.pack(">f", float(update.values[signal])) for signal in CONDITION_SIGNALS]
            self._write_block(self._layout.conditions, conditions, update.at)

    async def answer(
        self, function: int, start: int, address: int, count: int, registers: list[int], new: Any
    ) -> ExcCodes | None:
        """Fill a read request from the image; refuse everything but reading input registers."""
        if function != _READ_INPUT_REGISTERS or new is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        offset = address - start
        registers[offset : offset + count] = self.image[address : address + count]
        return None

    def _enter_state(self, update: Update) -> None:
        self.number += 1
        values, layout = update.values, self._layout
        entry = layout.words(struct.pack(">I", self.number & 0xFFFF_FFFF)) + layout.words(_stamp(update.at))
        for signal in (Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS):
            entry += layout.words(struct.pack(">H", int(values[signal])))
        entry += layout.text(job_order_bytes(str(values[Signal.JOB_ORDER])))
        first = layout.ring + ENTRY_REGISTERS * (self.number % RING_ENTRIES)
        self.image[first : first + ENTRY_REGISTERS] = entry
        self.image[layout.head : layout.head + 2] = entry[:2]

    def _write_block(self, first: int, values: Sequence[bytes], at: datetime) -> None:
        block = [word for value in (*values, _stamp(at)) for word in self._layout.words(value)]
        self.image[first : first + len(block)] = block


def job_order_bytes(job_order: str) -> bytes:
    """Return a job order id as a controller's text field holds it.

    Raises
    ------
    InvalidInput
        When it does not fit: longer than 24 bytes, or not ASCII.
    """
    if not job_order.isascii() or len(job_order) > _JOB_ORDER_BYTES:
        raise InvalidInput(
            f"job order {job_order!r} does not fit a Modbus controller's text of {_JOB_ORDER_BYTES} ASCII characters"
        )
    return job_order.encode("ascii").ljust(_JOB_ORDER_BYTES, b"\0")


def _stamp(at: datetime) -> bytes:
    return struct.pack(">Q", (at - _EPOCH) // timedelta(microseconds=1))


class ModbusServer:
    """Serves the machines of all Modbus connections on one loopback port, a device id each.

    Parameters
    ----------
    numbers
        Per machine the number of state changes before those that `start` is given; none: 0.
    """

    def __init__(self, connections: Sequence[Connection], host: str, port: int, numbers: Mapping[str, int]) -> None:
        self._address = (host, port)
        self._registers: dict[str, Registers] = {}
        self._devices: dict[int, str] = {}
        for connection in connections:
            layout = Layout.of(connection)
            for machine in connection.machines:
                self._devices[self._device_of(connection, machine)] = machine
                self._registers[machine] = Registers(layout, numbers.get(machine, 0))
        self._server: ModbusTcpServer | None = None

    @property
    def endpoint(self) -> str:
        """Where clients connect."""
        return f"tcp://{self._address[0]}:{self._address[1]}"

    async def start(self, present: Sequence[Update]) -> None:
        """Fill the registers, then listen.

        Raises
        ------
        Unavailable
            When the port cannot be bound.
        """
        for update in present:
            await self.publish(update)
        self._server = ModbusTcpServer(
            [self._device(number, self._registers[machine]) for number, machine in self._devices.items()],
            address=self._address,
        )
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as error:
            raise Unavailable(f"Modbus cannot listen on {self.endpoint}: {error}; choose another port") from error

    async def publish(self, update: Update) -> None:
        """Write an update into its machine's registers."""
        self._registers[update.machine].apply(update)

    async def stop(self) -> None:
        """Disconnect the clients and close the port."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    def _device_of(self, connection: Connection, machine: str) -> int:
        number = connection.options.get("devices", {}).get(machine)
        if not isinstance(number, int) or not 1 <= number <= 247 or number in self._devices:
            raise InvalidInput(
                f"connection {connection.id}: options.devices.{machine} must be a device id of its own from 1 to 247, "
                f"not {number!r}"
            )
        return number

    @staticmethod
    def _device(number: int, registers: Registers) -> SimDevice:
        data = SimData(0, count=len(registers.image), values=0, datatype=DataType.REGISTERS, readonly=True)
        return SimDevice(number, simdata=[data], action=registers.answer)
