"""OPC UA: one subscription per connection, one monitored item per signal, the source's own time stamps.

A break is found in three ways: the transport ends, the keep-alive of the subscription stays away, or (the
connection looks well, but nothing arrives) a value read directly is newer than what the subscription delivered.
Each ends the source with `SourceLost`, and the runner opens it again. The protocol cannot hold back for us what
changed meanwhile, so a state that is newer than the last stored one is preceded by a reading without
communication: the gap is recorded. A machine whose state kept its stamp over the break has no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from asyncua import ua

from connectors.intake import OVERFLOW, Intake
from connectors.memory import Memory
from connectors.opcua_link import Key, Link
from connectors.opcua_options import OpcUaOptions
from plant.connection import Connection
from plant.errors import InvalidInput, MessageInvalid, SourceLost
from plant.plant import Plant
from plant.ports import PlantClock
from plant.reading import GapCause, Reading, ReadingBatch, Rejected, Signal, is_good

_INFO_BITS = 0x0000_FFFF


class OpcUaSource:
    """A `plant.ports.ReadingSource` for one OPC UA server.

    Acknowledging only remembers what is stored: the protocol forgets a value once it is sent.
    """

    def __init__(
        self,
        connection: Connection,
        plant: Plant,
        clock: PlantClock,
        endpoint: str | None = None,
        last_known: Iterable[Reading] = (),
    ) -> None:
        self._options, problems = OpcUaOptions.read(connection, endpoint)
        if problems:
            raise InvalidInput("\n".join(problems))
        self._connection = connection
        self._intake = Intake(connection, plant, clock)
        self._memory = Memory(last_known)
        self._seen = self._memory.copy()
        self._unsure: set[str] = set()
        self._link: Link | None = None

    @property
    def id(self) -> str:
        """Id of the connection it serves."""
        return self._connection.id

    async def open(self) -> None:
        """Connect, subscribe to every signal of every machine; a missing node is told, not an error."""
        await self.close()
        link = Link(self.id, self._options, self._connection.machines)
        try:
            await link.start()
        except BaseException as error:
            await link.stop()
            if isinstance(error, InvalidInput) or not isinstance(error, Exception):
                raise
            raise SourceLost(
                f"connection {self.id}: {self._options.endpoint} cannot be opened: {error!r}; is the server running?"
            ) from error
        self._link = link
        self._unsure = set(self._connection.machines)
        self._seen = self._memory.copy()

    async def read(self) -> ReadingBatch:
        """Wait for notifications and return all that have arrived."""
        if self._link is None:
            raise SourceLost(f"connection {self.id} is not open")
        link = self._link
        changes, missing = await link.take()
        rejected = [self._intake.reject(node, reason) for node, reason in missing]
        readings: list[Reading] = []
        for key, value in changes:
            self._take_in(key, value, readings, rejected)
        readings.sort(key=lambda reading: reading.time)
        return ReadingBatch(tuple(readings), partial(self._acknowledge, tuple(readings)), tuple(rejected))

    async def close(self) -> None:
        """Disconnect; what has not been read is dropped."""
        link, self._link = self._link, None
        if link is not None:
            await link.stop()

    async def _acknowledge(self, readings: Sequence[Reading]) -> None:
        self._memory.commit(readings)

    def _take_in(self, key: Key, value: ua.DataValue, readings: list[Reading], rejected: list[Rejected]) -> None:
        machine, signal = key
        status = value.StatusCode.value if value.StatusCode is not None else 0
        moment: datetime | None = None
        try:
            moment = self._moment(value, status)
            raw = value.Value.Value if value.Value is not None else None
            reading = self._intake.reading(machine, signal, moment, raw, status & ~_INFO_BITS)
        except MessageInvalid as error:
            rejected.append(self._intake.reject(repr(value), f"{self._options.node_id(machine, signal)}: {error}"))
            reading = None
        if signal is Signal.PACKML_STATE:
            readings += self._gap_before(machine, moment, status & OVERFLOW == OVERFLOW)
        if reading is not None:
            self._seen.commit([reading])
            readings.append(reading)

    def _moment(self, value: ua.DataValue, status: int) -> datetime:
        if value.SourceTimestamp is not None:
            return self._intake.time(value.SourceTimestamp)
        if is_good(status):
            raise MessageInvalid("the value has no source timestamp; let the server send one")
        return self._intake.now()

    def _gap_before(self, machine: str, moment: datetime | None, overflow: bool) -> list[Reading]:
        """Return the gap before the first state after opening, if that is news, or before one that lost others."""
        first = machine in self._unsure
        self._unsure.discard(machine)
        if not first and not overflow:
            return []
        memory = self._memory if first else self._seen
        known = memory.state_at(machine)
        if known is None or (moment is not None and moment <= known):
            return []
        begin = memory.gap_at(machine, moment)
        cause = GapCause.CONNECTION_LOST if first else GapCause.BUFFER_OVERFLOW
        return [] if begin is None else [self._intake.gap(machine, begin, cause)]
