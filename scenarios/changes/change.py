"""What every change is: named, read from a table, told in words, and applied to a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Protocol

from plant.errors import NotFound
from plant.folder_table import Table, unknown
from scenarios.case import Case


class Change(Protocol):
    """One thing that is different. Frozen, and it never alters the case it is given."""

    KIND: ClassVar[str]
    """What scenario.toml calls it."""

    @classmethod
    def read(cls, table: Table) -> Any:
        """Return the change a table describes, None after noting what is wrong with it."""
        ...

    def apply(self, case: Case) -> Case:
        """Return the changed case.

        Raises
        ------
        NotFound
            If it names something the case does not have; the message lists what there is.
        InvalidInput
            If it does not fit, or would change nothing.
        """
        ...

    def told(self) -> str:
        """Return it as one short English sentence without a full stop."""
        ...


def all_or_known(kind: str, named: Collection[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return the ids that are named, all of them where none is; raise `NotFound` for one that does not exist."""
    there = tuple(known)
    for name in named:
        if name not in there:
            raise NotFound(unknown(kind, name, there))
    return tuple(named) or there


def optional_texts(table: Table, name: str) -> tuple[str, ...]:
    """Read a list of texts that may be left out."""
    return table.texts(name) if table.has(name) else ()


def listed(names: Collection[str], otherwise: str) -> str:
    """Return names with commas, or `otherwise` where there are none."""
    return ", ".join(names) or otherwise
