"""Dispatching rules: which of the lots that wait for a machine it takes next.

A rule is one file in `twin/rules/` that defines one subclass of `DispatchingRule`; it is found by its `name`.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from plant.errors import InvalidInput
from plant.plan import Plan
from twin import rules


class Waiting(Protocol):
    """A lot that waits, as rules see it."""

    @property
    def arrived_s(self) -> float:
        """When it came into the queue."""
        ...

    @property
    def due_s(self) -> float:
        """Its order's due date; inf without one."""
        ...

    @property
    def weight(self) -> float:
        """Weight of its order's lateness."""
        ...

    @property
    def remaining_s(self) -> float:
        """Planned work from this operation to the end of its routing, at speed 1."""
        ...

    @property
    def family(self) -> str:
        """Setup family of the operation it waits for."""
        ...


class Asking(Protocol):
    """A free machine, as rules see it."""

    @property
    def mean_work_s(self) -> float:
        """Mean planned processing time of all operations it can take."""
        ...

    def planned_s(self, lot: Waiting) -> float:
        """Return the planned processing time of a lot on this machine."""
        ...

    def setup_s(self, family: str) -> float:
        """Return the changeover from what it is set up for to `family`."""
        ...


class DispatchingRule(ABC):
    """Orders the lots that wait for a machine; of two that are alike the one that came first goes first.

    Attributes
    ----------
    name
        What plants and scenarios call it.
    is_static
        Whether a lot's key stays what it was on arrival, whatever the moment and the machine.
    weighs_priority
        Whether the key heeds the order's priority itself; otherwise lots of high priority go before all others.
    """

    name: ClassVar[str]
    is_static: ClassVar[bool] = False
    weighs_priority: ClassVar[bool] = False

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan

    @abstractmethod
    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        """Return what lots are sorted by: the smallest goes first."""

    def sequence(self, machine: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the steps (job orders, those of a batch together) a machine must take in turn; None leaves it open."""
        return None


def known_rules() -> dict[str, type[DispatchingRule]]:
    """Return every rule in `twin/rules/` by its name.

    Raises
    ------
    InvalidInput
        If a file there defines no rule or more than one, or two rules have one name.
    """
    found: dict[str, type[DispatchingRule]] = {}
    for module in sorted(pkgutil.iter_modules(rules.__path__), key=lambda one: one.name):
        loaded = importlib.import_module(f"{rules.__name__}.{module.name}")
        classes = [
            thing
            for thing in vars(loaded).values()
            if isinstance(thing, type) and issubclass(thing, DispatchingRule) and thing.__module__ == loaded.__name__
        ]
        if len(classes) != 1:
            raise InvalidInput(f"twin/rules/{module.name}.py must define one dispatching rule, not {len(classes)}")
        if (rule := classes[0]).name in found:
            raise InvalidInput(f"twin/rules/{module.name}.py: there is another rule called {rule.name!r}")
        found[rule.name] = rule
    return found


def rule_named(name: str, plan: Plan | None = None) -> DispatchingRule:
    """Return the rule called `name`.

    Raises
    ------
    InvalidInput
        If there is none, or it needs a plan and has none.
    """
    found = known_rules()
    if name not in found:
        raise InvalidInput(f"unknown dispatching rule {name!r}; known are {', '.join(sorted(found))}")
    return found[name](plan)


def slack_s(lot: Waiting, now_s: float) -> float:
    """Return the time left to the due date beyond the planned work; negative when it is late, inf without one."""
    return lot.due_s - now_s - lot.remaining_s
