"""Distributions as the TOML files write them: a table with a family and its parameters."""

from __future__ import annotations

from collections.abc import Callable

from plant.distribution import (
    Distribution,
    Family,
    empirical,
    mixture,
    scaled,
    shifted,
    triangular,
    truncated,
    uniform,
)
from plant.folder_table import Table

_UNITS_S = {"_s": 1.0, "_min": 60.0, "_h": 3600.0, "_days": 86400.0}
"""Seconds per unit, by the ending of a key."""


def read_time(table: Table | None, ending: str = "_s") -> Distribution | None:
    """Read a distribution of times; keys end in `_s`, `_min`, `_h` or `_days`, parameters left out in `ending`."""
    return _read(table, ending)


def read_factor(table: Table | None) -> Distribution | None:
    """Read a distribution of which only the shape counts: it is scaled to mean 1."""
    found = _read(table, "")
    if found is None or table is None:
        return None
    if found.mean <= 0:
        table.problem("", "its mean must be above 0, for only its shape counts: it is scaled to mean 1")
        return None
    return found if abs(found.mean - 1) < 1e-12 else scaled(found, 1 / found.mean)


def _read(table: Table | None, ending: str) -> Distribution | None:
    if table is None:
        return None
    family = table.choice("family", Family)
    if family in _READERS:
        build = _READERS[family](table, ending)
        return table.make(build) if build else None
    mean = _number(table, "mean", ending, positive=True)
    implied = {Family.CONSTANT: 0.0, Family.EXPONENTIAL: 1.0}.get(family)
    variation = table.number("variation", implied)
    return table.make(lambda: Distribution(family, mean, variation))


def _unit(table: Table, name: str, ending: str) -> tuple[str, float]:
    """Return the key `name` with the unit it is given in, and that unit in seconds."""
    if not ending:
        return name, 1.0
    for other, seconds in _UNITS_S.items():
        if table.has(name + other):
            return name + other, seconds
    return name + ending, _UNITS_S[ending]


def _number(table: Table, name: str, ending: str, *, positive: bool = False) -> float:
    key, seconds = _unit(table, name, ending)
    return table.number(key, positive=positive) * seconds


Build = Callable[[], Distribution]


def _uniform(table: Table, ending: str) -> Build:
    low, high = (_number(table, name, ending) for name in ("low", "high"))
    return lambda: uniform(low, high)


def _triangular(table: Table, ending: str) -> Build:
    low, mode, high = (_number(table, name, ending) for name in ("low", "mode", "high"))
    return lambda: triangular(low, mode, high)


def _empirical(table: Table, ending: str) -> Build:
    key, seconds = _unit(table, "values", ending)
    values = [value * seconds for value in table.numbers(key)]
    weights = table.numbers("weights") if table.has("weights") else ()
    return lambda: empirical(values, weights)


def _mixture(table: Table, ending: str) -> Build | None:
    weights, parts = [], []
    for row in table.tables("parts", "part", label=""):
        weights.append(row.number("weight", positive=True))
        parts.append(_read(row, ending))
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        table.close()
        return None
    return lambda: mixture(found, weights)


def _shifted(table: Table, ending: str) -> Build | None:
    by, part = _number(table, "by", ending), _read(table.table("of"), ending)
    return _of(table, part, lambda part: shifted(part, by))


def _scaled(table: Table, ending: str) -> Build | None:
    by, part = table.number("by"), _read(table.table("of"), ending)
    return _of(table, part, lambda part: scaled(part, by))


def _truncated(table: Table, ending: str) -> Build | None:
    edges = {}
    for name in ("low", "high"):
        key, seconds = _unit(table, name, ending)
        if table.has(key):
            edges[name] = table.number(key) * seconds
        else:
            table.raw(key, None)
    return _of(table, _read(table.table("of"), ending), lambda part: truncated(part, **edges))


def _of(table: Table, part: Distribution | None, build: Callable[[Distribution], Distribution]) -> Build | None:
    if part is None:
        table.close()
        return None
    return lambda: build(part)


_READERS: dict[Family, Callable[[Table, str], Build | None]] = {
    Family.UNIFORM: _uniform,
    Family.TRIANGULAR: _triangular,
    Family.EMPIRICAL: _empirical,
    Family.MIXTURE: _mixture,
    Family.SHIFTED: _shifted,
    Family.SCALED: _scaled,
    Family.TRUNCATED: _truncated,
}
