from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from emulator.mqtt_publisher import MqttPublisher
from plant.connection import Connection, Protocol
from plant.errors import InvalidInput
from plant.machine_state import MachineState
from tests.emulator.parts import MQTT, Mosquitto, condition, count, free_port, state, until


class Subscriber:
    """A client of the broker that keeps what it is sent."""

    def __init__(self, port: int, name: str) -> None:
        self.messages: list[tuple[str, dict[str, Any], int]] = []
        self.subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe("hall/#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _take(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.messages.append((message.topic, json.loads(message.payload), message.qos))


@contextmanager
def subscriber(port: int, name: str = "reader") -> Generator[Subscriber, None, None]:
    reader = Subscriber(port, name)
    try:
        assert reader.subscribed.wait(10), "the subscription was not granted"
        yield reader
    finally:
        reader.client.disconnect()
        reader.client.loop_stop()


def test_topics_and_payload(tmp_path: Path) -> None:
    async def scenario(port: int) -> None:
        publisher = MqttPublisher([MQTT], "127.0.0.1", port, "emulator")
        with subscriber(port) as reader:
            await publisher.start([state("M06", 0, MachineState.SETUP, "CO-1/1-10", number=1)])
            await publisher.publish(count("M06", 1.5, 3, 1, number=2))
            await publisher.publish(condition("M07", 30, 22.25))
            await until(lambda: len(reader.messages) == 3, "three messages")
            await publisher.stop()
        with subscriber(port, "latecomer") as late:
            await until(lambda: len(late.messages) == 3, "the present, retained for who comes later")
            assert sorted(late.messages, key=str) == sorted(reader.messages, key=str)
        by_topic = {topic: (body, qos) for topic, body, qos in reader.messages}
        assert by_topic["hall/M06/state"] == (
            {
                "time": "2026-01-04T22:00:00.000000Z",
                "values": {"packml_state": 4, "packml_mode": 4, "interlocks": 0, "job_order": "CO-1/1-10"},
            },
            1,
        )
        assert by_topic["hall/M06/count"][0] == {
            "time": "2026-01-04T22:00:01.500000Z",
            "values": {"part_count": 4, "good_count": 3, "scrap_count": 1},
        }
        assert by_topic["hall/M07/condition"][0]["values"]["temperature_c"] == 22.25
        assert publisher.acknowledged == {"M06": 2}
        assert publisher.waiting == 0

    with Mosquitto(tmp_path) as broker:
        asyncio.run(scenario(broker.port))


def test_nothing_is_lost_and_the_order_kept_while_the_broker_is_away(tmp_path: Path) -> None:
    async def scenario(broker: Mosquitto) -> None:
        publisher = MqttPublisher([MQTT], "127.0.0.1", broker.port, "emulator")
        await publisher.start([state("M06", 0, MachineState.IDLE, number=1)])  # the broker has not been there yet
        broker.start()
        with subscriber(broker.port) as reader:
            for number in range(2, 40):
                await publisher.publish(count("M06", number, number, 0, number))
            await until(lambda: publisher.waiting == 0, "the first messages taken")
            broker.stop()
            for number in range(40, 300):
                await publisher.publish(count("M06", number, number, 0, number))
            assert publisher.waiting == 260
            broker.start()
            await until(lambda: publisher.waiting == 0, "the rest taken")
            await until(lambda: bool(reader.messages) and _goods(reader)[-1] == 299, "the last message")
            first_seen = list(dict.fromkeys(_goods(reader)))  # a broker that restarts may deliver again
            assert first_seen == list(range(2, 300)), "none is missing, and in order"
        assert publisher.acknowledged == {"M06": 299}
        await publisher.stop()

    broker = Mosquitto(tmp_path)
    try:
        asyncio.run(scenario(broker))
    finally:
        broker.stop()


def _goods(reader: Subscriber) -> list[int]:
    return [body["values"]["good_count"] for topic, body, _ in reader.messages if topic == "hall/M06/count"]


def test_a_full_queue_gives_up_the_oldest_and_counts_it() -> None:
    async def scenario() -> None:
        publisher = MqttPublisher([MQTT], "127.0.0.1", free_port(), "emulator", limit=10)
        await publisher.start([])
        for number in range(1, 26):
            await publisher.publish(count("M06", number, number, 0, number))
        await publisher.publish(count("M07", 1, 1, 0, 26))
        assert (publisher.waiting, publisher.dropped) == (11, 15)
        assert publisher.acknowledged == {}
        await publisher.stop()

    asyncio.run(scenario())


def test_a_topic_prefix_with_a_wildcard_is_refused() -> None:
    wrong = Connection("cells", Protocol.MQTT, "e", ("M06",), {"prefix": "hall/#"})
    with pytest.raises(InvalidInput, match=r"connection cells: options\.prefix"):
        MqttPublisher([wrong], "127.0.0.1", 1, "x")
