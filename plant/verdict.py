"""What the twin says of a plan, and what the gate makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OrderVerdict:
    """One customer order over all replications.

    Attributes
    ----------
    on_time
        Midpoint of the Wilson interval of P(on time).
    on_time_low
        Its lower bound (95 %).
    p50, p80, p95
        Quantiles of the completion time.
    tardiness_mean_s
        Mean seconds late, an early order counting 0.
    """

    order: str
    due_at: datetime
    on_time: float
    on_time_low: float
    p50: datetime
    p80: datetime
    p95: datetime
    tardiness_mean_s: float


@dataclass(frozen=True)
class MachineVerdict:
    """One machine over the plan's horizon, mean over replications.

    Attributes
    ----------
    load
        Share of its working time from the epoch to the end of its own last operation's mean that it is busy
        (setup, processing, repair).
    oee
        Expected OEE over the same time (ISO 22400-2).
    critical
        Share of (order, replication) pairs whose completion hung on it: of the chain of steps, each waiting for
        the one before, that set the completion, most of the time was spent on it.
    """

    machine: str
    load: float
    oee: float
    critical: float


@dataclass(frozen=True)
class Verdict:
    """What the twin says of a plan: per order, per machine, and which engine said it.

    Attributes
    ----------
    engine
        ``"replay"`` or ``"simulate"``.
    bottleneck
        The machine that most often was what an order waited for.
    """

    engine: str
    replications: int
    seed: int
    orders: tuple[OrderVerdict, ...]
    machines: tuple[MachineVerdict, ...]
    oee: float
    bottleneck: str | None


@dataclass(frozen=True)
class Judgement:
    """The gate's answer: pass, or the reasons why not (one sentence each, naming order and figures)."""

    passed: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What it saw but did not refuse for, such as an order that is late with or without this plan."""
