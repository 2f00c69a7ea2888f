"""What went wrong on the floor and makes plans stale, as far as was known when one looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Abort:
    """A job order that was given up and waits for a new place.

    Attributes
    ----------
    times
        How often it was given up so far, this time included.
    at
        Plant time of the latest time.
    """

    times: int
    at: datetime


@dataclass(frozen=True)
class Troubles:
    """Machines that are broken down and job orders that were given up.

    A plan carries those it was made with. What comes to light later was not in it, however long ago it happened.

    Attributes
    ----------
    breakdowns
        Start of the breakdown (plant time) by machine.
    aborts
        By job order.
    """

    breakdowns: Mapping[str, datetime] = field(default_factory=dict)
    aborts: Mapping[str, Abort] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.breakdowns or self.aborts)

    def beyond(self, known: Troubles) -> Troubles:
        """Return those that are not among the `known` ones.

        A breakdown that turned out to have begun earlier than was known is the same one; one that began later is
        the machine's next.
        """
        return Troubles(
            {
                machine: since
                for machine, since in self.breakdowns.items()
                if machine not in known.breakdowns or known.breakdowns[machine] < since
            },
            {
                job_order: abort
                for job_order, abort in self.aborts.items()
                if job_order not in known.aborts or known.aborts[job_order].times < abort.times
            },
        )
