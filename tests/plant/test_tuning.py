"""A tuning refuses to be built wrong, and a file of it says the same or what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.errors import InvalidInput
from plant.tuning import DEFAULT, MoveShares, RuleKind, RuleTuning, Tuning
from plant.tuning_file import tuning_of, tuning_text

OWN = Tuning(RuleTuning(RuleKind.SLACK, 12.5, 0.01, 0.5), MoveShares(0.7, 0.2, 0.2, 0.25, 0.3, 0.1, 0.3, 0.2, 0.1))


@pytest.mark.parametrize("tuning", [DEFAULT, OWN])
def test_what_is_written_is_read_again(tuning: Tuning) -> None:
    assert tuning_of(tuning_text(tuning)) == tuning


def test_what_a_file_does_not_state_is_as_unlearned() -> None:
    assert tuning_of("format = 1\n[moves]\ncritical = 0.5") == Tuning(None, replace(DEFAULT.shares, critical=0.5))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[moves", "not TOML"),
        ("[moves]", "format must be 1"),
        ("format = 1\nspeed = 2", "unknown: speed"),
        ("format = 1\nrule = 3", "rule must be a table"),
        ("format = 1\n[rule]\nlook_back = 2", "unknown key look_back in rule"),
        ('format = 1\n[rule]\nkind = "LIFO"', "one of ATC, EDD"),
        ('format = 1\n[rule]\nlook_ahead = "far"', "look_ahead in rule must be a number"),
        ("format = 1\n[moves]\nearlier = true", "earlier in moves must be a number"),
        ("format = 1\n[moves]\nearlier = 0.5", "must add up to 1"),
        ("format = 1\n[moves]\nearlier = -0.5", "0 to 1"),
        ("format = 1\n[moves]\nsplit = 0.8", "exceed 1"),
        ("format = 1\n[rule]\nlook_ahead = 0", "above 0"),
        ("format = 1\n[rule]\nsetup_care = inf", "setup_care of a learned rule"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        tuning_of(text)
