"""Who waits for whom when nothing will happen on the open floor any more: the circle, or what each lot lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from twin.open_lot import Lot, Order

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine

_TOLD = 5

Waiting = Lot | Order
Reason = tuple[str, Sequence[Waiting]]
"""What somebody waits for, and what must move before."""


def who_waits(flow: Flow) -> str:
    """Return the circle of those that wait for each other; without one, what the first few wait for."""
    waits = _Waits(flow)
    reasons = {id(one): (one, waits.reason(one)) for one in waits.everybody()}
    for start, _ in reasons.values():
        if circle := _circle_from(start, reasons):
            said = [f"{_name(one)} waits for {reasons[id(one)][1][0]}" for one in circle]
            return "who waits for whom is a circle: " + "; ".join(said)
    said = [f"{_name(one)} waits for {reason}" for one, (reason, _) in reasons.values()]
    more = f"; and {len(said) - _TOLD} more" if len(said) > _TOLD else ""
    return "; ".join(said[:_TOLD]) + more


def _circle_from(start: Waiting, reasons: dict[int, tuple[Waiting, Reason]]) -> list[Waiting]:
    """Return a circle that is reached from `start`, nothing if there is none (depth first)."""
    path, ahead, done = [start], [iter(reasons[id(start)][1][1])], {id(start)}
    while path:
        following = next(ahead[-1], None)
        if following is None:
            path.pop()
            ahead.pop()
        elif any(following is one for one in path):
            return path[next(n for n, one in enumerate(path) if one is following) :]
        elif id(following) in reasons and id(following) not in done:
            done.add(id(following))
            path.append(following)
            ahead.append(iter(reasons[id(following)][1][1]))
    return []


def _name(one: Waiting) -> str:
    return one.job_order if isinstance(one, Lot) else one.id


class _Waits:
    """Where everything stands that is not complete."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._blocked: dict[int, tuple[Lot, OpenMachine]] = {}
        self._queued: dict[int, tuple[Lot, OpenMachine]] = {}
        for machine in flow.machines:
            self._blocked |= {id(lot): (lot, machine) for lot in (*machine.holding, *machine.output)}
            self._queued |= {id(lot): (lot, machine) for lot in machine.begun}
        for machine in flow.machines:
            for queue in machine.queues:
                for *_, lot in queue.entries:
                    self._queued.setdefault(id(lot), (lot, self._for(lot, machine)))

    def _for(self, lot: Lot, machine: OpenMachine) -> OpenMachine:
        plan = self._flow.plan
        return plan.machine[lot.job_order] if plan is not None and plan.knows(lot) else machine

    def everybody(self) -> Iterable[Waiting]:
        """Return all that wait: blocked lots, lots in queues, orders that are not released."""
        yield from (lot for lot, _ in self._blocked.values())
        yield from (lot for lot, _ in self._queued.values())
        yield from (order for order in self._flow.orders if order.awaits > 0)

    def reason(self, one: Waiting) -> Reason:
        """Return what somebody waits for."""
        if isinstance(one, Order):
            return self._of_order(one)
        if id(one) in self._blocked:
            return self._of_blocked(one)
        lot, machine = self._queued[id(one)]
        return self._of_queued(lot, machine)

    def _of_order(self, order: Order) -> Reason:
        lacking = [one for one in self._flow.orders if any(parent is order for parent, _ in one.parents)]
        lacking = [one for one in lacking if one.lots or one.awaits]
        moving = [each for one in lacking for each in self._of(one)]
        return f"components: {', '.join(one.id for one in lacking)}" if lacking else "its release", moving

    def _of(self, order: Order) -> Sequence[Waiting]:
        """Return where an order has got to."""
        if order.awaits > 0:
            return [order]
        everything = (*self._blocked.values(), *self._queued.values())
        return [lot for lot, _ in everything if lot.order is order]

    def _coming(self, job_order: str) -> Sequence[Waiting]:
        """Return what will become a job order that a plan names."""
        order = next((one for one in self._flow.orders if job_order.startswith(f"{one.id}-")), None)
        return [] if order is None else self._of(order)

    def _of_blocked(self, lot: Lot) -> Reason:
        targets = self._flow.passage.targets(lot)
        standing = [each for target in targets for each in (*target.holding, *target.output, *target.begun)]
        waiting = [entry[3] for target in targets for entry in target.own.entries]
        return f"a place at {', '.join(target.spec.id for target in targets)}", [*standing, *waiting]

    def _of_queued(self, lot: Lot, machine: OpenMachine) -> Reason:
        flow, needs, operation = self._flow, self._flow.needs, lot.stage.operation
        stock = [name for name, per in lot.stage.materials if needs.stocks[name].on_hand < per * lot.quantity]
        if stock and not lot.attempt and lot.running is None:
            return f"{', '.join(stock)}, of which there is too little and nothing is on order", []
        if lot.running is None:
            if planned := self._behind(lot, machine):
                return planned
            if (tool := self._tool(lot)) is not None:
                return tool
            if standing := (*machine.holding, *machine.begun):
                return f"{machine.spec.id}, on which {standing[0].id} stands", standing
        if machine.is_down:
            return f"{machine.spec.id}, which is down", []
        lots = machine.begun if lot.running is not None else [lot]
        if flow.plan is not None and (before := flow.plan.before(lots)):
            person = flow.plan.attendant_of(lots)
            assert person is not None
            return f"{person.spec.id}, who by the plan attends {', '.join(before)} first", self._coming(before[0])
        if needs.needs_people(machine, lot):
            return f"{operation.people} with the skill {operation.skill!r}", []
        return f"{machine.spec.id}, which does not take it", []

    def _behind(self, lot: Lot, machine: OpenMachine) -> Reason | None:
        """Return what the plan has on the machine before a lot, or together with it."""
        plan = self._flow.plan
        if plan is None or not (step := plan.next_step(machine)):
            return None
        missing = [name for name in step if name not in plan.waiting]
        if not missing:
            return None
        moving = [each for name in missing for each in self._coming(name)]
        if lot.job_order in step:
            return f"{', '.join(missing)}, which by the plan goes with it", moving
        return f"{machine.spec.id}, which by its plan waits for {', '.join(missing)}", moving

    def _tool(self, lot: Lot) -> Reason | None:
        needs = self._flow.needs
        tools = [name for name in lot.stage.operation.tools if needs.tools[name].free == 0]
        if not tools:
            return None
        keepers = [one for one in self._flow.machines if any(tool.id in tools for tool in one.tools)]
        kept = f", which {', '.join(one.spec.id for one in keepers)} keeps" if keepers else ""
        return f"the tool {', '.join(tools)}{kept}", [lot for one in keepers for lot in (*one.lots, *one.begun)]
