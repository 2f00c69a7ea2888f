"""The embedded broker's QoS 1, kept: what a client has not acknowledged stays its due until it does.

amqtt alone forgets an outgoing message when its client disconnects or takes longer than five seconds to acknowledge,
and keeps nothing for a client without a name that is away. Here such a message stays in the session and is sent
again, in order, when the client comes back. Sessions live in memory, as long as the broker runs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

from amqtt.broker import Broker
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.session import OUTGOING, IncomingApplicationMessage, OutgoingApplicationMessage, Session

_HEARD_S = 1.0
"""After this time a reader that was cancelled and goes on did not hear it."""

_Message = OutgoingApplicationMessage | IncomingApplicationMessage


class DurableBroker(Broker):
    """An MQTT 3.1.1 broker.

    Parameters
    ----------
    bind
        Address and port, ``"127.0.0.1:1883"``.
    password_file
        Lines of ``name:hash``, read once. Without it anybody is let in: bind it to a loopback address.
    """

    def __init__(self, bind: str, password_file: str | None = None) -> None:
        plugins: dict[str, Any] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        if password_file is not None:
            plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": password_file}}
        listener = {"type": "tcp", "bind": bind, "max_connections": 1000}
        super().__init__({"listeners": {"default": listener}, "plugins": plugins})
        self._serving: dict[str, _DurableHandler] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def _authenticate(self, session: Session, listener: Any) -> bool:
        """Let in, and keep messages for those without a name as for all others: the client id tells them apart."""
        allowed = await super()._authenticate(session, listener)
        session.is_anonymous = False
        return allowed

    async def _handle_client_session(
        self, reader: Any, writer: Any, client_session: Session, handler: BrokerProtocolHandler, *rest: Any
    ) -> None:
        """Serve a client that may come in, after its former connection has ended: both would work on one session.

        amqtt hands a session over first and asks for the password afterwards.
        """
        if not await self._authenticate(client_session, self.listeners_config[rest[-1]]):
            await self._refuse(reader, writer)
            return
        client = client_session.client_id or ""
        former = self._serving.get(client)
        if former is not None:
            await former.handle_connection_closed()
            await former.stop()
        async with self._turns[client]:
            durable = self._serving[client] = _DurableHandler(self.plugins_manager)
            await super()._handle_client_session(reader, writer, client_session, durable, *rest)

    async def _refuse(self, reader: Any, writer: Any) -> None:
        """Turn somebody away without touching the session of that name."""
        stranger = Session()
        stranger.client_id = "refused"
        handler = BrokerProtocolHandler(self.plugins_manager)
        handler.attach(stranger, reader, writer)
        await handler.mqtt_connack_authorize(False)
        await writer.close()

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """Send what came while the client was away, without waiting for its acknowledgements."""
        handler = self._get_handler(session)
        while isinstance(handler, _DurableHandler) and not session.retained_messages.empty():
            kept = session.retained_messages.get_nowait()
            handler.deliver(
                OutgoingApplicationMessage(session.next_packet_id, kept.topic, kept.qos, kept.data, retain=False)
            )


class _DurableHandler(BrokerProtocolHandler):
    """Serves one connection of a client."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._deliveries: set[asyncio.Task[None]] = set()
        self._over = False

    def deliver(self, message: OutgoingApplicationMessage) -> None:
        """Send a message and wait for its acknowledgement in the background."""
        if self.session is not None and message.packet_id is not None:
            self.session.inflight_out[message.packet_id] = message
        task = asyncio.create_task(self._handle_message_flow(message))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def stop(self) -> None:
        """End the connection; what is not acknowledged stays in the session."""
        self._over = True
        await self._end_reader()
        await super().stop()

    async def _end_reader(self) -> None:
        """Cancel the reader until it ends: a cancellation that meets an arriving packet is lost.

        `asyncio.wait_for` drops it before Python 3.12, and amqtt, which cancels once, would wait for ever.
        """
        reader = self._reader_task
        if reader is None or reader is asyncio.current_task():
            return
        while not (reader.done() or self._reader_stopped.is_set()):
            reader.cancel()
            stopped = asyncio.create_task(self._reader_stopped.wait())
            await asyncio.wait({reader, stopped}, timeout=_HEARD_S, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()

    def handle_puback(self, puback: PubackPacket) -> Coroutine[Any, Any, None]:
        """Strike the message off at once: the coroutine is dropped when the client leaves right behind it."""
        if self.session is not None and puback.variable_header is not None:
            self.session.inflight_out.pop(puback.variable_header.packet_id, None)
        return super().handle_puback(puback)

    async def _retry_deliveries(self) -> None:
        if self.session is not None:
            for message in list(self.session.inflight_out.values()):
                self.deliver(message)

    async def _handle_qos1_message_flow(self, app_message: _Message) -> None:
        session, number = self.session, app_message.packet_id
        if app_message.direction != OUTGOING or session is None or number is None:
            await super()._handle_qos1_message_flow(app_message)
            return
        assert isinstance(app_message, OutgoingApplicationMessage)
        session.inflight_out[number] = app_message
        if self._over:
            return
        app_message.publish_packet = app_message.build_publish_packet(dup=app_message.publish_packet is not None)
        acknowledged = self._puback_waiters[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send_packet(app_message.publish_packet)
            app_message.puback_packet = await acknowledged
            session.inflight_out.pop(number, None)
        finally:
            self._puback_waiters.pop(number, None)
