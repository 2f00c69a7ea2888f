"""Readings: written once each, in bulk; read as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation

from historian import states
from historian.copying import HEADER, TRAILER, microseconds, rows
from historian.database import Transaction
from historian.features import StoreKind
from historian.queries import query
from plant.checks import require
from plant.reading import STATE_SIGNALS, TEXT_SIGNALS, Reading

_ADD_TAGS = query("samples", "add_tags")
_TAGS = query("samples", "tags")
_MAKE_WEEKS = query("samples", "make_weeks")
_MAKE_STAGING = query("samples", "make_staging")
_STATE_READINGS = query("samples", "state_readings")
_LAST = query("samples", "last")
_SERIES = query("samples", "series")
_LAST_BEFORE = query("samples", "last_before")
_ROLLUPS = {timedelta(minutes=1): query("samples", "rollup_1m"), timedelta(hours=1): query("samples", "rollup_1h")}
_REFRESH_1M = query("samples", "refresh_1m")
_REFRESH_1H = query("samples", "refresh_1h")

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = datetime(2000, 1, 3, tzinfo=UTC)
_WEEK = timedelta(days=7)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Form:
    """The statements of one of the two tables."""

    copy: bytes
    copy_staged: bytes
    stage: bytes
    unstage: bytes


_NUMBERS = _Form(*(query("samples", f"{verb}_sample") for verb in ("copy", "copy_staged", "stage", "unstage")))
_TEXTS = _Form(*(query("samples", f"{verb}_sample_text") for verb in ("copy", "copy_staged", "stage", "unstage")))


@dataclass(frozen=True)
class Written:
    """What came of a write.

    Attributes
    ----------
    stored, repeated
        How many readings were new, and how many were there already.
    earliest
        Per tag the earliest time at which something new was stored.
    """

    stored: int
    repeated: int
    earliest: Mapping[str, datetime]


@dataclass(frozen=True)
class Series:
    """One tag's readings in the order of their times.

    Attributes
    ----------
    time_s
        Seconds since the Unix epoch, shape (n,).
    values
        Shape (n,); NaN where there is none.
    quality
        OPC UA StatusCodes, shape (n,).
    """

    tag: str
    time_s: NDArray[np.float64]
    values: NDArray[np.float64]
    quality: NDArray[np.int64]

    def moments(self, chosen: NDArray[np.bool_] | slice = slice(None)) -> list[datetime]:
        """Return the UTC times of some readings, of all by default; they are exact to the microsecond."""
        return [_UNIX + timedelta(microseconds=round(1e6 * second)) for second in self.time_s[chosen].tolist()]


@dataclass(frozen=True)
class Rollup:
    """One tag's readings of good quality in one bucket."""

    tag: str
    bucket: datetime
    count: int
    minimum: float
    maximum: float
    total: float


@dataclass(frozen=True)
class _Row:
    tag_id: int
    time: datetime
    value: Any
    quality: int


async def write(tx: Transaction, readings: Sequence[Reading]) -> Written:
    """Store readings; an exact repeat changes nothing, another value at the same time gets the next ordinal.

    The machines they belong to are locked until the transaction ends.

    Raises
    ------
    InvalidInput
        When a text stands where numbers belong, or the other way round.
    """
    if not readings:
        return Written(0, 0, {})
    await states.lock(tx, {reading.machine for reading in readings})
    tags = await _known_tags(tx, sorted({reading.tag for reading in readings}))
    numbers, texts = _sorted_out(readings, tags)
    if tx.features.kind is StoreKind.PLAIN:
        await _make_weeks(tx, readings)
    stored = await _write_rows(tx, _NUMBERS, numbers)
    if tx.features.kind is StoreKind.PLAIN:
        await _refresh_rollups(tx, stored)
    stored += await _write_rows(tx, _TEXTS, texts)
    paths = {tag_id: path for path, (tag_id, _) in tags.items()}
    earliest: dict[str, datetime] = {}
    for tag_id, time in stored:
        path = paths[tag_id]
        earliest[path] = min(earliest.get(path, time), time)
    return Written(len(stored), len(readings) - len(stored), earliest)


async def _known_tags(tx: Transaction, paths: list[str]) -> dict[str, tuple[int, bool]]:
    found = await _tags(tx, paths)
    missing = [path for path in paths if path not in found]
    if missing:
        examples = [Reading(path, _MONDAY, None) for path in missing]
        row = {
            "paths": missing,
            "machines": [example.machine for example in examples],
            "signals": [example.signal for example in examples],
            "texts": [example.signal in TEXT_SIGNALS for example in examples],
        }
        await tx.execute(_ADD_TAGS, row)
        found |= await _tags(tx, missing)
    return found


async def _tags(tx: Transaction, paths: list[str]) -> dict[str, tuple[int, bool]]:
    return {row["path"]: (row["id"], row["is_text"]) for row in await tx.all(_TAGS, {"paths": paths})}


def _sorted_out(readings: Sequence[Reading], tags: Mapping[str, tuple[int, bool]]) -> tuple[list[_Row], list[_Row]]:
    numbers: list[_Row] = []
    texts: list[_Row] = []
    for reading in readings:
        tag_id, is_text = tags[reading.tag]
        if reading.value is not None:
            kind = "texts" if is_text else "numbers"
            require(isinstance(reading.value, str) is is_text, f"{reading.tag} holds {kind}, not {reading.value!r}")
        value = reading.value if is_text or reading.value is None else float(reading.value)
        row = _Row(tag_id, reading.time, value, reading.quality)
        (texts if is_text else numbers).append(row)
    return numbers, texts


