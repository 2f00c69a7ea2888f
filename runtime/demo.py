"""The one-command start: the same processes docker-compose runs, on one machine, with everything they need."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from rich.console import Console

from plant.connection import Protocol
from plant.errors import ForerunError, SettingsInvalid, Unavailable
from plant.folder import load, require_connections
from plant.plant import Plant
from runtime import installation, logs, secrets, wiring
from runtime.embedded import EmbeddedBroker, EmbeddedPostgres, free_port
from runtime.processes import Command, Supervisor
from runtime.settings import Settings, to_environment

_READY_S = 60.0


@dataclass(frozen=True)
class Address:
    """Where the demo is reached and how to log in."""

    url: str
    name: str
    password: str


class Demo:
    """Everything one installation runs, from the embedded database to the pages."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._folder = settings.data_dir.resolve()
        self._supervisor = Supervisor()
        self._emulator_url = ""
        self._told = self._folder / "factory" / "endpoints.json"

    async def run(self) -> None:
        """Start, say where, and run until SIGTERM or SIGINT; then end everything.

        Raises
        ------
        SettingsInvalid
            If the port is taken.
        PlantInvalid
            If the plant's folder is wrong, or does not say how the machines are reached.
        Unavailable
            If a part does not come up.
        """
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked.set)
        async with AsyncExitStack() as stack:
            starting = asyncio.create_task(self._start(stack))
            waiting = asyncio.create_task(asked.wait())
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if asked.is_set() and not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            else:
                address = await starting
                self._announce(address)
                await waiting
            self._console.print("\nStopping ...")
        self._console.print("Stopped. What happened so far is kept; `make demo` goes on from here.")

    async def _start(self, stack: AsyncExitStack) -> Address:
        began = time.monotonic()
        settings = self._settings
        _refuse_taken_port(settings)
        plant = load(settings.plant)
        require_connections(plant, settings.plant)
        (self._folder / "logs").mkdir(exist_ok=True)
        stack.callback(lambda: (self._folder / installation.RUNNING).unlink(missing_ok=True))
        if settings.database_url is None:
            self._say("database")
            postgres = EmbeddedPostgres(self._folder / "postgres")
            stack.push_async_callback(self._supervisor.stop)
            postgres.start()
            self._supervisor.keep("postgres", postgres, foundation=True)
            settings = settings.model_copy(update={"database_url": SecretStr(postgres.url)})
        else:
            stack.push_async_callback(self._supervisor.stop)
        settings = self._with_secrets(settings)
        if settings.port == 0:
            settings = settings.model_copy(update={"port": free_port()})
        settings = self._start_plant(plant, settings)
        self._say("plant and orders")
        await wiring.prepare(settings)
        self._start_process("app", settings)
        settings = await self._with_endpoints(settings)
        await wiring.first_anchor(settings)
        for name in ("worker", "ingest"):
            self._start_process(name, settings)
        address = Address(
            f"http://127.0.0.1:{settings.port}", wiring.FIRST_ACCOUNT, secrets.first_password(self._folder)
        )
        self._say("pages")
        await self._until_ready(f"{address.url}/readyz", "app")
        self._write_running(address, time.monotonic() - began)
        return address

    def _with_secrets(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={
                "admin_password": SecretStr(secrets.first_password(self._folder)),
                "mes_key": SecretStr(secrets.mes_key(self._folder)),
            }
        )

    def _start_plant(self, plant: Plant, settings: Settings) -> Settings:
        """Start the broker and the emulated plant, and return settings with what was chosen for them."""
        self._say("emulated plant")
        endpoints = dict(settings.endpoints)
        mqtt = [connection.id for connection in plant.connections if connection.protocol is Protocol.MQTT]
        if mqtt:
            broker = EmbeddedBroker(self._folder / "logs" / "broker.log")
            broker.start()
            self._supervisor.keep("mqtt broker", broker)
            endpoints |= dict.fromkeys(mqtt, broker.url)
        chosen = settings.emulator
        fixed = {"gateway_url": f"http://127.0.0.1:{settings.port}"} | {
            # Started again after a crash, it must be where the others know it to be.
            name: getattr(chosen, name) or free_port()
            for name in ("http_port", "opcua_port", "modbus_port")
        }
        chosen = chosen.model_copy(update=fixed)
        # Without a clock of its own the plant would be taken for a real one, on the wall's time.
        clock_url = f"http://{chosen.host}:{chosen.http_port}/clock"
        settings = settings.model_copy(update={"endpoints": endpoints, "emulator": chosen, "clock_url": clock_url})
        self._told.unlink(missing_ok=True)
        self._start_process("emulator", settings)
        return settings

    async def _with_endpoints(self, settings: Settings) -> Settings:
        """Wait for the emulated plant and return settings that say where it is."""
        where = await self._read_when_there(self._told)
        self._emulator_url = where["http"]
        # The plant does not know the account it has at the broker; its own endpoint for it is the poorer one.
        endpoints = where["connections"] | settings.endpoints
        return settings.model_copy(
            update={"endpoints": endpoints, "mes_url": where["http"], "clock_url": f"{where['http']}/clock"}
        )

    def _start_process(self, name: str, settings: Settings) -> None:
        self._supervisor.add(self._command(name, settings))

    def _command(self, name: str, settings: Settings) -> Command:
        argv = (sys.executable, "-m", "runtime.cli", name)
        log = self._folder / "logs" / f"{name}.log"
        # Without us there is nothing to end in good order for: what they need is going, and all that counts is stored.
        return Command(name, argv, to_environment(settings), log, death_signal=signal.SIGKILL)

    async def _read_when_there(self, path: Path) -> dict[str, Any]:
        deadline = time.monotonic() + _READY_S
        while not path.exists():  # noqa: ASYNC240 - the emulator tells by writing it
            self._check(deadline, "emulator")
            await asyncio.sleep(0.05)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))  # noqa: ASYNC240 - a few bytes
        return found

    async def _until_ready(self, url: str, name: str) -> None:
        deadline = time.monotonic() + _READY_S
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while True:
                try:
                    if (await client.get(url)).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                self._check(deadline, name)
                await asyncio.sleep(0.05)

    def _check(self, deadline: float, name: str) -> None:
        if time.monotonic() > deadline:
            log = self._folder / "logs" / f"{name}.log"
            end = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise Unavailable(f"{name} did not come up in {_READY_S:.0f} s; its log, {log}, ends:\n" + "\n".join(end))

    def _say(self, part: str) -> None:
        self._console.print(f"  starting {part} ...", style="dim")

    def _write_running(self, address: Address, seconds: float) -> None:
        pids = {name: self._supervisor.child(name).pid for name in ("emulator", "app", "worker", "ingest")}
        facts = {
            "url": address.url,
            "emulator": self._emulator_url,
            "pid": os.getpid(),
            "processes": pids,
            "started_in_s": round(seconds, 2),
        }
        installation.tell_running(self._folder, facts)

    def _announce(self, address: Address) -> None:
        say = self._console.print
        say(f"\n[bold]Forerun runs at {address.url}[/bold]   (on this computer only)")
        say(f"  log in as [bold]{address.name}[/bold] with the password [bold]{address.password}[/bold]")
        say(f"  plant time runs {self._settings.emulator.rate:g} times as fast as the clock on the wall")
        say(f"  logs: {self._folder / 'logs'}; Ctrl-C ends everything\n")


def _refuse_taken_port(settings: Settings) -> None:
    """Find out before anything is started: the process that serves the pages could only say so in its log."""
    try:
        with socket.create_server((settings.host, settings.port)):
            pass
    except OSError as error:
        raise SettingsInvalid(wiring.cannot_listen(settings.host, settings.port, _reason(error))) from error


def _reason(error: OSError) -> str:
    """Return the system's own words; the library adds what our message says already."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def run(settings: Settings, fresh: bool, console: Console) -> int:
    """Run the demo and return the exit status."""
    try:
        with installation.hold(settings.data_dir):
            if fresh:
                installation.empty(settings.data_dir)
            logs.configure("warning", "demo")
            asyncio.run(Demo(settings, console).run())
    except ForerunError as error:
        console.print(str(error), style="red", soft_wrap=True, markup=False, highlight=False)
        return 1
    except OSError as error:  # such as a full disk
        what = error.strerror or str(error)
        console.print(f"{error.filename or 'demo'}: {what}", style="red", soft_wrap=True, markup=False, highlight=False)
        return 1
    return 0
