"""When could we deliver? A further order put into the plan in force, rehearsed, with what binds its date. Pure.

Capable-to-promise: the date comes from machines, people and material as they are planned, not from a lead time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from operations.locked import there_s
from plant.calibration import Calibration
from plant.plan import Plan
from plant.ports import Progress, no_progress
from plant.text import Text, told
from plant.verdict import OrderVerdict
from plant.work import Task, Work
from scheduler.conflict import Conflict, conflict
from scheduler.insertion import Board, insert
from scheduler.keep import keep
from scheduler.repair import in_order_of_need, repair
from scheduler.requirement import Demands
from scheduler.solve import SolverSettings, solve
from twin.calibrated import CalibratedDraws, apply
from twin.critical import critical_of
from twin.draws import Draws
from twin.rehearse import rehearse
from twin.replay import Replay
from twin.verdict import order_verdicts

_WORTH_TELLING = 0.1
"""Share of the futures below which a machine or person does not count as what binds."""
_LATER_S = 600.0
_ROUNDING_S = 1.0
_HOPELESS = 0.05
"""Probability of a date below which one looks for what makes it impossible."""
_EXPLAINING_S = 2.0


@dataclass(frozen=True)
class Rehearsing:
    """In which futures promises are looked at.

    Attributes
    ----------
    calibration
        What takes the place of planned times; None for the plan as it stands.
    """

    replications: int
    seed: int
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Binding:
    """What a date hangs on: in `share` of the futures a machine or a person, or material that comes at `at`."""

    kind: str
    name: str
    share: float | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Loss:
    """An order that the new one costs something.

    Attributes
    ----------
    later_s
        By how much later half of the futures finish it.
    on_time_before, on_time
        Probability of its due date without the new order, and with it.
    """

    order: str
    later_s: float
    on_time_before: float
    on_time: float

    @property
    def at_risk(self) -> bool:
        """Whether it becomes less likely to be on time, by what can be told."""
        return round(self.on_time, 2) < round(self.on_time_before, 2)


@dataclass(frozen=True)
class Offer:
    """Dates for an order by one way of planning it.

    Attributes
    ----------
    p50, p80, p95
        When half, 80 % and 95 % of the futures have it done.
    on_time
        Probability of the date asked for, None where none was.
    losses
        Orders it costs something, those first that become late more often, then the largest delay.
    """

    p50: datetime
    p80: datetime
    p95: datetime
    on_time: float | None
    binding: tuple[Binding, ...]
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class Promise:
    """When an order could be delivered.

    Attributes
    ----------
    inserted
        Put into what the plan in force leaves open: no other order is planned later, though one may lose slack.
    replanned
        With everything but the frozen zone planned anew; None where that was not asked for.
    conflict
        Why no plan at all has it done by the date asked for; None where one might.
    """

    inserted: Offer
    replanned: Offer | None = None
    conflict: Conflict | None = None


def promise(
    work: Work,
    order: str,
    plan: Plan | None,
    frozen: Plan | None,
    rehearsing: Rehearsing,
    replan: SolverSettings | None = None,
    dated: bool = True,
    progress: Progress = no_progress,
) -> Promise:
    """Return when `order`, whose tasks are in `work`, could be delivered.

    Parameters
    ----------
    plan
        The plan in force. What it does not hold besides the order is planned first, into its gaps.
    replan
        How to look for a plan with the order in it; None not to.
    dated
        Whether the order's due date was asked for, or only stands for a far-off day.

    Raises
    ------
    InvalidInput
        If the plan in force is circular.
    """
    known = work if rehearsing.calibration is None else apply(work, rehearsing.calibration)
    progress(0.0, told("looking for a place"))
    asking = _Asking(known, order, frozen, rehearsing, dated)
    before = _without(known, order)
    base = repair(before, plan or Plan(work.epoch, ()), frozen, most_moved=0.0).plan
    others = order_verdicts(_ran(before, base, rehearsing))
    squeezed_in = _inserted(known, order, base, frozen)
    inserted = asking.offer(squeezed_in, others)
    replanned = None
    if replan is not None:
        anew = solve(known, replan, progress, frozen, start=squeezed_in, near=plan).plan
        replanned = asking.offer(anew, others)
    best = max(one.on_time or 0.0 for one in (inserted, replanned) if one is not None)
    if not dated or best > _HOPELESS:
        return Promise(inserted, replanned)
    demands = Demands({order: known.orders[order].due_s}, frozen=frozen)
    return Promise(inserted, replanned, conflict(known, demands, _EXPLAINING_S))


def _without(work: Work, order: str) -> Work:
    orders = {name: demand for name, demand in work.orders.items() if name != order}
    return replace(work, tasks=tuple(task for task in work.tasks if task.order != order), orders=orders)


def _inserted(work: Work, order: str, base: Plan, frozen: Plan | None) -> Plan:
    """Return the plan with the order in its gaps, each operation where it ends first."""
    board = Board(work, base, () if frozen is None else frozen.by_job_order)
    insert(board, in_order_of_need(work, [task for task in work.tasks if task.order == order]), {}, pushing=False)
    return keep(work, board.plan()).plan


def _ran(work: Work, plan: Plan, rehearsing: Rehearsing) -> Replay:
    seed, replications, calibration = rehearsing.seed, rehearsing.replications, rehearsing.calibration
    if calibration is None:
        return rehearse(work, plan, Draws(seed, replications))
    return rehearse(work, plan, CalibratedDraws(seed, replications, calibration=calibration, work=work, plan=plan))


@dataclass(frozen=True)
class _Asking:
    """One question: which order, in which work, and how it is rehearsed."""

    work: Work
    order: str
    frozen: Plan | None
    rehearsing: Rehearsing
    dated: bool

    def offer(self, plan: Plan, others: Sequence[OrderVerdict]) -> Offer:
        """Return the dates of a plan that holds the order; `others` is what becomes of the other orders without it."""
        ran = _ran(self.work, plan, self.rehearsing)
        now = {one.order: one for one in order_verdicts(ran)}
        mine, losses = now[self.order], [_loss(before, now[before.order]) for before in others]
        losses = [one for one in losses if one.at_risk or one.later_s >= _LATER_S]
        return Offer(
            p50=mine.p50,
            p80=mine.p80,
            p95=mine.p95,
            on_time=mine.on_time if self.dated else None,
            binding=(*self._material(plan), *self._resources(ran)),
            losses=tuple(sorted(losses, key=lambda one: (one.on_time if one.at_risk else math.inf, -one.later_s))),
        )

    def _resources(self, ran: Replay) -> tuple[Binding, ...]:
        """Return the machines and people that the completion hangs on, the most important first."""
        critical = critical_of(ran, orders=(self.order,))
        found = [Binding("machine", name, share) for name, share in critical.machines.items()]
        found += [Binding("person", name, share) for name, share in critical.people.items()]
        told_of = [one for one in found if (one.share or 0.0) >= _WORTH_TELLING]
        return tuple(sorted(told_of, key=lambda one: -(one.share or 0.0)))

    def _material(self, plan: Plan) -> tuple[Binding, ...]:
        """Return the items whose material holds an operation of the order up."""
        at_s: dict[str, float] = {}
        for task in self.work.tasks:
            ready_s = there_s(self.work, plan, task, plan.by_job_order[task.id].machine)
            if task.order == self.order and task.release_s > ready_s and self._begins(plan, task) <= task.release_s:
                at_s[task.item] = max(at_s.get(task.item, 0.0), task.release_s)
        return tuple(Binding("material", item, at=self.work.moment(seconds)) for item, seconds in at_s.items())

    def _begins(self, plan: Plan, task: Task) -> float:
        """Return when a task's changeover begins in open time, as planned."""
        planned = plan.by_job_order[task.id]
        working_time = self.work.machines[planned.machine].working_time
        begun_s = working_time.worked_at(planned.start_s) - planned.setup_s
        return begun_s - working_time.worked_at(task.release_s) + task.release_s - _ROUNDING_S


