"""Builds every object and hands it its collaborators: one function per process.

Each function imports its own parts: a process that reads machines has no use for the pages or the solver.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from historian.database import Historian
from operations import access, clock, plants
from plant.actor import SYSTEM, Actor, Role
from plant.errors import ForerunError, SettingsInvalid
from plant.plant import Plant
from runtime.clock import ProcessClock, RealPlantClock, SharedPlantClock, anchor_at_start
from runtime.files import require_writable, write_whole
from runtime.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from operations.planning import PlanningRules
    from operations.promises import Answer
    from plant.snapshot import Snapshot
    from plant.version import PlantVersion
    from runtime.jobs import ProcrastinateQueue
    from runtime.live import DatabaseLive
    from runtime.promises import Wish

FIRST_ACCOUNT = "planner"
_FIRST_ROLES = frozenset({Role.PLANNER, Role.MAINTENANCE, Role.ADMIN})
_MES_ACCOUNT = "mes"

log = structlog.get_logger()


def database_url(settings: Settings) -> str:
    """Return the database's URL, or say which setting is missing."""
    if settings.database_url is None:
        raise SettingsInvalid(
            "setting database_url (FORERUN_DATABASE_URL) is missing: name a PostgreSQL, or use `forerun demo`, which "
            "brings its own"
        )
    return settings.database_url.get_secret_value()


def planning_rules(settings: Settings) -> PlanningRules:
    """Return the rules plans are made and judged by."""
    from operations.gate import Thresholds
    from operations.planning import PlanningRules
    from operations.remedied import Costs
    from operations.remedies import RemedyRules
    from plant.objective import parsed
    from plant.trouble import Tolerances
    from scheduler.nearness import Nearness
    from scheduler.solve import SolverSettings

    planning, gate, remedies = settings.planning, settings.gate, settings.remedies
    return PlanningRules(
        solver=SolverSettings(
            time_limit_s=planning.time_limit_s,
            seed=planning.seed,
            workers=planning.workers,
            objective=parsed(planning.objective),
        ),
        replications=planning.replications,
        thresholds=Thresholds(
            gate.on_time_high,
            gate.on_time_normal,
            gate.tolerance,
            gate.late_high_s,
            gate.late_normal_s,
            gate.longest_wait,
        ),
        frozen_zone_s=planning.frozen_zone_s,
        dispatch_horizon_s=planning.dispatch_horizon_s,
        price=planning.price,
        remedies=RemedyRules(
            Costs(**remedies.model_dump(exclude={"most", "time_limit_s"})), remedies.most, remedies.time_limit_s
        ),
        nearness=Nearness(planning.most_moved, planning.move_worth_s),
        tolerances=Tolerances(planning.delay_tolerance_s, planning.scrap_tolerance),
    )


async def prepare(settings: Settings) -> None:
    """Migrate the database; import the plant and its orders, the first account and the MES's key where missing."""
    from plant.folder import load, load_orders
    from runtime.jobs import ProcrastinateQueue

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        for applied in await historian.migrate():
            log.info("migration applied", migration=applied)
        queue = await stack.enter_async_context(ProcrastinateQueue(database_url(settings)))
        await queue.migrate()
        plant = load(settings.plant)
        await plants.import_plant(historian, SYSTEM, plant, load_orders(settings.plant, plant))
        if settings.admin_password is not None:
            password = settings.admin_password.get_secret_value()
            await access.first_account(historian, FIRST_ACCOUNT, password, _FIRST_ROLES)
        if settings.mes_key is not None:
            key, roles = settings.mes_key.get_secret_value(), frozenset({Role.INTEGRATION})
            await access.install_api_key(historian, _MES_ACCOUNT, key, roles)


async def live_floor(settings: Settings) -> tuple[PlantVersion, Snapshot]:
    """Return the installation's plant and its floor as it stands now."""
    from operations import situation

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        return await situation.take(historian, SYSTEM, await _clock(historian, settings))


