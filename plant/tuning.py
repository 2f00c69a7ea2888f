"""How planning looks for plans where a plant's history taught something else than what suits most plants."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from enum import StrEnum

from plant.checks import require, require_not_negative
from plant.text import told


class RuleKind(StrEnum):
    """What a dispatching rule looks at first."""

    ATC = "ATC"
    EDD = "EDD"
    SLACK = "least slack"
    MOST_WORK = "most work remaining"
    WSPT = "WSPT"
    RATIO = "critical ratio"
    FIFO = "FIFO"


@dataclass(frozen=True)
class RuleTuning:
    """A dispatching rule that is tried before all others.

    Attributes
    ----------
    look_ahead, setup_care
        Of ATC: how far ahead slack counts, in mean processing times, and by how much of the mean changeover urgency
        falls by a factor of e; 0: changeovers do not count.
    batch_wait
        Share of a batch's processing time for which its machine may wait for more members.
    """

    kind: RuleKind = RuleKind.ATC
    look_ahead: float = 3.0
    setup_care: float = 1.0
    batch_wait: float = 0.25

    def __post_init__(self) -> None:
        for name in ("look_ahead", "setup_care", "batch_wait"):
            require_not_negative(f"{name} of a learned rule", getattr(self, name))
        require(self.look_ahead > 0, told("look_ahead of a learned rule must be above 0"))


@dataclass(frozen=True)
class MoveShares:
    """With which shares the search chooses its moves.

    Attributes
    ----------
    critical
        Of moves made on the chain behind a late order, or behind the end of the plan.
    split, join
        On machines that take batches: taking one apart and joining one; the rest are moves of other kinds.
    run
        Of those: a whole run of one family, to before another one or to another machine; the rest move single steps.
    earlier, ahead, gather, elsewhere, later
        Of those: before its neighbours, the one ahead behind its own, to its family, to another machine, behind its
        neighbours. They add up to 1.
    """

    critical: float = 0.8
    split: float = 0.1
    join: float = 0.3
    run: float = 0.2
    earlier: float = 0.35
    ahead: float = 0.15
    gather: float = 0.15
    elsewhere: float = 0.25
    later: float = 0.1

    def __post_init__(self) -> None:
        for one in fields(self):
            share = getattr(self, one.name)
            require(
                0 <= share <= 1, told("share {name} of moves must be 0 to 1, not {share}", name=one.name, share=share)
            )
        require(self.split + self.join <= 1, told("the shares split and join of moves exceed 1 together"))
        total = self.earlier + self.ahead + self.gather + self.elsewhere + self.later
        require(
            math.isclose(total, 1.0, abs_tol=1e-6),
            told("the shares earlier, ahead, gather, elsewhere and later must add up to 1, not {total}", total=total),
        )


@dataclass(frozen=True)
class Tuning:
    """A rule that is tried first (None: no other than those that always are) and the shares of moves."""

    rule: RuleTuning | None = None
    shares: MoveShares = field(default_factory=MoveShares)


DEFAULT = Tuning()
"""The unlearned: what suits most plants."""
