"""The registers of a controller and what they mean: pure decoding, no connection.

All are input registers of 16 bits (function 4):

=====================  ==============================================================================
counters + 0, 2, 4     part, good, scrap count (uint32 each)
counters + 6           plant time of the last count (uint64, microseconds since the Unix epoch; 0: none yet)
conditions + 0, 2, 4   temperature_c, vibration_mm_s, power_kw (float32 each)
conditions + 6         plant time of the sample (uint64; 0: none yet)
head                   number of the latest state change (uint32; 0: none yet)
ring + 21 i            state change whose number is i modulo 32: number (uint32), plant time (uint64),
                       packml_state, packml_mode, interlocks (uint16 each), job order (24 bytes ASCII)
=====================  ==============================================================================
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plant.connection import Protocol
from plant.errors import MessageInvalid
from plant.naming import JOB_ORDER_BYTES
from plant.reading import CONDITION_SIGNALS, COUNTER_SIGNALS, STATE_SIGNALS, Signal

RING_ENTRIES = 32
ENTRY_REGISTERS = 9 + JOB_ORDER_BYTES[Protocol.MODBUS] // 2
BLOCK_REGISTERS = 10
HEAD_REGISTERS = 2
MAX_REGISTERS = 125
"""Registers one request may ask for (Modbus application protocol 1.1b3, 6.4)."""
_STAMP = slice(6, 10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Values = dict[Signal, float | int | str]


@dataclass(frozen=True)
class Entry:
    """One state change out of the ring."""

    number: int
    moment: datetime
    values: Values


@dataclass(frozen=True)
class Decoder:
    """Reads values in a device's orders.

    Attributes
    ----------
    byte_order
        Order of the two bytes in a register; the standard says big.
    word_order
        Order of the registers of one value; the standard says nothing. Texts stay in reading order.
    """

    byte_order: str = "big"
    word_order: str = "big"

    def number(self, words: Sequence[int]) -> int:
        """Return an unsigned whole number of any width."""
        return int.from_bytes(self._bytes(self._ordered(words)), "big")

    def real(self, words: Sequence[int]) -> float:
        """Return a float32."""
        (value,) = struct.unpack(">f", self._bytes(self._ordered(words)))
        return float(value)

    def text(self, words: Sequence[int]) -> str:
        """Return a text that ends at the first zero byte.

        Raises
        ------
        MessageInvalid
            When it is not ASCII.
        """
        data = self._bytes(words).partition(b"\0")[0].rstrip()
        try:
            return data.decode("ascii")
        except UnicodeDecodeError as error:
            raise MessageInvalid(f"the job order {data!r} is not ASCII; check byte_order and ring") from error

    def stamp(self, words: Sequence[int]) -> datetime | None:
        """Return a plant time, None for one that was never set.

        Raises
        ------
        MessageInvalid
            When it lies outside the calendar.
        """
        microseconds = self.number(words)
        if microseconds == 0:
            return None
        try:
            return _EPOCH + timedelta(microseconds=microseconds)
        except OverflowError as error:
            raise MessageInvalid(
                f"the stamp {microseconds} is no time in microseconds since 1970; check byte_order and word_order"
            ) from error

    def counters(self, words: Sequence[int]) -> tuple[datetime | None, Values]:
        """Return the stamp and the counts of the counters' block."""
        counts = (self.number(words[first : first + 2]) for first in (0, 2, 4))
        return self.stamp(words[_STAMP]), dict(zip(COUNTER_SIGNALS, counts, strict=True))

    def conditions(self, words: Sequence[int]) -> tuple[datetime | None, Values]:
        """Return the stamp and the values of the conditions' block."""
        values = (self.real(words[first : first + 2]) for first in (0, 2, 4))
        return self.stamp(words[_STAMP]), dict(zip(CONDITION_SIGNALS, values, strict=True))

    def entry(self, words: Sequence[int]) -> Entry:
        """Return one state change.

        Raises
        ------
        MessageInvalid
            When its stamp or its text cannot be.
        """
        moment = self.stamp(words[2:6])
        if moment is None:
            raise MessageInvalid("the state change bears no stamp")
        numbers = [self.number([word]) for word in words[6:9]]
        return Entry(
            self.number(words[:2]), moment, dict(zip(STATE_SIGNALS, [*numbers, self.text(words[9:])], strict=True))
        )

    def _ordered(self, words: Sequence[int]) -> Sequence[int]:
        return words if self.word_order == "big" else words[::-1]

    def _bytes(self, words: Sequence[int]) -> bytes:
        return struct.pack(f"{'>' if self.byte_order == 'big' else '<'}{len(words)}H", *words)


def show(words: Sequence[int]) -> str:
    """Return registers as text, as a rejection keeps them."""
    return " ".join(f"{word:04x}" for word in words)


def join(areas: Sequence[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Return the requests (first register, count) that cover `areas`, reading at most `gap` unused ones along."""
    requests: list[tuple[int, int]] = []
    for first, count in sorted(areas):
        if requests:
            begin, length = requests[-1]
            if first - (begin + length) <= gap and first + count - begin <= MAX_REGISTERS:
                requests[-1] = (begin, first + count - begin)
                continue
        requests.append((first, count))
    return requests
