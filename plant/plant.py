"""The shop: machines, people, setups, and the plant that holds them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from plant.arrival import ArrivalStream
from plant.calendar import Calendar, Window, merge_windows
from plant.checks import require, require_aware, require_not_negative, require_positive, require_text
from plant.connection import Connection
from plant.distribution import Distribution
from plant.errors import InvalidInput, NotFound
from plant.item import Item, ItemKind, Operation
from plant.resource import NO_POWER, Maintenance, Pool, Power, Transport
from plant.tariff import Tariff


@dataclass(frozen=True)
class SetupTime:
    """Changing over from one family to another takes `duration_s` of working time."""

    before: str
    after: str
    duration_s: float


@dataclass(frozen=True)
class SetupMatrix:
    """Sequence-dependent setup times between families.

    Attributes
    ----------
    default_s
        Working seconds of any changeover between different families that `times` does not list; staying in a
        family takes none unless `times` says so. A machine that has made nothing yet pays `default_s`.
    """

    id: str
    default_s: float
    times: tuple[SetupTime, ...] = ()

    def __post_init__(self) -> None:
        require_text("setup matrix id", self.id)
        require(
            self.default_s >= 0,
            f"setup matrix {self.id}: default_s must be at least 0, not {self.default_s!r}",
        )
        for entry in self.times:
            require(
                entry.duration_s >= 0,
                f"setup matrix {self.id}: {entry.before} -> {entry.after} must be at least 0, not {entry.duration_s!r}",
            )

    @cached_property
    def _by_pair(self) -> dict[tuple[str, str], float]:
        return {(entry.before, entry.after): entry.duration_s for entry in self.times}

    @property
    def longest_s(self) -> float:
        """Longest changeover, in seconds."""
        return max([self.default_s, *(entry.duration_s for entry in self.times)])

    def duration_s(self, before: str | None, after: str) -> float:
        """Return the changeover from family `before` (None: nothing yet) to family `after`, in seconds."""
        if before is None:
            return self.default_s
        return self._by_pair.get((before, after), 0.0 if before == after else self.default_s)


NO_CHANGEOVERS = SetupMatrix("no changeovers", 0.0)
"""Of a machine for which no matrix is named: whatever comes next, it begins at once."""

_LEAST_BETWEEN_FAILURES_S = 10.0
"""Failures are drawn one by one: more frequent ones would keep a rehearsal busy for ever."""

_MOST_VARIATION = 100.0
"""Of the time between failures; beyond, nearly all of them come within no time."""

_LONGEST_REPAIR_S = 3.6e8
"""Ten years; what lasts longer is no repair, and dates run out."""


class FailureTime(StrEnum):
    """The time in which a machine ages: while it processes, or always."""

    OPERATING = "operating"
    CALENDAR = "calendar"


@dataclass(frozen=True)
class Reliability:
    """How a machine fails.

    Attributes
    ----------
    time_between_failures
        Operating seconds from failure to failure; in calendar time, clock seconds from the end of a repair.
    time_to_repair
        Working seconds.
    crew
        Pool of repair crews one of which is needed, None if nobody is waited for.
    """

    time_between_failures: Distribution
    time_to_repair: Distribution
    failure_time: FailureTime = FailureTime.OPERATING
    crew: str | None = None

    def wrong(self) -> str:
        """Return why no future can be drawn of it, in words that follow the machine's name; empty when one can."""
        between, repair = self.time_between_failures, self.time_to_repair
        if between.mean <= 0:
            return "the mean time between failures must be above 0: the machine could never finish anything"
        if between.mean < _LEAST_BETWEEN_FAILURES_S:
            return f"it fails every {between.mean:.3g} s; the mean must be at least {_LEAST_BETWEEN_FAILURES_S:g} s"
        if between.variation > _MOST_VARIATION:
            return f"the time between failures has variation {between.variation:.3g}; at most {_MOST_VARIATION:g} count"
        if repair.mean > _LONGEST_REPAIR_S:
            return f"a repair takes {repair.mean / 3600:.3g} h; the mean must be at most {_LONGEST_REPAIR_S / 3600:g} h"
        return ""


@dataclass(frozen=True)
class Machine:
    """A work unit.

    Attributes
    ----------
    setup_matrix
        Id of its matrix; that of `NO_CHANGEOVERS` where changing over takes no time.
    speed
        Factor on planned processing times: 2 halves them.
    batch_capacity
        Jobs of one setup family that may be processed together; 1 for an ordinary machine. A batch takes as
        long as its longest member.
    batch_families
        Groups of setup families that may share a batch; a family in none of them only with itself.
    batch_wait_s
        Clock seconds the first member waits at most for the batch to fill up.
    input_buffer, output_buffer
        Places before and after it, in lots; None: as many as it takes. A finished lot that finds no place ahead goes
        to the output buffer or, where that is full, stays and blocks the machine.
    rule
        Name of the dispatching rule that chooses what it takes next; None: the plant's.
    """

    id: str
    name: str
    area: str
    work_center: str
    capabilities: tuple[str, ...]
    calendar: str
    setup_matrix: str
    speed: float = 1.0
    batch_capacity: int = 1
    reliability: Reliability | None = None
    batch_families: tuple[tuple[str, ...], ...] = ()
    batch_wait_s: float = 0.0
    input_buffer: int | None = None
    output_buffer: int | None = None
    maintenance: Maintenance | None = None
    power_kw: Power = NO_POWER
    rule: str | None = None

    def __post_init__(self) -> None:
        for name in ("id", "name", "area", "work_center", "calendar", "setup_matrix"):
            require_text(f"machine {name}", getattr(self, name))
        require("/" not in self.id, f"machine id {self.id!r} must not contain '/'")
        require(bool(self.capabilities), f"machine {self.id} needs at least one capability")
        require_positive("speed", self.speed)
        require(self.batch_capacity >= 1, f"batch_capacity must be at least 1, not {self.batch_capacity!r}")
        require_not_negative("batch_wait_s", self.batch_wait_s)
        for name in ("input_buffer", "output_buffer"):
            places = getattr(self, name)
            require(places is None or places >= 0, f"machine {self.id}: {name} must be at least 0, not {places!r}")


