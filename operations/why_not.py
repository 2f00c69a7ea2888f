"""Why can these orders not be done in time? Asked of the orders as they are entered; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from historian.database import Historian
from operations.planning import PlanningRules, basis_at, frozen_zone
from plant.actor import Actor, Permission
from plant.checks import require
from plant.errors import NotFound
from plant.ports import Compute, PlantClock
from plant.text import Text, told
from scheduler.conflict import conflict
from scheduler.requirement import Demands


async def ask(
    historian: Historian,
    compute: Compute,
    clock: PlantClock,
    actor: Actor,
    rules: PlanningRules,
    orders: Sequence[str],
    by: datetime | None = None,
) -> tuple[Text, ...]:
    """Return what stands in the way of having all these orders done by their due dates, or `by` one date.

    Returns
    -------
    tuple of Text
        Requirements that cannot be met together, none of which could be left out; empty where no conflict was found.

    Raises
    ------
    InvalidInput
        If no order is named.
    NotFound
        If one of them is unknown or complete.
    """
    actor.require(Permission.MAKE_PLANS)
    require(bool(orders), told("name the orders that should be done in time"))
    async with historian.transaction(actor, "ask why not") as tx:
        basis = await basis_at(tx, clock.now(), rules)
    work = basis.work
    missing = [name for name in orders if name not in work.orders]
    if missing:
        raise NotFound(told("no work is left of {orders:words}; name open orders", orders=missing))
    deadlines = {name: work.orders[name].due_s if by is None else work.seconds(by) for name in orders}
    demands = Demands(deadlines, frozen=frozen_zone(basis, rules.frozen_zone_s))
    found = await compute.run(conflict, work, demands)
    return () if found is None else found.words(work, basis.zone)
