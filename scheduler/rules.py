"""The portfolio of dispatching rules: what each looks at first."""

from __future__ import annotations

from dataclasses import dataclass

from plant.plan import Plan
from plant.tuning import RuleKind, Tuning
from plant.work import Work
from scheduler.candidate import Dispatcher
from scheduler.decode import as_plan
from scheduler.dispatch import ATC, EDD, FIFO, MOST_WORK, RATIO, SLACK, WSPT, Index
from scheduler.prefix import opening
from scheduler.problem import Problem


@dataclass(frozen=True)
class Rule:
    """A dispatching rule: its name and its index."""

    name: str
    index: Index


RULES: tuple[Rule, ...] = (
    Rule("ATC", Index(ATC, 3.0, 0.0, 0.25)),
    Rule("ATC, far-sighted", Index(ATC, 10.0, 0.0, 0.5)),
    Rule("ATC with setups", Index(ATC, 3.0, 1.0, 0.25)),
    Rule("ATC with setups, far-sighted", Index(ATC, 10.0, 0.5, 0.5)),
    Rule("EDD", Index(EDD, 1.0, 0.0, 0.25)),
    Rule("least slack", Index(SLACK, 1.0, 0.0, 0.25)),
    Rule("least slack, no waiting", Index(SLACK, 1.0, 0.0, 0.0)),
    Rule("critical ratio", Index(RATIO, 1.0, 0.0, 0.25)),
    Rule("most work remaining", Index(MOST_WORK, 1.0, 0.0, 0.25)),
    Rule("WSPT", Index(WSPT, 1.0, 0.0, 0.25)),
    Rule("FIFO", Index(FIFO, 1.0, 0.0, 0.0)),
)
"""The rules by name, in the order they are tried."""

GRID: tuple[Rule, ...] = tuple(
    Rule("ATC with setups, tuned", Index(ATC, look_ahead, care, 0.25))
    for look_ahead in (0.5, 1.0, 2.0, 4.0, 7.0, 15.0, 40.0)
    for care in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 0.0)
)
"""ATC over look-ahead and setup care, which is what it depends on most."""


LEARNED = "learned rule"
"""Name of the rule that the plant's history taught."""

_KINDS = {
    RuleKind.ATC: ATC,
    RuleKind.EDD: EDD,
    RuleKind.SLACK: SLACK,
    RuleKind.MOST_WORK: MOST_WORK,
    RuleKind.WSPT: WSPT,
    RuleKind.RATIO: RATIO,
    RuleKind.FIFO: FIFO,
}


def portfolio(tuning: Tuning) -> tuple[Rule, ...]:
    """Return the rules in the order they are tried: what was learned first, for there may be time for few."""
    rule = tuning.rule
    if rule is None:
        return (*RULES, *GRID)
    index = Index(_KINDS[rule.kind], rule.look_ahead, rule.setup_care, rule.batch_wait)
    return (Rule(LEARNED, index), *RULES, *GRID)


def dispatched(work: Work, rule: Rule) -> Plan:
    """Return the plan that a rule makes.

    Raises
    ------
    InvalidInput
        If no plan can be made of the work.
    """
    problem = Problem(work)
    found = Dispatcher(problem, opening(problem, None)).plan(rule.index)
    assert found is not None  # what runs waits for nothing
    return as_plan(problem, found.sequence, found.steps)
