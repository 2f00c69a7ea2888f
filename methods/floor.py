"""The open floor as it is simulated: a plant, its orders and how it stands, checked and in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from methods.explosion import explode
from methods.work import HORIZON, LEAST_REMAINING_S, done_untold, working_time
from plant.calendar import Calendar, WorkingTime
from plant.errors import InvalidInput, NotFound
from plant.floor_model import FloorModel, FloorOrder
from plant.item import Attendance, Item, ItemKind, Operation
from plant.order import CustomerOrder, JobProgress, JobState, ProductionOrder
from plant.plant import Person, Plant
from plant.snapshot import Snapshot
from plant.work import Running


def floor_model(
    plant: Plant,
    orders: Sequence[CustomerOrder] = (),
    snapshot: Snapshot | None = None,
    *,
    progress: Sequence[JobProgress] = (),
    horizon: timedelta = HORIZON,
) -> FloorModel:
    """Return the floor with these customer orders, from the snapshot's moment or the plant's start on.

    Parameters
    ----------
    progress
        Job orders as far as they have got: completed ones are left out, a running one goes on where it is.
    horizon
        How far calendars are laid out; after it their last window goes on for ever.

    Raises
    ------
    InvalidInput
        If an item is made of itself, an operation needs what no machine can do or more people than have the skill,
        rework or a reference leads nowhere, a person has no working time, or `progress` is of another
        plant.
    Infeasible
        If a calendar is never open.
    NotFound
        If an order's item, or one in its bill of material, is unknown.
    """
    _check(plant)
    _check_progress(plant, progress)
    epoch = snapshot.at if snapshot is not None else plant.starts_at
    done = {(one.job.production_order, one.job.operation): one for one in (*progress, *done_untold(progress))}
    found: list[FloorOrder] = []
    for order in orders:
        for made in explode(plant, order):
            floor_order = _order(plant, order, made, epoch)
            if (advanced := _advanced(plant, floor_order, done, snapshot)) is not None:
                found.append(advanced)
    return FloorModel(
        plant,
        epoch,
        _without_done(found),
        {calendar.id: working_time(calendar, epoch, horizon) for calendar in _used(plant)},
        {person.id: _there(plant, person, epoch, horizon) for person in plant.people},
        {} if snapshot is None else snapshot.machines,
        {} if snapshot is None else snapshot.stock,
    )


def _order(plant: Plant, order: CustomerOrder, made: ProductionOrder, epoch: datetime) -> FloorOrder:
    per_piece = {line.item: float(line.quantity) for line in plant.item(made.item).bom}
    parts = [line.item for line in plant.item(made.item).bom if plant.item(line.item).kind is ItemKind.MADE]
    return FloorOrder(
        id=made.id,
        customer_order=order.id,
        item=made.item,
        quantity=made.quantity,
        release_s=max((made.release_at - epoch).total_seconds(), 0.0),
        due_s=(order.due_at - epoch).total_seconds(),
        priority=order.priority,
        components={name: per_piece[part] for name, part in zip(made.components, parts, strict=True)},
    )


def _advanced(
    plant: Plant, order: FloorOrder, done: Mapping[tuple[str, str], JobProgress], snapshot: Snapshot | None
) -> FloorOrder | None:
    """Return what is left of an order; None if all of it is done."""
    for place, operation in enumerate(plant.item(order.item).routing):
        one = done.get((order.id, operation.id))
        if one is None or one.state is not JobState.COMPLETED:
            running = None if one is None else _running(plant, order, operation, one, snapshot)
            before = done.get((order.id, plant.item(order.item).routing[place - 1].id)) if place else None
            release_s = max(order.release_s, _waited_s(operation, before, snapshot))
            return replace(order, first=place, running=running, release_s=release_s)
        if one.good + one.scrap > 0:
            order = replace(order, quantity=min(order.quantity, one.good))
        if order.quantity == 0:
            return None
    return None


def _waited_s(operation: Operation, before: JobProgress | None, snapshot: Snapshot | None) -> float:
    """Return when an operation's least wait after a completed one is over, in seconds since the snapshot."""
    if snapshot is None or before is None or before.completed_at is None:
        return 0.0
    return (before.completed_at - snapshot.at).total_seconds() + operation.wait_least_s


def _running(
    plant: Plant, order: FloorOrder, operation: Operation, one: JobProgress, snapshot: Snapshot | None
) -> Running | None:
    if one.state is not JobState.RUNNING or one.machine is None or snapshot is None:
        return None
    planned_s = operation.duration_s(order.quantity, plant.machine(one.machine).speed)
    worked_s = snapshot.worked_s.get(one.job.id, 0.0)
    started_s = ((one.started_at or snapshot.at) - snapshot.at).total_seconds()
    return Running(one.machine, started_s, max(planned_s - worked_s, LEAST_REMAINING_S), worked_s=worked_s)


