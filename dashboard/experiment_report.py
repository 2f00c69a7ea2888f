"""What an experiment found as one HTML file, in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from dashboard.figures.experiment import (
    BETTER,
    NAMES,
    SAME,
    UNITS,
    WORSE,
    colour_of,
    differences,
    half_widths,
    label,
    scale,
    spread,
)
from dashboard.paper import figure_html, page, section
from dashboard.words import Words
from plant.plant import Plant
from scenarios.experiment import Ended, Outcome
from scenarios.intervals import Interval
from scenarios.measures import MEASURES, Measure, measure_named
from scenarios.scenario import Scenario
from scenarios.steady import Steady


def experiment_report(
    plant: Plant, outcome: Outcome, scenarios: Mapping[str, Scenario], say: Words, steady: Steady | None = None
) -> str:
    """Return the report: who is better and by how much, how sure that is, and why each scenario exists.

    Parameters
    ----------
    scenarios
        By the names of the outcome, the base excepted.
    steady
        Which orders count, where the question was of the steady state.
    """
    titles = {outcome.base: say("As it is")} | {
        name: scenario.title_in(say.language) for name, scenario in scenarios.items()
    }
    title = say("What if: {plant}", plant=plant.name)
    parts = [_heading(title, outcome, steady, say), _cards(outcome, titles, say)]
    parts.append(section(say("All measures"), _table(outcome, titles, say), _how_sure(outcome, say)))
    if outcome.scenarios:
        told = say(
            "Bars are mean differences, whiskers their intervals; what is grey cannot be told from no difference."
        )
        figure = figure_html(differences(outcome, titles, say), scroll_zoom=False)
        parts.append(section(say("Difference from the base"), figure, told))
    told = say("Half of the futures lie in the box; the line in it is the median, the dashed one the mean.")
    parts.append(
        section(say("From future to future"), figure_html(spread(outcome, titles, say), scroll_zoom=False), told)
    )
    if outcome.scenarios:
        figure = figure_html(half_widths(outcome, titles, say), scroll_zoom=False)
        told = say("The more futures, the narrower the intervals; the dashed line is what was asked for.")
        parts.append(section(say("How it became known"), figure, told))
        parts.append(section(say("The scenarios"), _scenarios(scenarios, titles, say.language)))
    return page(title, parts, say.language)


def _heading(title: str, outcome: Outcome, steady: Steady | None, say: Words) -> str:
    question = outcome.question
    ended = {
        Ended.ANSWERED: say("the question is answered"),
        Ended.EXHAUSTED: say("all futures that were allowed are used up"),
        Ended.STOPPED: say("stopped by hand: this is what was there"),
    }[outcome.ended]
    told = [
        say("{n} futures each (seed {seed})", n=say.number(outcome.replications), seed=question.seed),
        say("the same luck for all"),
        ended,
    ]
    if steady is not None:
        told.append(
            say("steady state: {n} orders count, {deleted} before them are the warm-up (MSER-5)",
                n=len(steady.counted), deleted=steady.deleted)
        )  # fmt: skip
        if not steady.settled:
            told.append(say("no steady state within this time"))
    return f"<h1>{escape(title)}</h1><p class=quiet>{escape(' · '.join(told))}</p>"


def _cards(outcome: Outcome, titles: Mapping[str, str], say: Words) -> str:
    measure = measure_named(outcome.question.measure)
    cards = [
        ("", titles[outcome.base], value(outcome.mean(outcome.base, measure), measure, say), say(NAMES[measure.id]))
    ]
    selection = outcome.selection
    if selection is not None:
        best = say("not decided") if selection.best is None else titles[selection.best]
        unit = UNITS[measure.unit]
        told = say(
            "with {share} probability, if better by {delta} at least",
            share=say.percent(selection.probability),
            delta=f"{selection.indifference * scale(measure):g} {unit if unit == '%' else say(unit)}",
        )
        cards.append(("" if selection.best is None else "ok", say("Best"), best, told))
    for name in outcome.scenarios:
        found = outcome.difference(name, measure)
        kind = {BETTER: "ok", WORSE: "bad", SAME: ""}[colour_of(found, measure)]
        cards.append((kind, titles[name], value(found, measure, say, signed=True), say(NAMES[measure.id])))
    return "<div class=cards>" + "".join(
        f'<div class="card {kind}"><small>{escape(name)}</small><b>{escape(shown)}</b>'
        f"<small>{escape(more)}</small></div>"
        for kind, name, shown, more in cards
    ) + "</div>"  # fmt: skip


def value(found: Interval, measure: Measure, say: Words, *, signed: bool = False) -> str:
    """Return a mean with its half-width and unit, with as many digits as the half-width is worth."""
    unit = UNITS[measure.unit]
    return f"{_number(found, measure, say, signed=signed)} {unit if unit == '%' else say(unit)}"


def _number(found: Interval, measure: Measure, say: Words, *, signed: bool = False) -> str:
    mean, half = found.mean * scale(measure), found.half_width * scale(measure)
    digits = 2 if half < 0.1 else 1 if half < 10 else 0
    sign = "+" if signed and mean > 0 else ""
    return f"{sign}{say.number(mean, digits)} ± {say.number(half, digits)}"


def _how_sure(outcome: Outcome, say: Words) -> str:
    told = say(
        "Base: means; others: paired differences. A measure's intervals hold together with {share} confidence.",
        share=say.percent(outcome.question.confidence, 1),
    )
    return escape(told)


def _table(outcome: Outcome, titles: Mapping[str, str], say: Words) -> str:
    head = "".join(f"<th class=n>{escape(label(measure, say))}</th>" for measure in MEASURES)
    rows = []
    for name in outcome.names:
        cells = []
        for measure in MEASURES:
            if name == outcome.base:
                cells.append(f"<td class=n>{escape(_number(outcome.mean(name, measure), measure, say))}</td>")
            else:
                found = outcome.difference(name, measure)
                shown = escape(_number(found, measure, say, signed=True))
                cells.append(f'<td class=n style="color:{colour_of(found, measure)}">{shown}</td>')
        rows.append(f"<tr><td>{escape(titles[name])}</td>{''.join(cells)}</tr>")
    scenario = say("Scenario")
    header = f"<tr><th>{escape(scenario)}</th>{head}</tr>"
    return f"<div class=scroll><table><thead>{header}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _scenarios(scenarios: Mapping[str, Scenario], titles: Mapping[str, str], language: str) -> str:
    told = []
    for name, scenario in scenarios.items():
        changes = "".join(f"<li>{escape(change.told())}</li>" for change in scenario.changes)
        told.append(
            f"<details><summary>{escape(titles[name])} <code>{escape(name)}</code></summary><ul>{changes}</ul>"
            f"{_paragraphs(scenario.readme_in(language))}</details>"
        )
    return "".join(told)


def _paragraphs(readme: str) -> str:
    """Return a README's text as HTML: headings, paragraphs and lists, which is all that ours use."""
    found = []
    for block in re.split(r"\n{2,}", readme.strip()):
        if block.startswith("# "):
            continue
        if block.startswith("## "):
            found.append(f"<p><strong>{_inline(block[3:])}</strong></p>")
        elif block.startswith("- "):
            items = re.split(r"\n- ", block[2:])
            found.append(f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>")
        else:
            found.append(f"<p>{_inline(block)}</p>")
    return "".join(found)


def _inline(text: str) -> str:
    html = escape(" ".join(text.split()))
    html = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", html)
