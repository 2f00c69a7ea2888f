"""How every figure looks. Text and lines are coloured by `assets/figures.css`: light and dark need no redraw."""

from __future__ import annotations

from datetime import datetime
from html import escape as _escape
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale

from dashboard.words import Words

GRID = "rgba(128,140,152,0.22)"


def layout(*, key: str, height: int, **more: Any) -> dict[str, Any]:
    """Return a layout on transparent ground; zoom and hidden traces last as long as `key` stays the same."""
    return {
        "template": None,
        "height": height,
        "uirevision": key,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12},
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "hoverlabel": {"font": {"family": "inherit", "size": 12}, "align": "left"},
        "showlegend": False,
        **more,
    }


def time_axis(say: Words) -> dict[str, Any]:
    """Return what every axis of plant time has in common: the time above, the day below where it changes."""
    day = "%-m月%-d日 %a" if say.language == "zh" else "%a %-d %b"
    return {"gridcolor": GRID, "zeroline": False, "tickformat": f"%H:%M\n{day}", "hoverformat": f"{day} %H:%M"}


def config(say: Words) -> dict[str, Any]:
    """Return dcc.Graph's `config`: our locale, no logo, nothing that leaves for another site."""
    return {
        "displaylogo": False,
        "responsive": True,
        "locale": "forerun",
        "locales": {"forerun": {"dictionary": _dictionary(say), "format": _format(say.locale)}},
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "toImage"],
        "showTips": False,
        "plotlyServerURL": "",
        "showSendToCloud": False,
    }


def _dictionary(say: Words) -> dict[str, str]:
    return {
        "Zoom": say("Zoom"),
        "Pan": say("Pan"),
        "Zoom in": say("Zoom in"),
        "Zoom out": say("Zoom out"),
        "Reset axes": say("Show all"),
        "Double-click to zoom back out": say("Double-click to show all"),
    }


def _format(locale: Locale) -> dict[str, Any]:
    """Return plotly's names of days and months, out of Babel's."""

    def names(kind: Any, width: str, keys: range) -> list[str]:
        return [str(kind["stand-alone"][width][key]) for key in keys]

    sunday_first = [6, 0, 1, 2, 3, 4, 5]
    days, months = locale.days, locale.months
    return {
        "days": [str(days["stand-alone"]["wide"][day]) for day in sunday_first],
        "shortDays": [str(days["stand-alone"]["abbreviated"][day]) for day in sunday_first],
        "months": names(months, "wide", range(1, 13)),
        "shortMonths": names(months, "abbreviated", range(1, 13)),
        "date": "%Y-%m-%d",
    }


def naive(moment: datetime, timezone: str) -> datetime:
    """Return plant-local time without its zone: plotly draws what it is given."""
    return moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


def local(moment: datetime, timezone: str) -> str:
    """Return plant-local time without its zone as text, to the second."""
    return naive(moment, timezone).isoformat(timespec="seconds")


def escape(text: str) -> str:
    """Take away what plotly would read as markup: names come from people. (It leaves ``&quot;`` as it stands.)"""
    return _escape(text, quote=False)