def _loss(before: OrderVerdict, after: OrderVerdict) -> Loss:
    return Loss(before.order, (after.p50 - before.p50).total_seconds(), before.on_time, after.on_time)


def sentences(offer: Offer, zone: tzinfo = UTC) -> tuple[Text, ...]:
    """Return what an offer's dates hang on and what it costs, in words."""
    said = [_of_binding(one, zone) for one in offer.binding]
    said += [
        told(
            "{order} is on time with a probability of {after:percent} instead of {before:percent}; half of the futures "
            "finish it {later:span} later or more.",
            order=one.order,
            after=round(one.on_time, 2),
            before=round(one.on_time_before, 2),
            later=max(one.later_s, 0.0),
        )
        for one in offer.losses
        if one.at_risk
    ]
    if delayed := [one for one in offer.losses if not one.at_risk]:
        said.append(
            told(
                "Finished later, by up to {later:span}, but as likely to be on time as before: {orders:words}.",
                later=max(one.later_s for one in delayed),
                orders=[one.order for one in delayed],
            )
        )
    return tuple(said)


def _of_binding(one: Binding, zone: tzinfo) -> Text:
    if one.at is not None:
        return told("Material for {item} is there on {at:moment}.", item=one.name, at=one.at.astimezone(zone))
    share = round(one.share or 0.0, 2)
    if one.kind == "person":
        return told("{person} is waited for in {share:percent} of the futures.", person=one.name, share=share)
    return told("{machine} decides the date in {share:percent} of the futures.", machine=one.name, share=share)
