"""A plan and its risk as one HTML file that needs nothing else: to read, print, send around and keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from zoneinfo import ZoneInfo

from plotly.graph_objects import Figure

from dashboard.costs import asked_for, certainty, costs, to_others, without_it
from dashboard.figures.gantt import Chart, gantt
from dashboard.figures.load import load_figure
from dashboard.figures.plan_diff import moves_figure, orders_figure
from dashboard.figures.risk import by_risk, colour_of, machine_load, order_risk
from dashboard.found_by import method_of, status_of
from dashboard.paper import figure_html, page, section
from dashboard.shown.plan import PlannedJob
from dashboard.vocabulary import PRIORITIES
from dashboard.words import Words
from methods.attended import attended_hours
from methods.disturbed import with_absences, with_planned_stops
from methods.load import load_profile
from operations.gate import Thresholds
from operations.plan_diff import compare, sentences
from plant.order import CustomerOrder, JobOrder
from plant.plan import PlanVersion, Robustness
from plant.plant import Plant
from plant.verdict import OrderVerdict, Remedy, TwinError

_ROWS = 12


@dataclass(frozen=True)
class _Subject:
    """Everything the report tells of."""

    plant: Plant
    version: PlanVersion
    orders: Mapping[str, CustomerOrder]
    jobs: Mapping[str, JobOrder]
    thresholds: Thresholds
    before: PlanVersion | None
    say: Words

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plant.timezone)

    def threshold(self, order: str) -> float:
        return self.thresholds.of(self.orders[order].priority)


def report(
    plant: Plant,
    version: PlanVersion,
    orders: Sequence[CustomerOrder],
    jobs: Sequence[JobOrder],
    thresholds: Thresholds,
    before: PlanVersion | None = None,
    language: str = "en",
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
    language
        One of `dashboard.words.LANGUAGES`.
    """
    by_id, jobs_by_id = {one.id: one for one in orders}, {one.id: one for one in jobs}
    say = Words(language, plant.timezone)
    subject = _Subject(plant, version, by_id, jobs_by_id, thresholds, before, say)
    risk = {one.order: subject.threshold(one.order) for one in version.verdict.orders}
    title = say("Plan of {plant}, {at}", plant=plant.name, at=say.moment(version.plan.epoch))
    parts = [
        _heading(subject, title),
        _cards(subject),
        _gate(subject),
        section(say("Orders, the riskiest first"), _order_tables(subject), _meaning_of_costs(subject)),
        section(
            say("Schedule"),
            figure_html(gantt(_chart(subject), say, by_order=True)),
            say(
                "Coloured by how sure an order is; what is past its due date is underlined. Drag to move along, scroll "
                "to zoom; double-click on an order in the legend shows it alone. Hours in which the whole plant is "
                "closed are left out."
            ),
        ),
        *_against(subject),
        section(
            say("When each order will be done"),
            figure_html(order_risk(version.verdict, risk, say)),
            say(
                "Half of the futures finish before the dot, nineteen of twenty before the bar's end; the upright "
                "line is the due date."
            ),
        ),
        section(
            say("Load"),
            figure_html(_load(subject)),
            say(
                "Planned work in front of capacity, per machine and per skill that somebody must have; each row is "
                "scaled to its own largest capacity, percentages are of all the capacity shown. Who has several skills "
                "counts for each of them."
            ),
        ),
        section(
            say("Machines"),
            figure_html(machine_load(version.verdict, plant, say)),
            say(
                "How often a machine took the most time on the chain an order waited for, and for what part of its "
                "working time it is busy until its last operation, repairs included. Under Load, the same work is held "
                "against whole days or weeks: a machine that is busy all the time and done by noon has a small load."
            ),
        ),
    ]
    return page(title, parts, language)