async def save_snapshot(settings: Settings, file: Path) -> str:
    """Write the live floor as JSON and say what it holds."""
    from twin.snapshot_file import snapshot_text

    require_writable(file)
    _, snapshot = await live_floor(settings)
    write_whole(file, snapshot_text(snapshot))
    return (
        f"{file}: {len(snapshot.machines)} machines and {len(snapshot.orders)} open orders at "
        f"{snapshot.at.isoformat(timespec='seconds')}, plant {snapshot.plant_version}"
    )


async def ask_promise(settings: Settings, wish: Wish) -> tuple[Plant, Answer]:
    """Ask the running system when an order could be delivered."""
    from operations import promises
    from runtime.compute import InlineCompute

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        plant, plant_clock = await _plant(historian), await _clock(historian, settings)
        rules = planning_rules(settings)
        question = wish.question(plant)
        return plant, await promises.ask(historian, InlineCompute(), plant_clock, SYSTEM, rules, question)


async def run_app(settings: Settings) -> None:
    """Serve API and pages until SIGTERM or SIGINT."""
    import uvicorn

    from gateway.compression import Compressed
    from gateway.gate import Gate
    from runtime.jobs import ProcrastinateQueue
    from runtime.live import DatabaseLive

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        plant_clock = await _clock(historian, settings)
        queue = await stack.enter_async_context(ProcrastinateQueue(database_url(settings)))
        live = DatabaseLive(historian)
        app, inline_scripts = _application(historian, plant_clock, queue, live, planning_rules(settings))
        gated = Gate(Compressed(app), _Authenticator(historian), settings.allowed_hosts, inline_scripts)
        server = uvicorn.Server(
            uvicorn.Config(
                gated,
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
                ws_max_size=1 << 20,
                server_header=False,
            )
        )
        await _side_by_side(_serve(server), live.run(), plant_clock.follow(historian))


async def run_ingest(settings: Settings) -> None:
    """Read all connections of the plant until SIGTERM or SIGINT."""
    from connectors.build import build as build_source
    from operations import ingest, sources
    from plant.folder import require_connections

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        plant_clock = await _clock(historian, settings)
        plant = await _plant(historian)
        require_connections(plant, settings.plant)
        unknown = settings.endpoints.keys() - {connection.id for connection in plant.connections}
        if unknown:
            known = ", ".join(connection.id for connection in plant.connections)
            raise SettingsInvalid(f"setting endpoints: the plant has no connection {sorted(unknown)}; it has {known}")
        last = {one.id: await ingest.last_known(historian, SYSTEM, one.machines) for one in plant.connections}
        connected = [
            build_source(one, plant, plant_clock, settings.endpoints.get(one.id), last[one.id])
            for one in plant.connections
        ]
        _serve_metrics(settings)
        reading = sources.run(historian, SYSTEM, plant_clock, plant, connected)
        await _until_asked(reading, plant_clock.follow(historian))


async def run_worker(settings: Settings) -> None:
    """Make plans, dispatch and deliver until SIGTERM or SIGINT."""
    from gateway.channels.mes import MesChannel
    from runtime.clock import keep_clock
    from runtime.compute import ProcessCompute
    from runtime.jobs import ProcrastinateQueue
    from runtime.worker import Worker

    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        plant_clock = await _clock(historian, settings)
        url = database_url(settings)
        queue = await stack.enter_async_context(ProcrastinateQueue(url))
        channel = await stack.enter_async_context(MesChannel(settings.mes_url)) if settings.mes_url else None
        parts_of_work = ("operations.rescheduling", "scheduler.optimise", "operations.estimation", "operations.learner")
        compute = ProcessCompute(preload=parts_of_work, at_once=2)  # a plan does not wait for what is learned
        release, kept = settings.planning.automatic, timedelta(days=settings.quarantine_days)
        worker = Worker(historian, queue, compute, plant_clock, planning_rules(settings), channel, release, kept)
        _serve_metrics(settings)
        parts = [worker.run(), plant_clock.follow(historian)]
        if settings.clock_url is not None and isinstance(plant_clock, SharedPlantClock):
            parts.append(keep_clock(historian, plant_clock, settings.clock_url))
        await _until_asked(*parts)


