"""What moves and waits on the open floor: orders, lots, queues, pools of things and stocks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from plant.arrival import ArrivalStream
from plant.work import Running
from twin.dispatching import DispatchingRule
from twin.open_shop import Stage

if TYPE_CHECKING:
    from twin.open_machine import OpenMachine

Entry = tuple[int, float, int, "Lot"]
"""(class, key, number of arrival, lot): sorts as the lots are to be taken."""


class Order:
    """A production order being made.

    Attributes
    ----------
    number
        Place among the model's orders, or the how-manieth of its stream.
    awaits, parents
        How many components are missing; who waits for this one.
    lots
        Lots still in process.
    """

    __slots__ = (
        "awaits",
        "completed_s",
        "customer_order",
        "due_s",
        "good",
        "id",
        "index",
        "is_lost",
        "lots",
        "number",
        "parents",
        "priority_class",
        "quantity",
        "released_s",
        "scrap",
        "splits",
        "stages",
        "stream",
        "weight",
    )

    def __init__(
        self, index: int, number: int, id_: str, stages: tuple[Stage, ...], quantity: int, due_s: float, weight: float
    ) -> None:
        self.index = index
        self.number = number
        self.id = self.customer_order = id_
        self.stages = stages
        self.quantity = quantity
        self.due_s = due_s
        self.weight = weight
        self.priority_class = 0 if weight > 1 else 1
        self.stream: ArrivalStream | None = None
        self.awaits = 0
        self.parents: list[tuple[Order, float]] = []
        self.lots = 0
        self.good = self.scrap = self.splits = 0
        self.released_s = self.completed_s = math.nan
        self.is_lost = False


class Lot:
    """Pieces of one order that move together.

    Attributes
    ----------
    number
        Counts the luck of lots that come without end; -1 for a lot whose luck is named.
    part
        The how-manieth lot of its order; only the first pays an operation's fixed time.
    attempt
        0, or the number its order gave it when it went back for rework.
    running
        Set until its machine goes on with it: it had begun before the epoch.
    leads
        Whether it carries the first pieces of its order, for which a plan may have a place.
    ready_s
        Earliest arrival where it goes next: it dries or cools until then.
    source
        The machine it still stands on or behind while it waits for a place, None outside.
    awaits_place
        Whether it does.
    """

    __slots__ = (
        "arrived_s",
        "attempt",
        "awaits_place",
        "family",
        "leads",
        "number",
        "order",
        "part",
        "passes",
        "quantity",
        "ready_s",
        "running",
        "source",
        "stage",
    )

    def __init__(self, order: Order, stage: Stage, quantity: int, part: int, number: int) -> None:
        self.order = order
        self.stage = stage
        self.family = stage.family
        self.quantity = quantity
        self.part = part
        self.number = number
        self.attempt = 0
        self.passes = 0
        self.arrived_s = self.ready_s = 0.0
        self.running: Running | None = None
        self.leads = False
        self.source: OpenMachine | None = None
        self.awaits_place = False

    @property
    def due_s(self) -> float:
        """Due date of its order; inf without one."""
        return self.order.due_s

    @property
    def weight(self) -> float:
        """Weight of its order's lateness."""
        return self.order.weight

    @property
    def remaining_s(self) -> float:
        """Planned work from here to the end of its routing, at speed 1."""
        fixed_s, per_piece_s = self.stage.work_after_s
        return fixed_s + self.quantity * per_piece_s

    @property
    def id(self) -> str:
        """Id of its production order, with the number of the lot if it is not the first."""
        return f"{self.order.id}#{self.part}" if self.part else self.order.id

    @property
    def job_order(self) -> str:
        """``production order-operation``: what plans and the MES call what it waits for."""
        return f"{self.id}-{self.stage.operation.id}"


class Queue:
    """Lots that wait for one of several machines, or for one.

    Lots are kept in a heap where their keys never change, else looked through each time.
    """

    __slots__ = ("entries", "is_static", "machines", "rule")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.machines: list[OpenMachine] = []
        self.rule: DispatchingRule | None = None
        self.is_static = False

    def settle_rule(self) -> None:
        """Find out, once all machines are known, whether one static rule orders the lots for all of them."""
        names = {machine.rule.name for machine in self.machines}
        self.rule = self.machines[0].rule
        self.is_static = len(names) == 1 and self.rule.is_static

    def add(self, lot: Lot, arrival: int) -> None:
        """Put a lot in."""
        rule = self.rule
        assert rule is not None
        first = 1 if rule.weighs_priority else lot.order.priority_class
        if self.is_static:
            heappush(self.entries, (first, rule.key(lot, self.machines[0], lot.arrived_s), arrival, lot))
        else:
            self.entries.append((first, 0.0, arrival, lot))

    def best(self, machine: OpenMachine, now_s: float, may: Callable[[Lot, OpenMachine, float], bool]) -> Entry | None:
        """Return what `machine` would take first of the lots it may begin now."""
        entries = self.entries
        if self.is_static:
            if may(entries[0][3], machine, now_s):
                return entries[0]
            return next((entry for entry in sorted(entries)[1:] if may(entry[3], machine, now_s)), None)
        key = machine.rule.key
        keyed = (
            (first, key(lot, machine, now_s), arrival, lot)
            for first, _, arrival, lot in entries
            if may(lot, machine, now_s)
        )
        return min(keyed, default=None)

    def take(self, lot: Lot) -> None:
        """Take a lot out."""
        entries = self.entries
        if self.is_static and entries[0][3] is lot:
            heappop(entries)
            return
        place = next(place for place, entry in enumerate(entries) if entry[3] is lot)
        entries[place] = entries[-1]
        entries.pop()
        if self.is_static:
            heapify(entries)


class Things:
    """A pool of things of one kind, and what is to be done when one becomes free, in the order it was asked for."""

    __slots__ = ("count", "free", "id", "waiting")

    def __init__(self, id_: str, count: int) -> None:
        self.id = id_
        self.count = self.free = count
        self.waiting: deque[Callable[[float], None]] = deque()

    def ask(self, now_s: float, then: Callable[[float], None]) -> None:
        """Take one and call ``then(now)``, now or when one is given back."""
        if self.free:
            self.free -= 1
            then(now_s)
        else:
            self.waiting.append(then)

    def give_back(self, now_s: float) -> None:
        """Give one back: to who waits longest, if anyone does."""
        if self.waiting:
            self.waiting.popleft()(now_s)
        else:
            self.free += 1


class Stock:
    """Pieces of one purchased item on hand, on order, and promised to lots that have not begun."""

    __slots__ = ("id", "on_hand", "on_order", "orders", "promised")

    def __init__(self, id_: str, on_hand: float) -> None:
        self.id = id_
        self.on_hand = on_hand
        self.on_order = self.promised = 0.0
        self.orders = 0
