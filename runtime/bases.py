"""What plans and scenarios begin with: a plant's folder at its start, a saved snapshot, or the live floor."""

from __future__ import annotations

import asyncio
from pathlib import Path

from methods.explosion import explode, job_orders
from plant.errors import InvalidInput
from plant.folder import load, load_orders
from plant.order import JobProgress, JobState
from plant.plant import Plant
from plant.snapshot import Snapshot
from plant.version import version_of
from runtime.settings import default_plant, read_settings
from scenarios.case import Case
from twin.dispatching import rule_named
from twin.snapshot_file import read_snapshot, snapshot_text

LIVE = "live"
"""What stands for the floor of the running installation where a snapshot's file may be named."""


def fresh_floor(plant: Plant, folder: Path) -> Snapshot:
    """Return the plant before anything has begun, with the folder's orders."""
    orders = load_orders(folder, plant)
    jobs = [job for order in orders for job in job_orders(plant, explode(plant, order))]
    waiting = tuple(JobProgress(job, JobState.WAITING) for job in jobs)
    return Snapshot(plant.starts_at, orders=orders, jobs=waiting)


def saved_floor(plant: Plant, file: Path) -> Snapshot:
    """Return the floor that `forerun snapshot save` wrote into a file.

    Raises
    ------
    InvalidInput
        If it cannot be read, or is of another plant version; the message names the file.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}; write it with `forerun snapshot save`") from error
    try:
        return read_snapshot(text, version_of(plant))
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error}") from error


def live_floor(folder: Path | None) -> tuple[Plant, Snapshot]:
    """Return the running installation's plant and its floor as it stands now.

    Parameters
    ----------
    folder
        The plant to use it with instead; it must be the one that is installed.

    Raises
    ------
    InvalidInput
        If the folder holds another plant version.
    """
    from runtime import wiring

    version, snapshot = asyncio.run(wiring.live_floor(read_settings()))
    if folder is None:
        return version.plant, snapshot
    plant = load(folder)
    try:
        return plant, read_snapshot(snapshot_text(snapshot), version_of(plant))
    except InvalidInput as error:
        raise InvalidInput(f"{folder} is not the plant that is installed: {error}") from error


def base_case(folder: Path | None = None, snapshot: str | None = None, rule: str | None = None) -> Case:
    """Return what scenarios are applied to.

    Parameters
    ----------
    folder
        The plant's; None: the installed one where `snapshot` is `LIVE`, else the machine shop.
    snapshot
        File of a saved floor, or `LIVE`; None: the folder's orders at the plant's start.
    rule
        The base's dispatching rule; None: as the plant says.

    Raises
    ------
    PlantInvalid, InvalidInput
        If one of them cannot be read, they do not fit each other, or the rule is unknown.
    """
    if snapshot == LIVE:
        plant, floor = live_floor(folder)
    else:
        folder = folder or default_plant()
        plant = load(folder)
        floor = fresh_floor(plant, folder) if snapshot is None else saved_floor(plant, Path(snapshot))
    if not floor.orders and not plant.arrivals:
        raise InvalidInput(f"{snapshot or folder} holds no order: there is nothing to look at; add one")
    case = Case(plant, floor.orders, floor, floor.jobs, rule)
    for name in case.rules:
        rule_named(name)
    return case
