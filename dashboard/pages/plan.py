"""Plans: a schedule on its machines, what the twin says of it order by order, the gate's answer, and its release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, output, part_id, seen, stores, take_updates, update
from dashboard.costs import asked_for, certainty, costs
from dashboard.figures import look
from dashboard.found_by import method_of
from dashboard.guard import guarded, notify, words
from dashboard.long_jobs import follow, going_on, progress
from dashboard.pages import plan_locks, plan_orders, plan_pictures, plan_refused, plan_release
from dashboard.rights import permitted
from dashboard.shown.plan import PlanSummary, PlanView
from dashboard.states import icon
from dashboard.views import Topic, Views
from dashboard.words import Words, mark
from plant.actor import Actor, Permission
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.plan import PlanState, Robustness
from plant.verdict import TwinError

PATH = "/plan"
TITLE = mark("Plan")
ICON = "plan"

_NAME = "plan"
_JOBS = "plan-jobs"
_AWAITED = "plan-awaited"

Known = dict[str, str]
"""Of the plan a page shows: its id and the state it is shown in."""

STATES = {
    PlanState.PROPOSED: mark("proposed"),
    PlanState.REFUSED: mark("refused"),
    PlanState.RELEASED: mark("in force"),
    PlanState.SUPERSEDED: mark("superseded"),
}


async def content(views: Views, say: Words, query: dict[str, str]) -> Component:
    """Draw the page, with the plan the address names or else the newest."""
    chosen, of_plan = await _plan_parts(views, say, query.get("plan"))
    of_jobs = job_parts(await views.long_jobs(), await views.me(), say)
    clock = await views.clock()
    parts: Parts = {**of_plan, **of_jobs}
    return html.Div(
        [
            *stores(_NAME, of_plan),
            *stores(_JOBS, of_jobs),
            dcc.Store(id=_AWAITED),
            _part(parts, "running", dcc.Store),
            _part(parts, "state", dcc.Store),
            _toolbar(parts, chosen, say),
            await plan_refused.section(views, say),
            _nothing_yet(parts, say),
            _part(parts, "shown", children=_shown(parts, say)),
            plan_release.refusal_dialog(say),
            plan_locks.dialog(clock.now, say.at(clock.timezone)),
        ],
        className="plan",
    )


def _shown(parts: Parts, say: Words) -> list[Component]:
    """Return what is told of a plan; hidden while there is none."""
    return [
        html.Div([_part(parts, "facts", className="facts panel"), _part(parts, "gate")], className="said"),
        html.Div(
            [plan_locks.hint(parts, say), _part(parts, "gantt", dcc.Graph, config=look.config(say))],
            className="panel gantt",
        ),
        plan_locks.section(parts),
        plan_pictures.changes(parts, say),
        html.Section(
            [html.H2(say("Orders by risk")), _part(parts, "orders", plan_orders.grid, say=say)],
            className="panel orders",
        ),
        plan_pictures.load(parts, say),
    ]


def _nothing_yet(parts: Parts, say: Words) -> Component:
    """Return what stands in the place of a plan before there is any."""
    return _part(
        parts,
        "none",
        children=[
            icon("plan"),
            html.H2(say("There is no plan yet")),
            html.P(
                say(
                    "A plan says which machine makes what, and when. Before anyone follows it, it is rehearsed a "
                    "thousand times, so that you see how sure each due date is."
                )
            ),
            _button(parts, "first", say("Make the first plan"), "new-plan", "button"),
        ],
    )


def _part(parts: Parts, name: str, kind: Any = html.Div, **props: Any) -> Component:
    drawn: Component = kind(id=part_id(f"plan-{name}"), **{**props, **parts[f"plan-{name}", ""]})
    return drawn


def _toolbar(parts: Parts, chosen: str | None, say: Words) -> Component:
    choice = _part(
        parts,
        "choice",
        dmc.Select,
        value=chosen,
        allowDeselect=False,
        searchable=True,
        size="sm",
        className="choice",
        nothingFoundMessage=say("No plan"),
        **{"aria-label": say("Plan version")},
    )
    release = _button(parts, "release", say("Release"), "send", "button release")
    return html.Div(
        [
            choice,
            release,
            html.Div(className="spring"),
            _part(parts, "job", className="long-job", **{"aria-live": "polite"}),
            _button(parts, "cancel", say("Cancel"), "cross", "button plain"),
            _button(parts, "make", say("Make a plan"), "new-plan", "button"),
        ],
        className="toolbar",
    )


def _button(parts: Parts, name: str, text: str, shape: str, class_name: str) -> Component:
    return _part(parts, name, html.Button, children=[icon(shape), text], className=class_name)


def register(app: Dash, views: Views) -> None:
    """Add the callbacks that follow plans and jobs, make plans and release them."""
    _follow_plans(app, views)
    _follow_jobs(app, views)
    _make_plans(app, views)
    plan_release.register(app, views)
    plan_locks.register(app, views, _AWAITED)
    plan_refused.register(app, views)
    app.clientside_callback(
        ClientsideFunction("forerun", "planAddress"),
        Input(part_id("plan-choice"), "value"),
    )


def _follow_plans(app: Dash, views: Views) -> None:
    @app.callback(
        output(_NAME),
        Input(f"live-{Topic.PLANS}", "data"),
        Input(part_id("plan-choice"), "value"),
        State(part_id("plan-state"), "data"),
        seen(_NAME),
        prevent_initial_call=True,
    )
    @guarded
    async def show(_told: Any, chosen: str | None, known: Known | None, seen: Seen | None) -> Any:
        shown, parts = await _plan_parts(views, words(), chosen, known)
        if shown != chosen:  # the first plan of all has been made, or another one is in force
            set_props(part_id("plan-choice"), {"value": shown})
        return update(parts, seen)

    take_updates(app, _NAME, Topic.PLANS)


def _follow_jobs(app: Dash, views: Views) -> None:
    async def parts(say: Words) -> Parts:
        return job_parts(await views.long_jobs(), await views.me(), say)

    async def tell(job: LongJob, say: Words) -> None:
        await _show_result(views, job, say)

    follow(app, views, _JOBS, LongJobKind.PLAN, _AWAITED, parts, tell)


async def _show_result(views: Views, job: LongJob, say: Words) -> None:
    """Tell whoever asked for a plan what became of it, and show it."""
    if job.state is LongJobState.DONE and job.result:
        choices = _choices(await views.plans(), say.at((await views.clock()).timezone))
        set_props(part_id("plan-choice"), {"data": choices, "value": job.result})
        notify(say("The plan is made"), say.tell(job.subject), "green")
    elif job.state is LongJobState.CANCELLED:
        notify(say("No plan was made"), say("It was cancelled."), "gray")
    else:
        notify(say("No plan was made"), say.tell(job.error), "red", stays=True)


def _make_plans(app: Dash, views: Views) -> None:
    @app.callback(
        Output(_AWAITED, "data"),
        Input(part_id("plan-make"), "n_clicks"),
        Input(part_id("plan-first"), "n_clicks"),
        prevent_initial_call=True,
    )
    @guarded
    async def make(clicks: int | None, clicks_at_first: int | None) -> Any:
        if not clicks and not clicks_at_first:
            return no_update
        job = await views.request_plan()
        for button in ("plan-make", "plan-first"):
            set_props(part_id(button), {"disabled": True})
        return job

    @app.callback(
        Input(part_id("plan-cancel"), "n_clicks"),
        State(part_id("plan-running"), "data"),
        prevent_initial_call=True,
    )
    @guarded
    async def cancel(clicks: int | None, job_id: str | None) -> None:
        if clicks and job_id:
            await views.cancel(job_id)


async def _plan_parts(
    views: Views, say: Words, chosen: str | None, known: Known | None = None
) -> tuple[str | None, Parts]:
    """Return the id of the plan that is shown, the newest if none was chosen, and what is shown of it.

    Who looks at the plan in force goes on doing so when another takes its place.

    Parameters
    ----------
    known
        The plan the page shows now, and the state it is shown in.
    """
    summaries = await views.plans()
    say = say.at((await views.clock()).timezone)
    if chosen is not None and known == _known(chosen, PlanState.RELEASED):
        in_force = next((summary.id for summary in summaries if summary.state is PlanState.RELEASED), chosen)
        if in_force != chosen:
            title, message = say("Another plan is in force now"), say("It is shown here in place of the one before.")
            notify(title, message, key="in-force")
            chosen = in_force
    chosen = chosen or next((summary.id for summary in summaries), None)
    parts: dict[tuple[str, str], dict[str, Any]] = {("plan-choice", ""): {"data": _choices(summaries, say)}}
    if chosen is None:
        return None, {**parts, **_no_plan()}
    view = await views.plan(chosen)
    return chosen, {**parts, **plan_parts(view, await views.me(), say)}


def plan_parts(view: PlanView, actor: Actor, say: Words) -> Parts:
    """Return all that is shown of one plan."""
    return {
        ("plan-none", ""): {"className": "hidden"},
        ("plan-shown", ""): {"className": "shown"},
        ("plan-state", ""): {"data": _known(view.id, view.state)},
        ("plan-release", ""): _release(view, actor, say),
        ("plan-facts", ""): {"children": _facts(view, say)},
        ("plan-gate", ""): plan_release.gate_panel(view, say),
        **plan_pictures.parts_of(view, actor, say),
        **plan_locks.parts_of(view, actor, say),
        ("plan-orders", ""): {"rowData": plan_orders.rows(view, say)},
    }


def _known(plan: str, state: PlanState) -> Known:
    return {"plan": plan, "state": state.value}


def _no_plan() -> Parts:
    return {
        ("plan-none", ""): {"className": "panel empty"},
        ("plan-shown", ""): {"className": "hidden"},
        ("plan-state", ""): {"data": None},
        ("plan-release", ""): {"disabled": True, "title": ""},
        ("plan-facts", ""): {"children": None},
        ("plan-gate", ""): {"className": "hidden", "children": None},
        **plan_pictures.no_parts(),
        **plan_locks.no_parts(),
        ("plan-orders", ""): {"rowData": []},
    }


def _choices(summaries: Sequence[PlanSummary], say: Words) -> list[dict[str, str]]:
    return [
        {
            "value": summary.id,
            "label": f"{say.moment(summary.made_at)} · {say(STATES[summary.state])} · {say.tell(summary.reason)}",
        }
        for summary in summaries
    ]


def _release(view: PlanView, actor: Actor, say: Words) -> dict[str, Any]:
    open_ = view.state in (PlanState.PROPOSED, PlanState.REFUSED)
    stands = permitted(actor, Permission.RELEASE_PLANS, say, shut=not open_)
    over = "" if open_ else say("This plan is {state}", state=say(STATES[view.state]))
    return {**stands, "title": stands["title"] or over}


def _facts(view: PlanView, say: Words) -> list[Component]:
    orders = view.verdict.orders
    expected = sum(order.on_time for order in orders)
    late = view.solver.weighted_tardiness_s
    method = f"{method_of(view.solver.method, say)} · {say.number(view.solver.runtime_s, 1)} s"
    shown = [
        (say("State"), say(STATES[view.state])),
        (say("Made"), say.moment(view.made_at)),
        (say("Orders on time, expected"), f"{say.number(expected, 1)} / {say.number(len(orders))}"),
        (say("Expected OEE"), say.percent(view.verdict.oee)),
        (say("Bottleneck"), view.verdict.bottleneck or "–"),
        (say("Weighted delay as planned"), say.duration(late) if late >= 30 else say("none")),
        (say("Weighted delay expected"), expected_delay(view.robustness, say)),
        (say("Price of certainty"), certainty(view.robustness, say)),
        *asked_for(view.solver, say),
        *costs(view.solver, say),
        (say("Rehearsed"), say.plural("{n} time", "{n} times", view.verdict.replications)),
        (say("Scheduled by"), method),
        (say("Twin's error"), twin_error(view.verdict.twin_error, say)),
    ]
    if view.verdict.twin_error is not None and view.verdict.twin_error.drifted:
        shown.append((say("Cycle times changed"), ", ".join(view.verdict.twin_error.drifted)))
    return [html.Div([html.Span(name), html.B(value, title=value)]) for name, value in shown]


def expected_delay(paid: Robustness | None, say: Words) -> str:
    """Say the weighted delay over all futures, and what it would have been without slack."""
    if paid is None:
        return say("not compared")
    after = say.duration(paid.expected_tardiness_s)
    if paid.spread is None:
        return after
    return say("{after}, not {before}", after=after, before=say.duration(paid.nominal_expected_tardiness_s))


def twin_error(error: TwinError | None, say: Words) -> str:
    """Say how right the twin was when the plan was made."""
    if error is None or error.bias_s is None or error.mae_s is None:
        return say("not known yet")
    late, off = say.duration(abs(error.bias_s)), say.duration(error.mae_s)
    if error.bias_s >= 0:
        told = say("off by {off}; on average {late} later than predicted", off=off, late=late)
    else:
        told = say("off by {off}; on average {late} earlier than predicted", off=off, late=late)
    if error.inside_80 is None:
        return told
    return f"{told} · " + say("{share} inside their 80% interval", share=say.percent(error.inside_80))


def job_parts(jobs: Sequence[LongJob], actor: Actor, say: Words) -> Parts:
    """Return what is shown of planning work."""
    job = going_on(jobs)
    may = actor.may(Permission.MAKE_PLANS)
    make = permitted(actor, Permission.MAKE_PLANS, say, shut=job is not None)
    return {
        ("plan-running", ""): {"data": job.id if job else None},
        ("plan-job", ""): {"children": progress(job, say) if job else None},
        ("plan-cancel", ""): {"className": "button plain" if job and may else "hidden"},
        ("plan-make", ""): make,
        ("plan-first", ""): make,
    }
