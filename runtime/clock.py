"""Every process' plant clock: an emulated plant's anchor comes from the plant itself, through the database."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime

import httpx
import structlog

from historian.database import Channel, Historian
from operations import clock as clock_operations
from plant.actor import SYSTEM
from plant.clock import Anchor, EmulatedPlantClock, WallPlantClock, wall_now
from plant.errors import InvalidInput, Unavailable
from plant.plant import Plant

_POLL_S = 1.0
_MISSES = 3

log = structlog.get_logger()


class RealPlantClock(WallPlantClock):
    """The plant clock of a process at a real plant: there is nothing to follow."""

    async def follow(self, historian: Historian) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class SharedPlantClock:
    """The plant clock of a process, following the anchor in the database. `follow` must be running."""

    def __init__(self, plant: Plant, anchor: Anchor | None) -> None:
        # Until the plant has told its time, the clock stands at the plant's beginning.
        self._clock = EmulatedPlantClock(plant, anchor or Anchor(plant.starts_at, wall_now(), 0.0))
        self._latest = plant.starts_at

    def now(self) -> datetime:
        """Return the plant time; it never goes back, even when the plant sets its clock."""
        self._latest = max(self._latest, self._clock.now())
        return self._latest

    @property
    def anchor(self) -> Anchor:
        """The anchor in force."""
        return self._clock.anchor

    async def follow(self, historian: Historian) -> None:
        """Take over each new anchor, for ever."""
        async with aclosing(historian.listen((Channel.CLOCK,))) as notices:
            async for _ in notices:
                anchor = await _read_anchor(historian)
                if anchor is not None:
                    self._clock.set_anchor(anchor)


ProcessClock = RealPlantClock | SharedPlantClock
"""The plant clock of a process, whichever kind of plant it is."""


async def _read_anchor(historian: Historian) -> Anchor | None:
    """Read the anchor, waiting for a database that is away: told once that it changed, we must not miss it."""
    while True:
        try:
            return await clock_operations.anchor(historian, SYSTEM)
        except Unavailable as error:
            log.warning("plant clock not read", reason=str(error))
            await asyncio.sleep(_POLL_S)


async def fetch_anchor(client: httpx.AsyncClient, url: str) -> Anchor:
    """Ask an emulated plant for its clock's anchor.

    Raises
    ------
    Unavailable
        When it does not answer, or with something that is no anchor.
    """
    try:
        told = (await client.get(url)).raise_for_status().json()
        plant, wall = (datetime.fromisoformat(told[name]) for name in ("plant", "wall"))
        return Anchor(plant, wall, float(told["rate"]))
    except httpx.HTTPError as error:
        raise Unavailable(f"the plant's clock at {url} does not answer: {error!r}") from error
    except (ValueError, KeyError, TypeError, InvalidInput) as error:
        raise Unavailable(f"the plant's clock at {url} answers what is no clock's anchor: {error!r}") from error


async def anchor_at_start(historian: Historian, url: str) -> Anchor | None:
    """Return what the clock of a process that starts has to run from; None if the plant never told its time.

    The anchor that is kept may be from before everything was stopped, for a night perhaps, while the plant stood still.
    So the plant is asked; while it does not answer, its clock stands, and `keep_clock` lets it run again.
    """
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        try:
            anchor: Anchor | None = await fetch_anchor(client, url)
        except Unavailable:
            known = await clock_operations.anchor(historian, SYSTEM)
            anchor = known if known is None or known.rate == 0 else Anchor(known.plant, wall_now(), 0.0)
    if anchor is not None:
        await clock_operations.set_anchor(historian, SYSTEM, anchor)
    return anchor


async def keep_clock(historian: Historian, clock: SharedPlantClock, url: str) -> None:
    """Keep the database's anchor equal to the plant's, for ever; a plant that is gone stands still."""
    misses = 0
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        while True:
            try:
                anchor: Anchor | None = await fetch_anchor(client, url)
                misses = 0
            except Unavailable as error:
                misses += 1
                log.warning("plant clock does not answer", misses=misses, reason=str(error))
                runs_on = misses >= _MISSES and clock.anchor.rate > 0
                anchor = Anchor(clock.now(), wall_now(), 0.0) if runs_on else None
            await _keep(historian, anchor)
            await asyncio.sleep(_POLL_S)


async def _keep(historian: Historian, anchor: Anchor | None) -> None:
    if anchor is None:
        return
    try:
        await clock_operations.set_anchor(historian, SYSTEM, anchor)
    except Unavailable as error:
        log.warning("plant clock not kept", reason=str(error))
