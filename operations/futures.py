"""The futures that plans of one work are rehearsed in: the same luck for every plan and every change of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plant.calibration import Calibration
from plant.plan import Plan
from plant.verdict import OrderVerdict, Verdict
from plant.work import Work
from scheduler.keep import keep
from scheduler.solve import SolverSettings, solve
from twin.calibrated import CalibratedDraws
from twin.draws import Draws
from twin.longest_waits import broken_waits
from twin.rehearse import rehearse
from twin.replay import Replay
from twin.verdict import order_verdicts

_ALONE = SolverSettings(time_limit_s=2.0, effort=0.01, workers=1)
"""How an order alone in the shop is planned: it has few operations."""


@dataclass(frozen=True)
class Futures:
    """R replications of one seed.

    Attributes
    ----------
    calibration
        What the work was calibrated with; what is still unknown of the plant then differs between futures.
    """

    replications: int
    seed: int
    calibration: Calibration | None = None

    def run(self, work: Work, plan: Plan) -> Replay:
        """Return what becomes of a plan of `work`, which is calibrated already."""
        if self.calibration is None:
            return rehearse(work, plan, Draws(self.seed, self.replications))
        draws = CalibratedDraws(self.seed, self.replications, calibration=self.calibration, work=work, plan=plan)
        return rehearse(work, plan, draws)

    def orders(self, work: Work, plan: Plan) -> tuple[OrderVerdict, ...]:
        """Return what becomes of the orders under a plan of `work`."""
        return order_verdicts(self.run(work, plan))

    def verdict(self, orders: tuple[OrderVerdict, ...]) -> Verdict:
        """Return a verdict that tells of orders' dates only."""
        return Verdict("replay", self.replications, self.seed, orders, (), 0.0, None)

    def keeping(self, work: Work, plan: Plan) -> Verdict:
        """Return what becomes of the orders that `plan`, made earlier, covers to their end, if it is just kept."""
        kept = keep(work, plan)
        ran = self.run(kept.work, kept.plan)
        orders = tuple(one for one in order_verdicts(ran) if one.order in kept.orders)
        return replace(self.verdict(orders), waits=tuple(one for one in broken_waits(ran) if one.order in kept.orders))

    def alone(self, work: Work, order: str) -> OrderVerdict:
        """Return what would become of an order of `work` if there were no other in the shop."""
        mine = tuple(task for task in work.tasks if task.order == order)
        part = replace(work, tasks=mine, orders={order: work.orders[order]})
        (found,) = self.orders(part, solve(part, _ALONE).plan)
        return found
