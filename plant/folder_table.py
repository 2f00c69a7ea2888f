"""Reads TOML tables value by value, noting everything that is wrong instead of stopping at the first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from plant.errors import InvalidInput, Problem

T = TypeVar("T")
Otherwise = TypeVar("Otherwise")
Choice = TypeVar("Choice", bound=StrEnum)

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")
_NOTHING = object()


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return the UTC moment of a local time written as ``2026-01-05T06:00``.

    Raises
    ------
    ValueError
        If it is not written so, the clocks of `zone` skip it (the night summer time begins), or dates end before it.
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"must be a local time such as 2026-01-05T06:00, not {text!r}")
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from None
    try:
        moment = local.astimezone(UTC)
        back = moment.astimezone(zone)
    except OverflowError:  # the first and the last day of all, in time zones that are not UTC
        raise ValueError(f"{text!r} is at the edge of what dates can say; check the year") from None
    if back.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{text!r} does not exist in {zone.key}: the clocks are put forward over it")
    return moment


def unknown(kind: str, value: str, known: Collection[str]) -> str:
    """Say that `value` is not one of `known`, with the nearest name or else the names that are."""
    if near := get_close_matches(value, known, n=1, cutoff=0.75):
        return f"unknown {kind} {value!r}; did you mean {near[0]!r}?"
    if not known:
        return f"unknown {kind} {value!r}; none is defined"
    names = sorted(known)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"unknown {kind} {value!r}; known are {', '.join(names[:20])}{more}"


class Table:
    """One TOML table being read.

    Every getter returns a value of its type, a harmless one after noting a problem; `make` then builds nothing.

    Attributes
    ----------
    ok
        Whether nothing was wrong so far, here and in the tables inside.
    """

    def __init__(
        self, file: str, key: str, values: Mapping[str, Any], problems: list[Problem], parent: Table | None = None
    ) -> None:
        self.file = file
        self.key = key
        self.ok = True
        self._values = values
        self._problems = problems
        self._parent = parent
        self._asked: set[str] = set()

    def problem(self, name: str, reason: str) -> None:
        """Note that the value `name` of this table is wrong (an empty `name`: the table itself)."""
        key = ": ".join(part for part in (self.key, name) if part)
        self._problems.append(Problem(self.file, key or "file", reason))
        table: Table | None = self
        while table is not None:
            table.ok = False
            table = table._parent

    def has(self, name: str) -> bool:
        """Tell whether a value is given that may be left out."""
        self._asked.add(name)
        return name in self._values

    def raw(self, name: str, default: Any = _NOTHING) -> Any:
        """Return a value as TOML gives it; None, and a problem, where it is required and missing."""
        self._asked.add(name)
        if name in self._values:
            return self._values[name]
        if default is _NOTHING:
            self.problem(name, "is missing")
            return None
        return default

    def text(self, name: str, default: str | None = None) -> str:
        """Return a non-empty text."""
        value = self.raw(name, _NOTHING if default is None else default)
        if value is None:
            return ""
        if not isinstance(value, str) or not value or value != value.strip():
            self.problem(name, f"must be a non-empty text without outer spaces, not {_show(value)}")
            return ""
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a non-empty list of different texts."""
        value = self.raw(name)
        if value is None:
            return ()
        good = isinstance(value, list) and value and all(isinstance(part, str) and part.strip() for part in value)
        if not good:
            self.problem(name, f"must be a list of one or more texts, not {_show(value)}")
            return ()
        for part in sorted({part for part in value if value.count(part) > 1}):
            self.problem(name, f"{part!r} is listed twice")
        return tuple(value)

    def number(self, name: str, default: float | None = None, *, positive: bool = False) -> float:
        """Return a finite number of at least 0, or above 0 if `positive`."""
        return float(self.decimal(name, None if default is None else Decimal(str(default)), positive=positive))

    def decimal(self, name: str, default: Decimal | None = None, *, positive: bool = False) -> Decimal:
        """Return a finite number of at least 0, or above 0 if `positive`, exactly as written."""
        value = self.raw(name, _NOTHING if default is None else default)
        if value is None:
            return Decimal(0)
        allowed = "a number above 0" if positive else "a number of at least 0"
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self.problem(name, f"must be {allowed}, not {_show(value)}")
            return Decimal(0)
        if not math.isfinite(value) or value < 0 or (positive and value == 0):
            self.problem(name, f"must be {allowed}, not {value}")
            return Decimal(0)
        return value if isinstance(value, Decimal) else Decimal(str(value))

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a non-empty list of finite numbers of at least 0."""
        value = self.raw(name)
        if value is None:
            return ()
        found = [part for part in value if _is_number(part)] if isinstance(value, list) else []
        if not found or len(found) < len(value):
            self.problem(name, f"must be a list of one or more numbers of at least 0, not {_show(value)}")
            return ()
        return tuple(float(part) for part in found)

    def whole(self, name: str, default: int, *, least: int = 1) -> int:
        """Return a whole number of at least `least`."""
        value = self.raw(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.problem(name, f"must be a whole number of at least {least}, not {_show(value)}")
            return least
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false; `default` where it is not given."""
        value = self.raw(name, default)
        if not isinstance(value, bool):
            self.problem(name, f"must be true or false, not {_show(value)}")
        return value is True

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        """Return a member of an enumeration by its value."""
        first = next(iter(kind))
        value = self.raw(name)
        if value is None:
            return first
        try:
            return kind(value)
        except ValueError:
            self.problem(name, f"must be one of {', '.join(kind)}, not {_show(value)}")
            return first

    def reference(self, name: str, kind: str, known: Collection[str] | None) -> str:
        """Return a text that must be in `known` (None: cannot be judged, since its file cannot be read)."""
        value = self.text(name)
        if value and known is not None and value not in known:
            self.problem(name, unknown(kind, value, known))
        return value

    def references(self, name: str, kind: str, known: Collection[str] | None) -> tuple[str, ...]:
        """Return a list of texts that must all be in `known`."""
        values = self.texts(name)
        for value in dict.fromkeys(values):
            if known is not None and value not in known:
                self.problem(name, unknown(kind, value, known))
        return values

    def groups(self, name: str, kind: str, known: Collection[str] | None) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of texts that must all be in `known`, each in one list only."""
        value = self.raw(name)
        lists = value if isinstance(value, list) else []
        if not lists or not all(isinstance(row, list) and all(isinstance(part, str) for part in row) for row in lists):
            self.problem(name, f"must be a list of lists of texts, not {_show(value)}")
            return ()
        parts = [part for row in lists for part in row]
        for part in dict.fromkeys(parts):
            if known is not None and part not in known:
                self.problem(name, unknown(kind, part, known))
            if parts.count(part) > 1:
                self.problem(name, f"{part!r} is listed twice")
        return tuple(tuple(row) for row in lists)

    def time(self, name: str) -> time:
        """Return a local time of day written as ``06:00``."""
        value = self.raw(name)
        moment: time = time() if value is None else self._parsed(name, parse_time, value, time())
        return moment

    def moment(self, name: str, zone: ZoneInfo) -> datetime:
        """Return a UTC moment from a local time written as ``2026-01-05T06:00``."""
        moment = datetime(2000, 1, 1, tzinfo=UTC)
        value = self.raw(name)
        if value is not None:
            text = value.isoformat() if isinstance(value, datetime) else value
            moment = self._parsed(name, lambda part: parse_moment(part, zone), text, moment)
        return moment

    def days(self, name: str, *, required: bool = True) -> tuple[int, ...]:
        """Return weekdays, Monday = 0, from a list such as ``["Mon", "Fri"]``; all where none are given or required."""
        if not required and self.raw(name, None) is None:
            return tuple(range(len(DAYS)))
        found = self.texts(name)
        for day in found:
            if day not in DAYS:
                self.problem(name, f"must be among {', '.join(DAYS)}, not {day!r}")
        return tuple(sorted(DAYS.index(day) for day in found if day in DAYS))

    def each(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return an optional list of texts, each turned into something by `parse` (which raises `ValueError`)."""
        value = self.raw(name, [])
        if not isinstance(value, list):
            self.problem(name, f"must be a list, not {_show(value)}")
            return ()
        parsed = (self._parsed(name, parse, part, None) for part in value)
        return tuple(part for part in parsed if part is not None)

    def _parsed(self, name: str, parse: Callable[[str], T], value: Any, otherwise: Otherwise) -> T | Otherwise:
        try:
            return parse(str(value) if isinstance(value, date | time) else value)
        except (ValueError, TypeError, AttributeError) as error:
            reason = str(error) if isinstance(value, str) else f"must be a text, not {_show(value)}"
            self.problem(name, reason)
            return otherwise

    def table(self, name: str) -> Table | None:
        """Return the table `name` inside this one, None (and a problem) if it is missing or something else."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.problem(name, f"must be a table, not {_show(value)}")
            return None
        return Table(self.file, ": ".join(p for p in (self.key, name) if p), value, self._problems, self)

    def tables(self, name: str, kind: str, *, label: str = "id", required: bool = True) -> list[Table]:
        """Return the tables of the list `name`; each is called by `kind` and its `label` in problems."""
        value = self.raw(name, _NOTHING if required else [])
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            self.problem(name, f"must be a list of tables, not {_show(value)}")
            return []
        found = []
        for index, row in enumerate(value):
            called = row.get(label)
            own = f"{kind} {called}" if isinstance(called, str) and called else f"{kind}[{index}]"
            found.append(Table(self.file, ": ".join(p for p in (self.key, own) if p), row, self._problems, self))
        return found

    def close(self) -> None:
        """Note every value nobody asked for."""
        for name in self._values:
            if name not in self._asked:
                near = get_close_matches(name, self._asked, n=1, cutoff=0.75)
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(sorted(self._asked))}"
                self.problem(name, f"unknown key; {hint}")

    def make(self, build: Callable[[], T]) -> T | None:
        """Close the table and build what it describes; None if anything in it is wrong."""
        self.close()
        if not self.ok:
            return None
        try:
            return build()
        except InvalidInput as error:
            self.problem("", str(error))
            return None


def parse_time(text: str) -> time:
    """Return a time of day written as ``06:00``; raises `ValueError`."""
    if not re.fullmatch(r"\d\d:\d\d(:00)?", text):
        raise ValueError(f"must be a time of day such as 06:00, not {text!r}")
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time of day: {error}") from None


def parse_date(text: str) -> date:
    """Return a date written as ``2026-01-05``; raises `ValueError`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a date such as 2026-01-05, not {text!r}") from None


def note_repeats(tables: Iterable[Table], label: str = "id") -> None:
    """Note every table whose `label` another one before it has."""
    seen: set[str] = set()
    for table in tables:
        value = table.raw(label, None)
        if isinstance(value, str) and value in seen:
            table.problem(label, f"{value!r} is used twice")
        elif isinstance(value, str):
            seen.add(value)


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


def _show(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, Decimal | date | time) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
