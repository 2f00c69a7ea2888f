"""How a group of machines is reached: one protocol, one endpoint, and how their signals are addressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from plant.checks import require, require_text


class Protocol(StrEnum):
    """The protocols connectors exist for."""

    OPCUA = "opcua"
    MQTT = "mqtt"
    MODBUS = "modbus"


@dataclass(frozen=True)
class Connection:
    """One connection of `connections.toml`.

    Attributes
    ----------
    endpoint
        Where it is reached, as the protocol writes it; the setting `endpoints` may replace it per installation.
    options
        What only this protocol knows (node pattern, topics, registers); checked by its connector.
    """

    id: str
    protocol: Protocol
    endpoint: str
    machines: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("connection id", self.id)
        require_text("endpoint", self.endpoint)
        require(bool(self.machines), f"connection {self.id} needs at least one machine")
