"""A plan and its risk as one HTML file that needs nothing else: to read, print, send around and keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from plotly.graph_objects import Figure

from dashboard.costs import asked_for, costs, to_others, without_it
from dashboard.figures.gantt import Chart, gantt
from dashboard.figures.load import load_figure
from dashboard.figures.plan_diff import moves_figure, orders_figure
from dashboard.figures.risk import by_risk, colour_of, machine_load, order_risk, percent
from dashboard.paper import figure_html, page, section
from dashboard.shown.plan import PlannedJob
from dashboard.words import Words
from methods.disturbed import with_planned_stops
from methods.load import load_profile
from operations.gate import Thresholds
from operations.plan_diff import compare, sentences
from plant.order import CustomerOrder, JobOrder
from plant.plan import PlanVersion, Robustness
from plant.plant import Plant
from plant.verdict import OrderVerdict, Remedy, TwinError

_ROWS = 12
_ENGLISH = Words("en")

_COSTS_OTHERS = "Costs others: the weighted delay as planned that the other orders would not have without this one."


@dataclass(frozen=True)
class _Subject:
    """Everything the report tells of."""

    plant: Plant
    version: PlanVersion
    orders: Mapping[str, CustomerOrder]
    jobs: Mapping[str, JobOrder]
    thresholds: Thresholds
    before: PlanVersion | None

    @property
    def say(self) -> Words:
        return Words("en", self.plant.timezone)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plant.timezone)

    def threshold(self, order: str) -> float:
        return self.thresholds.of(self.orders[order].priority)

    def moment(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%a %-d %b %H:%M}"


def report(
    plant: Plant,
    version: PlanVersion,
    orders: Sequence[CustomerOrder],
    jobs: Sequence[JobOrder],
    thresholds: Thresholds,
    before: PlanVersion | None = None,
) -> str:
    """Return a plan version's report as HTML: what the gate says, risk per order, the schedule, load, the bottleneck.

    Parameters
    ----------
    orders, jobs
        The customer and job orders that the plan covers.
    thresholds
        What the gate asks; orders are coloured by it.
    before
        The plan to hold this one against, None to leave that out.
    """
    by_id, jobs_by_id = {one.id: one for one in orders}, {one.id: one for one in jobs}
    subject = _Subject(plant, version, by_id, jobs_by_id, thresholds, before)
    risk = {one.order: subject.threshold(one.order) for one in version.verdict.orders}
    title = f"Plan of {plant.name}, {subject.moment(version.plan.epoch)}"
    parts = [
        _heading(subject, title),
        _cards(subject),
        _gate(subject),
        section("Orders, the riskiest first", _order_tables(subject), _COSTS_OTHERS if _hold_up(subject) else ""),
        section("Schedule", figure_html(gantt(_chart(subject), subject.say, by_order=True)),
                "Coloured by how sure an order is; what is past its due date is underlined. Drag to move along, scroll "
                "to zoom; double-click on an order in the legend shows it alone. Hours in which the whole plant is "
                "closed are left out."),
        *_against(subject),
        section("When each order will be done", figure_html(order_risk(version.verdict, risk, plant.timezone)),
                "Half of the futures finish before the dot, nineteen of twenty before the bar's end; the upright "
                "line is the due date."),
        section("Load", figure_html(_load(subject)),
                "Planned work in front of capacity, per machine and per skill that somebody must have; each row is "
                "scaled to its own largest capacity. Who has several skills counts for each of them."),
        section("Machines", figure_html(machine_load(version.verdict, plant)),
                "How often a machine took the most time on the chain an order waited for, and how busy it is until "
                "its last operation."),
    ]  # fmt: skip
    return page(title, parts)


def _chart(subject: _Subject) -> Chart:
    plan, plant = subject.version.plan, subject.plant
    span = plan.epoch, plan.epoch + timedelta(seconds=max(plan.makespan_s, 3600.0)) * 1.05
    stopped = with_planned_stops(plant, subject.version.knew.planned_stops)
    return Chart(
        key=subject.version.id,
        plan=plan,
        machines=_names(plant),
        windows={machine.id: stopped.calendar_of(machine.id).windows(*span) for machine in stopped.machines},
        jobs={name: _planned(plant, job) for name, job in subject.jobs.items()},
        orders=subject.orders,
        on_time={one.order: one.on_time for one in subject.version.verdict.orders},
    )


def _names(plant: Plant) -> dict[str, str]:
    return {machine.id: machine.name for machine in plant.machines}


def _planned(plant: Plant, job: JobOrder) -> PlannedJob:
    operation = plant.operation(job.item, job.operation).name
    return PlannedJob(job.customer_order, job.item, plant.item(job.item).name, operation, job.quantity)


def _load(subject: _Subject) -> Figure:
    profile = load_profile(subject.plant, subject.version.plan, subject.jobs)
    return load_figure(profile, _names(subject.plant), subject.say)


def _against(subject: _Subject) -> list[str]:
    """Return the section of what is otherwise than in the plan before; none where there is none to compare with."""
    before, version = subject.before, subject.version
    if before is None:
        return []
    diff = compare(before, version, 0.0)
    told = "".join(f"<li>{escape(str(one))}</li>" for one in sentences(diff, subject.zone))
    moves = figure_html(moves_figure(_chart(subject), before.plan, diff, subject.say))
    orders = figure_html(orders_figure(diff, subject.say), scroll_zoom=False)
    return [section("What changes", f"<ul>{told}</ul>{moves}{orders}", f"Against {escape(before.id)}.")]


def _heading(subject: _Subject, title: str) -> str:
    version = subject.version
    verdict, plan = version.verdict, version.plan
    end = subject.moment(plan.epoch + timedelta(seconds=plan.makespan_s))
    told = (
        str(version.reason),
        f"{len(plan.operations)} operations of {len(version.orders)} orders until {end}",
        f"{verdict.replications:,} futures (seed {verdict.seed})",
        f"times are local, {subject.plant.timezone}",
    )
    return f"<h1>{escape(title)}</h1><p class=quiet>{escape(' · '.join(told))}</p>"


def at_risk(subject_orders: Sequence[OrderVerdict], threshold: Mapping[str, float]) -> list[OrderVerdict]:
    """Return the orders whose probability of being on time is not sure to reach their threshold."""
    return [one for one in subject_orders if not one.on_time_low >= threshold[one.order]]


def _cards(subject: _Subject) -> str:
    version = subject.version
    verdict, solver = version.verdict, version.solver
    risky = at_risk(verdict.orders, {one.order: subject.threshold(one.order) for one in verdict.orders})
    passed = version.judgement.passed
    bottleneck = subject.plant.machine(verdict.bottleneck) if verdict.bottleneck else None
    late = solver.weighted_tardiness_s / 3600
    cards = [
        ("ok" if passed else "bad", "Gate", "passed" if passed else "refused", f"{len(version.judgement.notes)} notes"),
        (
            "bad" if risky else "ok",
            "Orders at risk",
            f"{len(risky)} of {len(verdict.orders)}",
            "below the gate's threshold",
        ),
        ("", "Bottleneck", bottleneck.id if bottleneck else "none", bottleneck.name if bottleneck else ""),
        ("", "Expected OEE", f"{verdict.oee:.1%}", "over all machines, until each one's last operation"),
        ("", "Weighted delay as planned", f"{late:,.1f} h", "if nothing goes wrong; high priority counts three times"),
        *_certainty(version.robustness),
        *(("", name, value, "what the best plan is") for name, value in asked_for(solver, _ENGLISH)),
        *(("", name, value, "at planned times") for name, value in costs(solver, _ENGLISH)),
        *_twin_error(verdict.twin_error),
        ("", "Scheduled by", solver.method, f"{solver.status}, {solver.runtime_s:.1f} s, seed {solver.seed}"),
    ]
    return "<div class=cards>" + "".join(
        f'<div class="card {kind}"><small>{name}</small><b>{escape(value)}</b><small>{escape(more)}</small></div>'
        for kind, name, value, more in cards
    ) + "</div>"  # fmt: skip


def _certainty(paid: Robustness | None) -> list[tuple[str, str, str, str]]:
    """Return the card of what was paid for certainty; none where nothing was compared."""
    if paid is None:
        return []
    if paid.spread is None:
        return [("", "Price of certainty", "none", "the best plan at planned times is also the surest")]
    more = (
        f"of the makespan, {max(paid.tardiness_paid_s, 0.0) / 3600:,.1f} h of planned delay; expected delay "
        f"{paid.expected_tardiness_s / 3600:,.1f} h instead of {paid.nominal_expected_tardiness_s / 3600:,.1f} h"
    )
    return [("", "Price of certainty", f"{paid.makespan_paid:.1%}", more)]


def _twin_error(error: TwinError | None) -> list[tuple[str, str, str, str]]:
    """Return the card of the twin's error; none where a plan was made without a history to look back at."""
    if error is None or error.bias_s is None or error.mae_s is None:
        return []
    way = "later" if error.bias_s >= 0 else "earlier"
    more = f"completions {abs(error.bias_s) / 3600:,.1f} h {way} than predicted on average"
    if error.inside_80 is not None:
        more += f", {error.inside_80:.0%} inside their 80 % interval"
    if error.drifted:
        more += f"; cycle times changed: {', '.join(error.drifted)}"
    return [("bad" if error.drifted else "", "Twin's error", f"{error.mae_s / 3600:,.1f} h", more)]


