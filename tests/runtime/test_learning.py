"""`forerun learn` end to end: a folder in, what came of it said, and a file only where it is better."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from operations.learner import LearningSettings
from operations.rehearsal import Rehearsal
from plant.errors import Cancelled, InvalidInput
from plant.learned import Learned, Paired
from plant.text import Text
from plant.tuning import MoveShares, RuleTuning, Tuning
from plant.tuning_file import tuning_text
from plant.work import Work
from runtime import learning, offline
from runtime.learning import learn_offline, read_tuning
from runtime.offline import plan_offline
from scheduler.solve import SolverSettings
from tests.plant.shops import MONDAY

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"
LITTLE = LearningSettings(candidates=2, first_cases=1, cases=10, effort=0.001, replications=10)
TUNING = Tuning(RuleTuning(look_ahead=30.0), replace(MoveShares(), gather=0.25, elsewhere=0.15))
FOUND = Learned("pv", TUNING, Paired(1.0, 9.0, 2.0, 0.95, 10, 9, 0), None, None, MONDAY, MONDAY, 44, 2, 1)


def console() -> tuple[Console, io.StringIO]:
    said = io.StringIO()
    return Console(file=said, width=200), said


def test_the_machine_shop_is_learned_from_and_told_of(tmp_path: Path) -> None:
    shown, said = console()
    found = learn_offline(SHOP, tmp_path / "tuning.toml", LITTLE, shown)
    assert found.orders == 44
    assert (tmp_path / "tuning.toml").exists() == found.is_better
    assert ("Written" in said.getvalue()) == found.is_better
    assert "unlearned" in said.getvalue()


@pytest.mark.parametrize("better", [True, False])
def test_only_what_is_better_is_written(better: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = FOUND if better else replace(FOUND, unlearned=Paired(1.0, 2.0, 2.0, 0.95, 10, 5, 5))
    monkeypatch.setattr(learning, "learn", lambda *_: found)
    shown, said = console()
    learn_offline(SHOP, tmp_path / "tuning.toml", LITTLE, shown)
    assert (tmp_path / "tuning.toml").exists() == better
    if better:
        assert read_tuning(tmp_path / "tuning.toml") == TUNING
        assert "Rule tried first" in said.getvalue()


def test_cancelling_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_: object) -> Text:
        raise Cancelled("cancelled: nothing was learned")

    monkeypatch.setattr(learning, "learn", cancelled)
    with pytest.raises(Cancelled):
        learn_offline(SHOP, tmp_path / "tuning.toml", LITTLE, console()[0])
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_made_as_it_was_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tuning.toml"
    file.write_text(tuning_text(TUNING), encoding="utf-8")
    asked: list[Tuning] = []

    def rehearse(work: Work, solver: SolverSettings, *_: object, **__: object) -> Rehearsal:
        asked.append(solver.tuning)
        raise Cancelled("seen")

    monkeypatch.setattr(offline, "rehearse", rehearse)
    with pytest.raises(Cancelled):
        plan_offline(SHOP, tmp_path / "out", 1.0, 20, console=console()[0], tuning_file=file)
    assert asked == [TUNING]


def test_a_file_that_is_no_tuning_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.toml cannot be read"):
        read_tuning(tmp_path / "gone.toml")
    (tmp_path / "odd.toml").write_text("format = 7", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"odd\.toml: format must be 1"):
        plan_offline(SHOP, tmp_path / "out", 1.0, 20, console=console()[0], tuning_file=tmp_path / "odd.toml")
    assert not (tmp_path / "out").exists()
