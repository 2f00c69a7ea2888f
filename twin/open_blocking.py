"""Circles of blocked machines on the open floor, which nothing will ever open again."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from plant.errors import Infeasible

if TYPE_CHECKING:
    from twin.open_machine import OpenMachine
    from twin.open_passage import Passage


def refuse_circle(passage: Passage, machine: OpenMachine) -> None:
    """Raise `Infeasible` if `machine` waits for places that only machines waiting like it could free.

    A machine is stuck when every lot on it waits for a place at a machine that is full. All that are reached from it
    this way must be stuck: then none of them will ever move again.
    """
    reached = {machine.index: machine}
    ahead = [machine]
    while ahead:
        one = ahead.pop()
        for lot in one.holding:
            if not lot.awaits_place:
                return
            for target in passage.targets(lot):
                if not target.holding:
                    return
                if target.index not in reached:
                    reached[target.index] = target
                    ahead.append(target)
    raise Infeasible(f"the floor is deadlocked: {_circle(passage, machine)}")


def _circle(passage: Passage, machine: OpenMachine) -> str:
    path = [machine]
    while True:
        lot = path[-1].holding[0]
        following = passage.targets(lot)[0]
        if following in path:
            path = [*path[path.index(following) :], following]
            break
        path.append(following)
    said = [
        f"{one.spec.id}, on which {one.holding[0].id} stands, waits for a place at {after.spec.id}"
        for one, after in itertools.pairwise(path)
    ]
    return "; ".join(said) + "; give one of them a buffer"
