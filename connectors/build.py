"""From a connection of the plant to the source that reads it: the one place that knows all protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connectors.modbus import ModbusSource
from connectors.modbus_options import ModbusOptions
from connectors.mqtt import MqttSource
from connectors.mqtt_options import MqttOptions
from connectors.opcua import OpcUaSource
from connectors.opcua_options import OpcUaOptions
from plant.connection import Connection, Protocol
from plant.plant import Plant
from plant.ports import PlantClock, ReadingSource
from plant.reading import Reading

_SOURCES: dict[Protocol, Callable[..., ReadingSource]] = {
    Protocol.OPCUA: OpcUaSource,
    Protocol.MQTT: MqttSource,
    Protocol.MODBUS: ModbusSource,
}
_OPTIONS: dict[Protocol, Callable[[Connection], tuple[object, list[str]]]] = {
    Protocol.OPCUA: OpcUaOptions.read,
    Protocol.MQTT: MqttOptions.read,
    Protocol.MODBUS: ModbusOptions.read,
}


def build(
    connection: Connection,
    plant: Plant,
    clock: PlantClock,
    endpoint: str | None = None,
    last_known: Iterable[Reading] = (),
) -> ReadingSource:
    """Return the source for a connection; nothing is connected yet.

    Parameters
    ----------
    endpoint
        Where this installation reaches it, if not where the plant says.
    last_known
        The latest stored reading of each tag of its machines: what a gap over a restart is told from.

    Raises
    ------
    InvalidInput
        When options or endpoint are wrong, with all that is wrong.
    """
    return _SOURCES[connection.protocol](connection, plant, clock, endpoint, last_known)


def check(connection: Connection) -> list[str]:
    """Return everything that is wrong with a connection's endpoint and options."""
    return _OPTIONS[connection.protocol](connection)[1]
