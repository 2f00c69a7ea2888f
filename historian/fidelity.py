"""What plans predicted, what machines took, and how right the twin was each time that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from historian.database import Channel, Transaction
from historian.documents import jsonb
from historian.queries import query

_KEEP_FORECAST = query("fidelity", "keep_forecast")
_RELEASED = query("fidelity", "released")
_EXECUTED = query("fidelity", "executed")
_INSERT = query("fidelity", "insert")
_NEWEST = query("fidelity", "newest")


@dataclass(frozen=True)
class ReleasedForecast:
    """A plan version that was in force, with what it predicted.

    Attributes
    ----------
    expected_oee
        Per machine.
    forecast
        The document that was kept, None where none was.
    """

    plan: str
    made_at: datetime
    expected_oee: dict[str, float]
    forecast: Any


@dataclass(frozen=True)
class Executed:
    """A completed job order and how long its machine was executing it, in seconds."""

    job_order: str
    machine: str
    item: str
    operation: str
    pieces: int
    completed_at: datetime
    executed_s: float


async def keep_forecast(tx: Transaction, plan_id: str, forecast: Any) -> None:
    """Keep what a plan version predicts, a document; once, or `Conflict`."""
    await tx.execute(_KEEP_FORECAST, {"plan_version": plan_id, "document": jsonb(forecast)})


async def released(tx: Transaction, since: datetime) -> list[ReleasedForecast]:
    """Return the plan versions made since a plant time that came into force, in the order in which they did."""
    return [
        ReleasedForecast(
            row["id"], row["made_at"], {one["machine"]: one["oee"] for one in row["machines"]}, row["forecast"]
        )
        for row in await tx.all(_RELEASED, {"since": since})
    ]


async def executed(tx: Transaction) -> list[Executed]:
    """Return the completed job orders in the order of their completion.

    Only those under whose name their machine's states stand: of a batch one is.
    """
    return [Executed(**row) for row in await tx.all(_EXECUTED)]


async def insert(tx: Transaction, measured_at: datetime, document: Any) -> None:
    """Keep a measurement, a document."""
    await tx.execute(_INSERT, {"measured_at": measured_at, "document": jsonb(document)})
    await tx.notify(Channel.TWIN)


async def newest(tx: Transaction) -> Any:
    """Return the document of the last measurement, None before the first."""
    return await tx.value(_NEWEST)
