"""Rows as PostgreSQL's binary COPY format, whole columns at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return a moment as PostgreSQL counts: microseconds since 2000-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def rows(**columns: NDArray[Any]) -> bytes:
    """Return rows of fixed-width numbers in the binary COPY format, without header and trailer.

    Parameters
    ----------
    columns
        Equally long columns in the order of the COPY statement; NaN in a float column stands for NULL.
    """
    nulls = [name for name, column in columns.items() if column.dtype.kind == "f" and np.isnan(column).any()]
    if not nulls:
        return _packed(columns, ())
    name = nulls[0]
    empty = np.isnan(columns[name])
    full = {key: column[~empty] for key, column in columns.items()}
    rest = {key: column[empty] for key, column in columns.items()}
    return rows(**full) + _packed(rest, (name,))


def _packed(columns: dict[str, NDArray[Any]], null: tuple[str, ...]) -> bytes:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for name, column in columns.items():
        fields.append((f"{name} width", ">i4"))
        if name not in null:
            fields.append((name, column.dtype.newbyteorder(">").str))
    table = np.empty(len(next(iter(columns.values()))), dtype=fields)
    table["count"] = len(columns)
    for name, column in columns.items():
        table[f"{name} width"] = -1 if name in null else column.dtype.itemsize
        if name not in null:
            table[name] = column
    return table.tobytes()
