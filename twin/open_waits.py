"""Who waits for whom on the open floor: circles of blocked machines, and what is left waiting when nothing happens."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from plant.errors import Infeasible
from twin.open_lot import Lot

if TYPE_CHECKING:
    from twin.open_flow import Flow
    from twin.open_machine import OpenMachine

_TOLD = 5


class Waits:
    """Looks for circles, and tells what waits."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def refuse_circle(self, machine: OpenMachine) -> None:
        """Raise `Infeasible` if `machine` waits for places that only machines waiting like it could free.

        A machine is stuck when every lot on it waits for a place at a machine that is full. All that are reached
        from it this way must be stuck: then none of them will ever move again.
        """
        reached = {machine.index: machine}
        ahead = [machine]
        while ahead:
            one = ahead.pop()
            for lot in one.holding:
                if not lot.awaits_place:
                    return
                for target in self._flow.passage.targets(lot):
                    if not target.holding:
                        return
                    if target.index not in reached:
                        reached[target.index] = target
                        ahead.append(target)
        raise Infeasible(f"the floor is deadlocked: {self._circle(machine)}")

    def _circle(self, machine: OpenMachine) -> str:
        path = [machine]
        while True:
            lot = path[-1].holding[0]
            following = self._flow.passage.targets(lot)[0]
            if following in path:
                path = [*path[path.index(following) :], following]
                break
            path.append(following)
        said = [
            f"{one.spec.id}, on which {one.holding[0].id} stands, waits for a place at {after.spec.id}"
            for one, after in itertools.pairwise(path)
        ]
        return "; ".join(said) + "; give one of them a buffer"

    def told(self) -> str:
        """Return a sentence on the lots that still wait, the first few of them by name."""
        flow = self._flow
        said: list[str] = []
        for machine in flow.machines:
            said += [self._of_blocked(machine, lot) for lot in (*machine.holding, *machine.output)]
        seen: set[int] = set()
        for machine in flow.machines:
            for queue in machine.queues:
                for *_, lot in queue.entries:
                    if id(lot) not in seen:
                        seen.add(id(lot))
                        said.append(f"{lot.job_order} waits for {self._missing(machine, lot)}")
        for order in flow.orders:
            if order.awaits > 0:
                said.append(f"{order.id} waits for {order.awaits} components")
        more = f"; and {len(said) - _TOLD} more" if len(said) > _TOLD else ""
        return "; ".join(said[:_TOLD]) + more

    def _of_blocked(self, machine: OpenMachine, lot: Lot) -> str:
        names = ", ".join(target.spec.id for target in self._flow.passage.targets(lot))
        return f"{lot.id} on {machine.spec.id} waits for a place at {names}"

    def _missing(self, machine: OpenMachine, lot: Lot) -> str:
        flow, operation = self._flow, lot.stage.operation
        stock = [name for name, per in lot.stage.materials if flow.needs.stocks[name].on_hand < per * lot.quantity]
        if stock and not lot.attempt:
            return f"{', '.join(stock)}, of which there is too little and nothing is on order"
        if tools := [name for name in operation.tools if flow.needs.tools[name].free == 0]:
            return f"the tool {', '.join(tools)}"
        if flow.plan is not None and flow.plan.knows(lot):
            planned = flow.plan.machine[lot.job_order]
            if planned.sequence is not None and planned.place < len(planned.sequence):
                return f"{planned.spec.id}, which by its plan waits for {', '.join(planned.sequence[planned.place])}"
        if machine.is_down:
            return f"{machine.spec.id}, which is down"
        if flow.needs.needs_people(machine, lot):
            return f"{operation.people} with the skill {operation.skill!r}"
        return f"{machine.spec.id}, which does not take it"
