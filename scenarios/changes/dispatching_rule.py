"""The floor decides by another rule what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plant.checks import require
from plant.folder_table import Table
from scenarios.case import Case
from twin.dispatching import rule_named


@dataclass(frozen=True)
class DispatchingRule:
    """`rule` decides, on every machine, which waiting lot it takes."""

    KIND: ClassVar[str] = "dispatching_rule"

    rule: str

    @classmethod
    def read(cls, table: Table) -> DispatchingRule | None:
        """See `Change`."""
        rule = table.text("rule")
        return table.make(lambda: cls(rule))

    def apply(self, case: Case) -> Case:
        """See `Change`; refused where it is the rule already."""
        rule_named(self.rule)
        require((self.rule,) != case.rules, f"{self.rule!r} is the rule of the base already; name another")
        return replace(case, rule=self.rule)

    def told(self) -> str:
        """See `Change`."""
        return f"the dispatching rule is {self.rule}"
