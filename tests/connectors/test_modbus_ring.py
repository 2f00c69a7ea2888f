"""The ring against a controller that writes whenever it likes: hypothesis looks for the worst moments."""

from __future__ import annotations

import asyncio
import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.modbus_registers import ENTRY_REGISTERS, RING_ENTRIES, Decoder
from connectors.modbus_ring import Ring

FIRST = 50


class Writer:
    """A controller that writes some changes before each request, and may be caught in the middle of the last one.

    It finishes what it has begun before the next request.
    """

    def __init__(self, number: int, plan: list[tuple[int, bool]]) -> None:
        self.number = number
        self.registers = [0] * (FIRST + RING_ENTRIES * ENTRY_REGISTERS)
        self._plan = iter(plan)
        self._half = False

    def entry(self, number: int) -> list[int]:
        """Return an entry all of whose registers tell its number."""
        low, high = number & 0xFFFF, number >> 16
        return [high, low, *([low ^ 0x5A5A] * (ENTRY_REGISTERS - 2))]

    def step(self) -> None:
        """Do what the plan has for this moment."""
        changes, half = next(self._plan, (0, False))
        for _ in range(changes + self._half):
            self._write(self.number + 1, whole=True)
        self._half = half
        if half:
            self._write(self.number + 1, whole=False)

    async def read(self, first: int, count: int) -> list[int]:
        """Answer a request."""
        self.step()
        return self.registers[first : first + count]

    async def head(self) -> int:
        """Answer with the head."""
        self.step()
        return self.number

    def _write(self, number: int, whole: bool) -> None:
        slot = FIRST + ENTRY_REGISTERS * (number % RING_ENTRIES)
        words = self.entry(number)
        if whole:
            self.registers[slot : slot + ENTRY_REGISTERS] = words
            self.number = number
        else:
            self.registers[slot + 5 : slot + ENTRY_REGISTERS] = words[5:]


async def _follow(writer: Writer, looks: int) -> tuple[list[int], list[int]]:
    """Return the numbers taken, and those before which something was marked as missing."""
    ring, taken, marked, broken = Ring(Decoder(), FIRST), [], [], False
    for _ in range(looks):
        fetched = await ring.fetch(await writer.head(), writer.read, writer.head)
        broken = broken or bool(fetched.broken)
        for slot in fetched.slots:
            if slot.lost:
                broken = True
                continue
            (number,) = struct.unpack(">I", struct.pack(">2H", *slot.words[:2]))
            assert number == slot.number
            assert list(slot.words) == writer.entry(number), f"{number} was taken half written"
            taken.append(number)
            if broken:
                marked.append(number)
            broken = False
    return taken, marked


@given(
    number=st.sampled_from([0, 1, 31, 32, 33, 1000, 70_000]),
    plan=st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 2, 5, 31, 32, 33, 40, 100]), st.booleans()), max_size=80),
)
def test_none_twice_none_half_none_lost_unmarked(number: int, plan: list[tuple[int, bool]]) -> None:
    writer = Writer(0, [])
    for _ in range(number % 200):
        writer._write(writer.number + 1, whole=True)
    writer._plan = iter(plan)
    begun = writer.number
    taken, marked = asyncio.run(_follow(writer, looks=30))
    assert taken == sorted(set(taken)), "each once, in order"
    for before, after in pairwise(taken):
        assert after == before + 1 or after in marked, f"{before + 1} to {after - 1} are missing without a mark"
    if writer.number:
        assert taken[-1] == writer.number, "the latest is always there in the end"
    if not plan and begun:
        assert taken == list(range(max(begun - RING_ENTRIES + 1, 1), begun + 1)), "all that the ring held"


def test_numbers_go_on_beyond_32_bits() -> None:
    writer = Writer(0, [])
    writer.number = 2**32 - 3
    for number in range(2**32 - 34, 2**32 - 2):
        writer._write(number, whole=True)

    async def follow() -> list[int]:
        ring = Ring(Decoder(), FIRST)
        before = await ring.fetch(writer.number, writer.read, writer.head)
        for number in (2**32 - 2, 2**32 - 1, 0, 1):
            writer._write(number, whole=True)
        after = await ring.fetch(writer.number, writer.read, writer.head)
        assert not after.broken
        return [slot.number for slot in (*before.slots, *after.slots)]

    numbers = asyncio.run(follow())
    assert numbers[-5:] == [2**32 - 3, 2**32 - 2, 2**32 - 1, 0, 1]
    assert len(numbers) == RING_ENTRIES + 4
