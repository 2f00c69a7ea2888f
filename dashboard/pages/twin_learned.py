"""What was learned of how to look for plans: held against the unlearned, in use or not, learned anew on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.changes import Parts, part_id, stores
from dashboard.guard import guarded, notify, words
from dashboard.learned import compared, differences
from dashboard.long_jobs import follow, going_on, progress
from dashboard.rights import permitted
from dashboard.states import icon
from dashboard.views import Views
from dashboard.words import Words
from plant.actor import Actor, Permission
from plant.learned import LearnedRecord
from plant.long_job import LongJob, LongJobKind, LongJobState

_NAME = "twin-learning"
_AWAITED = "twin-learning-awaited"


async def section(views: Views, say: Words) -> Component:
    """Return the section."""
    found = await _job_parts(views, say)
    view = await views.twin()
    shown = parts(view.learned, await views.me(), say.at(view.clock.timezone))
    return html.Section(
        [
            *stores(_NAME, found),
            dcc.Store(id=_AWAITED),
            _part(found, "learning", dcc.Store),
            html.Div(
                [
                    html.H2(say("How plans are looked for")),
                    _part(found, "learning-job", className="long-job", **{"aria-live": "polite"}),
                    html.Div(
                        [
                            _part(found, "learning-cancel", html.Button, children=[icon("cross"), say("Cancel")]),
                            _part(found, "learn", html.Button, children=[icon("new-plan"), say("Learn now")]),
                            _part(
                                shown, "unlearn", html.Button, children=[icon("back"), say("Go back to the unlearned")]
                            ),
                        ],
                        className="answers",
                    ),
                ],
                className="bar-top",
            ),
            _part(shown, "learned", className="learned"),
        ],
        className="panel",
    )


def _part(found: Parts, name: str, kind: Any = html.Div, **props: Any) -> Component:
    drawn: Component = kind(id=part_id(f"twin-{name}"), **{**props, **found[f"twin-{name}", ""]})
    return drawn


def parts(learned: Sequence[LearnedRecord], actor: Actor, say: Words) -> Parts:
    """Return what is shown of what was learned; `twin` shows it anew when the twin's topic is announced."""
    used = next((one for one in learned if one.used_since is not None), None)
    return {
        ("twin-learned", ""): {"children": _shown(learned, used, say)},
        ("twin-unlearn", ""): {
            "className": "button plain",
            **permitted(actor, Permission.CALIBRATE_TWIN, say, shut=used is None),
        },
    }


def _shown(learned: Sequence[LearnedRecord], used: LearnedRecord | None, say: Words) -> list[Component]:
    if used is None:
        state = say("In use: the unlearned, which suits most plants.")
    else:
        state = say("In use: {learned}, since {time}.", learned=used.learned.id, time=say.moment(used.used_since))
    if not learned:
        hint = say(
            "Rules and moves of the search can be fitted to this plant: many ways are tried on cases drawn from its "
            "orders and rehearsed in the twin. What is found is used only if it is better on cases it has not seen."
        )
        return [html.P(state), html.P(hint, className="hint")]
    newest = learned[0]
    others = [] if used in (None, newest) else [_told(used, say)]
    return [html.P(state), _told(newest, say), *others]


def _told(one: LearnedRecord, say: Words) -> Component:
    found = one.learned
    when = say(
        "{learned}, learned {time} from {orders} orders by {actor}",
        learned=found.id,
        time=say.moment(one.made_at),
        orders=say.number(found.orders),
        actor=one.made_by,
    )
    return html.Div(
        [html.P([html.B(when)]), html.P(compared(found, say)), *([_table(one, say)] if found.unlearned else [])]
    )


def _table(one: LearnedRecord, say: Words) -> Component:
    head = html.Thead(html.Tr([html.Th(""), html.Th(say("Unlearned")), html.Th(say("Learned"))]))
    rows = [
        html.Tr([html.Th(name, scope="row"), html.Td(before), html.Td(html.B(after))])
        for name, before, after in differences(one.learned.tuning, say)
    ]
    return html.Div(html.Table([head, html.Tbody(rows)]), className="figures-table")


def register(app: Dash, views: Views) -> None:
    """Add the callbacks that ask for learning, follow and cancel it, and go back."""

    async def job_parts(say: Words) -> Parts:
        return await _job_parts(views, say)

    async def tell(job: LongJob, say: Words) -> None:
        await _tell(views, job, say)

    follow(app, views, _NAME, LongJobKind.LEARNING, _AWAITED, job_parts, tell)

    @app.callback(Output(_AWAITED, "data"), Input(part_id("twin-learn"), "n_clicks"), prevent_initial_call=True)
    @guarded
    async def learn(clicks: int | None) -> Any:
        return await views.request_learning() if clicks else no_update

    @app.callback(
        Input(part_id("twin-learning-cancel"), "n_clicks"),
        State(part_id("twin-learning"), "data"),
        prevent_initial_call=True,
    )
    @guarded
    async def cancel(clicks: int | None, job_id: str | None) -> None:
        if clicks and job_id:
            await views.cancel(job_id)

    @app.callback(Input(part_id("twin-unlearn"), "n_clicks"), prevent_initial_call=True)
    @guarded
    async def unlearn(clicks: int | None) -> None:
        if clicks:
            await views.unlearn()
            say = words()
            notify(
                say("Changed"), say("From the next plan on, planning looks as if nothing had been learned."), "green"
            )


async def _tell(views: Views, job: LongJob, say: Words) -> None:
    """Tell whoever asked what came of it."""
    if job.state is LongJobState.DONE:
        found = next((one.learned for one in (await views.twin()).learned if one.learned.id == job.result), None)
        notify(say("Learned"), "" if found is None else compared(found, say), "green")
    elif job.state is LongJobState.CANCELLED:
        notify(say("Nothing was learned"), say("It was cancelled."), "gray")
    else:
        notify(say("Nothing was learned"), say.tell(job.error), "red", stays=True)


async def _job_parts(views: Views, say: Words) -> Parts:
    job, actor = going_on(await views.long_jobs(LongJobKind.LEARNING)), await views.me()
    return {
        ("twin-learning", ""): {"data": job.id if job else None},
        ("twin-learning-job", ""): {"children": progress(job, say) if job else None},
        ("twin-learning-cancel", ""): {
            "className": "button plain" if job and actor.may(Permission.MAKE_PLANS) else "hidden"
        },
        ("twin-learn", ""): {
            "className": "button",
            **permitted(actor, Permission.CALIBRATE_TWIN, say, shut=job is not None),
        },
    }
