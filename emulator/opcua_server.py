"""The machines that speak OPC UA: one server, a folder per machine, a read-only variable per signal."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from asyncua import Server, ua

from emulator.update import Update
from plant.connection import Connection
from plant.errors import InvalidInput, Unavailable
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Signal


def _variant_type(signal: Signal) -> ua.VariantType:
    if signal is Signal.JOB_ORDER:
        return ua.VariantType.String
    if signal in COUNTER_SIGNALS:
        return ua.VariantType.Int64
    return ua.VariantType.Double if signal in CONDITION_SIGNALS else ua.VariantType.Int32


class OpcUaServer:
    """Serves the machines of all OPC UA connections on one loopback port.

    Anyone on this machine may read (SecurityPolicy None, loopback only) and nobody may write. Every value carries the
    plant time of its change as source timestamp.

    Parameters
    ----------
    connections
        Their options: ``namespace`` (URI) and ``node``, the pattern of the string node ids; `InvalidInput` if wrong.
    """

    def __init__(self, connections: Sequence[Connection], host: str, port: int) -> None:
        self._machines = [(connection.machines, *_options(connection)) for connection in connections]
        self._address = (host, port)
        self.endpoint = f"opc.tcp://{host}:{port}"
        self._server: Server | None = None
        self._nodes: dict[tuple[str, Signal], ua.NodeId] = {}

    async def start(self, present: Sequence[Update]) -> None:
        """Build the address space, show `present` in it, then listen: no client sees an empty variable.

        Raises
        ------
        Unavailable
            When the port cannot be bound.
        """
        self._require_free_port()
        self._server = server = Server()
        await server.init()
        server.set_endpoint(self.endpoint)
        server.set_server_name("Forerun emulated machines")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        for machines, namespace, pattern in self._machines:
            await self._add_machines(server, machines, namespace, pattern)
        for update in present:
            await self.publish(update)
        await server.start()

    async def publish(self, update: Update) -> None:
        """Write the values of one update; they all carry its time.

        Subscriptions sample between event loop turns and nothing here waits, so a tuple is never seen half written.
        """
        assert self._server is not None, "publish before start"
        for signal, value in update.values.items():
            variant = ua.Variant(value, _variant_type(signal))
            await self._server.write_attribute_value(
                self._nodes[update.machine, signal], ua.DataValue(variant, SourceTimestamp=update.at)
            )

    async def stop(self) -> None:
        """Disconnect the clients and close the port."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    def _require_free_port(self) -> None:
        """Find out before the address space is built, which takes over a second."""
        try:
            socket.create_server(self._address).close()
        except OSError as error:
            raise Unavailable(f"OPC UA cannot listen on {self.endpoint}: {error}; choose another port") from error

    async def _add_machines(self, server: Server, machines: Sequence[str], namespace: str, pattern: str) -> None:
        index = await server.register_namespace(namespace)
        for machine in machines:
            folder = await server.nodes.objects.add_folder(ua.NodeId(machine, index), f"{index}:{machine}")
            for signal in (*STATE_SIGNALS, *COUNTER_SIGNALS, *CONDITION_SIGNALS):
                node = ua.NodeId(pattern.format(machine=machine, signal=signal), index)
                empty = "" if signal is Signal.JOB_ORDER else 0
                await folder.add_variable(node, f"{index}:{signal}", empty, _variant_type(signal))
                await server.write_attribute_value(
                    node, ua.DataValue(StatusCode=ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData))
                )
                self._nodes[machine, signal] = node


def _options(connection: Connection) -> tuple[str, str]:
    namespace, pattern = connection.options.get("namespace"), connection.options.get("node", "{machine}.{signal}")
    if not isinstance(namespace, str) or not namespace:
        raise InvalidInput(f"connection {connection.id}: options.namespace must be a namespace URI, not {namespace!r}")
    if not isinstance(pattern, str) or "{machine}" not in pattern or "{signal}" not in pattern:
        raise InvalidInput(
            f"connection {connection.id}: options.node must hold {{machine}} and {{signal}}, not {pattern!r}"
        )
    return namespace, pattern
