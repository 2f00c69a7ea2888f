"""What the routes are given: the use cases' collaborators, made by the wiring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from operations.access import acting
from operations.planning import PlanningRules
from operations.store import Store
from plant.actor import Actor
from plant.ports import Compute, JobQueue, PlantClock


@dataclass(frozen=True)
class Services:
    """Collaborators of the routes.

    Attributes
    ----------
    compute
        For answers that somebody waits for.
    readiness
        State of each part by name, ``"ok"`` or what is wrong.
    """

    store: Store
    clock: PlantClock
    queue: JobQueue
    rules: PlanningRules
    compute: Compute
    readiness: Callable[[], Awaitable[dict[str, str]]]


def services(request: Request) -> Services:
    """Return the services the application was built with."""
    found: Services = request.app.state.services
    return found


def actor() -> Actor:
    """Return who is asking."""
    return acting()


WithServices = Annotated[Services, Depends(services)]
Asking = Annotated[Actor, Depends(actor)]
