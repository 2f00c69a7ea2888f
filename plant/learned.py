"""What a plant's history taught of how to look for plans, and how that was shown to be better, or was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from plant.checks import require, require_aware, require_not_negative
from plant.text import told
from plant.tuning import Tuning
from plant.version import hash_of


@dataclass(frozen=True)
class Paired:
    """Two ways to look for plans on the same cases: mean of the differences, what was learned less the other.

    Attributes
    ----------
    learned_s, other_s
        Expected weighted tardiness in the twin, mean over the cases.
    half_width_s
        Of the mean difference, with `confidence`.
    better, worse
        Cases in which what was learned did better, and worse; equal in the rest.
    """

    learned_s: float
    other_s: float
    half_width_s: float
    confidence: float
    cases: int
    better: int
    worse: int

    def __post_init__(self) -> None:
        require_not_negative("half_width_s", self.half_width_s)
        require(
            self.cases >= 2 and self.better + self.worse <= self.cases,
            told("a comparison needs two cases or more, each counted once"),
        )

    @property
    def difference_s(self) -> float:
        """Mean difference; below 0 where what was learned is better."""
        return self.learned_s - self.other_s

    @property
    def low_s(self) -> float:
        """Lower end of the interval."""
        return self.difference_s - self.half_width_s

    @property
    def high_s(self) -> float:
        """Upper end of the interval."""
        return self.difference_s + self.half_width_s

    @property
    def is_better(self) -> bool:
        """Whether the interval lies below 0: what was learned is known to be better."""
        return self.high_s < 0


@dataclass(frozen=True)
class Learned:
    """What came of learning.

    Attributes
    ----------
    tuning
        What did best in the cases it was chosen in.
    unlearned
        `tuning` against `plant.tuning.DEFAULT` on cases it was not chosen in; None where nothing did better than
        that when it was chosen.
    used
        The same against the tuning that was in use; None where none was, or `tuning` is that one.
    calibration
        What the twin knew of the plant, None for the plan as it stands.
    since, until
        From the first to the last moment of the history, plant time.
    orders
        Orders of the history.
    seed
        Chose candidates, cases and futures.
    """

    plant_version: str
    tuning: Tuning
    unlearned: Paired | None
    used: Paired | None
    calibration: str | None
    since: datetime
    until: datetime
    orders: int
    candidates: int
    seed: int

    def __post_init__(self) -> None:
        require_aware("since", self.since)
        require_aware("until", self.until)

    @cached_property
    def id(self) -> str:
        """``learn-`` and twelve digits of the hash of all that it says."""
        return f"learn-{hash_of(self)[:12]}"

    @property
    def is_better(self) -> bool:
        """Whether it is to be adopted: known to be better than the unlearned, and than what was in use."""
        against = [one for one in (self.unlearned, self.used) if one is not None]
        return self.unlearned is not None and all(one.is_better for one in against)


@dataclass(frozen=True)
class LearnedRecord:
    """Something learned as it is kept: who had it made when (wall time), and whether it is in use and since when."""

    learned: Learned
    made_at: datetime
    made_by: str
    used_since: datetime | None = None
