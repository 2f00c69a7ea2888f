"""One controller on a Modbus connection: what it showed last, and how it is asked again when it is silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.intake import Intake
from connectors.memory import INSTANT, Memory
from connectors.modbus_options import ModbusOptions
from connectors.modbus_registers import BLOCK_REGISTERS, HEAD_REGISTERS, Entry, Values, join, show
from connectors.modbus_ring import Fetched, ReadRegisters, Ring, Slot
from plant.errors import MessageInvalid
from plant.reading import GapCause, Reading, Rejected, Signal

_log = structlog.get_logger(__name__)
_REFUSED = "a state change was refused"
Parse = Callable[[Sequence[int]], tuple[datetime | None, Values]]


@dataclass
class Findings:
    """What one look at a device, or at several, has brought."""

    readings: list[Reading] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.readings or self.rejected)


class Device:
    """Follows one machine's registers over the time a connection is open.

    Parameters
    ----------
    memory
        What is stored of the machine; a copy of its own, which grows with what is found.
    """

    def __init__(self, machine: str, options: ModbusOptions, intake: Intake, memory: Memory) -> None:
        self.machine = machine
        self._options = options
        self._intake = intake
        self._memory = memory
        self._ring = Ring(options.decoder, options.ring)
        self._last: Entry | None = None
        self._blocks: dict[str, tuple[int, ...]] = {}
        self._refused: set[str] = set()
        self._heard_at = time.monotonic()
        self._failures = 0
        self.due_at = self._heard_at

    @property
    def silent_s(self) -> float:
        """Wall seconds since it last answered; 0 for one that answered the last request."""
        return time.monotonic() - self._heard_at if self._failures else 0.0

    async def look(self, read: ReadRegisters) -> Findings:
        """Read what is new: the head and both blocks in as few requests as allowed, then the new state changes."""
        options, found = self._options, Findings()
        words = await self._read_areas(read)
        head = options.decoder.number(words(options.head, HEAD_REGISTERS))
        fetched = await self._ring.fetch(head, read, lambda: self._read_head(read))
        self._take_changes(fetched, found)
        self._take_block("counters", words(options.counters, BLOCK_REGISTERS), options.decoder.counters, found)
        self._take_block("conditions", words(options.conditions, BLOCK_REGISTERS), options.decoder.conditions, found)
        self._heard_at, self._failures = time.monotonic(), 0
        self.due_at = self._heard_at + options.poll_s
        return found

    def silent(self, reason: str) -> Findings:
        """Note that it did not answer: ask again later and later, and tell when it counts as gone."""
        self._failures += 1
        pause_s = min(self._options.poll_s * 2**self._failures, self._options.backoff_s)
        self.due_at = time.monotonic() + pause_s
        found = Findings()
        if self.silent_s >= self._options.offline_after_s and self._memory.lost_at(self.machine) is None:
            _log.warning("modbus device silent", source=self._intake.source, machine=self.machine, reason=reason)
            begin = self._memory.gap_at(self.machine) or self._intake.now()
            self._emit([self._intake.gap(self.machine, begin)], found)
        return found

    def refuses(self, reason: str) -> Findings:
        """Note that it answers with an exception: a wrong register, say. It is told once, and it counts as silent."""
        found = self.silent(reason)
        if reason not in self._refused:
            self._refused.add(reason)
            found.rejected.append(self._intake.reject("", f"{self.machine}: {reason}"))
        return found

    async def _read_areas(self, read: ReadRegisters) -> Callable[[int, int], list[int]]:
        options = self._options
        areas = [
            (options.head, HEAD_REGISTERS),
            (options.counters, BLOCK_REGISTERS),
            (options.conditions, BLOCK_REGISTERS),
        ]
        image: dict[int, int] = {}
        for first, count in join(areas, options.join_gap):
            image.update(enumerate(await read(first, count), first))
        return lambda first, count: [image[register] for register in range(first, first + count)]

    async def _read_head(self, read: ReadRegisters) -> int:
        return self._options.decoder.number(await read(self._options.head, HEAD_REGISTERS))

    def _take_changes(self, fetched: Fetched, found: Findings) -> None:
        broken = fetched.broken
        for slot in fetched.slots:
            entry = self._entry(slot, found)
            if entry is None:
                broken = _REFUSED if slot.words else slot.lost
                continue
            if broken or self._last is None:
                self._begin_anew(entry, broken, found)
            else:
                self._close_gap(self._last, entry.moment, found)
            broken, self._last = "", entry
            self._emit(self._readings(entry, entry.moment), found)
        if broken:
            self._last = None
            self._lose(broken, None, found)
        if self._last is not None:
            self._close_gap(self._last, None, found)

    def _begin_anew(self, entry: Entry, broken: str, found: Findings) -> None:
        """Tell the gap before an entry that does not continue what is stored."""
        state_at = self._memory.state_at(self.machine)
        reaches_back = not broken and state_at is not None and entry.moment <= state_at
        if state_at is not None and not reaches_back:
            self._lose(broken or "the ring does not reach back to the last stored state", entry.moment, found)

    def _lose(self, reason: str, before: datetime | None, found: Findings) -> None:
        """Record from when on the state is unknown."""
        begin = self._memory.gap_at(self.machine, before)
        if begin is not None and self._memory.lost_at(self.machine) is None:
            _log.warning("modbus state changes lost", source=self._intake.source, machine=self.machine, reason=reason)
            cause = GapCause.NOT_RECORDED if reason == _REFUSED else GapCause.BUFFER_OVERFLOW
            self._emit([self._intake.gap(self.machine, begin, cause)], found)

    def _close_gap(self, state: Entry, until: datetime | None, found: Findings) -> None:
        """End a silence over which, as the ring proves, `state` held: it began before and nothing followed."""
        lost_at = self._memory.lost_at(self.machine)
        if lost_at is None or state.moment > lost_at or (until is not None and until <= lost_at + INSTANT):
            return
        self._emit(self._readings(state, lost_at + INSTANT), found)

    def _entry(self, slot: Slot, found: Findings) -> Entry | None:
        if slot.lost and not slot.words:
            return None
        if slot.lost:
            found.rejected.append(
                self._intake.reject(show(slot.words), f"{self.machine}: state change {slot.number}: {slot.lost}")
            )
            return None
        try:
            entry = self._options.decoder.entry(slot.words)
            self._readings(entry, self._intake.time(entry.moment))
        except MessageInvalid as error:
            found.rejected.append(
                self._intake.reject(show(slot.words), f"{self.machine}: state change {slot.number}: {error}")
            )
            return None
        return entry

    def _readings(self, entry: Entry, moment: datetime) -> list[Reading]:
        return [self._intake.reading(self.machine, signal, moment, raw) for signal, raw in entry.values.items()]

    def _take_block(self, name: str, words: Sequence[int], parse: Parse, found: Findings) -> None:
        """Take a block of values that has changed since the last look."""
        if self._blocks.get(name) == tuple(words):
            return
        self._blocks[name] = tuple(words)
        try:
            stamp, values = parse(words)
            if stamp is None:
                return
            moment = self._intake.time(stamp)
        except MessageInvalid as error:
            found.rejected.append(self._intake.reject(show(words), f"{self.machine}: {name}: {error}"))
            return
        for signal, raw in values.items():
            self._take_value(signal, moment, raw, words, found)

    def _take_value(self, signal: Signal, moment: datetime, raw: object, words: Sequence[int], found: Findings) -> None:
        try:
            self._emit([self._intake.reading(self.machine, signal, moment, raw)], found)
        except MessageInvalid as error:
            found.rejected.append(self._intake.reject(show(words), f"{self.machine}: {error}"))

    def _emit(self, readings: list[Reading], found: Findings) -> None:
        self._memory.commit(readings)
        found.readings += readings
