"""Compile the searches and the twin once, when Forerun is installed: no plan waits for it then.

What is compiled stands beside the sources, where every process that may read it finds it (`plant.compiled_code`).
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import scheduler
import twin
from plant.compiled_code import SUFFIXES, kept_beside
from plant.ports import Compute, Progress, no_progress
from runtime.compute import ProcessCompute
from scheduler.warm_up import warm_up_job_shops, warm_up_plans
from twin.warm_up import warm_up as warm_up_twin

EVERY_PLAN = (warm_up_plans, warm_up_twin)
"""Functions that between them call everything compiled that each plan of a plant needs."""

PARTS = (warm_up_job_shops, *EVERY_PLAN)
"""The same for everything compiled; they share none of it."""

_COMPILED_FROM = "compiled_from.sha256"


def warm_up(progress: Progress = no_progress) -> None:
    """Load what each plan needs, or compile it where there is none that fits; for a process that has nothing to do."""
    for part in EVERY_PLAN:
        part(progress)


def compile_all() -> None:
    """Compile everything anew whose sources have changed, on two cores; quick where nothing has."""
    for package in (scheduler, twin):
        forget_stale(Path(str(package.__file__)))
    asyncio.run(_side_by_side(ProcessCompute(at_once=2)))


async def _side_by_side(compute: Compute) -> None:
    async with asyncio.TaskGroup() as group:
        for part in PARTS:
            group.create_task(compute.run(part))


def forget_stale(package: Path) -> None:
    """Remove what was compiled from other sources than those beside this file; nothing where we may not write.

    numba looks at one file only: that another one changed which was compiled into it, it does not see.
    """
    sources = sorted(package.parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    kept = kept_beside(str(package))
    known = kept / _COMPILED_FROM
    try:
        if known.exists() and known.read_text(encoding="ascii") == digest:
            return
        kept.mkdir(exist_ok=True)
        for suffix in SUFFIXES:
            for file in kept.glob(f"*{suffix}"):
                file.unlink()
        known.write_text(digest, encoding="ascii")
    except OSError:
        return
