"""Loads the named queries of ``historian/sql/queries/*.sql``: one file a subject, one ``-- name:`` a query."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def _load(subject: str) -> dict[str, bytes]:
    text = files("historian").joinpath("sql", "queries", f"{subject}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    found = dict(zip(parts[::2], (body.strip().encode() for body in parts[1::2]), strict=True))
    if 2 * len(found) != len(parts):
        raise ValueError(f"queries/{subject}.sql names a query twice")
    return found


def query(subject: str, name: str) -> bytes:
    """Return one query; modules ask for theirs when they are imported, so that a wrong name shows at once."""
    queries = _load(subject)
    if name not in queries:
        raise ValueError(f"queries/{subject}.sql has no query {name!r}; it has {', '.join(sorted(queries))}")
    return queries[name]
