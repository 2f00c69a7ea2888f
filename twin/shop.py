"""What a station works at and whom it works for: steps, phases, breakdowns, and the ports to its shop and its luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plant.calendar import WorkingTime
from plant.machine_state import MachineState

if TYPE_CHECKING:
    from twin.station import Station


@dataclass(frozen=True)
class Step:
    """What a machine does next.

    Attributes
    ----------
    jobs
        Job orders processed together; more than one in a batch.
    setup_family
        What the machine is set up for afterwards.
    setup_s, processing_s
        Working seconds of the changeover and of the processing after it.
    pieces
        Pieces that come out one by one, the last one at the end.
    fixed_share
        Share of the processing before work on the first piece begins, in [0, 1].
    setup_time, working_time
        When the changeover and when the processing may run; None: whenever the machine's calendar is open. Each
        lies within the machine's time, and who offers the step sees to it that it begins in open time.
    """

    jobs: tuple[str, ...]
    setup_family: str | None
    setup_s: float
    processing_s: float
    pieces: int = 0
    fixed_share: float = 0.0
    setup_time: WorkingTime | None = None
    working_time: WorkingTime | None = None

    def piece_s(self, index: int) -> float:
        """Return the processing seconds after which piece `index` (from 0) is done."""
        if index + 1 == self.pieces:
            return self.processing_s
        return self.processing_s * (self.fixed_share + (1 - self.fixed_share) * (index + 1) / self.pieces)


@dataclass
class Phase:
    """A stretch of setup or processing.

    Attributes
    ----------
    begun_s
        When it began.
    work_s
        Working seconds it takes.
    stopped_s
        Working seconds of repair within it, those of a repair that is under way included.
    pieces_done
        Pieces that have come out.
    """

    state: MachineState
    begun_s: float
    work_s: float
    stopped_s: float = 0.0
    pieces_done: int = 0


@dataclass
class Breakdown:
    """The machine is down.

    Attributes
    ----------
    until_s
        When it goes on.
    repair_s
        Working seconds of the repair.
    done_s
        Working seconds of the running phase that were done when it broke.
    """

    since_s: float
    until_s: float
    repair_s: float
    done_s: float = 0.0


@dataclass
class Busy:
    """Working seconds a machine has spent."""

    setup_s: float = 0.0
    processing_s: float = 0.0
    repair_s: float = 0.0


class Luck(Protocol):
    """When machines fail and how long repairs take: `ordinal` counts a machine's failures from 0."""

    def between_failures_s(self, machine: str, ordinal: int) -> float:
        """Return the operating seconds from failure `ordinal` - 1 (or the beginning) to this one; inf for never."""
        ...

    def repair_s(self, machine: str, ordinal: int) -> float:
        """Return the working seconds the repair of failure `ordinal` takes."""
        ...


class Shop(Protocol):
    """Gives a station its work and hears what becomes of it."""

    def offer(self, station: Station, now_s: float) -> Step | float:
        """Return the step to begin now, or the later moment to ask again (inf: when woken)."""
        ...

    def began(self, station: Station, step: Step, now_s: float) -> None:
        """The step was taken up: its changeover or processing begins."""
        ...

    def processing(self, station: Station, step: Step, start_s: float) -> None:
        """Processing begins at `start_s`."""
        ...

    def piece(self, station: Station, step: Step, index: int, now_s: float) -> None:
        """Piece `index` of the step came out."""
        ...

    def finished(self, station: Station, step: Step, now_s: float) -> None:
        """The step is done and the machine free."""
        ...

    def show(self, station: Station, now_s: float) -> None:
        """All that was due now has happened; called only on a watched station."""
        ...
