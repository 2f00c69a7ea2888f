"""The other end of each connector: a real server with the machines of the shop, driven by a test."""

from __future__ import annotations

import asyncio
import getpass
import json
import shutil
import socket
import struct
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from connectors.build import build
from connectors.durable_broker import DurableBroker
from plant.connection import Connection, Protocol
from plant.ports import ReadingSource
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Reading, Rejected, Signal
from tests.connectors.fake import FakeSource
from tests.connectors.shop import MACHINES, START, Shown, StandingClock, connection, free_port, plant, try_until
from tests.requirements import require_program

HOST = "127.0.0.1"
SERVER_URI = "urn:test:server"
_serial = count(1)


class Driver(ABC):
    """Shows values on one protocol, goes away, and comes back."""

    redelivers = True
    """Whether everything that was not acknowledged comes again after a break, not the present values only."""

    @abstractmethod
    async def start(self) -> None:
        """Be there."""

    @abstractmethod
    async def stop(self) -> None:
        """Go away; machines show after the next `start` what they showed before."""

    @abstractmethod
    async def show(self, *shown: Shown) -> None:
        """Show values."""

    @abstractmethod
    async def spoil(self, name: str, moment: datetime) -> None:
        """Send something of a machine that cannot be a reading."""

    @abstractmethod
    def source(self, last_known: tuple[Reading, ...] = (), **options: Any) -> ReadingSource:
        """Return a source of this server's machines."""

    async def end(self) -> None:
        """Release what the test used."""
        await self.stop()


class FakeDriver(Driver):
    """No protocol at all."""

    def __init__(self) -> None:
        self._source = FakeSource()

    async def start(self) -> None:
        self._source.mend()

    async def stop(self) -> None:
        self._source.cut()

    async def show(self, *shown: Shown) -> None:
        for item in shown:
            self._source.feed(sorted(item.readings, key=lambda reading: reading.tag))

    async def spoil(self, name: str, moment: datetime) -> None:
        self._source.feed([], [Rejected(self._source.id, "?", f"{name}: not a reading")])

    def source(self, last_known: tuple[Reading, ...] = (), **options: Any) -> ReadingSource:
        return self._source


class SocketDriver(Driver):
    """A driver whose source is built from a connection."""

    @abstractmethod
    def connection(self, **options: Any) -> Connection:
        """Return the connection to this server."""

    def source(self, last_known: tuple[Reading, ...] = (), **options: Any) -> ReadingSource:
        link = self.connection(**options)
        return build(link, plant(link), StandingClock(), None, last_known)


_TYPES = {
    **dict.fromkeys(STATE_SIGNALS, ua.VariantType.Int32),
    **dict.fromkeys(COUNTER_SIGNALS, ua.VariantType.Int64),
    **dict.fromkeys(CONDITION_SIGNALS, ua.VariantType.Double),
    Signal.JOB_ORDER: ua.VariantType.String,
}


