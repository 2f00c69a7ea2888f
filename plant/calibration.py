"""What history says of a plant: estimates with their intervals, as one immutable version that plans name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from plant.checks import require, require_aware, require_not_negative
from plant.errors import InvalidInput
from plant.version import canonical, hash_of

FORMAT = 1


class Parameter(StrEnum):
    """What an estimate is of. Times are factors on planned ones (1.1: a tenth longer), so they hold for any lot."""

    DURATION = "duration"
    """Mean processing time over the planned one; per machine and operation."""
    VARIATION = "variation"
    """Coefficient of variation of the processing time; per operation."""
    PERFORMANCE = "performance"
    """Planned over real mean processing time of the work a machine did (1.1: a tenth faster); per machine."""
    SETUP = "setup"
    """Mean changeover over the planned one; per machine and pair of families, or `ANY_CHANGEOVER`."""
    SETUP_VARIATION = "setup variation"
    """Coefficient of variation of a machine's changeovers."""
    TIME_BETWEEN_FAILURES = "time between failures"
    """Mean operating seconds between failures; per machine."""
    FAILURE_VARIATION = "failure variation"
    """Coefficient of variation of a machine's times between failures."""
    TIME_TO_REPAIR = "time to repair"
    """Mean working seconds of a repair; per machine."""
    REPAIR_VARIATION = "repair variation"
    """Coefficient of variation of a machine's repairs."""
    SCRAP = "scrap"
    """Share of bad pieces; per operation."""


_VARIATIONS = {
    Parameter.VARIATION,
    Parameter.SETUP_VARIATION,
    Parameter.FAILURE_VARIATION,
    Parameter.REPAIR_VARIATION,
}

ANY_CHANGEOVER = "any"
"""Subject of the setup estimate that holds for pairs of families with none of their own."""


def operation_subject(item: str, operation: str) -> str:
    """Return how estimates name an operation: ``item/operation``."""
    return f"{item}/{operation}"


def changeover_subject(before: str, after: str) -> str:
    """Return how estimates name a changeover: ``before -> after``."""
    return f"{before} -> {after}"


@dataclass(frozen=True)
class Fit:
    """How well the assumed family fits what was seen.

    Attributes
    ----------
    test
        ``"anderson-darling"`` or ``"kolmogorov-smirnov"``, on residuals.
    p_value
        Chance of a worse fit if the family is right; below 0.01 look at the data.
    count
        Residuals tested.
    """

    test: str
    statistic: float
    p_value: float
    count: int


@dataclass(frozen=True)
class Estimate:
    """One parameter: its posterior median, the interval that holds it with 90 %, and what that rests on.

    Attributes
    ----------
    machine
        None where all machines share it.
    subject
        ``item/operation`` or ``family -> family`` (see `Parameter`); empty where the machine is all.
    count, censored
        Complete observations, and those known only to be longer than seen.
    planned
        What the plant says, in the same unit; None where it says nothing.
    fit
        None with too few observations to tell.
    posterior
        Draws from the posterior, joint over all estimates of a calibration: the k-th entries belong together.
    """

    parameter: Parameter
    machine: str | None
    subject: str
    value: float
    low: float
    high: float
    count: int
    censored: int
    planned: float | None
    fit: Fit | None = None
    posterior: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        where = f"estimate of {self.parameter} of {self.machine or 'all machines'} {self.subject}".rstrip()
        for name in ("value", "low", "high"):
            require_not_negative(f"{where}: {name}", getattr(self, name))
        require(
            self.low <= self.value <= self.high,
            f"{where}: {self.value!r} must lie within its interval {self.low!r} to {self.high!r}",
        )
        require(self.count >= 0 and self.censored >= 0, f"{where}: counts must be at least 0")

    @property
    def key(self) -> tuple[Parameter, str, str]:
        """What it is of: parameter, machine (empty for all), subject."""
        return self.parameter, self.machine or "", self.subject


@dataclass(frozen=True)
class Calibration:
    """All estimates made of one stretch of history. Immutable; its id follows from what it says.

    Attributes
    ----------
    plant_version
        The plant its planned values are from.
    since, until
        The history it rests on, plant time.
    """

    plant_version: str
    since: datetime
    until: datetime
    estimates: tuple[Estimate, ...]

    def __post_init__(self) -> None:
        require_aware("since", self.since)
        require_aware("until", self.until)
        require(self.since < self.until, f"a calibration needs history: {self.since} is not before {self.until}")
        require(len(self.by_key) == len(self.estimates), "a calibration holds each estimate once")
        lengths = {len(estimate.posterior) for estimate in self.estimates if estimate.posterior}
        require(len(lengths) <= 1, f"joint posterior draws must have one length, not {sorted(lengths)}")

    @cached_property
    def document_hash(self) -> str:
        """SHA-256 of the canonical form."""
        return hash_of(self)

    @property
    def id(self) -> str:
        """``cal-`` and the first twelve digits of `document_hash`."""
        return f"cal-{self.document_hash[:12]}"

    @cached_property
    def by_key(self) -> dict[tuple[Parameter, str, str], Estimate]:
        """Estimates by `Estimate.key`."""
        return {estimate.key: estimate for estimate in self.estimates}

    def find(self, parameter: Parameter, machine: str | None = None, subject: str = "") -> Estimate | None:
        """Return an estimate, None if this calibration says nothing of it."""
        return self.by_key.get((parameter, machine or "", subject))

    @property
    def posterior_size(self) -> int:
        """Number of joint posterior draws; 0 without any."""
        return max((len(estimate.posterior) for estimate in self.estimates), default=0)


