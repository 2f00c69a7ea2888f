"""The worker process: makes plans and calibrations, delivers messages, dispatches what is due, keeps the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

import structlog

from historian.database import Channel, Historian
from operations import calibration, dispatch, fidelity, jobs, learning, outbox, planning, releases, replanning, upkeep
from operations.learner import LearningSettings
from operations.planning import PlanningRules
from plant.actor import SYSTEM
from plant.errors import Conflict, ForerunError, GateRefused, Unavailable
from plant.long_job import LongJob, LongJobKind
from plant.plan import PlanVersion
from plant.ports import Channel as MessageChannel
from plant.ports import Compute, PlantClock, Progress
from runtime.compiling import warm_up
from runtime.jobs import ProcrastinateQueue

T = TypeVar("T")
_TICK_S = 2.0
_RESUME_S = 10.0
_PAUSE_S = 0.5
"""Between two looks for a stale plan: machines tell something many times a second, and a look reads all job orders."""
_UPKEEP_S = 3600.0

log = structlog.get_logger()


class Worker:
    """Everything a worker does, side by side, until cancelled.

    Parameters
    ----------
    release_automatically
        Release the plans Forerun makes by itself when the gate passes them.
    quarantine_kept
        How long (wall time) what was refused is kept.
    """

    def __init__(
        self,
        historian: Historian,
        queue: ProcrastinateQueue,
        compute: Compute,
        clock: PlantClock,
        rules: PlanningRules,
        channel: MessageChannel | None,
        release_automatically: bool,
        quarantine_kept: timedelta,
    ) -> None:
        self._historian = historian
        self._queue = queue
        self._compute = compute
        self._clock = clock
        self._rules = rules
        self._channel = channel
        self._release_automatically = release_automatically
        self._quarantine_kept = quarantine_kept

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            runners = {
                LongJobKind.PLAN: self._plan,
                LongJobKind.CALIBRATION: self._calibrate,
                LongJobKind.LEARNING: self._learn,
            }
            group.create_task(_survive("load what is compiled", self._compute.run(warm_up)))  # before a plan waits
            group.create_task(self._queue.work(runners))
            group.create_task(self._resume())
            group.create_task(self._watch_floor())
            group.create_task(self._dispatch())
            group.create_task(self._keep_up())
            group.create_task(self._keep_twin())
            if self._channel is not None:
                group.create_task(self._deliver(self._channel))

    async def _plan(self, job_id: str, attempt: int) -> None:
        await jobs.run(self._historian, job_id, self._make_plan, attempt)

    async def _calibrate(self, job_id: str, attempt: int) -> None:
        await jobs.run(self._historian, job_id, self._make_calibration, attempt)

    async def _make_calibration(self, job: LongJob, progress: Progress) -> str:
        days = calibration.history_of(job)
        made = await calibration.make(self._historian, self._compute, self._clock, SYSTEM, days, progress)
        return made.id

    async def _learn(self, job_id: str, attempt: int) -> None:
        await jobs.run(self._historian, job_id, self._make_learned, attempt)

    async def _make_learned(self, job: LongJob, progress: Progress) -> str:
        solver, settings = self._rules.solver, LearningSettings()
        made = await learning.make(self._historian, self._compute, SYSTEM, solver, settings, progress)
        return made.id

    async def _resume(self) -> None:
        """Bring to the queue what never reached it or fell out of it, now and every few seconds."""
        while True:
            await _survive("resume long jobs", jobs.resume(self._historian, self._queue))
            await asyncio.sleep(_RESUME_S)

    async def _make_plan(self, job: LongJob, progress: Progress) -> str:
        """Make a plan; one that nobody asked for is first repaired at once, then optimised near the one in force."""
        by_itself = job.requested_by == SYSTEM.name
        common = self._historian, self._compute, self._clock, SYSTEM, self._rules, job.subject
        if by_itself:
            repaired = await planning.repair_plan(*common)
            if repaired is not None:
                await self._release(repaired)
        version = await planning.make_plan(*common, progress, near=by_itself or job.near, asked_for=not by_itself)
        if by_itself:
            await self._release(version)
        return version.id

    async def _release(self, version: PlanVersion) -> None:
        """Release a plan that nobody asked for, if that is wanted and the gate passes it."""
        if not self._release_automatically or not version.judgement.passed:
            return
        try:
            await releases.release(self._historian, self._clock, SYSTEM, self._rules, version.id)
        except (GateRefused, Conflict) as error:
            log.warning("plan not released", plan=version.id, reason=str(error))

    async def _watch_floor(self) -> None:
        wake = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake(wake, Channel.FLOOR, Channel.ORDERS, Channel.JOBS))
            while True:
                wake.clear()
                asked = replanning.replan_if_stale(self._historian, self._queue, self._clock, self._rules.tolerances)
                await _survive("look for stale plan", asked)
                await asyncio.sleep(_PAUSE_S)
                await _wait(wake, _RESUME_S)

    async def _wake(self, wake: asyncio.Event, *channels: Channel) -> None:
        """Set `wake` when something is notified: a hundred notices while one is dealt with are one."""
        async with aclosing(self._historian.listen(channels)) as notices:
            async for _ in notices:
                wake.set()

    async def _dispatch(self) -> None:
        while True:
            horizon = self._rules.dispatch_horizon_s
            await _survive("dispatch", dispatch.dispatch_due(self._historian, SYSTEM, self._clock.now(), horizon))
            await asyncio.sleep(_TICK_S)

    async def _keep_up(self) -> None:
        while True:
            kept = self._quarantine_kept
            await _survive("upkeep", upkeep.keep_up(self._historian, SYSTEM, self._clock, kept))
            await asyncio.sleep(_UPKEEP_S)

    async def _keep_twin(self) -> None:
        """Calibrate at night, measure anew what is calibrated anew. A plant day may pass in minutes: look often."""
        wake = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake(wake, Channel.TWIN))
            while True:
                wake.clear()
                asked = calibration.calibrate_if_due(self._historian, self._queue, self._clock)
                await _survive("look for the nightly calibration", asked)
                renewed = fidelity.renew_if_recalibrated(self._historian, self._clock)
                await _survive("measure the twin's error", renewed)
                await _wait(wake, _RESUME_S)

    async def _deliver(self, channel: MessageChannel) -> None:
        """Deliver when something was put into the outbox, and now and then what has to be tried again."""
        wake = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake(wake, Channel.OUTBOX))
            while True:
                wake.clear()
                while await _survive("deliver", outbox.deliver(self._historian, SYSTEM, channel)):
                    pass
                await _wait(wake, _TICK_S)


async def _wait(wake: asyncio.Event, longest_s: float) -> None:
    """Wait, at most so long. (`asyncio.wait_for` may drop a cancellation before Python 3.12.)"""
    try:
        async with asyncio.timeout(longest_s):
            await wake.wait()
    except TimeoutError:
        return


async def _survive(doing: str, work: Awaitable[T]) -> T | None:
    """Await `work`; a part that is away for a while is logged and tried again later, anything else is raised."""
    try:
        return await work
    except Unavailable as error:
        log.warning("postponed", doing=doing, reason=str(error))
        await asyncio.sleep(_TICK_S)
    except ForerunError as error:
        log.error("failed", doing=doing, reason=str(error))
    return None
