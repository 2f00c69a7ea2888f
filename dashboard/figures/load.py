"""A plan's load profile: per machine and skill a row of columns, planned work in front of capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.look import escape, layout
from dashboard.words import Words
from methods.load import Load, LoadProfile
from plant.calendar import Window

_ROW_PX = 38
_TALLEST = 0.84
"""Share of its row that its period with the most capacity takes."""
_FULL = 0.9
"""From this share of its capacity on, a period counts as full."""
_CAPACITY, _WORK, _FULL_WORK, _SETUP = "rgba(124,134,146,0.22)", "#5d8fc9", "#e0a12b", "rgba(84,94,104,0.9)"


def load_figure(profile: LoadProfile, names: Mapping[str, str], say: Words, *, key: str = "load") -> go.Figure:
    """Draw a load profile: a row a machine, then a row a skill, each scaled to its own largest capacity.

    Periods in which nobody works are left out.

    Parameters
    ----------
    names
        Names of machines, by id.
    key
        As long as it stays the same, so do zoom and hidden traces.
    """
    rows = [*profile.machines, *profile.skills]
    figure = go.Figure(layout=layout(key=key, height=_ROW_PX * max(len(rows), 1) + 70))
    full = say("Processing, {share} of the capacity or more taken", share=say.percent(_FULL))
    open_ = [place for place in range(len(profile.periods)) if any(_counts(row, place) for row in rows)]
    columns = [
        _Column(row, place, at, profile.periods[place], say) for row in _scaled(rows) for at, place in enumerate(open_)
    ]
    _add(figure, [one.bar(0.0, one.capacity_s) for one in columns], say("Capacity"), _CAPACITY)
    _add(figure, [one.bar(0.0, one.work_s) for one in columns if not one.is_full], say("Processing"), _WORK)
    _add(figure, [one.bar(0.0, one.work_s) for one in columns if one.is_full], full, _FULL_WORK)
    _add(figure, [one.bar(one.work_s, one.setup_s) for one in columns], say("Setup"), _SETUP)
    _dress(figure, rows, names, say)
    days = [say.day(profile.periods[place][0]) for place in open_]
    figure.update_xaxes(tickvals=list(range(len(days))), ticktext=[escape(day) for day in days])
    return figure


def _counts(load: Load, place: int) -> bool:
    return load.capacity_s[place] + load.work_s[place] + load.setup_s[place] > 0


def _scaled(rows: Sequence[Load]) -> list[tuple[int, Load, float]]:
    """Return every load with its row and what of the row a second takes."""
    found = []
    for number, load in enumerate(rows):
        taken_s = (work + setup for work, setup in zip(load.work_s, load.setup_s, strict=True))
        found.append((number, load, _TALLEST / max([*load.capacity_s, *taken_s, 1.0])))
    return found


class _Column:
    """What is planned of one machine or skill in one period; it is drawn `at` so many columns from the left."""

    def __init__(self, row: tuple[int, Load, float], place: int, at: int, period: Window, say: Words) -> None:
        self._row, self._load, self._scale = row
        self._at = at
        self._period, self._say = period, say
        load = self._load
        self.work_s, self.setup_s, self.capacity_s = load.work_s[place], load.setup_s[place], load.capacity_s[place]

    @property
    def is_full(self) -> bool:
        return self.work_s + self.setup_s >= _FULL * self.capacity_s

    def bar(self, below_s: float, height_s: float) -> dict[str, Any]:
        """Return a bar that stands on so many seconds."""
        return {
            "x": self._at,
            "base": -self._row + below_s * self._scale,
            "y": height_s * self._scale,
            "hovertext": self._tip(),
        }

    def _tip(self) -> str:
        say, taken_s = self._say, self.work_s + self.setup_s
        told = say("{taken} of {capacity}", taken=say.duration(taken_s), capacity=say.duration(self.capacity_s))
        share = f" ({say.percent(taken_s / self.capacity_s)})" if self.capacity_s > 0 else ""
        of_it = say("of it {setup} of setup", setup=say.duration(self.setup_s))
        lines = [f"<b>{escape(self._load.resource)}</b>", say.day(self._period[0]), told + share, of_it]
        return "<br>".join(lines)


def _add(figure: go.Figure, bars: Sequence[Mapping[str, Any]], name: str, colour: str) -> None:
    columns = {field: [bar[field] for bar in bars] for field in ("x", "base", "y", "hovertext")}
    figure.add_bar(
        **columns, width=0.9, name=escape(name), hoverinfo="text", marker={"color": colour, "line": {"width": 0}}
    )


def _dress(figure: go.Figure, rows: Sequence[Load], names: Mapping[str, str], say: Words) -> None:
    skill = say("skill")
    ticks = [
        f"<b>{escape(one.resource)}</b><span>  {escape(names.get(one.resource, skill))}</span>"
        f"  {say.percent(one.share)}"
        for one in rows
    ]
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        dragmode="pan",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 12, "t": 34, "b": 24},
    )
    figure.update_yaxes(
        tickvals=[_TALLEST / 2 - row for row in range(len(rows))],
        ticktext=ticks,
        range=[0.95 - max(len(rows), 1), 0.95],
        automargin=True,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        ticks="",
    )
    figure.update_xaxes(showgrid=False, zeroline=False, ticks="")
