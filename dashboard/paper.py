"""What all reports share: one HTML file that needs nothing else, to read, print, send around and keep."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

_CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"]}

_STYLE = """
:root { --ink: #1d2730; --quiet: #5b6872; --line: #d9dfe4; --ground: #f4f6f8; --ok: #3f8f5f; --bad: #c8402f; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, "Segoe UI", "Noto Sans",
  "Noto Sans CJK SC", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1500px; margin: 0 auto; padding: 20px 24px 40px; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 17px; margin: 0 0 6px; } p { margin: 4px 0; }
.quiet { color: var(--quiet); }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 14px 18px; margin-top: 16px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; margin-top: 16px; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 18px; font-weight: 600; line-height: 1.25; margin: 2px 0; }
.card small { color: var(--quiet); }
.card.ok { border-left: 5px solid var(--ok); } .card.bad { border-left: 5px solid var(--bad); }
li { margin: 4px 0; } ul { margin: 6px 0; padding-left: 20px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 10px 4px 0; white-space: nowrap; }
th { color: var(--quiet); font-weight: 500; border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; }
tr + tr td { border-top: 1px solid #eef1f3; } td.item { white-space: normal; min-width: 9em; }
i.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 7px; }
.scroll { overflow-x: auto; }
summary { cursor: pointer; color: var(--quiet); padding: 8px 0 4px; }
@media print {
  body { background: #fff; } section, .card { break-inside: avoid; } .modebar { display: none !important; }
}
"""


def page(title: str, parts: Iterable[str], language: str = "en") -> str:
    """Return a whole page, with its style and the script that draws its figures."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def section(title: str, content: str, explanation: str = "") -> str:
    """Return a section; `content` and `explanation` are HTML."""
    told = f"<p class=quiet>{explanation}</p>" if explanation else ""
    return f"<section><h2>{title}</h2>{told}{content}</section>"


def figure_html(figure: go.Figure, *, scroll_zoom: bool = True) -> str:
    """Return a figure as HTML for a page."""
    config = {**_CONFIG, "scrollZoom": scroll_zoom}
    html: str = figure.to_html(full_html=False, include_plotlyjs=False, config=config)
    return html
