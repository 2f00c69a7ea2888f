"""What the upper floors hand in from outside. Each port has a contract suite that runs on every implementation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from plant.message import Receipt
from plant.reading import ReadingBatch
from plant.text import Text

T = TypeVar("T")

Progress = Callable[[float, Text], None]
"""Called with the share done (0 to 1) and what is being done; may raise `Cancelled`."""


def no_progress(share: float, doing: Text) -> None:
    """Report to nobody."""


class PlantClock(Protocol):
    """Tells plant time: `tests/plant/test_clock.py` holds its contract."""

    def now(self) -> datetime:
        """Return the plant time, UTC; it never goes back."""
        ...


class ReadingSource(Protocol):
    """One connection to machines: `tests/connectors/test_contract.py` holds its contract.

    The runner calls `open`, then `read` again and again; on `SourceLost` it calls `close`, waits, and opens again.
    """

    @property
    def id(self) -> str:
        """Id of the connection it serves."""
        ...

    async def open(self) -> None:
        """Connect and subscribe.

        Raises
        ------
        SourceLost
            When it cannot be reached now; the runner tries again.
        InvalidInput
            When the configuration is wrong; the runner gives up and says so.
        """
        ...

    async def read(self) -> ReadingBatch:
        """Wait for readings and return them with their acknowledgement, which is called after the commit only.

        What is not acknowledged before the connection breaks is delivered again where the protocol can.

        Raises
        ------
        SourceLost
            When the connection broke.
        """
        ...

    async def close(self) -> None:
        """Disconnect; harmless when not open."""
        ...


class Channel(Protocol):
    """One way out to a business system: `tests/gateway/test_channels.py` holds its contract."""

    async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
        """Deliver one message; the same `message_id` twice changes nothing at the other end.

        Raises
        ------
        Unavailable
            When the other end does not answer, or not now; the outbox tries again, later if it says when.
        InvalidInput
            When this channel does not take such messages at all.
        """
        ...


class Compute(Protocol):
    """Runs CPU work outside the event loop: `tests/runtime/test_compute.py` holds its contract."""

    async def run(self, function: Callable[..., T], *args: Any, progress: Progress = no_progress) -> T:
        """Call ``function(*args, progress=...)`` elsewhere and return its result.

        `function` must be importable by name and its arguments picklable. Cancelling the awaiting task stops it.
        """
        ...


class JobQueue(Protocol):
    """Hands long jobs to workers: `tests/runtime/test_jobs.py` holds its contract."""

    async def defer(self, kind: str, job_id: str) -> None:
        """Have a worker run the long job of this id; durable once this returns."""
        ...