class OpcUaDriver(SocketDriver):
    """An asyncua server. It is kept running over the tests of a module, each with a namespace of its own."""

    redelivers = False
    running: ClassVar[Server | None] = None
    port: ClassVar[int] = 0
    folder: ClassVar[Path]
    certificate: ClassVar[Path]

    def __init__(self) -> None:
        self.namespace = f"urn:test:shop-{next(_serial)}"
        self.leave_out: set[tuple[str, Signal]] = set()
        self._index = 0

    async def start(self) -> None:
        cls = OpcUaDriver
        if cls.running is None:
            cls.port = free_port()
            cls.running = Server()
            await cls.running.init()
            cls.running.set_endpoint(f"opc.tcp://{HOST}:{cls.port}")
            await self._secure(cls.running)
            await cls.running.start()
        if not self._index:
            await self._add_nodes(cls.running)
        else:
            await cls.running.bserver.start()

    async def stop(self) -> None:
        """Close all connections and the port; the address space stays."""
        await self.server.bserver.stop()

    @staticmethod
    async def shut_down() -> None:
        """End the server for good."""
        if OpcUaDriver.running is not None:
            await OpcUaDriver.running.stop()
            shutil.rmtree(OpcUaDriver.folder)

    @property
    def server(self) -> Server:
        """The running server."""
        assert OpcUaDriver.running is not None
        return OpcUaDriver.running

    async def end(self) -> None:
        """Leave the server to the next test."""

    async def show(self, *shown: Shown) -> None:
        for item in shown:
            for signal, value in item.values.items():
                await self.write(item.machine, signal, value, item.moment)

    async def write(
        self,
        name: str,
        signal: Signal,
        value: Any,
        moment: datetime | None,
        status: int = 0,
        variant: ua.VariantType | None = None,
    ) -> None:
        """Write one value with its stamp, status and type."""
        typed = ua.Variant(value, variant or _TYPES[signal]) if value is not None else None
        data = ua.DataValue(typed, ua.StatusCode(status), SourceTimestamp=moment)
        written = await self.server.iserver.aspace.write_attribute_value(
            self.node(name, signal), ua.AttributeIds.Value, data
        )
        written.check()

    async def spoil(self, name: str, moment: datetime) -> None:
        await self.write(name, Signal.TEMPERATURE, float("nan"), moment)

    def node(self, name: str, signal: Signal) -> ua.NodeId:
        """Return a signal's node id."""
        return ua.NodeId(f"{name}.{signal}", self._index)

    async def add(
        self, server: Server, name: str, signal: Signal, empty: Any = None, variant: ua.VariantType | None = None
    ) -> None:
        """Add one signal's variable, waiting for its first value."""
        node, variant = self.node(name, signal), variant or _TYPES[signal]
        if empty is None:
            empty = "" if signal is Signal.JOB_ORDER else 0
        await server.nodes.objects.add_variable(node, f"{self._index}:{name}.{signal}", empty, variant)
        waiting = ua.DataValue(
            None, ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData), SourceTimestamp=START - timedelta(hours=1)
        )
        await server.write_attribute_value(node, waiting)

    def connection(self, **options: Any) -> Connection:
        base = {"namespace": self.namespace, "security": "none", "publishing_ms": 20}
        return connection(Protocol.OPCUA, f"opc.tcp://{HOST}:{OpcUaDriver.port}", base | options)

    @classmethod
    async def _secure(cls, server: Server) -> None:
        """Offer no security and the best, with a certificate of its own."""
        cls.folder = Path(tempfile.mkdtemp())
        cls.certificate = cls.folder / "server.der"
        key = cls.folder / "server.pem"
        await server.set_application_uri(SERVER_URI)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH]
        await setup_self_signed_certificate(key, cls.certificate, SERVER_URI, socket.gethostname(), usages, {})
        await server.load_certificate(str(cls.certificate))
        await server.load_private_key(key)
        secure = ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity, secure])

    async def _add_nodes(self, server: Server) -> None:
        self._index = await server.register_namespace(self.namespace)
        for name in MACHINES:
            for signal in Signal:
                if (name, signal) not in self.leave_out:
                    await self.add(server, name, signal)


