"""What is special about OPC UA: nodes, status codes, gaps, silent subscriptions, certificates."""

from __future__ import annotations

import shutil
import socket
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from connectors.intake import OVERFLOW
from connectors.opcua import OpcUaSource
from plant.connection import Protocol
from plant.errors import InvalidInput, SourceLost
from plant.reading import BAD_NO_COMMUNICATION, Reading, Signal, is_good
from tests.connectors.conftest import Run
from tests.connectors.drivers import OpcUaDriver
from tests.connectors.shop import (
    START,
    StandingClock,
    at,
    collect,
    conditions,
    connection,
    counts,
    having,
    plant,
    rejecting,
    state,
    tag,
)

INSTANT = timedelta(microseconds=1)
BAD_SENSOR_FAILURE = 0x808C_0000


@pytest.fixture
def driver() -> OpcUaDriver:
    """Return the server with a namespace of this test's own."""
    return OpcUaDriver()


def gap(name: str, moment: datetime, quality: int = BAD_NO_COMMUNICATION) -> Reading:
    """Return the reading that records a gap."""
    return Reading(tag(name, Signal.PACKML_STATE), moment, None, quality)


def test_a_missing_node_is_told_and_does_not_stop_the_others(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source(audit_s=0.2)
        await source.open()
        await driver.show(state("M01", at(0), 6), counts("M01", at(1), 1, 1, 0))
        haul = await collect(source, having(state("M01", at(0), 6), counts("M01", at(1), 1, 1, 0)))
        (missing,) = haul.rejected
        assert missing.payload.endswith(";s=M01.power_kw")
        assert missing.reason == "cannot be subscribed to: BadNodeIdUnknown"
        # The node appears while the connection is open: it is taken in, and not told as missing again.
        await driver.add(driver.server, "M01", Signal.POWER)
        await driver.write("M01", Signal.POWER, 7.5, at(2))
        later = await collect(source, lambda haul: len(haul.of("M01", Signal.POWER)) == 1)
        assert later.of("M01", Signal.POWER)[0].value == 7.5
        assert later.rejected == []
        await source.close()

    driver.leave_out = {("M01", Signal.POWER)}
    run(driver, test())


def test_after_a_break_the_gap_comes_first_then_the_present_values(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        known = [state("M01", at(0), 6), conditions("M01", at(30), 1.0, 2.0, 3.0), state("M02", at(5), 4)]
        await driver.show(*known)
        await collect(source, having(*known))
        await source.close()
        await driver.show(conditions("M01", at(60), 1.5, 2.0, 3.0), state("M01", at(100), 4))
        await source.open()
        haul = await collect(source, having(state("M01", at(100), 4), state("M02", at(5), 4)))
        states = haul.of("M01")
        assert states == [gap("M01", at(30) + INSTANT), Reading(tag("M01", Signal.PACKML_STATE), at(100), 4.0)]
        assert all(is_good(reading.quality) for reading in haul.of("M02")), "M02 had not changed: it has no gap"
        await source.close()

    run(driver, test())


def test_what_was_read_but_not_committed_counts_as_lost(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        await driver.show(state("M01", at(10), 4))
        await collect(source, having(state("M01", at(10), 4)), acknowledge=False)
        await source.close()
        await source.open()
        haul = await collect(source, having(state("M01", at(10), 4)))
        assert haul.times("M01") == [at(0) + INSTANT, at(10)]
        await source.close()

    run(driver, test())


def test_a_gap_is_told_over_a_restart_of_the_reading_process(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        await driver.show(state("M01", at(50), 6), state("M02", at(5), 6))
        stored = [
            Reading(tag("M01", Signal.PACKML_STATE), at(0), 4.0),
            Reading(tag("M01", Signal.TEMPERATURE), at(20), 60.0),
            Reading(tag("M02", Signal.PACKML_STATE), at(5), 6.0),
        ]
        source = driver.source(last_known=tuple(stored))
        await source.open()
        haul = await collect(source, having(state("M01", at(50), 6), state("M02", at(5), 6)))
        assert haul.of("M01")[0] == gap("M01", at(20) + INSTANT)
        assert haul.times("M02") == [at(5)]
        await source.close()

    run(driver, test())


def test_bad_status_codes_become_readings_without_value(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.write("M01", Signal.TEMPERATURE, 61.5, at(1), BAD_SENSOR_FAILURE)
        await driver.write("M01", Signal.VIBRATION, None, None, BAD_SENSOR_FAILURE)
        wanted = {
            Reading(tag("M01", Signal.TEMPERATURE), at(1), None, BAD_SENSOR_FAILURE),
            Reading(tag("M01", Signal.VIBRATION), StandingClock().now(), None, BAD_SENSOR_FAILURE),
        }
        await collect(source, lambda haul: wanted <= set(haul.readings))
        await source.close()

    run(driver, test())


def test_an_overflow_of_the_servers_queue_is_a_gap(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source()
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        await driver.write("M01", Signal.PACKML_STATE, 4, at(9), OVERFLOW)
        haul = await collect(source, lambda haul: len(haul.of("M01")) == 2)
        assert haul.of("M01") == [
            gap("M01", at(0) + INSTANT, BAD_NO_COMMUNICATION | OVERFLOW),
            Reading(tag("M01", Signal.PACKML_STATE), at(9), 4.0),
        ]
        await source.close()

    run(driver, test())


@pytest.mark.parametrize(
    ("value", "variant", "moment", "reason"),
    [
        ("six", ua.VariantType.String, at(1), "must be a number, not str 'six'"),
        (True, ua.VariantType.Boolean, at(1), "must be a number, not bool True"),
        ([1, 2], ua.VariantType.Int32, at(1), "must be a number, not list"),
        (float("inf"), ua.VariantType.Double, at(1), "must be a finite number"),
        (2**60, ua.VariantType.Int64, at(1), "beyond the whole numbers"),
        (6, ua.VariantType.Int32, START.replace(year=2000, month=1, day=1), "not plausible"),
        (6, ua.VariantType.Int32, START.replace(year=2099), "not plausible"),
        (6, ua.VariantType.Int32, None, "no source timestamp"),
    ],
)
def test_what_cannot_be_a_reading_is_rejected(
    run: Run, driver: OpcUaDriver, value: object, variant: ua.VariantType, moment: datetime | None, reason: str
) -> None:
    async def test() -> None:
        await driver.add(driver.server, "M01", Signal.PACKML_MODE, value, variant)
        await driver.write("M01", Signal.PACKML_MODE, value, moment, 0, variant)
        source = driver.source()
        await source.open()
        haul = await collect(source, rejecting(1))
        assert haul.rejected[0].reason.startswith("M01.packml_mode: ")
        assert reason in haul.rejected[0].reason
        await source.close()

    driver.leave_out = {("M01", Signal.PACKML_MODE)}
    run(driver, test())


def test_many_changes_between_two_publications_all_arrive(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source(publishing_ms=300)
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        changes = [state("M01", at(n), 4 + n % 2) for n in range(1, 301)]
        await driver.show(*changes)
        haul = await collect(source, having(*changes))
        assert haul.times("M01") == [change.moment for change in changes]
        await source.close()

    run(driver, test())


def test_a_subscription_that_ended_without_a_word_is_found(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source(silence_s=0.5)
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        # The server forgets to publish; session and transport stay, as does every other answer.
        for subscription in driver.server.iserver.subscription_service.subscriptions.values():
            subscription._task.cancel()
        with pytest.raises(SourceLost, match="neither values nor keep-alives"):
            await collect(source, lambda haul: False)
        await source.open()
        await driver.show(state("M01", at(1), 4))
        await collect(source, having(state("M01", at(1), 4)))
        await source.close()

    run(driver, test())


def test_a_subscription_that_lives_but_delivers_nothing_is_found(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        source = driver.source(audit_s=0.2)
        await source.open()
        await driver.show(state("M01", at(0), 6))
        await collect(source, having(state("M01", at(0), 6)))
        for subscription in driver.server.iserver.subscription_service.subscriptions.values():
            subscription.monitored_item_srv.delete_all_monitored_items()
        await driver.show(state("M01", at(1), 4))
        with pytest.raises(SourceLost, match="the subscription is silent"):
            await collect(source, lambda haul: False)
        await source.open()
        await collect(source, having(state("M01", at(1), 4)))
        await source.close()

    run(driver, test())


def test_a_wrong_namespace_is_told_with_those_there_are(run: Run, driver: OpcUaDriver) -> None:
    async def test() -> None:
        with pytest.raises(SourceLost, match=r"no namespace 'urn:nobody'.*urn:test:shop"):
            await driver.source(namespace="urn:nobody").open()

    run(driver, test())


async def _certificate(folder: Path) -> dict[str, str]:
    key, certificate = folder.parent / "client.pem", folder / "client.der"
    uri, usages = "urn:example.org:FreeOpcUa:opcua-asyncio", [ExtendedKeyUsageOID.CLIENT_AUTH]
    await setup_self_signed_certificate(key, certificate, uri, socket.gethostname(), usages, {})
    return {"certificate": str(certificate), "private_key": str(key)}


def test_only_a_trusted_server_is_read_from(run: Run, driver: OpcUaDriver, tmp_path: Path) -> None:
    own, theirs, empty = (tmp_path / name for name in ("own", "theirs", "empty"))
    for folder in (own, theirs, empty):
        folder.mkdir()

    async def test() -> None:
        ours = await _certificate(own)
        shutil.copy(OpcUaDriver.certificate, theirs)
        options = {"security": "Basic256Sha256", **ours}
        with pytest.raises(SourceLost, match="BadCertificateUntrusted"):
            await driver.source(**options, trust=str(own)).open()
        with pytest.raises(InvalidInput, match=r"its certificates cannot be used: .*empty"):
            await driver.source(**options, trust=str(empty)).open()
        source = driver.source(**options, trust=str(theirs))
        await source.open()
        await driver.show(state("M01", at(1), 6))
        await collect(source, having(state("M01", at(1), 6)))
        await source.close()

    run(driver, test())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"namespace": "urn:x"}, "options.security must be one of none, Basic256Sha256"),
        ({"namespace": "urn:x", "security": "None"}, "options.security must be one of none, Basic256Sha256"),
        ({"namespace": "urn:x", "security": "Basic256Sha256"}, "options.trust is needed"),
        ({"namespace": "urn:x", "security": "none", "trust": "/"}, "options.trust has no effect"),
        ({"security": "none"}, "options.namespace must be a non-empty text"),
        ({"namespace": "urn:x", "security": "none", "node": "{machine}"}, "options.node must hold"),
        ({"namespace": "urn:x", "security": "none", "nodes": "x"}, "options.nodes is unknown"),
        ({"namespace": "urn:x", "security": "none", "queue_size": 1}, "options.queue_size must be a whole number"),
    ],
)
def test_wrong_options_are_refused_before_connecting(options: dict[str, object], problem: str) -> None:
    link = connection(Protocol.OPCUA, "opc.tcp://127.0.0.1:1", options)
    with pytest.raises(InvalidInput, match="(?s).*" + problem):
        OpcUaSource(link, plant(link), StandingClock())
