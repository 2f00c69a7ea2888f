"""What was learned is told as it is: better, not known to be, or nothing found."""

from __future__ import annotations

from dataclasses import replace

from dashboard.learned import compared, differences
from dashboard.words import Words
from plant.learned import Learned, Paired
from plant.tuning import DEFAULT, MoveShares, RuleKind, RuleTuning, Tuning
from tests.plant.shops import MONDAY

EN, ZH = Words("en"), Words("zh")
TUNING = Tuning(
    RuleTuning(RuleKind.ATC, 800.0, 0.01, 0.5), replace(MoveShares(), gather=0.25, elsewhere=0.153, later=0.097)
)
BETTER = Paired(3600.0, 18000.0, 7200.0, 0.95, 40, 30, 5)
UNSURE = replace(BETTER, half_width_s=15000.0)
FOUND = Learned("pv-1", TUNING, BETTER, None, None, MONDAY, MONDAY, 44, 32, 1)


def test_better_is_told_with_its_interval() -> None:
    assert compared(FOUND, EN) == (
        "Learned is better than unlearned: weighted delay -4.0 h (-6.0 h to -2.0 h, 95%), 1.0 h instead of 5.0 h, "
        "on 40 cases."
    )


def test_what_is_not_known_to_be_better_changes_nothing() -> None:
    assert compared(replace(FOUND, unlearned=UNSURE), EN).startswith("Not known to be better than the unlearned")
    assert compared(replace(FOUND, used=UNSURE), EN).startswith("Better than the unlearned, but not known")
    nothing = replace(FOUND, tuning=DEFAULT, unlearned=None)
    assert compared(nothing, EN) == (
        "Nothing did better than the unlearned among 32 candidates: planning stays as it is."
    )


def test_only_what_differs_is_told() -> None:
    assert differences(DEFAULT, EN) == []
    assert differences(TUNING, EN) == [
        ("Rule tried first", "–", "ATC, look-ahead 800, care for setups 0.01, batches wait 50%"),
        ("Moves next to the family", "15%", "25%"),
        ("Moves to another machine", "25%", "15%"),
    ]


def test_both_languages_say_it() -> None:
    assert "weighted" not in compared(FOUND, ZH)
    assert all(not name.isascii() for name, _, _ in differences(TUNING, ZH))