def _gate(subject: _Subject) -> str:
    judgement = subject.version.judgement
    if not judgement.reasons and not judgement.notes:
        return ""
    lists = [
        f"<p><strong>{title}</strong></p><ul>{''.join(f'<li>{escape(str(line))}</li>' for line in lines)}</ul>"
        for title, lines in (
            ("Refused because", judgement.reasons),
            ("What would help, rehearsed", [_remedy(one) for one in judgement.remedies]),
            ("Noted", judgement.notes),
        )
        if lines
    ]
    return section("What the gate says", "".join(lists))


def _remedy(remedy: Remedy) -> str:
    return f"{remedy.order}: {remedy.what} (cost {remedy.cost:,.0f}); then it is on time with {remedy.on_time:.1%}"


def _order_tables(subject: _Subject) -> str:
    """Return the riskiest orders, and the others folded away."""
    orders = by_risk(subject.version.verdict)
    risky = at_risk(orders, {one.order: subject.threshold(one.order) for one in orders})
    shown = max(_ROWS, len(risky))
    table = _order_table(subject, orders[:shown])
    if len(orders) <= shown:
        return table
    rest = _order_table(subject, orders[shown:])
    return f"{table}<details><summary>{len(orders) - shown} more orders, all of them safer</summary>{rest}</details>"


