"""Starts the emulated factory from the settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import emulator.app
from emulator.settings import EmulatorSettings
from plant.connection import Protocol
from plant.errors import SettingsInvalid
from plant.folder import load, require_connections
from plant.plant import Plant
from runtime.settings import Settings


def run(settings: Settings) -> None:
    """Run the emulated factory until SIGTERM or SIGINT.

    Raises
    ------
    SettingsInvalid
        If it is not told where job responses go, or with which key.
    PlantInvalid
        If the plant's folder is wrong, or does not say how the machines are reached.
    """
    chosen = settings.emulator
    if chosen.gateway_url is None:
        raise SettingsInvalid("setting emulator.gateway_url (FORERUN_EMULATOR__GATEWAY_URL) is missing")
    if settings.mes_key is None:
        raise SettingsInvalid("setting mes_key (FORERUN_MES_KEY) is missing: the API key its MES reports with")
    plant = load(settings.plant)
    require_connections(plant, settings.plant)
    emulator.app.run(
        EmulatorSettings(
            plant_folder=settings.plant,
            state_dir=settings.data_dir / "factory",
            gateway_url=chosen.gateway_url,
            api_key=settings.mes_key.get_secret_value(),
            rate=chosen.rate,
            host=chosen.host,
            opcua_port=chosen.opcua_port,
            modbus_port=chosen.modbus_port,
            http_port=chosen.http_port,
            seed=chosen.seed,
            **_broker(plant, settings),
        )
    )


def _broker(plant: Plant, settings: Settings) -> dict[str, Any]:
    for connection in plant.connections:
        if connection.protocol is Protocol.MQTT:
            parts = urlsplit(settings.endpoints.get(connection.id, connection.endpoint))
            return {
                "mqtt_host": parts.hostname,
                "mqtt_port": parts.port or 1883,
                "mqtt_username": parts.username,
                "mqtt_password": parts.password,
            }
    return {}