def _serve_metrics(settings: Settings) -> None:
    """Serve this process' metrics; those of the app are at its own `/metrics`."""
    from prometheus_client import start_http_server

    if settings.metrics_port:
        try:
            start_http_server(settings.metrics_port, settings.host)
        except OSError as error:
            raise SettingsInvalid(f"setting metrics_port: {settings.metrics_port} cannot be used: {error}") from error


async def _open(stack: AsyncExitStack, settings: Settings) -> Historian:
    historian = await Historian.open(database_url(settings))
    stack.push_async_callback(historian.close)
    return historian


async def _plant(historian: Historian) -> Plant:
    return (await plants.current(historian, SYSTEM)).plant


async def _clock(historian: Historian, settings: Settings) -> ProcessClock:
    if settings.clock_url is None:
        return RealPlantClock()
    return SharedPlantClock(await _plant(historian), await anchor_at_start(historian, settings.clock_url))


class _Authenticator:
    """Finds actors in the historian."""

    def __init__(self, historian: Historian) -> None:
        self._historian = historian

    async def by_session(self, token: str) -> Actor:
        return await access.by_session(self._historian, token)

    async def by_api_key(self, key: str) -> Actor:
        return await access.by_api_key(self._historian, key)


def _application(
    historian: Historian,
    plant_clock: ProcessClock,
    queue: ProcrastinateQueue,
    live: DatabaseLive,
    rules: PlanningRules,
) -> tuple[FastAPI, Sequence[str]]:
    """Return API and pages, and the hashes of the scripts that stand in the pages themselves."""
    from dashboard import app as dashboard_app
    from dashboard import login as login_pages
    from gateway import app as gateway_app
    from gateway.services import Services
    from runtime.compute import InlineCompute
    from runtime.views import OperationViews

    async def readiness() -> dict[str, str]:
        try:
            await plants.current(historian, SYSTEM)
        except ForerunError as error:
            return {"database": str(error)}
        return {"database": "ok"}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    compute = InlineCompute()  # a second of arithmetic each, which a process of its own would take longer to begin
    services = Services(historian, plant_clock, queue, rules, compute, readiness)
    app = gateway_app.build(services, login_pages, lifespan)
    pages = dashboard_app.build(app, OperationViews(historian, plant_clock, queue, rules, compute), live)
    return app, pages.csp_hashes()


async def _serve(server: uvicorn.Server) -> None:
    with suppress(SystemExit):  # how it ends when it cannot listen; its own log says why
        await server.serve()
    if not server.started:
        raise SettingsInvalid(cannot_listen(server.config.host, server.config.port, "it is taken, or not ours to use"))


def cannot_listen(host: str, port: int, why: str) -> str:
    """Say that the pages cannot be served where the settings want them, and what to do."""
    return (
        f"port {port} of {host} cannot be used: {why}; choose another with setting port (FORERUN_PORT) or host "
        "(FORERUN_HOST)"
    )


async def _side_by_side(leading: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]) -> None:
    """Run until the leading part ends; a part that fails ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in others]
        await leading
        for task in tasks:
            task.cancel()


async def _until_asked(*parts: Coroutine[Any, Any, None]) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)

    async def wait() -> None:
        await asked.wait()

    await _side_by_side(wait(), *parts)


async def first_anchor(settings: Settings) -> None:
    """Take the emulated plant's clock over before anything else asks for the time."""
    import httpx

    from runtime.clock import fetch_anchor

    if settings.clock_url is None:
        return
    async with AsyncExitStack() as stack:
        historian = await _open(stack, settings)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=5.0, trust_env=False))
        await clock.set_anchor(historian, SYSTEM, await fetch_anchor(client, settings.clock_url))
