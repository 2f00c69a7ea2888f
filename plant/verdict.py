"""What the twin says of a plan, and what the gate makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from plant.text import Text


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
    tardiness_mean_s, tardiness_p90_s
        Mean and 90 % quantile of the seconds late, an early order counting 0.
    """

    order: str
    due_at: datetime
    on_time: float
    on_time_low: float
    p50: datetime
    p80: datetime
    p95: datetime
    tardiness_mean_s: float
    tardiness_p90_s: float = 0.0


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
class TwinError:
    """How right the twin's earlier plans were when this one was made; None where nothing was decided yet.

    Attributes
    ----------
    measured_at
        Plant time.
    plans, predictions
        Released plans that were looked back at, and how many predicted completions of job orders were decided.
    bias_s, mae_s
        Mean and mean absolute error of the predicted median; above 0: later than predicted.
    inside_80
        Share of completions inside their 80 % interval.
    oee_bias
        Mean of measured less expected OEE.
    drifted
        Machines and operations whose cycle times were last seen to change, ``machine item/operation``.
    """

    measured_at: datetime
    plans: int
    predictions: int
    bias_s: float | None
    mae_s: float | None
    inside_80: float | None
    oee_bias: float | None
    drifted: tuple[str, ...] = ()


@dataclass(frozen=True)
class OperationVerdict:
    """One job order on the chains that set completions.

    Attributes
    ----------
    critical
        Share of (order, replication) pairs whose chain it is on: of what an order waited for, one after the other.
    """

    job_order: str
    machine: str
    critical: float


@dataclass(frozen=True)
class PersonVerdict:
    """Somebody who attends machines.

    Attributes
    ----------
    critical
        Share of (order, replication) pairs whose chain waited for them at least once while machine and job were there.
    """

    person: str
    critical: float


@dataclass(frozen=True)
class Buffer:
    """Where more slack would bring an order at risk in on time most often, estimated from the replications.

    Attributes
    ----------
    slack_s
        Seconds of slack: what 95 % of the replications would need at the due date.
    on_time_by_due
        Share on time with the due date later by so much.
    job_order, machine
        Of the order's operations, the one before which so much slack gains most.
    on_time_before
        Share on time with the slack there: it makes up for an operation's late start, later than in half of the
        replications, up to its own length; what follows is taken to move up by as much, so it is an upper estimate.
    """

    order: str
    slack_s: float
    on_time: float
    on_time_by_due: float
    job_order: str
    machine: str
    on_time_before: float


class BindingKind(StrEnum):
    """What kind of thing keeps an order from being done earlier."""

    MACHINE = "machine"
    PERSON = "person"
    MATERIAL = "material"
    DUE_DATE = "due date"


@dataclass(frozen=True)
class Binding:
    """What an order at risk waits for longest, in the futures in which it is late.

    Attributes
    ----------
    subject
        The machine that works on other orders, the person who attends others, or the delivery (or job order) whose
        material is awaited. The order itself where the due date binds: its own work alone takes longer than there is.
    waited_s
        Mean clock seconds of the wait; for a due date, by which its own work outlasts it.
    """

    order: str
    kind: BindingKind
    subject: str
    waited_s: float


@dataclass(frozen=True)
class WaitVerdict:
    """An order that waits longer than it may in some futures, and the wait that is broken most often.

    Attributes
    ----------
    broken
        Share of the futures in which any of its longest waits is exceeded.
    job_order, before
        What begins too late after what.
    most_s
        Clock seconds it may wait from the end of `before` until its changeover begins.
    over_s
        By how much it waits longer, mean clock seconds over the futures in which it does.
    """

    order: str
    broken: float
    job_order: str
    before: str
    most_s: float
    over_s: float


@dataclass(frozen=True)
class Verdict:
    """What the twin says of a plan: per order, per machine, and which engine said it.

    Attributes
    ----------
    engine
        ``"replay"`` or ``"simulate"``.
    bottleneck
        The machine that most often was what an order waited for.
    twin_error
        The twin's error as it was known when the plan was made; None where plans are made without a history.
    operations, people
        The most critical ones, the most critical first.
    buffers
        For the orders at risk, those most at risk first.
    bindings
        What holds up each order at risk.
    waits
        Orders that wait longer than they may in any future, the likeliest first.
    """

    engine: str
    replications: int
    seed: int
    orders: tuple[OrderVerdict, ...]
    machines: tuple[MachineVerdict, ...]
    oee: float
    bottleneck: str | None
    operations: tuple[OperationVerdict, ...] = ()
    people: tuple[PersonVerdict, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    twin_error: TwinError | None = None
    bindings: tuple[Binding, ...] = ()
    waits: tuple[WaitVerdict, ...] = ()


class RemedyKind(StrEnum):
    """What can be done so that an order is on time after all."""

    OVERTIME = "overtime"
    ALTERNATIVE = "alternative machine"
    SPLIT = "split of the lot"
    PROMISE = "new promise date"


@dataclass(frozen=True)
class Remedy:
    """A change that lets an order pass the gate; the changed plan was rehearsed in the same futures.

    Attributes
    ----------
    what
        What to do, in words.
    cost
        By the rules in the settings, in their unit of money.
    on_time, on_time_low
        As `OrderVerdict` has them, of the order with the change made.
    """

    order: str
    kind: RemedyKind
    what: Text
    cost: float
    on_time: float
    on_time_low: float


@dataclass(frozen=True)
class Judgement:
    """The gate's answer: pass, or the reasons why not (naming order, figures and what binds).

    Attributes
    ----------
    notes
        What it saw but did not refuse for, such as an order that is late with or without this plan.
    remedies
        What would let refused orders pass; those of one order stand together, the cheapest first.
    """

    passed: bool
    reasons: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    remedies: tuple[Remedy, ...] = ()

    def in_english(self) -> Judgement:
        """Return the same in plain sentences, as other programs are told it."""
        remedies = tuple(replace(one, what=str(one.what)) for one in self.remedies)
        return Judgement(self.passed, tuple(map(str, self.reasons)), tuple(map(str, self.notes)), remedies)
