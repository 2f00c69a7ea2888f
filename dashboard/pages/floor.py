"""The floor as it is now: every machine with its state, its job, its OEE and what it did so far in the shift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from dash import Dash, Input, dcc, html
from dash.development.base_component import Component

from dashboard.changes import Parts, Seen, changed, output, part_id, seen, stores, take_updates, update
from dashboard.guard import guarded, words
from dashboard.shown.floor import FloorView, MachineView, OeeView, RunningJob
from dashboard.states import LABELS, badge, css_class, icon
from dashboard.views import Topic, Views
from dashboard.words import Words, epoch_ms, mark
from plant.calendar import Window
from plant.machine_state import MachineState, StateInterval

PATH = "/"
TITLE = mark("Floor")
ICON = "floor"

_NAME = "floor"
_STATES = tuple(MachineState)


async def content(views: Views, say: Words, query: dict[str, str]) -> Component:
    """Draw the page."""
    view = await views.floor()
    say = say.at(view.clock.timezone)
    parts = floor_parts(view, say)
    return html.Div(
        [
            *stores(_NAME, parts),
            html.Div(_summary(parts), className="summary"),
            _part(parts, "sections", children=_sections(view, parts), className="cells"),
        ],
        className="floor",
    )


def register(app: Dash, views: Views) -> None:
    """Add the callback that follows the floor."""

    @app.callback(output(_NAME), Input(f"live-{Topic.FLOOR}", "data"), seen(_NAME), prevent_initial_call=True)
    @guarded
    async def follow(_told: Any, seen: Seen | None) -> Any:
        view = await views.floor()
        parts = floor_parts(view, words().at(view.clock.timezone))
        fresh = changed(parts, seen)
        if ("sections", "") in fresh:
            fresh = _redrawn(view, parts, fresh)
        return update(parts, seen, fresh)

    take_updates(app, _NAME, Topic.FLOOR)


def _redrawn(view: FloorView, parts: Parts, fresh: Parts) -> Parts:
    """Machines came or went: draw all sections anew, instead of their parts."""
    machines = {machine.id for machine in view.machines}
    rest = {key: props for key, props in fresh.items() if key[1] not in machines}
    return {**rest, ("sections", ""): {**parts["sections", ""], "children": _sections(view, parts)}}


def floor_parts(view: FloorView, say: Words) -> Parts:
    """Return everything on the page that may change, by part and machine."""
    start, end = view.window
    parts: dict[tuple[str, str], dict[str, Any]] = {
        ("sections", ""): {"data-machines": " ".join(machine.id for machine in view.machines)},
        ("window", ""): {"data-start": epoch_ms(start), "data-end": epoch_ms(end)},
        ("oee", ""): {"children": _figures(view.oee, say, large=True)},
        ("pieces", ""): {"children": _pieces(view, say)},
        ("quarantine", ""): _quarantine(view.quarantined, say),
        ("held-up", ""): _held_up(view.held_up, say),
    }
    counts = Counter(machine.state for machine in view.machines)
    for state in _STATES:
        parts["count", state.value] = _count(state, counts[state], say)
    for machine in view.machines:
        parts["card", machine.id] = {"className": f"card {css_class(machine.state)}"}
        parts["state", machine.id] = {"children": badge(machine.state, say)}
        parts["since", machine.id] = {"children": _since(machine, say)}
        parts["job", machine.id] = {"children": _jobs(machine.jobs, say)}
        parts["figures", machine.id] = {"children": _machine_figures(machine, say)}
        parts["strip", machine.id] = {"children": list(segments(machine.timeline, view.window, say))}
        parts["ends", machine.id] = {"children": [html.Span(say.time(start)), html.Span(say.time(end))]}
    return parts


def _part(parts: Parts, name: str, subject: str = "", kind: Any = html.Div, **props: Any) -> Component:
    """Return the component of one part, as it is now."""
    return kind(id=part_id(name, subject), **{**props, **parts[name, subject]})


def _summary(parts: Parts) -> list[Component]:
    chips = [_part(parts, "count", state.value, html.Span) for state in _STATES]
    return [
        _part(parts, "window", className="window"),
        html.Div(chips, className="chips"),
        html.Div(
            [
                _part(parts, "oee", className="total"),
                _part(parts, "pieces", className="total pieces"),
                _part(parts, "quarantine"),
                _part(parts, "held-up"),
            ],
            className="totals",
        ),
    ]


def _count(state: MachineState, count: int, say: Words) -> dict[str, Any]:
    return {
        "className": f"chip {css_class(state)}" + ("" if count else " none"),
        "children": [icon(css_class(state)), html.Span(say(LABELS[state])), html.B(say.number(count))],
    }


def _pieces(view: FloorView, say: Words) -> list[Component]:
    return [
        html.Span([say("Good pieces"), html.B(say.number(view.good))], className="figure"),
        html.Span([say("Scrap"), html.B(say.number(view.scrap))], className="figure"),
    ]


def _quarantine(count: int, say: Words) -> dict[str, Any]:
    return {
        "className": "total quarantine" + (" some" if count else ""),
        "title": say("Messages and readings that were refused, kept with their reasons"),
        "children": html.Span([say("Quarantined"), html.B(say.number(count))], className="figure"),
    }


def _held_up(plan: str | None, say: Words) -> dict[str, Any]:
    """Return where to read why the newest plan is not in force."""
    if plan is None:
        return {"className": "hidden", "children": ""}
    return {
        "className": "total held-up",
        "title": say("The floor goes on by the plan before it; see what blocks it and what would help"),
        "children": dcc.Link(say("The gate refuses the newest plan"), href=f"/plan?plan={quote(plan)}"),
    }


def _sections(view: FloorView, parts: Parts) -> list[Component]:
    """Return a cell per machine; the first of each work center bears its name."""
    cells, before = [], None
    for machine in view.machines:
        place = (machine.area, machine.work_center)
        caption = [html.B(place[0]), html.Span(place[1])] if place != before else []
        cells.append(html.Section([html.H2(caption), _card(machine, parts)]))
        before = place
    return cells


def _card(machine: MachineView, parts: Parts) -> Component:
    name = dcc.Link(
        [html.B(machine.id), html.Span(machine.name)], href=f"/health?machine={quote(machine.id)}", className="name"
    )
    return _part(
        parts,
        "card",
        machine.id,
        html.Article,
        children=[
            html.Header([name, _part(parts, "state", machine.id)]),
            _part(parts, "since", machine.id, className="since-line"),
            _part(parts, "job", machine.id, className="job"),
            _part(parts, "figures", machine.id, className="figures"),
            _part(parts, "strip", machine.id, className="strip"),
            _part(parts, "ends", machine.id, className="ends"),
        ],
        **{"data-machine": machine.id},
    )


def _since(machine: MachineView, say: Words) -> list[Component]:
    if machine.since is None:
        return [html.Span(machine.reason)]
    return [
        html.Span(say("since {time}", time=say.time(machine.since))),
        html.Span(**{"data-since": epoch_ms(machine.since)}),
        html.Span(machine.reason, className="reason", title=machine.reason),
    ]


def _jobs(jobs: Sequence[RunningJob], say: Words) -> list[Component]:
    if not jobs:
        return [html.Span(say("No job"), className="quiet")]
    first, others = jobs[0], len(jobs) - 1
    done = sum(job.good + job.scrap for job in jobs)
    quantity = sum(job.quantity for job in jobs)
    share = min(done / quantity, 1.0) if quantity else 0.0
    more = [html.Span(say("+{n} in batch", n=others), className="more")] if others else []
    title = "\n".join(f"{job.job_order}: {job.item_name}, {job.operation}" for job in jobs)
    return [
        html.Div([html.B(first.job_order), html.Span(first.item_name), *more], className="what", title=title),
        html.Div(
            [
                html.Div(html.Div(style={"width": f"{share:.1%}"}), className="bar"),
                html.Span(f"{say.number(done)} / {say.number(quantity)}", className="count"),
            ],
            className="progress",
            title=say.percent(share),
        ),
    ]


def _machine_figures(machine: MachineView, say: Words) -> list[Component]:
    counts = html.Span(
        [
            _counted(machine.good, "check", say("Good pieces"), say),
            _counted(machine.scrap, "cross", say("Scrap"), say),
        ],
        className="counts",
    )
    return [*_figures(machine.oee, say), counts]


def _counted(count: int, shape: str, name: str, say: Words) -> Component:
    text = f"{name}: {say.number(count)}"
    return html.Span([icon(shape), html.B(say.number(count))], title=text, className=shape, **{"aria-label": text})


def _figures(oee: OeeView, say: Words, *, large: bool = False) -> list[Component]:
    """OEE with its three factors; in the cards the factors are single letters with their names as tips."""
    factors = [
        (say("Availability"), oee.availability),
        (say("Effectiveness"), oee.effectiveness),
        (say("Quality"), oee.quality_ratio),
    ]
    return [
        html.Span(["OEE", html.B(say.percent(oee.oee))], className="figure oee"),
        *(
            html.Span(
                [name if large else name[0], html.B(say.percent(value))],
                className="figure factor",
                title=f"{name} {say.percent(value, 1)}",
            )
            for name, value in factors
        ),
    ]


def segments(timeline: Iterable[StateInterval], window: Window, say: Words) -> Iterable[Component]:
    """Yield a bar per state interval, placed by its share of the window; one that goes on ends at the plant's now."""
    start, end = window
    length = (end - start).total_seconds()
    for interval in timeline:
        left = max((interval.started_at - start).total_seconds() / length, 0.0)
        style: dict[str, Any] = {"left": f"{left:.2%}"}
        until = "…"
        if interval.ended_at is None:
            style["right"] = "calc(100% - var(--plant-now, 100%))"
        else:
            right = min((interval.ended_at - start).total_seconds() / length, 1.0)
            if right <= left:
                continue
            style["width"] = f"{right - left:.2%}"
            until = say.time(interval.ended_at)
        tip = f"{say(LABELS[interval.state])} {say.time(interval.started_at)}–{until}"
        detail = " · ".join(text for text in (interval.job_order, interval.reason) if text)
        yield html.Div(className=css_class(interval.state), style=style, title=f"{tip}\n{detail}" if detail else tip)
