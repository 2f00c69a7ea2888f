"""The luck of one future on the open floor, each draw keyed by what it is for.

What has a name (a production order's operation, a machine's k-th failure) draws a row over all futures, as replay
does, so both meet the same luck. What comes without end is counted, and drawn a block at a time in its own future.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plant.distribution import Distribution, scaled, uniform
from plant.plant import Reliability
from twin.draws import BLOCK, Draws, Row
from twin.luck import first_failure_s

if TYPE_CHECKING:
    from twin.open_lot import Lot
    from twin.open_machine import OpenMachine

_UNIT = uniform(0.0, 1.0)

Rows = dict[tuple[str, str, int], Row]


class Luck:
    """Draws of future `replication`; `rows` keeps what was drawn for all futures."""

    def __init__(self, draws: Draws, replication: int, rows: Rows) -> None:
        self._draws = draws
        self._replication = replication
        self._rows = rows
        self._blocks: dict[tuple[str, str], dict[int, list[float]]] = {}

    def named(self, distribution: Distribution, purpose: str, subject: str, ordinal: int = 0) -> float:
        """Return the draw of this (purpose, subject, ordinal)."""
        key = (purpose, subject, ordinal)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._draws.row(distribution, purpose, subject, ordinal)
        return row.item(self._replication)

    def first_failure_s(self, machine: str, reliability: Reliability, operated_s: float) -> float:
        """Return the time to a machine's first failure, given the operating seconds it has come through."""
        key = ("time between failures", machine, 0)
        if key not in self._rows:
            self._rows[key] = first_failure_s(machine, reliability, operated_s, self._draws)
        return self._rows[key].item(self._replication)

    def counted(self, distribution: Distribution, purpose: str, subject: str, number: int) -> float:
        """Return member `number` of an endless sequence."""
        blocks = self._blocks.get((purpose, subject))
        if blocks is None:
            blocks = self._blocks[purpose, subject] = {}
        block = number // BLOCK
        values = blocks.get(block)
        if values is None:
            if len(blocks) > 3:
                blocks.pop(next(iter(blocks)))
            found = self._draws.stream(distribution, purpose, subject, self._replication, block)
            values = blocks[block] = found.tolist()
        return values[number - block * BLOCK]

    def factor(self, lot: Lot) -> float:
        """Return what the lot's planned processing time is multiplied with."""
        stage = lot.stage
        if stage.factor is None:
            return 1.0
        if lot.number < 0:
            return self.named(stage.factor, "processing", lot.job_order, lot.attempt)
        subject = f"{stage.name} {lot.attempt}" if lot.attempt else stage.name
        stream = lot.order.stream
        assert stream is not None
        return self.counted(stage.factor, "processing", stream.id + subject, lot.number)

    def work_s(self, machine: OpenMachine, lots: Sequence[Lot]) -> float:
        """Return the processing time of a lot, or of a batch: its longest member's."""
        return self._lot_s(machine, lots[0]) if len(lots) == 1 else max(self._lot_s(machine, lot) for lot in lots)

    def _lot_s(self, machine: OpenMachine, lot: Lot) -> float:
        running, planned_s = lot.running, machine.planned_s(lot)
        if running is None:
            return planned_s * self.factor(lot)
        factor = lot.stage.factor
        if factor is None or running.worked_s == 0 or planned_s == 0:
            return running.remaining_s * self.factor(lot)
        key = ("processing", lot.job_order, 0)
        if key not in self._rows:
            self._rows[key] = self._draws.beyond(scaled(factor, planned_s), running.worked_s, *key)
        return self._rows[key].item(self._replication)

    def repairs_within_s(self, machine: OpenMachine, work_s: float) -> float:
        """Return the repairs that `work_s` more seconds of operation will bring, in working seconds."""
        total_s, at_s, ordinal = 0.0, machine.upkeep.fail_at_s, machine.upkeep.failures
        reliability = machine.spec.reliability
        while at_s <= machine.operated_s + work_s:
            assert reliability is not None
            total_s += machine.upkeep.repair_s(ordinal)
            ordinal += 1
            between = reliability.time_between_failures
            at_s += self.named(between, "time between failures", machine.spec.id, ordinal)
        return total_s

    def judged(self, lot: Lot) -> tuple[int, int]:
        """Return how many pieces of a processed lot are scrap, and how many must be done again."""
        stage, operation = lot.stage, lot.stage.operation
        subject = lot.job_order if lot.number < 0 else f"{lot.order.stream.id if lot.order.stream else ''} {stage.name}"
        bad = again = 0
        if operation.scrap_ratio > 0:
            share = self.share("scrap", subject, lot.number, lot.attempt)
            bad = pieces_hit(lot.quantity, operation.scrap_ratio, share)
        rework = operation.rework
        if rework is not None and rework.ratio > 0:
            share = self.share("rework", subject, lot.number, lot.attempt)
            again = pieces_hit(lot.quantity - bad, rework.ratio, share)
            if rework.limit is not None and lot.passes >= rework.limit:
                bad, again = bad + again, 0
        return bad, again

    def share(self, purpose: str, subject: str, number: int, attempt: int) -> float:
        """Return a number equally likely anywhere in [0, 1): named where `number` is negative, else counted."""
        if number < 0:
            return self.named(_UNIT, purpose, subject, attempt)
        return self.counted(_UNIT, purpose, f"{subject} {attempt}" if attempt else subject, number)


def pieces_hit(quantity: int, ratio: float, share: float) -> int:
    """Return how many of `quantity` pieces are hit, each with probability `ratio`: the binomial quantile of `share`.

    Being a quantile, it grows with quantity and ratio under the same luck.
    """
    if ratio <= 0 or quantity == 0:
        return 0
    if quantity == 1 or ratio >= 1:
        return quantity if share < ratio else 0
    survived = 1.0 - share  # counted from above, so that one piece and many agree on what is bad luck
    chance = float((1 - ratio) ** quantity)
    below = chance
    hit = 0
    while survived >= below and hit < quantity:
        hit += 1
        chance *= (quantity - hit + 1) / hit * ratio / (1 - ratio)
        below += chance
    return hit
