"""All machines of the emulated plant on their protocols: which publisher speaks for whom, and what it starts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emulator.events import DispatchedJob
from emulator.factory import Factory
from emulator.modbus_server import ModbusServer, job_order_bytes
from emulator.mqtt_publisher import MqttPublisher
from emulator.opcua_server import OpcUaServer
from emulator.settings import EmulatorSettings
from emulator.telling import Past
from emulator.update import Group, Publisher, Update
from plant.connection import Connection, Protocol
from plant.plant import Plant


class Machines:
    """The machines' sockets.

    Parameters
    ----------
    acknowledged
        Per machine the number of the last log entry the MQTT broker had taken before this process.
    """

    def __init__(self, plant: Plant, settings: EmulatorSettings, acknowledged: Mapping[str, int]) -> None:
        self._settings = settings
        self._connections = {
            protocol: [connection for connection in plant.connections if connection.protocol is protocol]
            for protocol in Protocol
        }
        self._client_id = f"emulator-{plant.site}"
        self._publishers: list[Publisher] = []
        self._publisher_of: dict[str, Publisher] = {}
        self._acknowledged = dict(acknowledged)
        self._mqtt: MqttPublisher | None = None

    @property
    def acknowledged(self) -> dict[str, int]:
        """Per machine the number of the last log entry the MQTT broker has taken."""
        return {**self._acknowledged, **(self._mqtt.acknowledged if self._mqtt else {})}

    @property
    def mqtt_waiting(self) -> int:
        """Messages the broker has not taken."""
        return self._mqtt.waiting if self._mqtt else 0

    @property
    def mqtt_dropped(self) -> int:
        """Messages given up since the start because the broker was away for too long."""
        return self._mqtt.dropped if self._mqtt else 0

    def check(self, job: DispatchedJob) -> None:
        """Refuse a job order whose id its machine's controller could not show.

        Raises
        ------
        InvalidInput
            For a Modbus controller and an id that is too long or not ASCII.
        """
        if any(job.machine in connection.machines for connection in self._connections[Protocol.MODBUS]):
            job_order_bytes(job.id)

    async def start(self, factory: Factory, again: Sequence[Update]) -> dict[str, str]:
        """Open every socket, showing the present from the first moment; return the endpoint per connection.

        Parameters
        ----------
        again
            What came of the time since the last snapshot, told already or not.
        """
        pasts = factory.pasts()
        sampled = [update for update in again if update.group is Group.CONDITION]
        endpoints: dict[str, str] = {}
        for protocol, connections in self._connections.items():
            if not connections:
                continue
            publisher, endpoint = self._build(protocol, connections, pasts)
            machines = [machine for connection in connections for machine in connection.machines]
            await publisher.start(self._present(protocol, machines, factory, pasts, sampled))
            self._publishers.append(publisher)
            self._publisher_of |= dict.fromkeys(machines, publisher)
            endpoints |= {connection.id: endpoint for connection in connections}
        return endpoints

    async def publish(self, updates: Iterable[Update]) -> None:
        """Let the machines speak; a machine without a connection stays silent."""
        for update in updates:
            publisher = self._publisher_of.get(update.machine)
            if publisher is not None:
                await publisher.publish(update)

    async def stop(self) -> None:
        """Close every socket."""
        for publisher in self._publishers:
            await publisher.stop()

    def _build(
        self, protocol: Protocol, connections: list[Connection], pasts: Mapping[str, Past]
    ) -> tuple[Publisher, str]:
        settings = self._settings
        if protocol is Protocol.OPCUA:
            opcua = OpcUaServer(connections, settings.host, settings.opcua_port)
            return opcua, opcua.endpoint
        if protocol is Protocol.MODBUS:
            numbers = {machine: past.changes - len(past.states) for machine, past in pasts.items()}
            modbus = ModbusServer(connections, settings.host, settings.modbus_port, numbers)
            return modbus, modbus.endpoint
        self._mqtt = MqttPublisher(
            connections,
            settings.mqtt_host,
            settings.mqtt_port,
            self._client_id,
            account=(settings.mqtt_username, settings.mqtt_password),
        )
        return self._mqtt, f"mqtt://{settings.mqtt_host}:{settings.mqtt_port}"

    def _present(
        self,
        protocol: Protocol,
        machines: list[str],
        factory: Factory,
        pasts: Mapping[str, Past],
        sampled: Sequence[Update],
    ) -> list[Update]:
        """Return what a publisher starts with: each machine's present, behind what its readers may lack.

        A Modbus controller keeps its ring while it is off; MQTT messages the broker never took are sent again.
        """
        updates: list[Update] = []
        if protocol is Protocol.MQTT:
            updates += factory.shown_since({machine: self._acknowledged.get(machine, 0) for machine in machines})
            updates += [update for update in sampled if update.machine in machines]
        for machine in machines:
            if protocol is Protocol.MODBUS:
                updates += list(pasts[machine].states)[:-1]
            updates += factory.present(machine, pasts[machine])
        return updates
