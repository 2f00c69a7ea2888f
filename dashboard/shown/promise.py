"""What a customer asks for, and the dates that can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plant.text import Text


@dataclass(frozen=True)
class PromiseQuestion:
    """What a customer wants to know; `due_at` is None where no date is wished for."""

    item: str
    quantity: int
    due_at: datetime | None
    high: bool = False
    replan: bool = False


@dataclass(frozen=True)
class PromiseOffer:
    """Dates by one way of planning: half, 80 % and 95 % of the futures keep them.

    Attributes
    ----------
    on_time
        Probability of the date wished for, None where none was.
    sentences
        What the dates hang on, and what they cost others.
    """

    p50: datetime
    p80: datetime
    p95: datetime
    on_time: float | None
    sentences: tuple[Text, ...]


@dataclass(frozen=True)
class PromiseView:
    """When an order could be delivered, and what makes the date wished for impossible where it is."""

    inserted: PromiseOffer
    replanned: PromiseOffer | None = None
    impossible: tuple[Text, ...] = ()
