"""Dispatching rules: each orders two lots as its name says, and a new one is one file."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.floors import floor, item, machine, operation
from plant.errors import InvalidInput
from twin import rules
from twin.dispatching import Waiting, known_rules, rule_named
from twin.draws import Draws
from twin.open_floor import simulate_floor


@dataclass
class Lot:
    arrived_s: float = 0.0
    due_s: float = 1000.0
    weight: float = 1.0
    remaining_s: float = 100.0
    family: str = "a"
    here_s: float = 50.0


@dataclass
class Machine:
    mean_work_s: float = 50.0

    def planned_s(self, lot: Waiting) -> float:
        assert isinstance(lot, Lot)
        return lot.here_s

    def setup_s(self, family: str) -> float:
        return {"a": 0.0, "b": 30.0}[family]


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    [
        ("FIFO", Lot(arrived_s=1), Lot(arrived_s=2)),
        ("EDD", Lot(due_s=900), Lot(due_s=1000)),
        ("EDD", Lot(due_s=900), Lot(due_s=math.inf)),
        ("SPT", Lot(here_s=20), Lot(here_s=30)),
        ("critical ratio", Lot(due_s=300, remaining_s=200), Lot(due_s=200, remaining_s=100)),
        ("critical ratio", Lot(due_s=300), Lot(due_s=math.inf)),
        ("least setup", Lot(family="a"), Lot(family="b")),
        ("ATC", Lot(here_s=20, due_s=50), Lot(here_s=30, due_s=50)),  # both late: the shortest
        ("ATC", Lot(weight=3, due_s=50), Lot(weight=1, due_s=50)),
        ("ATC", Lot(due_s=500), Lot(due_s=math.inf)),
        ("ATC", Lot(here_s=30, due_s=110), Lot(here_s=20, due_s=5000)),  # slack counts more than length
    ],
)
def test_each_rule_prefers_what_its_name_says(rule: str, first: Lot, second: Lot) -> None:
    key = rule_named(rule).key
    assert key(first, Machine(), 10.0) < key(second, Machine(), 10.0)


def test_every_rule_of_the_folder_is_known() -> None:
    assert {"FIFO", "EDD", "SPT", "critical ratio", "ATC", "follow the plan", "least setup"} <= set(known_rules())


NEWEST_FIRST = """
from typing import ClassVar
from twin.dispatching import Asking, DispatchingRule, Waiting


class NewestFirst(DispatchingRule):
    name: ClassVar[str] = "newest first"

    def key(self, lot: Waiting, machine: Asking, now_s: float) -> float:
        return -lot.arrived_s
"""


@pytest.fixture
def rules_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files count as rules, as if they lay in twin/rules/."""
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"twin.rules.{file.stem}", None)


def test_a_new_rule_is_one_file(rules_folder: Path) -> None:
    (rules_folder / "newest_first.py").write_text(NEWEST_FIRST)
    orders = [f"O{n},C,A,1,2026-01-05T00:0{n},2026-01-20T00:00,normal" for n in range(4)]
    model = floor([machine("M")], [item("A", operation("M", 600.0, None))], orders=orders)
    happened = simulate_floor(model, Draws(1, 1), 0, rule="newest first")
    assert happened.operations["order"].tolist() == [0, 3, 2, 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must define one dispatching rule, not 0"),
        (NEWEST_FIRST.replace("newest first", "FIFO"), "there is another rule called 'FIFO'"),
    ],
)
def test_a_file_that_is_no_rule_is_named(rules_folder: Path, text: str, told: str) -> None:
    (rules_folder / "wrong.py").write_text(text)
    with pytest.raises(InvalidInput, match=rf"twin/rules/wrong.py.*{told}"):
        known_rules()
