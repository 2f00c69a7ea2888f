"""Objectives are read from a text, and what is wrong with one is told with what is allowed."""

from __future__ import annotations

import pytest

from plant.errors import InvalidInput
from plant.objective import OBJECTIVE, Aim, Objective, parsed

WEIGHED = Objective((Aim.TARDINESS, Aim.ENERGY), (1.0, 60.5))


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("tardiness, makespan", OBJECTIVE),
        ("energy", Objective((Aim.ENERGY,))),
        ("work in process,setup", Objective((Aim.WORK_IN_PROCESS, Aim.SETUP))),
        ("tardiness = 1, energy=60.5", WEIGHED),
    ],
)
def test_an_objective_is_read_and_written(text: str, objective: Objective) -> None:
    assert parsed(text) == objective
    assert parsed(str(objective)) == objective


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "there is no aim ''; name some of tardiness, makespan, setup, work in process, overtime, energy, near"),
        ("lateness", "there is no aim 'lateness'; name some of tardiness"),
        ("setup, setup", "named twice in setup, setup"),
        ("setup=1, setup=2", "named twice in setup, setup"),
        ("setup=1, energy", "weight of energy must be a number of at least 0, not ''"),
        ("setup=-1", "weight of setup must be a number of at least 0, not '-1'"),
        ("setup=nan", "weight of setup must be a number"),
        ("setup=much", "weight of setup must be a number of at least 0, not 'much'"),
        ("setup=0, energy=0", "at least one aim a weight above 0"),
    ],
)
def test_a_wrong_objective_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        parsed(text)


def test_an_objective_names_something() -> None:
    with pytest.raises(InvalidInput, match="at least one aim of tardiness, makespan"):
        Objective(())
    with pytest.raises(InvalidInput, match="give each of the 2 aims a weight, or none"):
        Objective((Aim.SETUP, Aim.ENERGY), (1.0,))
