"""The scheduler's times are the twin's: at planned durations both engines find them again, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from plant.distribution import constant
from plant.item import Attendance
from plant.objective import OBJECTIVE
from plant.plan import Plan
from plant.work import Task, Work
from scheduler.candidate import Candidate, Dispatcher
from scheduler.check import TOLERANCE_S, check
from scheduler.decode import as_plan
from scheduler.objective import weights_of
from scheduler.prefix import opening
from scheduler.problem import Problem
from scheduler.rules import RULES, Rule
from scheduler.score import Aims, everything
from scheduler.search import Search
from tests.twin.random_works import cases
from twin.draws import Draws
from twin.replay import replay
from twin.simulate import simulate


def as_planned(work: Work) -> Work:
    """Return the work as it is planned: nothing varies, fails, is late or goes wrong."""
    people = bool(work.people)

    def planned(task: Task) -> Task:
        material = task.material and replace(task.material, delay=constant(task.material.delay.mean))
        running = task.running and replace(task.running, worked_s=0.0)
        return replace(
            task,
            variation=0.0,
            scrap_ratio=0.0,
            replenish=False,
            rework=None,
            rework_chance=0.0,
            material=material,
            running=running,
            attendance=task.attendance if people else Attendance.NONE,
        )

    machines = {name: replace(one, reliability=None) for name, one in work.machines.items()}
    return replace(work, tasks=tuple(map(planned, work.tasks)), machines=machines)


@given(cases(), st.sampled_from(RULES), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_twin_finds_the_times_of_every_plan_again(case: tuple[Work, Plan, int], rule: Rule, seed: int) -> None:
    work = as_planned(case[0])
    note(f"seed {seed}")
    problem = Problem(work)
    head = opening(problem, None)
    start = Dispatcher(problem, head).plan(rule.index)
    assert start is not None
    search = Search(problem, Aims(weights_of(OBJECTIVE), everything(len(problem.tasks)).near), head, seed, 1)
    found = search.run(start, 200, lambda moves, best: moves / 400)
    for candidate in (start, found):
        agrees(problem, candidate)


def agrees(problem: Problem, candidate: Candidate) -> None:
    plan = as_plan(problem, candidate.sequence, candidate.steps)
    problems = check(problem.work, plan)
    too_long = [one for one in problems if " waits more than " in one]
    assert problems == too_long, problems
    assert candidate.score.broken > TOLERANCE_S or not too_long
    draws = Draws(1, 1)
    replayed, simulated = replay(problem.work, plan, draws), simulate(problem.work, plan, draws, 0)
    for row, task in enumerate(problem.tasks):
        planned = plan.by_job_order[task.id]
        assert (planned.start_s, planned.end_s) == (simulated.start_s[task.id], simulated.finish_s[task.id])
        assert (planned.start_s, planned.end_s) == (replayed.start_s[row, 0], replayed.finish_s[row, 0])
    broken_s = sum(
        max(replayed.begun_s[node.row][0] - replayed.finish_s[problem.task_index[name], 0] - wait.most_s, 0.0)
        for node in replayed.nodes
        for member in node.members
        for name, wait in problem.tasks[member].waits.items()
        if wait.most_s < np.inf
    )
    assert abs(candidate.score.broken - broken_s) <= TOLERANCE_S
    assert np.isfinite(candidate.score.tardiness)
