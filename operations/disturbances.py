"""What people know before any machine does: somebody is away, a delivery comes late, a machine will be stopped."""

from __future__ import annotations

from datetime import datetime

from historian import disturbances, ledger, plants
from historian.database import Historian
from plant.actor import Actor, Permission
from plant.checks import require
from plant.errors import InvalidInput, NotFound
from plant.folder_table import unknown
from plant.item import ItemKind
from plant.plant import Absence, PlannedStop
from plant.ports import PlantClock
from plant.text import told

_LATEST_S = 5 * 365 * 86400.0
"""Beyond five years a date is mistyped, and what waits for it would stop all planning."""


async def report_absence(
    historian: Historian, clock: PlantClock, actor: Actor, person: str, start: datetime, end: datetime
) -> Absence:
    """Report that a person is not there from `start` to `end`; the last report of a person counts.

    A report that ends now says that they are there again. Plans that reckoned with them are made anew.

    Raises
    ------
    InvalidInput
        If nobody of that name works in the plant, or the absence ends before it starts or is over.
    """
    actor.require(Permission.REPORT_DISTURBANCES)
    absence = Absence(start, end)
    require(
        end >= clock.now(),
        told("the absence of {person} was over at {end:moment}; report one that is not", person=person, end=end),
    )
    async with historian.transaction(actor, "report absence") as tx:
        people = [one.id for one in (await plants.current(tx)).plant.people]
        require(person in people, unknown("person", person, people))
        await disturbances.report_absence(tx, person, absence)
        await ledger.append(tx, f"person/{person}", "absence reported", None, absence)
    return absence


async def report_late_material(
    historian: Historian, clock: PlantClock, actor: Actor, item: str, until: datetime
) -> datetime:
    """Report that a purchased item comes at `until` only; the last report of an item counts.

    A report of now says that it has come. Plans whose job orders wait for it are made anew.

    Raises
    ------
    InvalidInput
        If the item is unknown or made here, or the date has passed or is implausibly far off.
    """
    actor.require(Permission.REPORT_DISTURBANCES)
    now = clock.now()
    require(until >= now, told("{item} cannot be late until {until:moment}: that is past", item=item, until=until))
    late_s = (until - now).total_seconds()
    require(
        late_s <= _LATEST_S,
        told(
            "{item} cannot be {late:span} late; name a date within {most:span}", item=item, late=late_s, most=_LATEST_S
        ),
    )
    async with historian.transaction(actor, "report late material") as tx:
        plant = (await plants.current(tx)).plant
        bought = [one.id for one in plant.items if one.kind is ItemKind.PURCHASED]
        try:
            kind = plant.item(item).kind
        except NotFound:
            raise InvalidInput(unknown("item", item, bought)) from None
        require(
            kind is ItemKind.PURCHASED,
            told("{item} is made here; only purchased items are delivered late", item=item),
        )
        await disturbances.report_late_material(tx, item, now, until)
        await ledger.append(tx, f"item/{item}", "late delivery reported", None, {"until": until.isoformat()})
    return until


async def planned_stops(historian: Historian, clock: PlantClock, actor: Actor) -> dict[str, PlannedStop]:
    """Return by machine the planned stops that are not over."""
    actor.require(Permission.VIEW_HEALTH)
    async with historian.transaction(actor, "list planned stops") as tx:
        return await disturbances.planned_stops(tx, clock.now())


async def call_off_stop(historian: Historian, clock: PlantClock, actor: Actor, machine: str) -> None:
    """Call the planned stop of a machine off; plans made from then on reckon with the machine again.

    Raises
    ------
    NotFound
        If none is planned, or it is over.
    """
    actor.require(Permission.PLAN_STOPS)
    async with historian.transaction(actor, "call off stop") as tx:
        stop = (await disturbances.planned_stops(tx, clock.now())).get(machine)
        if stop is None:
            raise NotFound(told("no stop of {machine} is planned", machine=machine))
        await disturbances.call_off_stop(tx, machine, clock.now())
        await ledger.append(tx, f"machine/{machine}", "stop called off", stop, None)


async def plan_stop(
    historian: Historian, clock: PlantClock, actor: Actor, machine: str, start: datetime, end: datetime
) -> PlannedStop:
    """Plan to stop a machine from `start` to `end`; the last stop planned for a machine counts.

    Plans that reckoned with the machine are made anew.

    Raises
    ------
    InvalidInput
        If the plant has no such machine, or the stop ends before it starts or is over.
    """
    actor.require(Permission.PLAN_STOPS)
    stop = PlannedStop(start, end)
    require(
        end >= clock.now(),
        told("the stop of {machine} was over at {end:moment}; plan one that is not", machine=machine, end=end),
    )
    async with historian.transaction(actor, "plan stop") as tx:
        machines = [one.id for one in (await plants.current(tx)).plant.machines]
        require(machine in machines, unknown("machine", machine, machines))
        await disturbances.plan_stop(tx, machine, stop)
        await ledger.append(tx, f"machine/{machine}", "stop planned", None, stop)
    return stop
