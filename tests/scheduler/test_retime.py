"""A search that times only what a change reaches knows the same times and costs as one that times everything."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from plant.objective import OBJECTIVE, Aim, Objective
from plant.plan import Plan
from plant.work import Work
from scheduler.candidate import Candidate, Dispatcher
from scheduler.decode import times_of
from scheduler.objective import weights_of
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import RULES, Rule
from scheduler.score import Aims, near_of
from scheduler.search import Search
from scheduler.timing import BEFORE
from scheduler.walk import BEST, CURRENT, begin, burst, take_back, tried, worsenings
from tests.scheduler.shops import HOUR, random_work
from tests.scheduler.test_property import everything
from tests.scheduler.test_twin_agrees import as_planned
from tests.twin.random_works import cases

WEIGHTS = weights_of(Objective(tuple(Aim), (1.0, 0.5, 2.0, 0.25, 3.0, 60.0, 0.125)))


def _costly(some: Work, seed: int) -> Work:
    """Return a work that pays for overtime and for energy, dearer by day."""
    dice = random.Random(seed)
    machines = {
        name: replace(one, overtime=((dice.uniform(0, 20) * HOUR, 40 * HOUR),), power_kw=dice.uniform(0, 50))
        for name, one in some.machines.items()
    }
    return replace(some, machines=machines, energy_prices=((0.0, 0.1), (8 * HOUR, 0.3), (20 * HOUR, 0.05)))


def _start(problem: Problem) -> Candidate:
    found = Dispatcher(problem, opening(problem, None)).plan(RULES[0].index)
    assert found is not None
    return found


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=30, deadline=None)
def test_what_a_walk_knows_is_what_its_sequence_says(seed: int, peopled: bool) -> None:
    note(f"seed {seed}")
    some = _costly(everything(seed, 8) if peopled else random_work(seed, 8), seed)
    problem = Problem(some)
    start, tasks = _start(problem), len(problem.tasks)
    near = near_of(start.sequence.of["machine"], start.times(problem)["start"])
    walk = Search(problem, Aims(WEIGHTS, near), opening(problem, None), seed, 1).walk(start, 0)
    aims = Aims(WEIGHTS, near)
    begin(problem.shop, walk, aims)
    for temperature in (10 * HOUR, HOUR, 0.0):
        burst(problem.shop, walk, aims, 200, temperature)
        times, score = times_of(problem, walk.current, int(walk.steps[CURRENT]), near)
        for name in ("begin", "start", "finish"):
            np.testing.assert_array_equal(times[name], walk.known.times[name])
        assert score == pytest.approx(tuple(walk.parts), abs=1e-5)
        assert walk.cost[CURRENT] == pytest.approx(float(WEIGHTS @ np.array(score)), rel=1e-9)
        leads = walk.current.of["lead"] == np.arange(tasks)
        np.testing.assert_array_equal(walk.trial_times[leads], walk.known.times[leads])
        np.testing.assert_array_equal(walk.trial.of, walk.current.of)
    first = times_of(problem, start.sequence, start.steps, near)[1]
    assert walk.cost[BEST] <= float(WEIGHTS @ np.array(first)) + 1e-6


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=20, deadline=None)
def test_moves_that_are_only_tried_leave_nothing_behind(seed: int, peopled: bool) -> None:
    note(f"seed {seed}")
    problem = Problem(_costly(everything(seed, 8) if peopled else random_work(seed, 8), seed))
    start = _start(problem)
    near = near_of(start.sequence.of["machine"], start.times(problem)["start"])
    aims = Aims(WEIGHTS, near)
    walk = Search(problem, aims, opening(problem, None), seed, 1).walk(start, 0)
    begin(problem.shop, walk, aims)
    burst(problem.shop, walk, aims, 100, HOUR)
    known, parts, cost, worse = walk.known.times.copy(), walk.parts.copy(), float(walk.cost[CURRENT]), np.zeros(300)
    count = worsenings(problem.shop, walk, aims, worse)
    assert (worse[:count] > 0).all()
    assert not worse[count:].any()
    assert walk.cost[CURRENT] == cost
    leads = walk.current.of["lead"] == np.arange(len(problem.tasks))
    steps = int(walk.steps[CURRENT])
    np.testing.assert_array_equal(walk.known.times, known)
    np.testing.assert_array_equal(walk.parts, parts)
    np.testing.assert_array_equal(walk.trial.steps[:steps], walk.current.steps[:steps])
    np.testing.assert_array_equal(walk.trial.of, walk.current.of)
    np.testing.assert_array_equal(walk.trial_times[leads], walk.known.times[leads])


@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_only_what_costs_too_much_is_not_timed_to_its_end(seed: int, share: float) -> None:
    note(f"seed {seed}")
    problem = Problem(random_work(seed, 12))
    start = _start(problem)
    aims = Aims(weights_of(OBJECTIVE), near_of(start.sequence.of["machine"], start.times(problem)["start"]))
    search = Search(problem, aims, opening(problem, None), seed, 1)
    ends, whole = search.walk(start, 0), search.walk(start, 0)
    assert ends.trace.rising
    whole = whole._replace(trace=whole.trace._replace(rising=False))
    for walk in (ends, whole):
        begin(problem.shop, walk, aims)
        burst(problem.shop, walk, aims, 200, HOUR)
    np.testing.assert_array_equal(ends.current.of, whole.current.of)
    np.testing.assert_array_equal(ends.known.times, whole.known.times)
    limit = float(ends.cost[CURRENT]) * (0.9 + 0.2 * share)
    for _ in range(200):
        (steps, cost), (_, real) = (tried(problem.shop, walk, aims, limit) for walk in (ends, whole))
        assert cost == real or (real > limit and cost == np.inf)
        if steps >= 0:
            event(f"ended early: {cost != real}")
            for walk in (ends, whole):
                take_back(walk)


@given(cases(), st.sampled_from(RULES), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_what_is_decided_stays_in_front_and_every_cause_stands_before_its_step(
    case: tuple[Work, Plan, int], rule: Rule, seed: int
) -> None:
    note(f"seed {seed}")
    problem = Problem(as_planned(case[0]))
    head = opening(problem, None)
    start = Dispatcher(problem, head).plan(rule.index)
    assert start is not None
    aims = Aims(weights_of(OBJECTIVE), near_of(start.sequence.of["machine"], start.times(problem)["start"]))
    walk = Search(problem, aims, head, seed, 1).walk(start, 0)
    begin(problem.shop, walk, aims)
    for _ in range(20):
        burst(problem.shop, walk, aims, 20, 10 * HOUR)
        steps, of = walk.current.steps[: int(walk.steps[CURRENT])].tolist(), walk.current.of
        for machine, decided in enumerate(head):
            here = [lead for lead in steps if of["machine"][lead] == machine]
            assert here[: len(decided)] == [step[0] for step in decided]
        for place, lead in enumerate(steps):
            assert walk.known.place[lead] == place
            time = walk.known.times[lead]
            cause = int(time["cause"])
            assert cause < 0 or walk.known.place[of["lead"][cause]] < place
            if time["waited"] == BEFORE:
                members = np.flatnonzero(of["lead"] == lead).tolist()
                assert cause in {before for member in members for before in problem.predecessors(member)}
