"""One opened OPC UA connection: its session, its subscription, and what watches over them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import datetime

from asyncua import Client, ua

from connectors.opcua_options import OpcUaOptions, secure
from plant.errors import SourceLost
from plant.reading import Signal

Key = tuple[str, Signal]
Change = tuple[Key, ua.DataValue]
Missing = tuple[str, str]
"""A node id that cannot be subscribed to, and why."""

_PENDING = 64
"""Notifications held here; more make the publish loop wait, and the server's queues hold the rest."""
_CALL_ITEMS = 500
"""Items per request: servers limit them."""
_KEEP_ALIVES = 5
"""Keep-alives that fit into `silence_s`."""
_LIFE_S = 60.0
"""Wall seconds the server keeps a subscription nobody asks for."""


class Link:
    """A session with one subscription. It is used once: started, taken from, stopped."""

    def __init__(self, source: str, options: OpcUaOptions, machines: Sequence[str]) -> None:
        self._source = source
        self._options = options
        self._client = Client(options.endpoint, timeout=options.timeout_s, watchdog_intervall=options.silence_s)
        self._client.name = self._client.description = f"Forerun {source}"
        self._client.connection_lost_callback = self._on_connection_lost
        self._keys: list[Key] = [(machine, signal) for machine in machines for signal in options.signals]
        self._nodes: dict[Key, ua.NodeId] = {}
        self._unsubscribed: set[Key] = set(self._keys)
        self._told: set[Key] = set()
        self._missing: list[Missing] = []
        self._delivered: dict[Key, datetime] = {}
        self._notifications: asyncio.Queue[list[Change]] = asyncio.Queue(_PENDING)
        self._arrived = asyncio.Event()
        self._heard_at = time.monotonic()
        self._subscription = 0
        self._connected = False
        self._lost: str | None = None
        self._watch: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect, subscribe, and begin to watch."""
        await secure(self._client, self._options)
        await self._client.connect()
        self._connected = True
        index = await self._namespace_index()
        self._nodes = {key: ua.NodeId(self._options.node_id(*key), index) for key in self._keys}
        await self._create_subscription()
        await self._subscribe()
        self._watch = [asyncio.create_task(self._watch_silence()), asyncio.create_task(self._watch_values())]

    async def take(self) -> tuple[list[Change], list[Missing]]:
        """Wait until something has arrived and return all of it.

        Raises
        ------
        SourceLost
            When the connection has broken and everything that had arrived was taken.
        """
        await self._arrived.wait()
        changes: list[Change] = []
        while not self._notifications.empty():
            changes += self._notifications.get_nowait()
        missing, self._missing = self._missing, []
        if self._lost is not None and not changes and not missing:
            raise SourceLost(f"connection {self._source}: {self._options.endpoint}: {self._lost}")
        if self._lost is None:
            self._arrived.clear()
        return changes, missing

    async def stop(self) -> None:
        """Disconnect; whoever waits in `take` is told that the connection is lost."""
        self._lose("closed")
        for task in self._watch:
            task.cancel()
        await asyncio.gather(*self._watch, return_exceptions=True)
        if not self._connected:
            return
        # A server that is gone must not hold up the next opening: what it thinks of our session times out there.
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._options.timeout_s):
                await self._client.disconnect()
        self._client.disconnect_socket()

    def _lose(self, reason: str) -> None:
        self._lost = self._lost or reason
        self._arrived.set()

    async def _on_connection_lost(self, error: Exception) -> None:
        self._lose(f"the connection broke: {error!r}")

    async def _namespace_index(self) -> int:
        uris = await self._client.get_namespace_array()
        if self._options.namespace not in uris:
            raise SourceLost(
                f"the server has no namespace {self._options.namespace!r}, only {', '.join(uris)}; "
                f"check options.namespace of connection {self._source}"
            )
        return int(uris.index(self._options.namespace))

    async def _create_subscription(self) -> None:
        keep_alive_ms = self._options.silence_s * 1000 / _KEEP_ALIVES
        keep_alives = max(int(keep_alive_ms / self._options.publishing_ms), 1)
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=self._options.publishing_ms,
            RequestedLifetimeCount=max(int(_LIFE_S * 1000 / self._options.publishing_ms), 3 * keep_alives),
            RequestedMaxKeepAliveCount=keep_alives,
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
            Priority=0,
        )
        result = await self._client.uaclient.session.create_subscription(parameters, self._on_publish)
        self._subscription = result.SubscriptionId
        self._heard_at = time.monotonic()

    async def _subscribe(self) -> None:
        """Create the monitored items that are missing; a node the server refuses is told once and tried again."""
        wanted = [key for key in self._keys if key in self._unsubscribed]
        for first in range(0, len(wanted), _CALL_ITEMS):
            keys = wanted[first : first + _CALL_ITEMS]
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self._subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=[self._request(key) for key in keys],
            )
            results = await self._client.uaclient.session.create_monitored_items(parameters)
            for key, result in zip(keys, results, strict=True):
                self._settle(key, result.StatusCode)

    def _settle(self, key: Key, status: ua.StatusCode) -> None:
        if status.is_good():
            self._unsubscribed.discard(key)
        elif key not in self._told:
            self._told.add(key)
            self._missing.append((self._nodes[key].to_string(), f"cannot be subscribed to: {status.name}"))
            self._arrived.set()

    def _request(self, key: Key) -> ua.MonitoredItemCreateRequest:
        # A new stamp is a new reading even if value and status are the same: machines report, they do not only change.
        trigger = ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValueTimestamp, DeadbandType=ua.DeadbandType.None_
        )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=self._nodes[key], AttributeId=ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=self._keys.index(key),
                SamplingInterval=0.0,
                Filter=trigger,
                QueueSize=self._options.queue_size,
                DiscardOldest=True,
            ),
        )

    async def _on_publish(self, result: ua.PublishResult) -> None:
        self._heard_at = time.monotonic()
        for notification in result.NotificationMessage.NotificationData or []:
            if isinstance(notification, ua.DataChangeNotification):
                await self._pass_on(notification)
            elif isinstance(notification, ua.StatusChangeNotification):
                self._lose(f"the server ended the subscription: {notification.Status.name}")

    async def _pass_on(self, notification: ua.DataChangeNotification) -> None:
        changes: list[Change] = []
        for item in notification.MonitoredItems:
            key = self._keys[item.ClientHandle]
            changes.append((key, item.Value))
            stamp = item.Value.SourceTimestamp
            if stamp is not None:
                self._delivered[key] = max(stamp, self._delivered.get(key, stamp))
        await self._notifications.put(changes)
        self._arrived.set()
        self._heard_at = time.monotonic()

    async def _watch_silence(self) -> None:
        """Tell a subscription that has ended without a word: its keep-alives stay away."""
        while self._lost is None:
            await asyncio.sleep(self._options.silence_s / 4)
            silent_s = time.monotonic() - self._heard_at
            if silent_s > self._options.silence_s and not self._notifications.full():
                self._lose(f"neither values nor keep-alives for {silent_s:.1f} s")

    async def _watch_values(self) -> None:
        """Tell a subscription that is alive but silent, and take in nodes that have appeared."""
        behind: dict[Key, datetime] = {}
        try:
            while self._lost is None:
                await asyncio.sleep(self._options.audit_s)
                for key, stamp in behind.items():
                    late = key not in self._delivered or self._delivered[key] < stamp
                    if late and not self._notifications.full():
                        self._lose(f"{self._nodes[key].to_string()} changed at {stamp} but the subscription is silent")
                if self._unsubscribed:
                    await self._subscribe()
                behind = await self._stamps()
        except (ua.UaError, OSError, TimeoutError) as error:
            self._lose(f"values cannot be read: {error!r}")

    async def _stamps(self) -> dict[Key, datetime]:
        """Return the source time of what each subscribed node holds now."""
        keys = [key for key in self._keys if key not in self._unsubscribed]
        stamps: dict[Key, datetime] = {}
        for first in range(0, len(keys), _CALL_ITEMS):
            part = keys[first : first + _CALL_ITEMS]
            nodes = [self._nodes[key] for key in part]
            values = await self._client.uaclient.session.read_attributes(nodes, ua.AttributeIds.Value)
            for key, value in zip(part, values, strict=True):
                if value.SourceTimestamp is not None:
                    stamps[key] = value.SourceTimestamp
        return stamps
