"""The luck of one future on the open floor, each draw keyed by what it is for.

What has a name (a production order's operation, a machine's k-th failure) draws a row over all futures, as replay
does, so both meet the same luck. What comes without end is counted, and drawn a block at a time in its own future.
"""

from __future__ import annotations

from plant.distribution import Distribution, uniform
from twin.draws import BLOCK, Draws, Row

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