class MqttDriver(SocketDriver):
    """A broker, which each kind brings, and a publisher. Each test has a topic prefix and a session of its own."""

    def __init__(self, folder: Path) -> None:
        serial = next(_serial)
        self.folder = folder
        self.port = free_port()
        self.prefix = f"shop-{serial}"
        self.client_id = f"forerun-test-{serial}"
        self.account: tuple[str, str] | None = None
        self._publisher: Client | None = None

    async def start(self) -> None:
        await self.start_broker()
        publisher = Client(CallbackAPIVersion.VERSION2, client_id=f"machines-{self.client_id}")
        if self.account is not None:
            publisher.username_pw_set(*self.account)
        await try_until(lambda: asyncio.to_thread(publisher.connect, HOST, self.port, 30), OSError)
        publisher.loop_start()
        self._publisher = publisher

    async def stop(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.disconnect()
            await asyncio.to_thread(publisher.loop_stop)
            await self.stop_broker()

    async def show(self, *shown: Shown) -> None:
        for item in shown:
            content = {"time": item.moment.isoformat(), "values": {str(s): v for s, v in item.values.items()}}
            await self.publish(f"{self.prefix}/{item.machine}/{group_of(item)}", json.dumps(content).encode())

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Publish and wait until the broker has it."""
        assert self._publisher is not None
        info = self._publisher.publish(topic, payload, qos)
        await asyncio.to_thread(info.wait_for_publish, 10)

    async def spoil(self, name: str, moment: datetime) -> None:
        await self.publish(f"{self.prefix}/{name}/condition", b'{"time": "yesterday", "values"')

    def connection(self, **options: Any) -> Connection:
        base = {"prefix": self.prefix, "client_id": self.client_id}
        return connection(Protocol.MQTT, f"mqtt://{HOST}:{self.port}", base | options)

    @abstractmethod
    async def start_broker(self) -> None:
        """Start the broker."""

    @abstractmethod
    async def stop_broker(self) -> None:
        """Stop it."""


def group_of(shown: Shown) -> str:
    """Return the name of the group the signals belong to."""
    signal = next(iter(shown.values))
    return "state" if signal in STATE_SIGNALS else "count" if signal in COUNTER_SIGNALS else "condition"


class MosquittoDriver(MqttDriver):
    """Eclipse Mosquitto, which keeps its sessions in a file."""

    _process: subprocess.Popen[bytes] | None = None

    async def start_broker(self) -> None:
        program = require_program("mosquitto", "mosquitto")
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} {HOST}\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nuser {getpass.getuser()}\n"
        )
        self._process = await asyncio.to_thread(
            subprocess.Popen, [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def stop_broker(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)


class AmqttDriver(MqttDriver):
    """amqtt as the one-command start runs it; its sessions end with it."""

    broker: DurableBroker | None = None
    password_file: str | None = None

    async def start_broker(self) -> None:
        self.broker = DurableBroker(f"{HOST}:{self.port}", self.password_file)
        await self.broker.start()

    async def stop_broker(self) -> None:
        broker, self.broker = self.broker, None
        if broker is not None:
            await broker.shutdown()


RING = 32
ENTRY = 21
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Controller:
    """The registers of one machine, laid out by hand so that a mistake is not made on both sides alike."""

    def __init__(self, little_bytes: bool = False, little_words: bool = False) -> None:
        self.registers = [0] * 800
        self.number = 0
        self.silent = False
        self.requests: list[tuple[int, int]] = []
        self.before_answer: list[Callable[[], None]] = []
        self._little_bytes = little_bytes
        self._words = -1 if little_words else 1

    def words(self, data: bytes) -> list[int]:
        """Return a value's bytes, most significant first, as registers."""
        return self.characters(data)[:: self._words]

    def characters(self, data: bytes) -> list[int]:
        """Return a text's bytes as registers."""
        order = "<" if self._little_bytes else ">"
        return list(struct.unpack(f"{order}{len(data) // 2}H", data))

    def stamp(self, moment: datetime) -> list[int]:
        """Return a time as registers."""
        return self.words(struct.pack(">Q", (moment - _EPOCH) // timedelta(microseconds=1)))

    def put(self, first: int, words: list[int]) -> None:
        """Write registers."""
        self.registers[first : first + len(words)] = words

    def show(self, item: Shown) -> None:
        """Write what a machine shows."""
        kind, values = group_of(item), list(item.values.values())
        if kind == "state":
            self.enter(item)
            return
        code = ">I" if kind == "count" else ">f"
        words = [word for value in values for word in self.words(struct.pack(code, value))]
        self.put(0 if kind == "count" else 20, words + self.stamp(item.moment))

    def enter(self, item: Shown) -> None:
        """Write a state change into the ring, then move the head on."""
        self.number += 1
        self.put(50 + ENTRY * (self.number % RING), self.entry(self.number, item))
        self.put(40, self.words(struct.pack(">I", self.number)))

    def entry(self, number: int, item: Shown) -> list[int]:
        """Return an entry's registers."""
        *numbers, job = item.values.values()
        whole = [word for value in numbers for word in self.words(struct.pack(">H", value))]
        text = self.characters(job.encode("latin-1").ljust(24, b"\0"))
        return self.words(struct.pack(">I", number)) + self.stamp(item.moment) + whole + text

    async def answer(
        self, function: int, start: int, address: int, size: int, registers: list[int], new: Any
    ) -> ExcCodes | None:
        """Serve a request from the present registers."""
        if function != 4:
            return ExcCodes.ILLEGAL_FUNCTION
        self.requests.append((address, size))
        if self.before_answer:
            self.before_answer.pop(0)()
        registers[address - start : address - start + size] = self.registers[address : address + size]
        return None


class ModbusDriver(SocketDriver):
    """A pymodbus server with one device per machine; what a silent one would answer is not sent."""

    def __init__(self, little_bytes: bool = False, little_words: bool = False) -> None:
        self.port = free_port()
        self.controllers = {name: Controller(little_bytes, little_words) for name in MACHINES}
        self.devices = {name: 10 + index for index, name in enumerate(MACHINES)}
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        data = [SimData(0, count=800, values=0, datatype=DataType.REGISTERS)]
        devices = [
            SimDevice(self.devices[name], simdata=data, action=controller.answer)
            for name, controller in self.controllers.items()
        ]
        self._server = ModbusTcpServer(devices, address=(HOST, self.port), trace_packet=self._mute)
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()

    async def show(self, *shown: Shown) -> None:
        for item in shown:
            self.controllers[item.machine].show(item)

    async def spoil(self, name: str, moment: datetime) -> None:
        controller = self.controllers[name]
        words = [word for value in (float("nan"), 0.0, 0.0) for word in controller.words(struct.pack(">f", value))]
        controller.put(20, words + controller.stamp(moment))

    def connection(self, **options: Any) -> Connection:
        base = {"devices": self.devices, "poll_s": 0.01, "timeout_s": 0.3}
        return connection(Protocol.MODBUS, f"tcp://{HOST}:{self.port}", base | options)

    def _mute(self, sending: bool, data: bytes) -> bytes:
        silent = {self.devices[name] for name, controller in self.controllers.items() if controller.silent}
        return b"" if sending and data[6] in silent else data
