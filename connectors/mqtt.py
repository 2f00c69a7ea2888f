"""MQTT: a persistent session at QoS 1, whose messages are acknowledged after the commit and not before.

paho works in a thread of its own; its messages cross into asyncio through a bounded buffer. When that is full the
thread stops reading, TCP and the broker's in-flight window hold the sender back, and the broker keeps the rest: what
is not acknowledged stays its duty. It is delivered again when the connection breaks, so a message that cannot be
understood is acknowledged, too, once it is in quarantine: otherwise it would come back for ever.

MQTT 3.1.1 is spoken because the embedded broker knows nothing newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from connectors.intake import Intake
from connectors.memory import INSTANT, Memory
from connectors.mqtt_link import Link, Message
from connectors.mqtt_options import MqttOptions
from connectors.mqtt_payload import Parsed, parse
from plant.connection import Connection
from plant.errors import InvalidInput, SourceLost
from plant.plant import Plant
from plant.ports import PlantClock
from plant.reading import STATE_SIGNALS, Reading, ReadingBatch, Rejected


class MqttSource:
    """A `plant.ports.ReadingSource` for the machines below one topic prefix of a broker."""

    def __init__(
        self,
        connection: Connection,
        plant: Plant,
        clock: PlantClock,
        endpoint: str | None = None,
        last_known: Iterable[Reading] = (),
    ) -> None:
        self._options, problems = MqttOptions.read(connection, endpoint)
        if problems:
            raise InvalidInput("\n".join(problems))
        self._connection = connection
        self._intake = Intake(connection, plant, clock)
        self._memory = Memory(last_known)
        self._gaps: dict[str, datetime] = {}
        self._unstored: dict[str, Reading] = {}
        self._tell_gaps = False
        self._link: Link | None = None

    @property
    def id(self) -> str:
        """Id of the connection it serves."""
        return self._connection.id

    async def open(self) -> None:
        """Connect and subscribe; a session the broker has lost is a gap."""
        await self.close()
        link = Link(self.id, self._options)
        try:
            kept = await link.start()
        except BaseException:
            await asyncio.shield(link.stop())
            raise
        self._link = link
        if not kept:
            self._record_gaps()
        self._tell_gaps = bool(self._unstored)

    async def read(self) -> ReadingBatch:
        """Wait for messages and return what has arrived, at most some hundred."""
        if self._link is None:
            raise SourceLost(f"connection {self.id} is not open")
        link = self._link
        if self._tell_gaps:
            self._tell_gaps = False
            gaps = tuple(self._unstored.values())
            return ReadingBatch(gaps, partial(self._acknowledge, link, (), gaps))
        messages = await link.take()
        readings: list[Reading] = []
        rejected: list[Rejected] = []
        for message in messages:
            parsed = self._parse(message)
            readings += self._closing(parsed.readings) + list(parsed.readings)
            rejected += parsed.rejected
        acknowledge = partial(self._acknowledge, link, messages, tuple(readings))
        return ReadingBatch(tuple(readings), acknowledge, tuple(rejected))

    async def close(self) -> None:
        """Disconnect; the broker keeps the session and all that is not acknowledged."""
        link, self._link = self._link, None
        if link is not None:
            await asyncio.shield(link.stop())

    async def _acknowledge(self, link: Link, messages: Sequence[Message], readings: Sequence[Reading]) -> None:
        self._memory.commit(readings)
        for reading in readings:
            if self._unstored.get(reading.machine) == reading:
                del self._unstored[reading.machine]
        link.acknowledge(messages)

    def _parse(self, message: Message) -> Parsed:
        return parse(self._intake, self._options, message.topic, message.payload)

    def _record_gaps(self) -> None:
        """Without its session the broker kept nothing for us: from the last stored reading on nothing is known."""
        for machine in self._connection.machines:
            begin = self._memory.gap_at(machine)
            if begin is not None and self._memory.lost_at(machine) is None:
                self._gaps[machine] = begin
                self._unstored[machine] = self._intake.gap(machine, begin)

    def _closing(self, readings: Sequence[Reading]) -> list[Reading]:
        """End a gap when a machine says again what was last stored: its state had not changed meanwhile."""
        machine = readings[0].machine if readings else ""
        begin = self._gaps.get(machine)
        state = [reading for reading in readings if reading.signal in STATE_SIGNALS]
        if begin is None or not state:
            return []
        if state[0].time > begin:
            del self._gaps[machine]
            return []
        if state[0].time != self._memory.state_at(machine):
            return []
        del self._gaps[machine]
        return [Reading(r.tag, begin + INSTANT, r.value, r.quality) for r in state]
