"""How right the twin was, as one measurement tells it: of orders, of job orders, of OEE, and what has drifted since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plant.verdict import TwinError
from twin.drift import Direction
from twin.fidelity import Fidelity


@dataclass(frozen=True)
class OeeError:
    """Measured against expected OEE, per plan and machine, weighted by planned busy time.

    Attributes
    ----------
    compared
        Pairs of plan and machine.
    bias, mae
        Mean of measured less expected, and its mean absolute value; None without any.
    """

    compared: int
    bias: float | None
    mae: float | None


@dataclass(frozen=True)
class MachineDrift:
    """The cycle times of an operation on a machine have changed.

    Attributes
    ----------
    since, seen_at
        Completion of the first job order after the change, as estimated, and of the one it was seen at.
    shift
        Estimated size in standard deviations, above 0: longer.
    """

    machine: str
    item: str
    operation: str
    direction: Direction
    since: datetime
    seen_at: datetime
    shift: float


@dataclass(frozen=True)
class FidelityReport:
    """How right the twin was, as measured at one plant time.

    Attributes
    ----------
    since
        Plans made since then were looked back at.
    charts
        How many machines and operations are watched for drift.
    drift
        The last change of each that changed since `since`.
    charts_since
        Up to then the calibration in use knows the history: the charts begin there. None without one.
    """

    measured_at: datetime
    since: datetime
    orders: Fidelity
    job_orders: Fidelity
    oee: OeeError
    charts: int
    drift: tuple[MachineDrift, ...]
    charts_since: datetime | None = None

    @property
    def twin_error(self) -> TwinError:
        """What verdicts state of it."""
        found = self.job_orders
        (inside_80,) = [one.share for one in found.coverage if one.level == 0.8]
        return TwinError(
            measured_at=self.measured_at,
            plans=found.plans,
            predictions=found.error.cases,
            bias_s=found.error.bias_s,
            mae_s=found.error.mae_s,
            inside_80=inside_80,
            oee_bias=self.oee.bias,
            drifted=tuple(f"{one.machine} {one.item}/{one.operation}" for one in self.drift),
        )
