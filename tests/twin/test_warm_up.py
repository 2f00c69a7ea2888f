"""What `warm_up` compiles is what plans need: replaying them compiles nothing more."""

from __future__ import annotations

from hypothesis import given, settings

from plant.plan import Plan
from plant.work import Work
from tests.twin.random_works import cases
from twin.draws import Draws
from twin.kernel import walk
from twin.replay import replay
from twin.warm_up import warm_up


@settings(max_examples=30)
@given(cases())
def test_no_plan_needs_another_compilation(case: tuple[Work, Plan, int]) -> None:
    warm_up()
    compiled = walk.signatures[:]
    assert len(compiled) == 2  # with longest waits and without
    work, plan, seed = case
    replay(work, plan, Draws(seed, 3))
    assert walk.signatures == compiled
