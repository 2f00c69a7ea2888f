"""What holds up an order at risk: a machine, a person, a material, or nothing but its due date."""

from __future__ import annotations

import numpy as np

from plant.verdict import Binding, BindingKind
from twin.critical import Waits
from twin.replay import Replay


def bindings_of(replay: Replay, waits: Waits, at_risk: frozenset[str]) -> tuple[Binding, ...]:
    """Return for each order at risk what its chains waited for longest in the futures in which it is late.

    Where its own work, from the epoch on and through all closed time, outlasts its due date, or it waited for nothing,
    nothing but the due date is to blame.
    """
    return tuple(_binding(replay, waits, place, order) for place, order in enumerate(waits.orders) if order in at_risk)


def _binding(replay: Replay, waits: Waits, place: int, order: str) -> Binding:
    due_s, own_s = replay.work.orders[order].due_s, float(waits.own_s[place])
    longest = max((_machine, _person, _material), key=lambda wait: wait(replay, waits, place, order).waited_s)
    found = longest(replay, waits, place, order)
    if own_s > max(due_s, 0.0) or found.waited_s <= 0:
        return Binding(order, BindingKind.DUE_DATE, order, max(own_s - due_s, 0.0))
    return found


def _machine(replay: Replay, waits: Waits, place: int, order: str) -> Binding:
    busiest = int(waits.others_s[place].argmax())
    return Binding(order, BindingKind.MACHINE, waits.machines[busiest], float(waits.others_s[place, busiest]))


def _person(replay: Replay, waits: Waits, place: int, order: str) -> Binding:
    if not waits.people:
        return Binding(order, BindingKind.PERSON, "", 0.0)
    longest = int(waits.attending_s[place].argmax())
    return Binding(order, BindingKind.PERSON, waits.people[longest], float(waits.attending_s[place, longest]))


def _material(replay: Replay, waits: Waits, place: int, order: str) -> Binding:
    rows = [row for row, task in enumerate(replay.work.tasks) if task.order == order]
    row = rows[int(np.argmax(waits.material_s[rows]))]
    task = replay.work.tasks[row]
    subject = task.id if task.material is None else task.material.id
    return Binding(order, BindingKind.MATERIAL, subject, float(waits.material_s[row]))