def _without_done(orders: Sequence[FloorOrder]) -> tuple[FloorOrder, ...]:
    """Leave out components that are complete; what has begun had all of them."""
    left = {order.id for order in orders}
    return tuple(
        replace(order, components={name: per for name, per in order.components.items() if name in left})
        for order in orders
    )


def _check_progress(plant: Plant, progress: Sequence[JobProgress]) -> None:
    """Refuse job orders that this plant cannot have: they are another plant's, or of another version of it."""
    for one in progress:
        try:
            plant.operation(one.job.item, one.job.operation)
            if one.machine is not None and one.state is JobState.RUNNING:
                plant.machine(one.machine)
        except NotFound as error:
            raise InvalidInput(f"job order {one.job.id}: {error}; take the floor as it stands anew") from error


def _used(plant: Plant) -> list[Calendar]:
    names = {machine.calendar for machine in plant.machines} | {person.calendar for person in plant.people}
    known = {calendar.id for calendar in plant.calendars}
    if missing := sorted(names - known):
        raise InvalidInput(f"calendar {missing[0]!r} is unknown; known are {', '.join(sorted(known))}")
    return [calendar for calendar in plant.calendars if calendar.id in names]


def _there(plant: Plant, person: Person, epoch: datetime, horizon: timedelta) -> WorkingTime:
    """Return when a person is there: the calendar's windows without the absences."""
    (calendar,) = (one for one in plant.calendars if one.id == person.calendar)
    if not calendar.shifts and not person.absences:
        return WorkingTime.always()
    spans = [(a, b) for a, b in calendar.windows(epoch, epoch + horizon)]
    for absence in person.absences:
        before = [(a, min(b, absence.start)) for a, b in spans]
        after = [(max(a, absence.end), b) for a, b in spans]
        spans = sorted((a, b) for a, b in (*before, *after) if a < b)
    if not spans:
        raise InvalidInput(f"person {person.id} has no working time within {horizon.days} days of {epoch}")
    return WorkingTime.of([((a - epoch).total_seconds(), (b - epoch).total_seconds()) for a, b in spans])


def _check(plant: Plant) -> None:
    """Refuse what a plant read from a folder cannot be, and one built by hand might."""
    items = {item.id: item for item in plant.items}
    pools = {"tool": plant.tools, "crew": plant.crews, "carrier": plant.carriers}
    known = {kind: {pool.id for pool in found} for kind, found in pools.items()}
    for machine in plant.machines:
        for upkeep in (machine.reliability, machine.maintenance):
            if upkeep is not None and upkeep.crew is not None and upkeep.crew not in known["crew"]:
                raise InvalidInput(f"machine {machine.id}: unknown crew {upkeep.crew!r}")
        if machine.reliability is not None and (wrong := machine.reliability.wrong()):
            raise InvalidInput(f"machine {machine.id}: {wrong}")
    for way in plant.transports:
        if way.carrier is not None and way.carrier not in known["carrier"]:
            raise InvalidInput(f"transport {way.before} -> {way.after}: unknown carrier {way.carrier!r}")
    for item in plant.items:
        _check_tree(items, item.id, ())
        for operation in item.routing:
            _check_operation(plant, item, operation, known["tool"])
    for stream in plant.arrivals:
        if stream.item not in items or items[stream.item].kind is not ItemKind.MADE:
            raise InvalidInput(f"arrivals {stream.id}: {stream.item!r} is no made item")


def _check_tree(items: Mapping[str, Item], name: str, above: tuple[str, ...]) -> None:
    if name in above:
        raise InvalidInput(f"item {name} would be made of itself: {' -> '.join((*above, name))}")
    if name not in items:
        raise InvalidInput(f"item {above[-1]}: its bill of material names {name!r}, which is unknown")
    for line in items[name].bom:
        _check_tree(items, line.item, (*above, name))


def _check_operation(plant: Plant, item: Item, operation: Operation, tools: set[str]) -> None:
    where = f"item {item.id}, operation {operation.id}"
    if not plant.machines_with(operation.capability):
        raise InvalidInput(f"{where}: no machine has the capability {operation.capability!r}")
    if missing := [name for name in operation.tools if name not in tools]:
        raise InvalidInput(f"{where}: unknown tool {missing[0]!r}")
    if operation.attendance is not Attendance.NONE:
        able = [person for person in plant.people if operation.skill in person.skills]
        if len(able) < operation.people:
            said = f"only {len(able)} have" if able else "nobody has"
            raise InvalidInput(f"{where}: needs {operation.people} with the skill {operation.skill!r}, which {said}")
