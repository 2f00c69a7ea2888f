"""docker-compose.yml as Debian's docker-compose understands it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from plant.connection import Protocol
from plant.folder import load
from runtime.cli import app
from runtime.settings import Settings
from tests.requirements import require_program

ROOT = Path(__file__).parents[1]
SECRETS = {
    "FORERUN_DB_PASSWORD": "a database password",
    "FORERUN_MES_KEY": "fr_0123456789012345678901234567890123456789",
    "FORERUN_ADMIN_PASSWORD": "correct horse battery",
}
COMMANDS = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback}


def config(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Have docker-compose read the file with these variables."""
    program = require_program("docker-compose", "docker-compose")
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    command = [program, "-f", str(ROOT / "docker-compose.yml"), "config"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The whole file, variables filled in."""
    done = config(SECRETS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_refused_by_name_or_purpose(name: str) -> None:
    done = config({key: value for key, value in SECRETS.items() if key != name})
    assert done.returncode != 0
    said = re.search(rf"\$\{{{name}:\?([^}}]+)\}}", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert said is not None
    assert said[1] in done.stderr


def test_the_services_of_the_design_are_there(composed: dict[str, Any]) -> None:
    parts = {"timescaledb", "mosquitto", "prepare", "ingest", "app", "worker"}
    optional = {"emulator", "dask-scheduler", "dask-worker"}
    assert set(composed["services"]) == parts | optional
    assert {name for name, service in composed["services"].items() if "profiles" in service} == optional


def test_nothing_is_published_but_the_pages_on_loopback(composed: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in composed["services"].items() if "ports" in service}
    assert published == {"app": ["127.0.0.1:8050:8050/tcp"]}
    assert not [name for name, service in composed["services"].items() if service.get("network_mode") == "host"]


def test_every_command_exists(composed: dict[str, Any]) -> None:
    used = {
        service["command"][1]
        for service in composed["services"].values()
        if service.get("command", [""])[0] == "forerun"
    }
    assert used == {"prepare", "ingest", "app", "worker", "emulator"}
    assert used <= COMMANDS


def test_every_variable_is_a_setting_and_the_settings_are_valid(
    composed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, service in composed["services"].items():
        variables = {key: value for key, value in service.get("environment", {}).items() if key.startswith("FORERUN_")}
        with monkeypatch.context() as patch:
            for key, value in variables.items():
                patch.setenv(key, value)
                assert key.removeprefix("FORERUN_").split("__")[0].lower() in Settings.model_fields, f"{name}: {key}"
            Settings()


def test_the_endpoints_are_those_of_the_machine_shop(composed: dict[str, Any]) -> None:
    endpoints = json.loads(composed["services"]["ingest"]["environment"]["FORERUN_ENDPOINTS"])
    connections = {connection.id: connection for connection in load(ROOT / "plants" / "machine_shop").connections}
    assert set(endpoints) == set(connections)
    ports = composed["services"]["emulator"]["environment"]
    assert {connections[name].protocol: endpoint for name, endpoint in endpoints.items()} == {
        Protocol.OPCUA: f"opc.tcp://emulator:{ports['FORERUN_EMULATOR__OPCUA_PORT']}",
        Protocol.MQTT: "mqtt://mosquitto:1883",
        Protocol.MODBUS: f"tcp://emulator:{ports['FORERUN_EMULATOR__MODBUS_PORT']}",
    }


def test_one_s_own_machines_need_nothing_of_the_emulated_plant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = {"FORERUN_CLOCK_URL": "", "FORERUN_MES_URL": "", "FORERUN_PLANT_FOLDER": str(tmp_path)}
    done = config(SECRETS | own | {"FORERUN_ENDPOINT_LIST": '"line":"opc.tcp://10.0.0.5:4840"'})
    worker = yaml.safe_load(done.stdout)["services"]["worker"]
    assert worker["volumes"] == [f"{tmp_path}:/plant:ro"]
    monkeypatch.chdir(tmp_path)
    for name, value in worker["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.endpoints == {"line": "opc.tcp://10.0.0.5:4840"}
    assert (settings.clock_url, settings.mes_url) == (None, None)


def test_images_are_pinned(composed: dict[str, Any]) -> None:
    images = {service["image"] for service in composed["services"].values() if "build" not in service}
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    for image in [*images, *bases]:
        assert re.search(r":v?\d+\.\d+\.\d+", image), f"{image} is not pinned to a version"


def test_ours_run_without_privileges(composed: dict[str, Any]) -> None:
    ours = [service for service in composed["services"].values() if "build" in service]
    assert len(ours) == 7
    for service in ours:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER forerun$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
