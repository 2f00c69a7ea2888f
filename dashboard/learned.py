"""What was learned of how to look for plans, in words: the same on the page and in a terminal."""

from __future__ import annotations

from dataclasses import asdict

from dashboard.words import Words, mark
from plant.learned import Learned, Paired
from plant.tuning import DEFAULT, RuleTuning, Tuning

_MOVES = {
    "critical": mark("Moves made behind a late order"),
    "split": mark("Moves that take a batch apart"),
    "join": mark("Moves that join a batch"),
    "earlier": mark("Moves before the neighbours"),
    "ahead": mark("Moves of what stands ahead"),
    "gather": mark("Moves next to the family"),
    "elsewhere": mark("Moves to another machine"),
    "run": mark("Moves of a whole run of one family"),
    "later": mark("Moves behind the neighbours"),
}


def compared(found: Learned, say: Words) -> str:
    """Say in a sentence or two whether what was learned is better than the unlearned, and by how much."""
    against = found.unlearned
    if against is None:
        return say(
            "Nothing did better than the unlearned among {n} candidates: planning stays as it is.",
            n=say.number(found.candidates),
        )
    figures = difference(against, say)
    if found.is_better:
        return say("Learned is better than unlearned: {figures}.", figures=figures)
    if against.is_better and found.used is not None:
        return say(
            "Better than the unlearned, but not known to be better than what is in use: {figures}. Nothing changes.",
            figures=difference(found.used, say),
        )
    return say("Not known to be better than the unlearned: {figures}. Planning stays as it is.", figures=figures)


def difference(against: Paired, say: Words) -> str:
    """Return the mean difference of weighted tardiness with its interval, and on how many cases."""
    return say(
        "weighted delay {difference} ({low} to {high}, {confidence}), {learned} instead of {other}, on {cases} cases",
        difference=_hours(against.difference_s, say),
        low=_hours(against.low_s, say),
        high=_hours(against.high_s, say),
        confidence=say.percent(against.confidence),
        cases=say.number(against.cases),
        learned=_hours(against.learned_s, say),
        other=_hours(against.other_s, say),
    )


def _hours(seconds: float, say: Words) -> str:
    return say("{n} h", n=say.number(seconds / 3600, 1))


def differences(tuning: Tuning, say: Words) -> list[tuple[str, str, str]]:
    """Return what a tuning does otherwise than the unlearned: name, unlearned, learned."""
    rule = [] if tuning.rule is None else [(say("Rule tried first"), "–", rule_of(tuning.rule, say))]
    mine, usual = asdict(tuning.shares), asdict(DEFAULT.shares)
    shares = [(say(told), say.percent(usual[name]), say.percent(mine[name])) for name, told in _MOVES.items()]
    return rule + [(name, before, after) for name, before, after in shares if before != after]


def rule_of(rule: RuleTuning, say: Words) -> str:
    """Return a rule by its name and what it depends on."""
    return say(
        "{kind}, look-ahead {look_ahead}, care for setups {care}, batches wait {wait}",
        kind=say(rule.kind.value),
        look_ahead=f"{rule.look_ahead:g}",
        care=f"{rule.setup_care:g}",
        wait=say.percent(rule.batch_wait),
    )
