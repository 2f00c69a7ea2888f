"""One value of one tag at one time, and what came of taking it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plant.checks import require_aware, require_text

GOOD = 0x0000_0000
UNCERTAIN = 0x4000_0000
BAD = 0x8000_0000
BAD_NO_COMMUNICATION = 0x8031_0000
"""OPC UA StatusCodes (part 4 and part 8): the two highest bits tell good, uncertain and bad apart."""


def is_good(quality: int) -> bool:
    """Tell whether a 32-bit OPC UA StatusCode is of severity Good."""
    return quality & 0xC000_0000 == 0


class Signal(StrEnum):
    """The signals every machine gives; a tag is ``site/area/work_center/machine/signal``.

    The first three are the state tuple that `plant.machine_state.state_of` maps; a machine without a mode or
    interlocks leaves them out.
    """

    PACKML_STATE = "packml_state"
    PACKML_MODE = "packml_mode"
    INTERLOCKS = "interlocks"
    JOB_ORDER = "job_order"
    PART_COUNT = "part_count"
    GOOD_COUNT = "good_count"
    SCRAP_COUNT = "scrap_count"
    TEMPERATURE = "temperature_c"
    VIBRATION = "vibration_mm_s"
    POWER = "power_kw"


STATE_SIGNALS = (Signal.PACKML_STATE, Signal.PACKML_MODE, Signal.INTERLOCKS, Signal.JOB_ORDER)
COUNTER_SIGNALS = (Signal.PART_COUNT, Signal.GOOD_COUNT, Signal.SCRAP_COUNT)
CONDITION_SIGNALS = (Signal.TEMPERATURE, Signal.VIBRATION, Signal.POWER)
TEXT_SIGNALS = (Signal.JOB_ORDER,)


@dataclass(frozen=True, slots=True)
class Reading:
    """(tag, time, value, quality): an exact repeat is a redelivery and changes nothing.

    Attributes
    ----------
    tag
        ``site/area/work_center/machine/signal``.
    time
        When the source says it happened (plant time, UTC).
    value
        A number, a text, or None where the quality is bad.
    quality
        32-bit OPC UA StatusCode.
    """

    tag: str
    time: datetime
    value: float | str | None
    quality: int = GOOD

    def __post_init__(self) -> None:
        require_text("tag", self.tag)
        require_aware("time", self.time)

    @property
    def machine(self) -> str:
        """Id of the machine the tag belongs to."""
        return self.tag.rsplit("/", 2)[-2]

    @property
    def signal(self) -> str:
        """Last part of the tag."""
        return self.tag.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Rejected:
    """Something a source sent that is not a reading: kept with its payload and the reason."""

    source: str
    payload: str
    reason: str


class GapCause(StrEnum):
    """Why nothing is known of a machine for a while."""

    CONNECTION_LOST = "connection lost"
    BUFFER_OVERFLOW = "buffer overflow"
    NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class ReadingBatch:
    """What one `ReadingSource.read` yields. Call `acknowledge` only after the commit."""

    readings: tuple[Reading, ...]
    acknowledge: Callable[[], Awaitable[None]]
    rejected: tuple[Rejected, ...] = ()
