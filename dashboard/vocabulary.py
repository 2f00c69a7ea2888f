"""Words for names from the floors below: those texts fill in with ``{name:word}``, and what priorities are called."""

from __future__ import annotations

from dashboard.words import mark
from plant.order import Priority

PRIORITIES = {Priority.NORMAL: mark("normal"), Priority.HIGH: mark("high")}

NAMES = (
    # permissions, in "... may not ..."
    mark("view floor"),
    mark("view plans"),
    mark("view orders"),
    mark("view health"),
    mark("enter orders"),
    mark("make plans"),
    mark("calibrate twin"),
    mark("release plans"),
    mark("override gate"),
    mark("report jobs"),
    mark("plan stops"),
    mark("report disturbances"),
    mark("ingest readings"),
    mark("deliver messages"),
    mark("keep clock"),
    mark("import plant"),
    mark("manage access"),
    # roles that pages call otherwise
    mark("admin"),
    mark("no role"),
    # states that pages call otherwise
    mark("released"),
    mark("queued"),
)