def _chart(subject: _Subject) -> Chart:
    plan, plant = subject.version.plan, subject.plant
    span = plan.epoch, plan.epoch + timedelta(seconds=max(plan.makespan_s, 3600.0)) * 1.05
    knew = subject.version.knew
    stopped = with_planned_stops(with_absences(plant, knew.absences), knew.planned_stops)
    return Chart(
        key=subject.version.id,
        plan=plan,
        machines=_names(plant),
        windows={machine.id: stopped.calendar_of(machine.id).windows(*span) for machine in stopped.machines},
        attended=attended_hours(stopped, plan, subject.jobs, span),
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
    say = subject.say
    told = "".join(f"<li>{escape(say.tell(one))}</li>" for one in sentences(diff, subject.zone))
    moves = figure_html(moves_figure(_chart(subject), before.plan, diff, say))
    orders = figure_html(orders_figure(diff, say), scroll_zoom=False)
    against = escape(say("Against {plan}.", plan=before.id))
    return [section(say("What changes"), f"<ul>{told}</ul>{moves}{orders}", against)]


def _heading(subject: _Subject, title: str) -> str:
    version, say = subject.version, subject.say
    verdict, plan = version.verdict, version.plan
    told = (
        say.tell(version.reason),
        say(
            "{operations} operations of {orders} orders until {end}",
            operations=say.number(len(plan.operations)),
            orders=say.number(len(version.orders)),
            end=say.moment(plan.epoch + timedelta(seconds=plan.makespan_s)),
        ),
        say("{n} futures (seed {seed})", n=say.number(verdict.replications), seed=verdict.seed),
        say("times are local, {zone}", zone=subject.plant.timezone),
    )
    return f"<h1>{escape(title)}</h1><p class=quiet>{escape(' · '.join(told))}</p>"


def at_risk(subject_orders: Sequence[OrderVerdict], threshold: Mapping[str, float]) -> list[OrderVerdict]:
    """Return the orders whose probability of being on time is not sure to reach their threshold."""
    return [one for one in subject_orders if not one.on_time_low >= threshold[one.order]]


def _cards(subject: _Subject) -> str:
    version, say = subject.version, subject.say
    verdict, solver = version.verdict, version.solver
    risky = at_risk(verdict.orders, {one.order: subject.threshold(one.order) for one in verdict.orders})
    passed, noted = version.judgement.passed, len(version.judgement.notes)
    bottleneck = subject.plant.machine(verdict.bottleneck) if verdict.bottleneck else None
    late = say("{n} hours", n=say.number(solver.weighted_tardiness_s / 3600, 1))
    cards = [
        (
            "ok" if passed else "bad",
            say("Gate"),
            say("passed") if passed else say("refused"),
            say.plural("{n} note", "{n} notes", noted),
        ),
        (
            "bad" if risky else "ok",
            say("Orders at risk"),
            say("{n} of {all}", n=say.number(len(risky)), all=say.number(len(verdict.orders))),
            say("below the gate's threshold"),
        ),
        (
            "",
            say("Bottleneck"),
            bottleneck.id if bottleneck else say("none"),
            bottleneck.name if bottleneck else "",
        ),
        (
            "",
            say("Expected OEE"),
            say.percent(verdict.oee, 1),
            say("over all machines, until each one's last operation"),
        ),
        (
            "",
            say("Weighted delay as planned"),
            late,
            say("if nothing goes wrong; high priority counts three times"),
        ),
        *_certainty(version.robustness, say),
        *(("", name, value, say("what the best plan is")) for name, value in asked_for(solver, say)),
        *(("", name, value, say("at planned times")) for name, value in costs(solver, say)),
        *_twin_error(verdict.twin_error, say),
        (
            "",
            say("Scheduled by"),
            method_of(solver.method, say),
            say(
                "{status}, {seconds} s, seed {seed}",
                status=status_of(solver.status, say),
                seconds=say.number(solver.runtime_s, 1),
                seed=solver.seed,
            ),
        ),
    ]
    return "<div class=cards>" + "".join(
        f'<div class="card {kind}"><small>{escape(name)}</small><b>{escape(value)}</b>'
        f"<small>{escape(more)}</small></div>"
        for kind, name, value, more in cards
    ) + "</div>"  # fmt: skip


def _certainty(paid: Robustness | None, say: Words) -> list[tuple[str, str, str, str]]:
    """Return the card of what was paid for certainty; none where nothing was compared."""
    if paid is None:
        return []
    if paid.spread is None:
        return [
            (
                "",
                say("Price of certainty"),
                certainty(paid, say),
                say("the best plan at planned times is also the surest"),
            )
        ]
    more = say(
        "against the best plan at planned times: {delay} h more planned delay, expected delay {expected} h instead of "
        "{nominal} h",
        delay=say.number(max(paid.tardiness_paid_s, 0.0) / 3600, 1),
        expected=say.number(paid.expected_tardiness_s / 3600, 1),
        nominal=say.number(paid.nominal_expected_tardiness_s / 3600, 1),
    )
    return [("", say("Price of certainty"), certainty(paid, say), more)]


def _twin_error(error: TwinError | None, say: Words) -> list[tuple[str, str, str, str]]:
    """Return the card of the twin's error; none where a plan was made without a history to look back at."""
    if error is None or error.bias_s is None or error.mae_s is None:
        return []
    hours = say.number(abs(error.bias_s) / 3600, 1)
    if error.bias_s >= 0:
        told = [say("completions {hours} h later than predicted on average", hours=hours)]
    else:
        told = [say("completions {hours} h earlier than predicted on average", hours=hours)]
    if error.inside_80 is not None:
        told.append(say("{share} inside their 80% interval", share=say.percent(error.inside_80)))
    if error.drifted:
        told.append(say("cycle times changed: {machines}", machines=say.listed(error.drifted)))
    value = say("{n} hours", n=say.number(error.mae_s / 3600, 1))
    return [("bad" if error.drifted else "", say("Twin's error"), value, " · ".join(told))]


def _gate(subject: _Subject) -> str:
    judgement, say = subject.version.judgement, subject.say
    if not judgement.reasons and not judgement.notes:
        return ""
    lists = [
        f"<p><strong>{escape(title)}</strong></p><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
        for title, lines in (
            (say("Refused because"), [say.tell(one) for one in judgement.reasons]),
            (say("What would help, rehearsed"), [_remedy(one, say) for one in judgement.remedies]),
            (say("Noted"), [say.tell(one) for one in judgement.notes]),
        )
        if lines
    ]
    return section(say("What the gate says"), "".join(lists))


def _remedy(remedy: Remedy, say: Words) -> str:
    return say(
        "{order}: {what} (cost {cost}); then it is on time with {chance}",
        order=remedy.order,
        what=say.tell(remedy.what),
        cost=say.number(remedy.cost),
        chance=say.percent(remedy.on_time, 1),
    )


def _meaning_of_costs(subject: _Subject) -> str:
    """Return what the column of costs to others means, nothing where it is left out."""
    if not _hold_up(subject):
        return ""
    say = subject.say
    meant = say("Weighted delay as planned that the other orders would not have without this one")
    return escape(say("{name}: {meaning}.", name=say("Costs others"), meaning=meant))


def _order_tables(subject: _Subject) -> str:
    """Return the riskiest orders, and the others folded away."""
    orders = by_risk(subject.version.verdict)
    risky = at_risk(orders, {one.order: subject.threshold(one.order) for one in orders})
    shown = max(_ROWS, len(risky))
    table = _order_table(subject, orders[:shown])
    if len(orders) <= shown:
        return table
    rest, say = _order_table(subject, orders[shown:]), subject.say
    folded = say.plural("{n} more order, a safer one", "{n} more orders, all of them safer", len(orders) - shown)
    return f"{table}<details><summary>{escape(folded)}</summary>{rest}</details>"


def _order_table(subject: _Subject, orders: Sequence[OrderVerdict]) -> str:
    hold_up, say = _hold_up(subject), subject.say
    head = [
        ("", say("Order")),
        ("", say("Customer")),
        ("", say("Item")),
        (" class=n", say("Pieces")),
        ("", say("Priority")),
        ("", say("Due")),
        ("", "P50"),
        ("", "P95"),
        (" class=n", say("Slack at P95")),
        (" class=n", say("On time")),
        (" class=n", say("At least")),
        *([(" class=n", say("Costs others"))] if hold_up else []),
    ]
    rows = []
    for one in orders:
        order = subject.orders[one.order]
        dot = f'<i class=dot style="background:{colour_of(one, subject.threshold(one.order))}"></i>'
        slack = say("{n} hours", n=say.number((one.due_at - one.p95).total_seconds() / 3600, 1))
        chances = (escape(say.likelihood(share)) for share in (one.on_time, one.on_time_low))
        cells = (
            f"<td>{dot}{escape(order.id)}</td><td>{escape(order.customer)}</td>"
            f"<td class=item>{escape(subject.plant.item(order.item).name)}</td><td class=n>{order.quantity}</td>"
            f"<td>{escape(say(PRIORITIES[order.priority]))}</td>"
            + "".join(f"<td>{escape(say.moment(at))}</td>" for at in (one.due_at, one.p50, one.p95))
            + "".join(f"<td class=n>{value}</td>" for value in (escape(slack), *chances))
            + (_to_others(subject, one.order) if hold_up else "")
        )
        rows.append(f"<tr>{cells}</tr>")
    header = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in head)
    return f"<div class=scroll><table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _hold_up(subject: _Subject) -> bool:
    """Tell whether any order makes others late: else there is nothing to tell of it."""
    say = subject.say
    return any(to_others(one, say) != to_others(None, say) for one in subject.version.solver.to_others.values())


def _to_others(subject: _Subject, order: str) -> str:
    """Return the cell of the weighted delay that an order costs the others."""
    cost, say = subject.version.solver.to_others.get(order), subject.say
    return f'<td class=n title="{escape(without_it(cost, say))}">{escape(to_others(cost, say))}</td>'
