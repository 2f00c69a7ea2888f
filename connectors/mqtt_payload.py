"""Understanding one MQTT message: topic ``prefix/machine/group``, payload ``{"time": ..., "values": {...}}``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from connectors.intake import Intake, signal_of
from connectors.mqtt_options import MqttOptions
from plant.errors import MessageInvalid
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Reading, Rejected, Signal

GROUPS: dict[str, tuple[Signal, ...]] = {
    "state": STATE_SIGNALS,
    "count": COUNTER_SIGNALS,
    "condition": CONDITION_SIGNALS,
}


@dataclass(frozen=True)
class Parsed:
    """What became of a message: readings at one time, and what was refused of it."""

    readings: tuple[Reading, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def parse(intake: Intake, options: MqttOptions, topic: str, payload: bytes) -> Parsed:
    """Return the readings of a message; a wrong value is refused alone, anything else wrong refuses it all."""
    try:
        machine, signals = _address(intake, options, topic)
        moment, values = _content(intake, options, payload)
    except MessageInvalid as error:
        return Parsed((), (intake.reject(payload, f"{topic[:200]}: {error}"),))
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    for name, raw in values.items():
        try:
            signal = signal_of(name)
            if signal not in signals:
                raise MessageInvalid(f"{signal} does not belong to this topic, but {', '.join(signals)} do")
            readings.append(intake.reading(machine, signal, moment, raw))
        except MessageInvalid as error:
            rejected.append(intake.reject(payload, f"{topic[:200]}: {error}"))
    return Parsed(tuple(readings), tuple(rejected))


def _address(intake: Intake, options: MqttOptions, topic: str) -> tuple[str, tuple[Signal, ...]]:
    parts = topic.removeprefix(f"{options.prefix}/").split("/")
    if len(parts) != 2 or parts[1] not in GROUPS:
        raise MessageInvalid(f"the topic must be {options.prefix}/MACHINE/ and one of {', '.join(GROUPS)}")
    intake.require_machine(parts[0])
    return parts[0], GROUPS[parts[1]]


def _content(intake: Intake, options: MqttOptions, payload: bytes) -> tuple[datetime, dict[str, object]]:
    if len(payload) > options.max_payload_bytes:
        raise MessageInvalid(f"the payload is longer than the {options.max_payload_bytes} bytes that are taken")
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageInvalid(f"the payload is not JSON in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise MessageInvalid("the payload must be an object with time and values")
    values = content.get("values")
    if not isinstance(values, dict) or not values:
        raise MessageInvalid("values must be an object with at least one signal")
    if len(values) > len(Signal):  # one message must not fill the quarantine
        raise MessageInvalid(f"values holds {len(values)} entries; a machine has {len(Signal)} signals")
    return intake.time(_moment(content.get("time"))), values


def _moment(raw: object) -> datetime:
    if not isinstance(raw, str):
        raise MessageInvalid("time must be a text such as 2026-01-04T22:00:00.000000Z")
    try:
        return datetime.fromisoformat(raw)
    except ValueError as error:
        raise MessageInvalid(f"time is not ISO 8601: {raw[:60]!r}; send it as 2026-01-04T22:00:00.000000Z") from error
