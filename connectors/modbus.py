"""Modbus TCP: registers polled in blocks, state changes out of the controller's ring.

Each state change keeps the stamp the controller gave it and is told once per opening. Opening begins with all that
the ring holds: what was read but never committed comes again, and the historian drops what it has. A silent device
is asked less and less often, so that it does not hold up the others on its connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException

from connectors.intake import Intake
from connectors.memory import Memory
from connectors.modbus_device import Device, Findings
from connectors.modbus_options import ModbusOptions
from plant.connection import Connection
from plant.errors import InvalidInput, SourceLost
from plant.plant import Plant
from plant.ports import PlantClock
from plant.reading import Reading, ReadingBatch

_PENDING = 64
"""Looks whose findings may wait to be read; then polling pauses, and the rings hold the rest."""
_DEAD_FACTOR = 2
"""When all devices have been silent for so many times `offline_after_s`, the connection counts as lost."""
_SILENT = {ExcCodes.GATEWAY_PATH_UNAVIABLE, ExcCodes.GATEWAY_NO_RESPONSE, ExcCodes.DEVICE_BUSY}
"""Exceptions by which a gateway says that it, too, hears nothing."""


class _Refused(Exception):
    """A device answered with an exception."""


class ModbusSource:
    """A `plant.ports.ReadingSource` for the devices behind one Modbus TCP address."""

    def __init__(
        self,
        connection: Connection,
        plant: Plant,
        clock: PlantClock,
        endpoint: str | None = None,
        last_known: Iterable[Reading] = (),
    ) -> None:
        self._options, problems = ModbusOptions.read(connection, endpoint)
        if problems:
            raise InvalidInput("\n".join(problems))
        self._connection = connection
        self._intake = Intake(connection, plant, clock)
        self._memory = Memory(last_known)
        self._client: AsyncModbusTcpClient | None = None
        self._findings: asyncio.Queue[Findings] = asyncio.Queue(_PENDING)
        self._arrived = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._lost: str | None = None

    @property
    def id(self) -> str:
        """Id of the connection it serves."""
        return self._connection.id

    async def open(self) -> None:
        """Connect and begin to poll."""
        await self.close()
        options = self._options
        client = AsyncModbusTcpClient(
            options.host, port=options.port, timeout=options.timeout_s, retries=0, reconnect_delay=0
        )
        # Whether a silent device means a broken connection is decided here, by all devices together.
        client.set_max_no_responses(2**31)
        if not await client.connect():
            client.close()
            raise SourceLost(self._say("cannot be reached; is the controller or gateway running?"))
        self._client, self._lost = client, None
        self._findings, self._arrived = asyncio.Queue(_PENDING), asyncio.Event()
        devices = [Device(machine, options, self._intake, self._memory.copy()) for machine in self._connection.machines]
        self._poller = asyncio.create_task(self._poll(client, devices))

    async def read(self) -> ReadingBatch:
        """Wait for news of any device and return all there is."""
        if self._client is None:
            raise SourceLost(self._say("is not open"))
        arrived, findings = self._arrived, self._findings
        await arrived.wait()
        found = Findings()
        while not findings.empty():
            part = findings.get_nowait()
            found.readings += part.readings
            found.rejected += part.rejected
        if not found:
            raise SourceLost(self._say(self._lost or "closed"))
        if self._lost is None:
            arrived.clear()
        readings = tuple(found.readings)
        return ReadingBatch(readings, partial(self._acknowledge, readings), tuple(found.rejected))

    async def close(self) -> None:
        """Disconnect; what has not been read is dropped, the rings still hold it."""
        client, self._client = self._client, None
        poller, self._poller = self._poller, None
        # Before Python 3.12 `wait_for`, which pymodbus waits in, may swallow a cancellation: ask until it is heard.
        while poller is not None and not poller.done():
            poller.cancel()
            await asyncio.wait({poller}, timeout=0.05)
        if client is not None:
            client.close()
        self._findings = asyncio.Queue(_PENDING)
        self._lost = self._lost or "closed"
        self._arrived.set()

    async def _acknowledge(self, readings: Sequence[Reading]) -> None:
        self._memory.commit(readings)

    async def _poll(self, client: AsyncModbusTcpClient, devices: Sequence[Device]) -> None:
        """Look at each device when it is due, until the connection breaks."""
        try:
            while self._client is client:
                for device in devices:
                    if device.due_at <= time.monotonic():
                        await self._look(client, device)
                if min(device.silent_s for device in devices) > self._options.offline_after_s * _DEAD_FACTOR:
                    raise SourceLost("no device answers any more")
                await asyncio.sleep(max(min(device.due_at for device in devices) - time.monotonic(), 0))
        except SourceLost as error:
            self._lost = str(error)
        except Exception as error:
            self._lost = f"polling failed: {error!r}"
            raise
        finally:
            self._arrived.set()

    async def _look(self, client: AsyncModbusTcpClient, device: Device) -> None:
        number = self._options.devices[device.machine]
        try:
            found = await device.look(partial(_read, client, number))
        except _Refused as error:
            found = device.refuses(f"device {number} {error}")
        except (ModbusException, TimeoutError, OSError) as error:
            if not client.connected:
                raise SourceLost(f"the connection broke: {error}") from error
            found = device.silent(f"device {number} does not answer")
        if found:
            await self._findings.put(found)
            self._arrived.set()

    def _say(self, what: str) -> str:
        return f"connection {self.id}: tcp://{self._options.host}:{self._options.port}: {what}"


async def _read(client: AsyncModbusTcpClient, number: int, first: int, count: int) -> list[int]:
    response = await client.read_input_registers(first, count=count, device_id=number)
    if response.isError():
        code = response.exception_code
        if code in _SILENT:
            raise TimeoutError
        name = ExcCodes(code).name if code in set(ExcCodes) else f"exception {code}"
        raise _Refused(f"refuses to read {count} input registers from {first}: {name}")
    if len(response.registers) != count:
        raise _Refused(f"answers {len(response.registers)} registers from {first} when asked for {count}")
    return list(response.registers)
