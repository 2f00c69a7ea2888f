"""What one emulated plant needs to know to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
"""Unless told otherwise, the emulated plant is reached from this computer only."""


@dataclass(frozen=True)
class EmulatorSettings:
    """Settings of one emulated plant.

    Attributes
    ----------
    state_dir
        Where its floor, its clock and its log outlive the process; one process at a time.
    gateway_url, api_key
        Where job responses go, and the key that lets them in.
    rate
        Plant seconds per wall second.
    host
        Address its servers listen on.
    mqtt_host, mqtt_port, mqtt_username, mqtt_password
        The broker it publishes to, and its account there if it needs one.
    opcua_port, modbus_port, http_port
        Ports to serve on; 0 takes a free one, told in ``state_dir/endpoints.json`` once all of them listen.
    seed
        Chooses what is truly the case: real times, failures, scrap, noise.
    """

    plant_folder: Path
    state_dir: Path
    gateway_url: str
    api_key: str = field(repr=False)
    rate: float = 60.0
    host: str = HOST
    opcua_port: int = 0
    mqtt_host: str = HOST
    mqtt_port: int = 1883
    mqtt_username: str | None = None
    mqtt_password: str | None = field(default=None, repr=False)
    modbus_port: int = 0
    http_port: int = 0
    seed: int = 7