@dataclass(frozen=True)
class CalibrationSummary:
    """A calibration as lists show it; `made_at` is wall time, `estimates` a count."""

    id: str
    plant_version: str
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    estimates: int
    adopted: bool


@dataclass(frozen=True)
class Difference:
    """One parameter in two calibrations; `before` or `after` is None where that one says nothing of it.

    Attributes
    ----------
    low, high
        The interval that holds `after` with 90 %.
    count, censored, planned
        As `Estimate` has them; of the one before where the other says nothing.
    apart
        The 90 % intervals do not overlap.
    """

    parameter: Parameter
    machine: str | None
    subject: str
    before: float | None
    after: float | None
    low: float | None
    high: float | None
    count: int
    censored: int
    planned: float | None
    apart: bool


def compare(before: Calibration | None, after: Calibration) -> tuple[Difference, ...]:
    """Return what differs between two calibrations, what matters most first.

    That is: what differs for certain before the rest, what has observations of its own before what was inferred from
    others, means before variations, and large changes before small ones.

    Parameters
    ----------
    before
        None for the plan as it stands: its planned values, as if they were certain.
    """
    pairs: list[tuple[Estimate | None, Estimate | None]]
    if before is None:
        pairs = [(_planned(estimate), estimate) for estimate in after.estimates]
    else:
        keys = dict.fromkeys([*before.by_key, *after.by_key])
        pairs = [(before.by_key.get(key), after.by_key.get(key)) for key in keys]
    found = [
        _difference(one, other) for one, other in pairs if one is None or other is None or one.value != other.value
    ]
    return tuple(sorted(found, key=_rank))


def _rank(one: Difference) -> tuple[bool, bool, bool, float]:
    return not one.apart, one.count + one.censored == 0, one.parameter in _VARIATIONS, -_change(one)


def _planned(estimate: Estimate) -> Estimate | None:
    planned = estimate.planned
    return None if planned is None else replace(estimate, value=planned, low=planned, high=planned)


def _difference(before: Estimate | None, after: Estimate | None) -> Difference:
    known = after or before
    assert known is not None
    return Difference(
        known.parameter,
        known.machine,
        known.subject,
        before=None if before is None else before.value,
        after=None if after is None else after.value,
        low=None if after is None else after.low,
        high=None if after is None else after.high,
        count=known.count,
        censored=known.censored,
        planned=known.planned,
        apart=before is not None and after is not None and (before.high < after.low or after.high < before.low),
    )


def _change(difference: Difference) -> float:
    """Return the relative change; infinite where one side says nothing."""
    if difference.before is None or difference.after is None:
        return float("inf")
    return abs(difference.after - difference.before) / max(difference.before, difference.after, 1e-12)


def to_json(calibration: Calibration) -> str:
    """Return a calibration as canonical JSON, with its format and id."""
    document = {"format": FORMAT, "id": calibration.id, **json.loads(canonical(calibration))}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)


def from_json(text: str | bytes) -> Calibration:
    """Return the calibration that `to_json` wrote.

    Raises
    ------
    InvalidInput
        If it is no such text, of another format, or was changed since: its id no longer follows from what it says.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise InvalidInput(f"calibration: format must be {FORMAT}, not {document['format']!r}")
        found = Calibration(
            plant_version=document["plant_version"],
            since=datetime.fromisoformat(document["since"]),
            until=datetime.fromisoformat(document["until"]),
            estimates=tuple(_estimate(values) for values in document["estimates"]),
        )
        stated = document["id"]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not the JSON of a calibration: {error!r}; write it with to_json") from error
    require(stated == found.id, f"calibration {stated} was changed: what it says makes it {found.id}")
    return found


def _estimate(values: Mapping[str, Any]) -> Estimate:
    fit = values["fit"]
    return Estimate(
        **{
            **values,
            "parameter": Parameter(values["parameter"]),
            "fit": None if fit is None else Fit(**fit),
            "posterior": tuple(values["posterior"]),
        }
    )


def summary(calibration: Calibration) -> list[dict[str, Any]]:
    """Return the estimates as rows for tables, without their posterior draws."""
    return [{**asdict(estimate), "posterior": len(estimate.posterior)} for estimate in calibration.estimates]