async def _make_weeks(tx: Transaction, readings: Sequence[Reading]) -> None:
    """Make the partitions before they are needed: an attached one cannot overlap what lies in the DEFAULT one."""
    weeks = {_MONDAY + (reading.time - _MONDAY) // _WEEK * _WEEK for reading in readings}
    await tx.execute(_MAKE_WEEKS, {"weeks": sorted(weeks)})


async def _write_rows(tx: Transaction, form: _Form, batch: list[_Row]) -> list[tuple[int, datetime]]:
    """Store rows and return (tag id, time) of the new ones."""
    if not batch:
        return []
    if tx.features.copy:
        try:
            async with tx.connection.transaction():
                await _copy(tx, form.copy, form, batch, staged=False)
        except UniqueViolation:
            pass
        else:
            return [(row.tag_id, row.time) for row in batch]
    await tx.connection.execute(_MAKE_STAGING)
    if tx.features.copy:
        await _copy(tx, form.copy_staged, form, batch, staged=True)
    else:
        await tx.execute(form.stage, _columns(batch))
    fresh = await tx.all(form.unstage)
    await tx.connection.execute(b"truncate staged_sample, staged_sample_text")
    return [(row["tag_id"], row["time"]) for row in fresh]


def _columns(batch: list[_Row]) -> dict[str, list[Any]]:
    return {
        "tag_ids": [row.tag_id for row in batch],
        "times": [row.time for row in batch],
        "values": [row.value for row in batch],
        "qualities": [row.quality for row in batch],
    }


async def _copy(tx: Transaction, statement: bytes, form: _Form, batch: list[_Row], staged: bool) -> None:
    async with tx.connection.cursor() as cursor, cursor.copy(statement) as copy:
        if form is _NUMBERS:
            await copy.write(HEADER + _packed(batch, staged) + TRAILER)
            return
        copy.set_types([*(["int8"] if staged else []), "int4", "timestamptz", "text", "int8"])
        for place, row in enumerate(batch):
            values = (row.tag_id, row.time, row.value, row.quality)
            await copy.write_row((place, *values) if staged else values)


def _packed(batch: list[_Row], staged: bool) -> bytes:
    arrival = {"arrival": np.arange(len(batch), dtype=np.int64)} if staged else {}
    return rows(
        **arrival,
        tag_id=np.array([row.tag_id for row in batch], dtype=np.int32),
        time=np.array([microseconds(row.time) for row in batch], dtype=np.int64),
        value=np.array([np.nan if row.value is None else row.value for row in batch], dtype=np.float64),
        quality=np.array([row.quality for row in batch], dtype=np.int64),
    )


async def _refresh_rollups(tx: Transaction, stored: Sequence[tuple[int, datetime]]) -> None:
    minutes = sorted({(tag_id, time.replace(second=0, microsecond=0)) for tag_id, time in stored})
    hours = sorted({(tag_id, time.replace(minute=0)) for tag_id, time in minutes})
    for statement, touched in ((_REFRESH_1M, minutes), (_REFRESH_1H, hours)):
        if touched:
            ids, buckets = zip(*touched, strict=True)
            await tx.execute(statement, {"tag_ids": list(ids), "buckets": list(buckets)})


async def state_readings(tx: Transaction, machine: str, since: datetime) -> list[Reading]:
    """Return the readings of a machine's state signals from `since` on, in the order of time and arrival."""
    wanted = {"machine": machine, "since": since, "signals": list(STATE_SIGNALS)}
    return [_reading(row) for row in await tx.all(_STATE_READINGS, wanted)]


async def state_before(tx: Transaction, machine: str, before: datetime) -> list[Reading]:
    """Return, oldest first, each state signal's last reading before a time, and its last one that is not bad."""
    return await _last(tx, [machine], before, list(STATE_SIGNALS))


async def newest(tx: Transaction, machines: Sequence[str]) -> list[Reading]:
    """Return, oldest first, the newest reading of every tag of some machines, and its newest one that is not bad."""
    return await _last(tx, machines, _NEVER, None)


async def _last(
    tx: Transaction, machines: Sequence[str], before: datetime, signals: Sequence[str] | None
) -> list[Reading]:
    wanted = {"machines": list(machines), "before": before, "signals": signals}
    return [_reading(row) for row in await tx.all(_LAST, wanted)]


def _reading(row: Mapping[str, Any]) -> Reading:
    value = row["text"] if row["text"] is not None else row["value"]
    return Reading(row["path"], row["time"], value, row["quality"])


async def series(tx: Transaction, tags: Sequence[str], start: datetime, end: datetime) -> dict[str, Series]:
    """Return the readings of numeric tags within [start, end); a tag without any is left out."""
    found = await tx.all(_SERIES, {"tags": list(tags), "start": start, "end": end})
    return {row["path"]: _series(row) for row in found}


def _series(row: Mapping[str, Any]) -> Series:
    values = np.array([np.nan if value is None else value for value in row["values"]], dtype=np.float64)
    return Series(
        row["path"], np.array(row["times"], dtype=np.float64), values, np.array(row["qualities"], dtype=np.int64)
    )


async def rollup(
    tx: Transaction, tags: Sequence[str], start: datetime, end: datetime, width: timedelta
) -> list[Rollup]:
    """Return the buckets of numeric tags that begin within [start, end); `width` is a minute or an hour."""
    require(width in _ROLLUPS, f"buckets are a minute or an hour wide, not {width}")
    found = await tx.all(_ROLLUPS[width], {"tags": list(tags), "start": start, "end": end})
    return [Rollup(row.pop("path"), **row) for row in found]


async def last_before(tx: Transaction, tags: Sequence[str], time: datetime) -> dict[str, float]:
    """Return each numeric tag's last value before a time; a tag without any is left out."""
    found = await tx.all(_LAST_BEFORE, {"tags": list(tags), "time": time})
    return {row["path"]: row["value"] for row in found}
