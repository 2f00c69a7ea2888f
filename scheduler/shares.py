"""With what chances the search chooses its moves, as compiled code draws from them."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from plant.tuning import MoveShares


class Shares(NamedTuple):
    """With what chances moves are chosen, each summed up with those before it.

    Attributes
    ----------
    critical
        Of moves made on the chain behind a late order, or behind the end of the plan.
    split, join
        Taking a batch apart, and joining one, where a machine takes several.
    run
        Of all other moves: a whole run of one family.
    earlier, ahead, gather, elsewhere
        Of those of single steps: before its neighbours, the one ahead behind its own, to its family, to another
        machine; what is left to 1 is behind its neighbours.
    """

    critical: float
    split: float
    join: float
    run: float
    earlier: float
    ahead: float
    gather: float
    elsewhere: float


def shares_of(tuning: MoveShares) -> Shares:
    """Return the shares of moves as they are drawn from."""
    alone = (tuning.earlier, tuning.ahead, tuning.gather, tuning.elsewhere)
    # Rounded: sums of a few decimals are to be these decimals, whatever they are in binary.
    split, join = (round(one, 12) for one in accumulate((tuning.split, tuning.join)))
    return Shares(tuning.critical, split, join, tuning.run, *(round(one, 12) for one in accumulate(alone)))
