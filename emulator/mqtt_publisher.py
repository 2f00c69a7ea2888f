"""The machines that speak MQTT: one publishing client, QoS 1, in order per machine.

A message stays queued until the broker has acknowledged it, so none is lost while the broker is away; the queue is
bounded and gives up its oldest message (counted and reported) rather than refuse the newest.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from emulator.update import Update
from plant.connection import Connection
from plant.errors import InvalidInput

QUEUE_LIMIT = 20_000
"""Messages kept per machine while the broker is away."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Message:
    topic: str
    payload: bytes
    number: int


class MqttPublisher:
    """Publishes the machines of all MQTT connections through one broker.

    One message per machine is under way at a time: its acknowledgement sends the next. That keeps a machine's
    messages in order over any number of reconnections, which a window of several would not.

    Parameters
    ----------
    connections
        Their option ``prefix`` starts the topics ``{prefix}/{machine}/{state|count|condition}``.
    client_id
        Name of the client at the broker.
    limit
        Messages kept per machine.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        host: str,
        port: int,
        client_id: str,
        limit: int = QUEUE_LIMIT,
        account: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self._address = (host, port)
        self._limit = limit
        self._prefix = {machine: _prefix(connection) for connection in connections for machine in connection.machines}
        self._queues: dict[str, deque[_Message]] = {machine: deque() for machine in self._prefix}
        self._under_way: dict[str, int] = {}
        self._machine_of: dict[int, str] = {}
        self.acknowledged: dict[str, int] = {}
        """Per machine the number of the latest truth log entry the broker has taken."""
        self.dropped = 0
        """Messages given up because a queue was full."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        if account[0] is not None:
            self._client.username_pw_set(*account)
        self._client.reconnect_delay_set(min_delay=0.25, max_delay=2)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect

    @property
    def waiting(self) -> int:
        """Messages the broker has not acknowledged."""
        return sum(len(queue) for queue in self._queues.values())

    async def start(self, present: Sequence[Update]) -> None:
        """Queue `present` and begin to connect; a broker that is away is tried again and again."""
        self._loop = asyncio.get_running_loop()
        for update in present:
            await self.publish(update)
        self._client.connect_async(*self._address, keepalive=30)
        self._client.loop_start()

    async def publish(self, update: Update) -> None:
        """Queue one update as a message of its own."""
        queue = self._queues[update.machine]
        if len(queue) >= self._limit:
            self._give_up_oldest(update.machine)
        topic = f"{self._prefix[update.machine]}/{update.machine}/{update.group}"
        queue.append(_Message(topic, _payload(update), update.number))
        self._drained.clear()
        self._send_next(update.machine)

    async def stop(self, drain_s: float = 1.0) -> None:
        """Give the broker `drain_s` wall seconds to take what is queued, then disconnect."""
        if self._loop is None:
            return
        if self._client.is_connected():
            try:
                async with asyncio.timeout(drain_s):
                    await self._drained.wait()
            except TimeoutError:
                _log.warning("mqtt messages left for the next start", messages=self.waiting)
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._loop = None

    def _send_next(self, machine: str) -> None:
        queue = self._queues[machine]
        if machine in self._under_way or not queue or not self._client.is_connected():
            return
        message = queue[0]
        # Retained: who subscribes later learns how things stand without waiting for the next change.
        info: MQTTMessageInfo = self._client.publish(message.topic, message.payload, qos=1, retain=True)
        # Whether it could be written or was queued by the client: its identifier will be acknowledged.
        if info.rc in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            self._under_way[machine] = info.mid
            self._machine_of[info.mid] = machine
        else:
            _log.warning("mqtt message not taken by the client, kept", machine=machine, code=int(info.rc))

    def _settle(self, mid: int) -> None:
        machine = self._machine_of.pop(mid, None)
        if machine is None:
            return
        del self._under_way[machine]
        message = self._queues[machine].popleft()
        if message.number:
            self.acknowledged[machine] = message.number
        if not self.waiting:
            self._drained.set()
        self._send_next(machine)

    def _give_up_oldest(self, machine: str) -> None:
        """Drop the oldest message that is not under way."""
        queue = self._queues[machine]
        del queue[1 if machine in self._under_way else 0]
        self.dropped += 1
        if self.dropped % 1000 == 1:
            _log.warning("mqtt queue full, oldest message given up", machine=machine, dropped=self.dropped)

    def _on_publish(self, client: Client, userdata: Any, mid: int, *_: Any) -> None:
        """Run in the client's thread when the broker has acknowledged."""
        self._call(self._settle, mid)

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, *_: Any) -> None:
        """Run in the client's thread."""
        if reason.is_failure:
            _log.warning("mqtt broker refused the connection", reason=str(reason))
            return
        self._call(self._send_all)

    def _send_all(self) -> None:
        for machine in self._queues:
            self._send_next(machine)

    def _call(self, function: Any, *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


def _prefix(connection: Connection) -> str:
    prefix = connection.options.get("prefix")
    if not isinstance(prefix, str) or not prefix or any(sign in prefix for sign in "#+"):
        raise InvalidInput(
            f"connection {connection.id}: options.prefix must be a topic without # and +, not {prefix!r}"
        )
    return prefix


def _payload(update: Update) -> bytes:
    values: Mapping[str, Any] = {str(signal): value for signal, value in update.values.items()}
    return json.dumps({"time": format_time(update), "values": values}).encode()


def format_time(update: Update) -> str:
    """Return an update's plant time as ISO 8601 with microseconds and ``Z``."""
    return update.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
