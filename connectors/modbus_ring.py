"""Reading a controller's ring of state changes: none twice, none half written, none lost without being told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from connectors.modbus_registers import ENTRY_REGISTERS, MAX_REGISTERS, RING_ENTRIES, Decoder

ReadRegisters = Callable[[int, int], Awaitable[list[int]]]
"""Reads (first register, count) of one device."""
ReadHead = Callable[[], Awaitable[int]]

_NUMBERS = 2**32
_BACKWARDS = 2**31
_CHUNK = MAX_REGISTERS // ENTRY_REGISTERS
_TRIES = 3
"""Looks at an entry that does not bear its number before it counts as unreadable."""


@dataclass(frozen=True)
class Slot:
    """What became of one state change: its registers, or why they are not to be had.

    Registers together with a reason are such as cannot be what they should.
    """

    number: int
    words: tuple[int, ...] = ()
    lost: str = ""


@dataclass(frozen=True)
class Fetched:
    """The changes since the last fetch, in order.

    Attributes
    ----------
    broken
        Whether changes may be missing before the first slot, and why.
    """

    slots: tuple[Slot, ...] = ()
    broken: str = ""


class Ring:
    """Follows the ring of one device.

    Parameters
    ----------
    first
        Register at which the ring begins.
    """

    def __init__(self, decoder: Decoder, first: int) -> None:
        self._decoder = decoder
        self._first = first
        self._seen: int | None = None
        self._broken = ""
        self._tries = 0

    async def fetch(self, head: int, read: ReadRegisters, read_head: ReadHead) -> Fetched:
        """Return the changes up to number `head`; at the first fetch all that the ring still holds.

        The head is read again behind the entries: one that the controller may have begun to overwrite meanwhile is
        taken only if it reads the same twice. That suffices for one that finishes an entry it has begun within two
        requests; controllers do so within one cycle.
        """
        numbers = self._wanted(head)
        if not numbers:
            return Fetched((), self._broken)
        entries = await self._read(numbers, read)
        after = await read_head()
        if (after - head) % _NUMBERS > _BACKWARDS:
            return Fetched()  # The device began anew under our hands; the next look tells how.
        slots: list[Slot] = []
        for number in self._held(numbers, entries):
            slot = await self._settle(number, entries[number], after, read)
            if slot is None:
                break
            slots.append(slot)
            self._seen = number
        if not slots:
            return Fetched()
        broken, self._broken = self._broken, ""
        return Fetched(tuple(slots), broken)

    def _wanted(self, head: int) -> list[int]:
        """Return the numbers to fetch, oldest first, and note where continuity is broken."""
        oldest = max(head - RING_ENTRIES + 1, 1)
        new = head if self._seen is None else (head - self._seen) % _NUMBERS
        if self._seen is not None and new > _BACKWARDS:
            self._broken = f"the device's numbering went back from {self._seen} to {head}"
            self._seen, new = 0, head
        elif self._seen is not None and new > RING_ENTRIES:
            self._broken = f"buffer overflow: {new - RING_ENTRIES} state changes were overwritten before they were read"
        if new > RING_ENTRIES or self._seen is None:
            return list(range(oldest, head + 1))
        return [(head - back) % _NUMBERS for back in reversed(range(new))]

    async def _read(self, numbers: Sequence[int], read: ReadRegisters) -> dict[int, tuple[int, ...]]:
        """Read the entries in as few requests as the slots' neighbourhood allows."""
        entries: dict[int, tuple[int, ...]] = {}
        pending = list(numbers)
        while pending:
            slot = pending[0] % RING_ENTRIES
            count = min(len(pending), _CHUNK, RING_ENTRIES - slot)
            words = await read(self._first + ENTRY_REGISTERS * slot, ENTRY_REGISTERS * count)
            for index, number in enumerate(pending[:count]):
                entries[number] = tuple(words[ENTRY_REGISTERS * index : ENTRY_REGISTERS * (index + 1)])
            pending = pending[count:]
        return entries

    def _held(self, numbers: Sequence[int], entries: dict[int, tuple[int, ...]]) -> Sequence[int]:
        """Return the numbers to settle: at a fresh start the oldest may not be there (any more), which is no fault."""
        if self._seen and not self._broken:
            return numbers
        for index, number in enumerate(numbers):
            if self._decoder.number(entries[number][:2]) == number:
                return numbers[index:]
        return numbers[-1:]

    async def _settle(self, number: int, words: tuple[int, ...], after: int, read: ReadRegisters) -> Slot | None:
        """Return what became of a number; None for one that must be looked at again."""
        age = (after - number) % _NUMBERS
        if age >= RING_ENTRIES:
            return Slot(number, lost="overwritten while it was read")
        if age == RING_ENTRIES - 1:
            again = await read(self._first + ENTRY_REGISTERS * (number % RING_ENTRIES), ENTRY_REGISTERS)
            if tuple(again) != words:
                return Slot(number, lost="overwritten while it was read")
        if self._decoder.number(words[:2]) == number:
            self._tries = 0
            return Slot(number, words)
        self._tries += 1
        if self._tries < _TRIES:
            return None
        self._tries = 0
        return Slot(number, words, lost="the entry does not bear its number; check ring, byte_order and word_order")
