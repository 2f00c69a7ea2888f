"""What found a plan and how sure it is of it, in words: the same on the page and on paper."""

from __future__ import annotations

from dashboard.words import Words, mark

METHODS = {
    "learned rule": mark("learned rule"),
    "ATC, far-sighted": mark("ATC, far-sighted"),
    "ATC with setups": mark("ATC with setups"),
    "ATC with setups, far-sighted": mark("ATC with setups, far-sighted"),
    "least slack": mark("least slack"),
    "least slack, no waiting": mark("least slack, no waiting"),
    "most work remaining": mark("most work remaining"),
    "critical ratio": mark("critical ratio"),
    "ATC with setups, tuned": mark("ATC with setups, tuned"),
    "local search": mark("local search"),
    "job shop search": mark("job shop search"),
    "repair": mark("repair"),
    "none": mark("none"),
}
"""What the scheduler calls its ways; abbreviations such as EDD are the same everywhere."""

STATUSES = {"optimal": mark("optimal"), "feasible": mark("feasible"), "stopped early": mark("stopped early")}
"""What it says of a plan, alone or one after the other."""


def method_of(method: str, say: Words) -> str:
    """Name the dispatching rule or solver and what came after it."""
    return " + ".join(say(METHODS.get(part, part)) for part in method.split(" + "))


def status_of(status: str, say: Words) -> str:
    """Say how sure it is that nothing is better, and whether somebody ended the search."""
    return say.listed([say(STATUSES.get(part, part)) for part in status.split(", ")])
