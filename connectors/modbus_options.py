"""What `connections.toml` says of a Modbus connection: where its devices keep what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.modbus_registers import BLOCK_REGISTERS, ENTRY_REGISTERS, HEAD_REGISTERS, RING_ENTRIES, Decoder
from connectors.options import OptionReader
from plant.connection import Connection

_LAST_REGISTER = 65_535
_ORDERS = ("big", "little")


@dataclass(frozen=True)
class ModbusOptions:
    """Options of a Modbus TCP connection.

    Attributes
    ----------
    devices
        Device id (1 to 247) per machine.
    counters, conditions, head, ring
        First input registers of the areas, alike in all devices; `connectors.modbus_registers` tells their layout.
    join_gap
        Unused registers that may be read along to fetch two areas in one request; 0 for a device that refuses them.
    poll_s
        Wall seconds between two looks at a device.
    timeout_s
        Wall seconds a device may take to answer.
    offline_after_s
        Wall seconds without an answer after which a machine counts as without communication.
    backoff_s
        Longest wall seconds between two attempts at a silent device.
    """

    host: str
    port: int
    devices: Mapping[str, int]
    decoder: Decoder
    counters: int
    conditions: int
    head: int
    ring: int
    join_gap: int
    poll_s: float
    timeout_s: float
    offline_after_s: float
    backoff_s: float

    @staticmethod
    def read(connection: Connection, endpoint: str | None = None) -> tuple[ModbusOptions, list[str]]:
        """Return the options and everything that is wrong with them."""
        take = OptionReader(connection, endpoint)
        _, host, port = take.address({"tcp": 502})
        orders = [take.text(key, "big", _ORDERS) for key in ("byte_order", "word_order")]
        options = ModbusOptions(
            host=host,
            port=port,
            devices=_devices(take, connection),
            decoder=Decoder(*orders),
            counters=take.whole("counters", 0, 0, _LAST_REGISTER),
            conditions=take.whole("conditions", 20, 0, _LAST_REGISTER),
            head=take.whole("head", 40, 0, _LAST_REGISTER),
            ring=take.whole("ring", 50, 0, _LAST_REGISTER),
            join_gap=take.whole("join_gap", 0, 0, 100),
            poll_s=take.number("poll_s", 0.2, 0.01, 3600),
            timeout_s=take.number("timeout_s", 1, 0.02, 60),
            offline_after_s=take.number("offline_after_s", 5, 0.1, 3600),
            backoff_s=take.number("backoff_s", 10, 0.1, 3600),
        )
        options._check(take)
        return options, take.finish()

    def _check(self, take: OptionReader) -> None:
        ring = (self.ring, RING_ENTRIES * ENTRY_REGISTERS, "ring")
        blocks = [(self.counters, BLOCK_REGISTERS, "counters"), (self.conditions, BLOCK_REGISTERS, "conditions")]
        end, before = 0, ""
        for first, size, key in sorted([*blocks, (self.head, HEAD_REGISTERS, "head"), ring]):
            if first < end:
                take.problem(key, f"= {first} lies inside {before}, which ends at register {end - 1}")
            if first + size - 1 > _LAST_REGISTER:
                take.problem(key, f"= {first} leaves no room for its {size} registers")
            end, before = first + size, key


def _devices(take: OptionReader, connection: Connection) -> Mapping[str, int]:
    devices = take.table("devices")
    for machine in connection.machines:
        if machine not in devices:
            take.problem("devices", f"lacks machine {machine}; give it the id of its device")
    for machine, number in devices.items():
        if machine not in connection.machines:
            take.problem("devices", f"names {machine}, which is not among the connection's machines")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 247:
            take.problem("devices", f"gives {machine} the id {number!r}; ids are whole numbers from 1 to 247")
    if len({str(number) for number in devices.values()}) < len(devices):
        take.problem("devices", "gives two machines the same id")
    return devices