@dataclass(frozen=True)
class Absence:
    """Someone is not there from `start` to `end`, whatever their calendar says."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        require_aware("start", self.start)
        require_aware("end", self.end)
        require(self.start < self.end, f"an absence must end after it starts at {self.start}")


@dataclass(frozen=True)
class PlannedStop:
    """A machine is stopped from `start` to `end` for maintenance, say; what runs then goes on afterwards."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        require_aware("start", self.start)
        require_aware("end", self.end)
        require(self.start < self.end, f"a planned stop must end after it starts at {self.start}")


@dataclass(frozen=True)
class Person:
    """Someone who works on the floor, with what they can do and when they are there."""

    id: str
    name: str
    skills: tuple[str, ...]
    calendar: str
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        require_text("person id", self.id)
        require_text("person name", self.name)
        require(bool(self.skills), f"person {self.id} needs at least one skill")


Named = TypeVar("Named", Machine, Person, Item, Calendar, SetupMatrix)


def _index(kind: str, things: Iterable[Named]) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for thing in things:
        if thing.id in found:
            raise InvalidInput(f"{kind} {thing.id!r} is defined twice")
        found[thing.id] = thing
    return found


@dataclass(frozen=True)
class Plant:
    """One site: its machines, people, items and connections. Immutable; an edit makes a new version.

    `rule` names the dispatching rule of machines that have none of their own; `tariff` says what energy costs, None
    where that is not said.

    `plant.folder.load` checks the references between its parts and reports every problem at once; building a
    plant by hand is checked for doubled ids only.
    """

    enterprise: str
    site: str
    name: str
    timezone: str
    starts_at: datetime
    """Where the plant clock of an emulated plant begins (UTC)."""
    calendars: tuple[Calendar, ...]
    setup_matrices: tuple[SetupMatrix, ...]
    machines: tuple[Machine, ...]
    people: tuple[Person, ...]
    items: tuple[Item, ...]
    connections: tuple[Connection, ...] = ()
    tools: tuple[Pool, ...] = ()
    crews: tuple[Pool, ...] = ()
    carriers: tuple[Pool, ...] = ()
    transports: tuple[Transport, ...] = ()
    arrivals: tuple[ArrivalStream, ...] = ()
    rule: str = "FIFO"
    tariff: Tariff | None = None

    def __post_init__(self) -> None:
        require_text("site", self.site)
        _ = (self._calendars, self._matrices, self._machines, self._people, self._items)

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return _index("calendar", self.calendars)

    @cached_property
    def _matrices(self) -> dict[str, SetupMatrix]:
        return _index("setup matrix", (*self.setup_matrices, NO_CHANGEOVERS))

    @cached_property
    def _machines(self) -> dict[str, Machine]:
        return _index("machine", self.machines)

    @cached_property
    def _people(self) -> dict[str, Person]:
        return _index("person", self.people)

    @cached_property
    def _items(self) -> dict[str, Item]:
        return _index("item", self.items)

    def machine(self, machine_id: str) -> Machine:
        """Return the machine with this id, or raise `NotFound`."""
        return _lookup("machine", self._machines, machine_id)

    def item(self, item_id: str) -> Item:
        """Return the item with this id, or raise `NotFound`."""
        return _lookup("item", self._items, item_id)

    def operation(self, item_id: str, operation_id: str) -> Operation:
        """Return one operation of an item's routing, or raise `NotFound`."""
        for operation in self.item(item_id).routing:
            if operation.id == operation_id:
                return operation
        raise NotFound(f"item {item_id} has no operation {operation_id!r}")

    def calendar(self, calendar_id: str) -> Calendar:
        """Return the calendar with this id, or raise `NotFound`."""
        return _lookup("calendar", self._calendars, calendar_id)

    def calendar_of(self, machine_id: str) -> Calendar:
        """Return the calendar of a machine."""
        return _lookup("calendar", self._calendars, self.machine(machine_id).calendar)

    def setup_matrix_of(self, machine_id: str) -> SetupMatrix:
        """Return the setup matrix of a machine."""
        return _lookup("setup matrix", self._matrices, self.machine(machine_id).setup_matrix)

    def machines_with(self, capability: str) -> tuple[Machine, ...]:
        """Return the machines that have a capability."""
        return tuple(machine for machine in self.machines if capability in machine.capabilities)

    def made_items(self) -> tuple[Item, ...]:
        """Return the items that have a routing."""
        return tuple(item for item in self.items if item.kind is ItemKind.MADE)

    def machine_path(self, machine_id: str) -> str:
        """Return ``site/area/work_center/machine``."""
        machine = self.machine(machine_id)
        return f"{self.site}/{machine.area}/{machine.work_center}/{machine.id}"

    def open_windows(self, start: datetime, end: datetime) -> list[Window]:
        """Return when anything at all may run within [start, end): the union of the machines' calendars."""
        used = {machine.calendar for machine in self.machines}
        return merge_windows([w for calendar in used for w in self._calendars[calendar].windows(start, end)])


def _lookup(kind: str, index: dict[str, Named], key: str) -> Named:
    try:
        return index[key]
    except KeyError:
        known: Sequence[str] = sorted(index)
        more = f" and {len(known) - 20} more" if len(known) > 20 else ""
        raise NotFound(f"unknown {kind} {key!r}; known are {', '.join(known[:20])}{more}") from None