def _order_table(subject: _Subject, orders: Sequence[OrderVerdict]) -> str:
    hold_up = _hold_up(subject)
    head = [
        "Order",
        "Customer",
        "Item",
        "Pieces",
        "Priority",
        "Due",
        "P50",
        "P95",
        "Slack at P95",
        "On time",
        "At least",
        *(["Costs others"] if hold_up else []),
    ]
    rows = []
    for one in orders:
        order = subject.orders[one.order]
        dot = f'<i class=dot style="background:{colour_of(one, subject.threshold(one.order))}"></i>'
        slack = (one.due_at - one.p95).total_seconds() / 3600
        cells = (
            f"<td>{dot}{escape(order.id)}</td><td>{escape(order.customer)}</td>"
            f"<td class=item>{escape(subject.plant.item(order.item).name)}</td><td class=n>{order.quantity}</td>"
            f"<td>{order.priority}</td><td>{subject.moment(one.due_at)}</td><td>{subject.moment(one.p50)}</td>"
            f"<td>{subject.moment(one.p95)}</td><td class=n>{slack:,.1f} h</td><td class=n>{percent(one.on_time)}</td>"
            f"<td class=n>{percent(one.on_time_low)}</td>{_to_others(subject, one.order) if hold_up else ''}"
        )
        rows.append(f"<tr>{cells}</tr>")
    numeric = {"Pieces", "Slack at P95", "On time", "At least", "Costs others"}
    header = "".join(f"<th{' class=n' if name in numeric else ''}>{name}</th>" for name in head)
    return f"<div class=scroll><table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _hold_up(subject: _Subject) -> bool:
    """Tell whether any order makes others late: else there is nothing to tell of it."""
    return any(
        to_others(one, _ENGLISH) != to_others(None, _ENGLISH) for one in subject.version.solver.to_others.values()
    )


def _to_others(subject: _Subject, order: str) -> str:
    """Return the cell of the weighted delay that an order costs the others."""
    cost = subject.version.solver.to_others.get(order)
    return f'<td class=n title="{without_it(cost, _ENGLISH)}">{to_others(cost, _ENGLISH)}</td>'
