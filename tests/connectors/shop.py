"""A shop of two machines, a clock that stands still, and ways to wait: what the connectors' tests share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from plant.calendar import Calendar
from plant.connection import Connection, Protocol
from plant.plant import Machine, Plant, SetupMatrix
from plant.ports import ReadingSource
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Reading, ReadingBatch, Rejected, Signal

START = datetime(2026, 1, 4, 22, tzinfo=UTC)
MACHINES = ("M01", "M02")
DEADLINE_S = 30.0


def plant(*connections: Connection) -> Plant:
    """Return the shop: the machines of `MACHINES`, and M99 that no connection of the tests serves."""
    return Plant(
        enterprise="Example",
        site="shop",
        name="Shop",
        timezone="Asia/Shanghai",
        starts_at=START,
        calendars=(Calendar("always", "Asia/Shanghai"),),
        setup_matrices=(SetupMatrix("none", 0.0),),
        machines=tuple(
            Machine(name, f"Mill {name}", "machining", "mills", ("milling",), "always", "none")
            for name in (*MACHINES, "M99")
        ),
        people=(),
        items=(),
        connections=connections,
    )


class StandingClock:
    """A plant clock that shows one time."""

    def __init__(self, moment: datetime = START + timedelta(hours=4)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the plant time."""
        return self.moment


def at(seconds: float) -> datetime:
    """Return a moment of the first shift: `seconds` after its begin and 7 microseconds more."""
    return START + timedelta(seconds=seconds, microseconds=7)


def tag(name: str, signal: Signal) -> str:
    """Return the tag of a machine's signal."""
    return f"shop/machining/mills/{name}/{signal}"


@dataclass(frozen=True)
class Shown:
    """What a machine shows at one time: the signals of one group."""

    machine: str
    moment: datetime
    values: dict[Signal, Any]

    @property
    def readings(self) -> set[Reading]:
        """The readings it must become."""
        return {Reading(tag(self.machine, s), self.moment, v) for s, v in self.values.items()}


def state(name: str, moment: datetime, packml: int, job: str = "", mode: int = 1, interlocks: int = 0) -> Shown:
    """Return a state change."""
    return Shown(name, moment, dict(zip(STATE_SIGNALS, (packml, mode, interlocks, job), strict=True)))


def counts(name: str, moment: datetime, *values: int) -> Shown:
    """Return a count: part, good, scrap."""
    return Shown(name, moment, dict(zip(COUNTER_SIGNALS, values, strict=True)))


def conditions(name: str, moment: datetime, *values: float) -> Shown:
    """Return a sample of temperature, vibration, power: values that a float32 holds exactly."""
    return Shown(name, moment, dict(zip(CONDITION_SIGNALS, values, strict=True)))


@dataclass
class Haul:
    """Everything a source yielded, in order."""

    readings: list[Reading] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    batches: list[ReadingBatch] = field(default_factory=list)

    def of(self, name: str, signal: Signal = Signal.PACKML_STATE) -> list[Reading]:
        """Return one tag's readings."""
        return [reading for reading in self.readings if reading.tag == tag(name, signal)]

    def times(self, name: str, signal: Signal = Signal.PACKML_STATE) -> list[datetime]:
        """Return the times of one tag's readings."""
        return [reading.time for reading in self.of(name, signal)]

    async def acknowledge(self) -> None:
        """Acknowledge every batch."""
        for batch in self.batches:
            await batch.acknowledge()


Condition = Callable[[Haul], bool]


async def collect(
    source: ReadingSource, until: Condition, acknowledge: bool = True, deadline_s: float = DEADLINE_S
) -> Haul:
    """Read until a condition holds, acknowledging each batch at once, or none."""
    haul = Haul()
    try:
        async with asyncio.timeout(deadline_s):
            while not until(haul):
                batch = await source.read()
                haul.readings += batch.readings
                haul.rejected += batch.rejected
                haul.batches.append(batch)
                if acknowledge:
                    await batch.acknowledge()
    except TimeoutError:
        raise AssertionError(f"not reached within {deadline_s} s; read so far: {haul}") from None
    return haul


def having(*shown: Shown) -> Condition:
    """Return the condition that all readings of `shown` have come."""
    wanted: set[Reading] = set().union(*(item.readings for item in shown))
    return lambda haul: wanted <= set(haul.readings)


def rejecting(number: int) -> Condition:
    """Return the condition that so many inputs were rejected."""
    return lambda haul: len(haul.rejected) >= number


async def wait_for(condition: Callable[[], Any], deadline_s: float = DEADLINE_S) -> None:
    """Wait until a condition of another task, thread or process holds."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110  (others' state: there is no event to wait for)
            await asyncio.sleep(0.005)


async def try_until(action: Callable[[], Any], error: type[Exception], deadline_s: float = DEADLINE_S) -> Any:
    """Await `action` again and again until it no longer raises `error`."""
    async with asyncio.timeout(deadline_s):
        while True:
            try:
                return await action()
            except error:
                await asyncio.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connection(
    protocol: Protocol, endpoint: str, options: dict[str, Any], machines: Iterable[str] = MACHINES
) -> Connection:
    """Return a connection of the shop."""
    return Connection(f"test-{protocol}", protocol, endpoint, tuple(machines), options)
