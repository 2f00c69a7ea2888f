"""From connections to sources, and everything that is wrong with one told at once."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.build import build, check
from connectors.modbus import ModbusSource
from connectors.mqtt import MqttSource
from connectors.opcua import OpcUaSource
from plant.connection import Protocol
from plant.errors import InvalidInput
from tests.connectors.shop import StandingClock, connection, plant

GOOD: dict[Protocol, tuple[str, dict[str, Any], type]] = {
    Protocol.OPCUA: ("opc.tcp://host:4840", {"namespace": "urn:x", "security": "none"}, OpcUaSource),
    Protocol.MQTT: ("mqtt://host:1883", {"prefix": "shop"}, MqttSource),
    Protocol.MODBUS: ("tcp://host:5020", {"devices": {"M01": 1, "M02": 2}}, ModbusSource),
}


@pytest.mark.parametrize("protocol", Protocol)
def test_each_protocol_has_its_source(protocol: Protocol) -> None:
    endpoint, options, kind = GOOD[protocol]
    link = connection(protocol, endpoint, options)
    assert check(link) == []
    source = build(link, plant(link), StandingClock())
    assert isinstance(source, kind)
    assert source.id == link.id


@pytest.mark.parametrize("protocol", Protocol)
def test_check_tells_every_problem_at_once(protocol: Protocol) -> None:
    link = connection(protocol, "http://host", {"colour": "red", "timeout_s": -1})
    problems = check(link)
    assert len(problems) >= 4
    assert all(problem.startswith(f"connection {link.id}: ") for problem in problems)
    for part in ("endpoint must be", "options.colour is unknown; known are", "options.timeout_s must be a number"):
        assert any(part in problem for problem in problems), part
    with pytest.raises(InvalidInput) as raised:
        build(link, plant(link), StandingClock())
    assert str(raised.value).splitlines() == problems


@pytest.mark.parametrize("protocol", Protocol)
def test_an_installations_own_endpoint_is_checked_too(protocol: Protocol) -> None:
    endpoint, options, _ = GOOD[protocol]
    link = connection(protocol, endpoint, options)
    with pytest.raises(InvalidInput, match=r"endpoint must be .*not 'nowhere'"):
        build(link, plant(link), StandingClock(), "nowhere")


def test_a_secret_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"prefix": "shop", "username": "forerun", "password_env": "FORERUN_TEST_SECRET"}
    link = connection(Protocol.MQTT, "mqtt://host", options)
    assert "FORERUN_TEST_SECRET, which is not set" in check(link)[0]
    monkeypatch.setenv("FORERUN_TEST_SECRET", "s3cret")
    assert check(link) == []
    assert (
        "options.password is unknown"
        in check(connection(Protocol.MQTT, "mqtt://host", {"prefix": "x", "password": "y"}))[0]
    )
