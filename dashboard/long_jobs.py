"""How far a long job is, as the pages that ask for one show it."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.words import Words, mark
from plant.long_job import LongJob, LongJobState

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


def progress(job: LongJob, say: Words) -> list[Component]:
    """Return what a job is at, its share, and a bar."""
    doing = say.tell(job.doing) or say(STATES[job.state])
    return [
        html.Div([html.Span(doing, className="doing"), html.B(say.percent(job.share))], className="line"),
        dmc.Progress(value=job.share * 100, size="sm", animated=True, transitionDuration=200),
    ]
