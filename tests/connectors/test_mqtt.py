"""What is special about MQTT: malformed messages, back-pressure, lost sessions, refusals."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.mqtt import MqttSource
from plant.connection import Protocol
from plant.errors import InvalidInput, SourceLost
from plant.reading import BAD_NO_COMMUNICATION, Reading, Signal
from tests.connectors.conftest import Run
from tests.connectors.drivers import AmqttDriver, MosquittoDriver
from tests.connectors.shop import (
    StandingClock,
    at,
    collect,
    conditions,
    connection,
    having,
    plant,
    rejecting,
    state,
    tag,
    wait_for,
)

INSTANT = timedelta(microseconds=1)
TIME = '"time": "2026-01-04T22:10:00.000001Z"'
GOOD = '"values": {"packml_state": 6}'

MALFORMED = {
    b"": "not JSON",
    b"\xff\xfe\x00": "not JSON",
    b'{"time": ': "not JSON",
    b"[" * 100_000: "longer than",
    b"[" * 20_000: "not JSON",
    b"[1, 2]": "must be an object",
    b"null": "must be an object",
    f"{{{GOOD}}}".encode(): "time must be a text",
    f'{{"time": 1767564000, {GOOD}}}'.encode(): "time must be a text",
    f'{{"time": "yesterday", {GOOD}}}'.encode(): "not ISO 8601",
    f'{{"time": "2026-01-04T22:10:00", {GOOD}}}'.encode(): "no time zone",
    f'{{"time": "0001-01-01T00:00:00+14:00", {GOOD}}}'.encode(): "outside the calendar",
    f'{{"time": "2000-01-01T00:00:00Z", {GOOD}}}'.encode(): "not plausible",
    f"{{{TIME}}}".encode(): "values must be an object",
    f'{{{TIME}, "values": {{}}}}'.encode(): "at least one signal",
    f'{{{TIME}, "values": {{"speed": 1}}}}'.encode(): "unknown signal 'speed'",
    f'{{{TIME}, "values": {{"power_kw": 1}}}}'.encode(): "does not belong to this topic",
    f'{{{TIME}, "values": {{"packml_state": "6"}}}}'.encode(): "must be a number, not str",
    f'{{{TIME}, "values": {{"packml_state": true}}}}'.encode(): "must be a number, not bool",
    f'{{{TIME}, "values": {{"packml_state": null}}}}'.encode(): "must be a number, not NoneType",
    f'{{{TIME}, "values": {{"packml_state": NaN}}}}'.encode(): "finite number",
    f'{{{TIME}, "values": {{"packml_state": 1e999}}}}'.encode(): "finite number",
    f'{{{TIME}, "values": {{"packml_state": {10**30}}}}}'.encode(): "beyond the whole numbers",
    f'{{{TIME}, "values": {{"packml_state": 1e30}}}}'.encode(): "beyond the whole numbers",
    f'{{{TIME}, "values": {{"packml_state": 2.5}}}}'.encode(): "must be a whole number, not 2.5",
    f'{{{TIME}, "values": {json.dumps({f"s{n}": n for n in range(500)})}}}'.encode(): "values holds 500 entries",
    f'{{{TIME}, "values": {{"job_order": 7}}}}'.encode(): "must be a text",
    f'{{{TIME}, "values": {{"job_order": "a\\u0000b"}}}}'.encode(): "cannot be printed",
    f'{{{TIME}, "values": {{"job_order": "\\ud800"}}}}'.encode(): "cannot be printed",
    f'{{{TIME}, "values": {{"job_order": "{"x" * 300}"}}}}'.encode(): "300 characters long",
}


@pytest.fixture
def mosquitto(tmp_path: Path) -> MosquittoDriver:
    """Return a broker that keeps its sessions on disk."""
    return MosquittoDriver(tmp_path)


@pytest.fixture
def amqtt(tmp_path: Path) -> AmqttDriver:
    """Return a broker whose sessions end with it."""
    return AmqttDriver(tmp_path)


def test_malformed_messages_are_rejected_each_with_its_reason_and_do_not_come_back(
    run: Run, mosquitto: MosquittoDriver
) -> None:
    async def test() -> None:
        source = mosquitto.source()
        await source.open()
        topic = f"{mosquitto.prefix}/M01/state"
        for payload in MALFORMED:
            await mosquitto.publish(topic, payload)
        await mosquitto.publish(f"{mosquitto.prefix}/M77/state", f"{{{TIME}, {GOOD}}}".encode())
        await mosquitto.publish(f"{mosquitto.prefix}/M99/state", f"{{{TIME}, {GOOD}}}".encode())
        await mosquitto.publish(f"{mosquitto.prefix}/M01/mood", f"{{{TIME}, {GOOD}}}".encode())
        await mosquitto.publish(f"{mosquitto.prefix}/M01", f"{{{TIME}, {GOOD}}}".encode())
        haul = await collect(source, rejecting(len(MALFORMED) + 4))
        assert haul.readings == []
        reasons = [rejected.reason for rejected in haul.rejected]
        wanted = [*MALFORMED.values(), "the plant does not have it", "unknown machine 'M99'", "the topic must be"]
        for reason, part in zip(reasons, [*wanted, "the topic must be"], strict=True):
            assert part in reason
            assert reason.startswith(mosquitto.prefix)
        for rejected in haul.rejected:
            assert len(rejected.payload) < 1100
            rejected.payload.encode()
            assert "\0" not in rejected.payload
        await source.close()
        await source.open()
        await mosquitto.show(state("M01", at(1), 6))
        again = await collect(source, having(state("M01", at(1), 6)))
        assert again.rejected == []
        await source.close()

    run(mosquitto, test())


def test_a_count_that_cannot_be_one_is_refused(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        source = mosquitto.source()
        await source.open()
        for count in (-1, 2.5, 1e308):
            values = {"good_count": count, "scrap_count": 3}
            payload = {"time": at(3).isoformat(), "values": values}
            await mosquitto.publish(f"{mosquitto.prefix}/M02/count", json.dumps(payload).encode())
        haul = await collect(source, rejecting(3))
        assert {(one.tag, one.value) for one in haul.readings} == {(tag("M02", Signal.SCRAP_COUNT), 3)}
        wanted = ("counts from 0 on", "must be a whole number", "beyond the whole numbers")
        for rejected, part in zip(haul.rejected, wanted, strict=True):
            assert part in rejected.reason
        await source.close()

    run(mosquitto, test())


def test_a_wrong_value_does_not_spoil_its_neighbours(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        source = mosquitto.source()
        await source.open()
        payload = {"time": at(3).isoformat(), "values": {"temperature_c": float("nan"), "power_kw": 3.5}}
        await mosquitto.publish(f"{mosquitto.prefix}/M02/condition", json.dumps(payload).encode())
        haul = await collect(source, rejecting(1))
        assert haul.readings == [Reading(tag("M02", Signal.POWER), at(3), 3.5)]
        assert "temperature_c must be a finite number" in haul.rejected[0].reason
        await source.close()

    run(mosquitto, test())


def test_local_times_become_utc_and_qos_0_is_taken(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        source = mosquitto.source()
        await source.open()
        payload = b'{"time": "2026-01-05T06:10:00.000001+08:00", "values": {"power_kw": 3}}'
        await mosquitto.publish(f"{mosquitto.prefix}/M01/condition", payload, qos=0)
        haul = await collect(source, lambda haul: len(haul.readings) == 1)
        assert haul.readings[0].time.isoformat() == "2026-01-04T22:10:00.000001+00:00"
        await source.close()

    run(mosquitto, test())


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_a_slow_reader_holds_the_broker_back_and_loses_nothing(
    run: Run, broker: str, request: pytest.FixtureRequest
) -> None:
    driver = request.getfixturevalue(broker)

    async def test() -> None:
        source = driver.source(buffer=5)
        await source.open()
        changes = [state("M01", at(n), 4 + n % 2) for n in range(120)]
        showing = asyncio.create_task(driver.show(*changes))
        await wait_for(lambda: source._link._buffer.full())
        await showing
        assert source._link._buffer.qsize() == 5
        batch = await source.read()
        assert len(batch.readings) <= 5 * 4
        await batch.acknowledge()
        haul = await collect(source, having(changes[-1]))
        assert sorted({r.time for r in (*batch.readings, *haul.readings)}) == [c.moment for c in changes]
        await source.close()

    run(driver, test())


def test_closing_with_a_full_buffer_does_not_hang_and_nothing_is_lost(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        source = mosquitto.source(buffer=2)
        await source.open()
        changes = [state("M01", at(n), 4 + n % 2) for n in range(30)]
        await mosquitto.show(*changes)
        await wait_for(lambda: source._link._buffer.full())
        await asyncio.wait_for(source.close(), 5)
        await source.open()
        haul = await collect(source, having(*changes))
        assert haul.times("M01") == [change.moment for change in changes]
        await source.close()

    run(mosquitto, test())


def test_what_was_published_while_nobody_listened_is_delivered(run: Run, amqtt: AmqttDriver) -> None:
    async def test() -> None:
        source = amqtt.source()
        await source.open()
        await source.close()
        changes = [state("M01", at(n), 4 + n % 2) for n in range(10)]
        await amqtt.show(*changes)
        await source.open()
        haul = await collect(source, having(*changes))
        assert sorted(haul.times("M01")) == [change.moment for change in changes]
        await source.close()

    run(amqtt, test())


def test_a_session_the_broker_lost_is_a_gap_that_the_unchanged_state_closes(run: Run, amqtt: AmqttDriver) -> None:
    async def test() -> None:
        source = amqtt.source()
        await source.open()
        known = [state("M01", at(0), 6, job="CO-1"), state("M02", at(0), 6), conditions("M01", at(30), 1.0, 2.0, 3.0)]
        await amqtt.show(*known)
        await collect(source, having(*known))
        await amqtt.stop()
        with pytest.raises(SourceLost):
            await collect(source, lambda haul: False)
        await amqtt.start()
        await source.open()
        uncommitted = await source.read()
        gaps = {
            Reading(tag("M01", Signal.PACKML_STATE), at(30) + INSTANT, None, BAD_NO_COMMUNICATION),
            Reading(tag("M02", Signal.PACKML_STATE), at(0) + INSTANT, None, BAD_NO_COMMUNICATION),
        }
        assert set(uncommitted.readings) == gaps
        # The gap itself is not lost when its batch is not committed, although the broker knows us again by now.
        await source.open()
        await amqtt.show(known[0], state("M02", at(50), 4))
        closing = state("M01", at(30) + 2 * INSTANT, 6, job="CO-1")
        haul = await collect(source, having(closing, known[0], state("M02", at(50), 4)))
        assert gaps <= set(haul.readings)
        assert haul.times("M02") == [at(0) + INSTANT, at(50)]
        await source.close()

    run(amqtt, test())


def test_a_first_session_is_no_gap_unless_readings_are_stored(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        stored = Reading(tag("M01", Signal.PACKML_STATE), at(0), 6.0)
        source = mosquitto.source(last_known=(stored,))
        await source.open()
        await mosquitto.show(state("M01", at(9), 4), state("M02", at(9), 4))
        haul = await collect(source, having(state("M01", at(9), 4), state("M02", at(9), 4)))
        assert haul.times("M01") == [at(0) + INSTANT, at(9)]
        assert haul.times("M02") == [at(9)]
        await source.close()

    run(mosquitto, test())


def test_a_killed_broker_is_noticed(run: Run, mosquitto: MosquittoDriver) -> None:
    async def test() -> None:
        source = mosquitto.source()
        await source.open()
        mosquitto._process.kill()
        with pytest.raises(SourceLost, match="the connection broke"):
            await collect(source, lambda haul: False)
        await source.close()

    run(mosquitto, test())


@pytest.mark.parametrize(
    ("endpoint", "options", "problem"),
    [
        ("mqtt://127.0.0.1", {}, "options.prefix must be a non-empty text"),
        ("mqtt://127.0.0.1", {"prefix": "shop/#"}, "options.prefix must be a topic"),
        ("mqtt://127.0.0.1", {"prefix": "shop", "ca": "/x.pem"}, "options.ca has no effect without TLS"),
        (
            "mqtt://127.0.0.1",
            {"prefix": "shop", "password_env": "FORERUN_NO_SUCH"},
            "FORERUN_NO_SUCH, which is not set",
        ),
        ("mqtt://127.0.0.1", {"prefix": "shop", "qos": 0}, "options.qos is unknown"),
        ("tcp://127.0.0.1:1883", {"prefix": "shop"}, "endpoint must be mqtt://host:1883 or mqtts://host:8883"),
        ("mqtt://127.0.0.1:port", {"prefix": "shop"}, "endpoint must be"),
    ],
)
def test_wrong_options_are_refused_before_connecting(endpoint: str, options: dict[str, object], problem: str) -> None:
    link = connection(Protocol.MQTT, endpoint, options)
    with pytest.raises(InvalidInput, match="(?s).*" + problem):
        MqttSource(link, plant(link), StandingClock())
