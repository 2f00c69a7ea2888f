"""Locks: an operation dragged in the schedule, or chosen in a form, keeps its machine and start in every plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id
from dashboard.figures.bars import worked_back
from dashboard.guard import guarded, message_of, notify, words
from dashboard.moments import form_time, moment_picker, plant_time
from dashboard.rights import permitted
from dashboard.shown.plan import PlanView
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from methods.attended import hours_of
from plant.actor import Actor, Permission
from plant.errors import InvalidInput
from plant.lock import JobLock
from plant.plan import PlannedOperation, PlanState

_DROPPED = "plan-dropped"
"""What the browser tells of a drag (assets/drag.js): job orders, machine and start."""
_DIALOG, _JOB, _MACHINE, _START = "plan-lock", "plan-lock-job", "plan-lock-machine", "plan-lock-start"
_TOLD, _CONFIRM, _UNLOCK = "plan-lock-told", "plan-lock-confirm", "plan-unlock"

_Parts = dict[tuple[str, str], dict[str, Any]]


def may_lock(view: PlanView, actor: Actor) -> bool:
    """Tell whether the operations of this plan may be locked by them; nobody locks by a plan that is over."""
    return view.state is not PlanState.SUPERSEDED and actor.may(Permission.MAKE_PLANS)


def hint(parts: Parts, say: Words) -> Component:
    """Return what says how to lock, with the button that opens the form."""
    return html.Div(
        [
            html.Span(
                say("Drag an operation to lock it to a machine and a start, and plan around it."), className="quiet"
            ),
            html.Button(
                [icon("lock"), say("Lock an operation")], id=part_id("plan-lock-open"), className="button plain"
            ),
        ],
        id=part_id("plan-lock-hint"),
        **parts["plan-lock-hint", ""],
    )


def section(parts: Parts) -> Component:
    """Return where the locks are listed; hidden while there are none."""
    return html.Section(id=part_id("plan-locks"), **parts["plan-locks", ""])


def parts_of(view: PlanView, actor: Actor, say: Words) -> _Parts:
    """Return what is shown of locks beside a plan."""
    parts = no_parts()
    if may_lock(view, actor):
        parts["plan-lock-hint", ""] = {"className": "lock-hint"}
    if view.locks:
        title = say.plural("{n} operation is locked", "{n} operations are locked", len(view.locks))
        rows = [_row(one, actor, say) for one in view.locks.values()]
        content = [html.H2([icon("lock"), title]), *rows]
        parts["plan-locks", ""] = {"className": "panel locks", "children": content}
    return parts


def no_parts() -> _Parts:
    """Return the same where there is no plan."""
    return {
        ("plan-lock-hint", ""): {"className": "hidden"},
        ("plan-locks", ""): {"className": "hidden", "children": None},
    }


def _row(lock: JobLock, actor: Actor, say: Words) -> Component:
    where = say("on {machine} from {start}", machine=lock.machine, start=say.moment(lock.start_at))
    return html.Div(
        [
            html.B(lock.job_order),
            html.Span(where),
            html.Span(say("by {name}", name=lock.locked_by), className="quiet"),
            html.Button(
                [icon("cross"), say("Unlock")],
                id=part_id(_UNLOCK, lock.job_order),
                className="button plain",
                **permitted(actor, Permission.MAKE_PLANS, say),
            ),
        ],
        className="row",
    )


def dialog(now: datetime, say: Words) -> Component:
    """Return the form that asks before anything is locked; it is filled in by a drag, or by hand.

    Parameters
    ----------
    now
        Plant time.
    """
    form = dmc.Modal(
        [
            html.Div(
                [
                    dmc.Select(id=_JOB, label=say("Job order"), searchable=True, allowDeselect=False),
                    dmc.Select(id=_MACHINE, label=say("Machine"), allowDeselect=False),
                    moment_picker(_START, say("Begins (with its changeover)"), now, say),
                    html.Div(id=_TOLD, className="lock-told", **{"aria-live": "polite"}),
                    html.Button([icon("lock"), say("Lock and plan")], id=_CONFIRM, className="button", disabled=True),
                ],
                className="form lock-form",
            ),
        ],
        id=_DIALOG,
        title=say("Lock an operation"),
        centered=True,
        closeButtonProps={"aria-label": say("Close")},
    )
    return html.Div([dcc.Store(id=_DROPPED), form])


def register(app: Dash, views: Views, awaited: str) -> None:
    """Add the callbacks of the form and of the list.

    Parameters
    ----------
    awaited
        Id of the store of the long job that somebody here waits for.
    """
    _open(app, views)
    _follow_form(app, views)
    _confirm(app, views, awaited)

    @app.callback(Input({"part": _UNLOCK, "of": ALL}, "n_clicks"), prevent_initial_call=True)
    @guarded
    async def unlock(clicks: list[int | None]) -> None:
        button = ctx.triggered_id
        if any(clicks) and isinstance(button, dict):
            await views.unlock(button["of"])
            say = words()
            notify(say("Unlocked"), say("The next plan may move {job_order}.", job_order=button["of"]), "green")


def _open(app: Dash, views: Views) -> None:
    @app.callback(
        Output(_DIALOG, "opened"),
        Output(_JOB, "data"),
        Output(_JOB, "value"),
        Output(_MACHINE, "data"),
        Output(_MACHINE, "value"),
        Output(_START, "value"),
        Input(_DROPPED, "data"),
        Input(part_id("plan-lock-open"), "n_clicks"),
        State(part_id("plan-choice"), "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def open_(dropped: Mapping[str, Any] | None, clicks: int | None, plan_id: str | None) -> Any:
        by_drag = ctx.triggered_id == _DROPPED
        if plan_id is None or not (dropped if by_drag else clicks):
            return [no_update] * 6
        view = await views.plan(plan_id)
        say = words().at(view.clock.timezone)
        if by_drag and dropped is not None:
            jobs, machine, start = dropped["jobs"], dropped["machine"], str(dropped["start"])
            machines = able(view, jobs[0])
            if not any(one["value"] == machine for one in machines):  # it is told why it cannot go there
                machines.append({"value": machine, "label": machine})
            return [True, _choices(view, jobs, say), jobs[0], machines, machine, start]
        set_props(_DROPPED, {"data": None})
        return [True, _choices(view, [one.job_order for one in _waiting(view)], say), None, [], None, None]


def _waiting(view: PlanView) -> Sequence[PlannedOperation]:
    """Return what is yet to begin as planned, in the order of its starts."""
    later = [one for one in view.plan.operations if view.plan.epoch + timedelta(seconds=one.start_s) > view.clock.now]
    return sorted(later, key=lambda one: one.start_s)


def _choices(view: PlanView, jobs: Sequence[str], say: Words) -> list[dict[str, str]]:
    found = []
    for name in jobs:
        job = view.jobs.get(name)
        what = f" · {job.item_name}, {job.operation}" if job else ""
        found.append({"value": name, "label": name + what})
    return found


def able(view: PlanView, job_order: str) -> list[dict[str, str]]:
    """Return the machines that can take a job order, to choose from."""
    job = view.jobs.get(job_order)
    return [{"value": one, "label": f"{one} · {view.machines.get(one, one)}"} for one in (job.machines if job else ())]


def _follow_form(app: Dash, views: Views) -> None:
    @app.callback(
        Output(_TOLD, "children"),
        Output(_CONFIRM, "disabled"),
        Input(_JOB, "value"),
        Input(_MACHINE, "value"),
        Input(_START, "value"),
        State(_DROPPED, "data"),
        State(part_id("plan-choice"), "value"),
        prevent_initial_call=True,
    )
    @guarded
    async def follow(
        job: str | None,
        machine: str | None,
        start: str | None,
        dropped: Mapping[str, Any] | None,
        plan_id: str | None,
    ) -> Any:
        if job is None or plan_id is None:
            return [None, True]
        view = await views.plan(plan_id)
        say = words().at(view.clock.timezone)
        if list(ctx.triggered_prop_ids.values()) == [_JOB] and (dropped is None or job not in dropped["jobs"]):
            planned = view.plan.by_job_order[job]
            machine, start = planned.machine, form_time(_begins(view, planned), say)
            set_props(_MACHINE, {"data": able(view, job), "value": machine})
            set_props(_START, {"value": start})
        if machine is None or not start:
            return [None, True]
        why = await views.why_not_locked(job, machine, plant_time(start, say))
        return [told(view, job, machine, plant_time(start, say), say, say.tell(why) if why else ""), bool(why)]


def told(view: PlanView, job: str, machine: str, start: datetime, say: Words, why: str) -> list[Component]:
    """Return from where to where an operation goes, and what stands in the way."""
    planned = view.plan.by_job_order.get(job)
    here = say("{machine}, {start}", machine=machine, start=say.moment(start))
    was = "–"
    if planned is not None:
        was = say("{machine}, {start}", machine=planned.machine, start=say.moment(_begins(view, planned)))
    way = html.P([html.Span(was, className="quiet"), " → ", html.B(here)], className="way")
    return [way, html.P([icon("cross"), why], className="impossible")] if why else [way]


def _begins(view: PlanView, planned: PlannedOperation) -> datetime:
    """Return when a machine begins with an operation, changeover included."""
    start = view.plan.epoch + timedelta(seconds=planned.start_s)
    return worked_back(hours_of(planned, view.windows, view.attended).setup, start, planned.setup_s)


def _confirm(app: Dash, views: Views, awaited: str) -> None:
    @app.callback(
        Output(_DIALOG, "opened", allow_duplicate=True),
        Output(awaited, "data", allow_duplicate=True),
        Input(_CONFIRM, "n_clicks"),
        State(_JOB, "value"),
        State(_MACHINE, "value"),
        State(_START, "value"),
        running=[(Output(_CONFIRM, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @guarded
    async def confirm(clicks: int | None, job: str | None, machine: str | None, start: str | None) -> Any:
        if not clicks or not job or not machine or not start:
            return [no_update, no_update]
        say = words().at((await views.clock()).timezone)
        try:
            long_job = await views.lock(job, machine, plant_time(start, say))
        except InvalidInput as error:  # the floor went on while the form was open
            set_props(_TOLD, {"children": html.P([icon("cross"), message_of(error, say)], className="impossible")})
            return [no_update, no_update]
        notify(say("Locked"), say("A plan around {job_order} is being made.", job_order=job), "green")
        return [False, long_job]
