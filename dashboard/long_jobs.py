"""How far a long job is, as the pages that ask for one show it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, output, seen, take_updates, update
from dashboard.guard import guarded, words
from dashboard.views import Topic, Views
from dashboard.words import Words, mark
from plant.long_job import LongJob, LongJobKind, LongJobState

STATES = {
    LongJobState.QUEUED: mark("waiting for its turn"),
    LongJobState.RUNNING: mark("running"),
    LongJobState.DONE: mark("done"),
    LongJobState.FAILED: mark("failed"),
    LongJobState.CANCELLED: mark("cancelled"),
}


def going_on(jobs: Sequence[LongJob]) -> LongJob | None:
    """Return the job that runs, else the next one in the queue, None when all have ended."""
    going = sorted((job for job in jobs if not job.state.ended), key=lambda job: job.state is LongJobState.QUEUED)
    return going[0] if going else None


def follow(
    app: Dash,
    views: Views,
    name: str,
    kind: LongJobKind,
    awaited: str,
    parts: Callable[[Words], Awaitable[Parts]],
    tell: Callable[[LongJob, Words], Awaitable[None]],
) -> None:
    """Add the callbacks that show how far work of a kind is, and tell whoever asked for it what became of it.

    Parameters
    ----------
    name
        Of the parts, as in `dashboard.changes`.
    awaited
        Id of the store that holds which long job was asked for here.
    parts
        Returns all that is shown.
    tell
        Called once with the awaited job when it has ended.
    """

    @app.callback(
        output(name),
        Output(awaited, "data", allow_duplicate=True),
        Input(f"live-{Topic.JOBS}", "data"),
        seen(name),
        State(awaited, "data"),
        prevent_initial_call=True,
    )
    @guarded
    async def show(_told: Any, before: Seen | None, asked: str | None) -> Any:
        say = words()
        ended = next((job for job in await views.long_jobs(kind) if job.id == asked and job.state.ended), None)
        if ended is not None:
            await tell(ended, say)
        return [update(await parts(say), before), None if ended else no_update]

    take_updates(app, name, Topic.JOBS)


def progress(job: LongJob, say: Words) -> list[Component]:
    """Return what a job is at, its share, and a bar."""
    doing = say.tell(job.doing) or say(STATES[job.state])
    return [
        html.Div([html.Span(doing, className="doing"), html.B(say.percent(job.share))], className="line"),
        dmc.Progress(value=job.share * 100, size="sm", animated=True, transitionDuration=200),
    ]
