"""`scheduler.refusal`: what no plan can be made of is refused by name before anything is tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plant.distribution import constant
from plant.errors import InvalidInput
from plant.item import Attendance
from plant.plant import SetupMatrix
from plant.work import Delivery, Lock, OrderDemand, PersonOutlook, Running, Wait, Work
from scheduler.check import check
from scheduler.problem import Problem
from scheduler.solve import SolverSettings, solve
from tests.scheduler.shops import HOUR, days, late_s, machine, task, work

FAR = 1e11
"""Beyond what a plan can reach."""


def two(first: dict[str, object] | None = None, second: dict[str, object] | None = None) -> Work:
    tasks = [task("a", "o", {"M1": HOUR}, **(first or {})), task("b", "o", {"M2": HOUR}, "a", **(second or {}))]
    return work(tasks, [machine("M1"), machine("M2")], {})


def test_the_work_itself_is_fine() -> None:
    assert len(Problem(two()).tasks) == 2


@pytest.mark.parametrize(
    ("some", "said"),
    [
        (two({"release_s": FAR}), r"task a takes 60 min from 1157407\.4 days on"),
        (two({"material": Delivery("steel", FAR, constant(0.0))}), r"task a takes 60 min from 1157407\.4 days on"),
        (two({"material": Delivery("steel", 0.0, constant(FAR))}), r"task a takes 60 min from 1157407\.4 days on"),
        (two({"lock": Lock("M1", FAR)}), r"task a takes 60 min from 1157407\.4 days on"),
        (two(None, {"waits": {"a": Wait(FAR)}}), "all tasks together, with waits and ways, take 1157407"),
        (replace(two(), transport_s={("M1", "M2"): FAR}), "all tasks together, with waits and ways, take 2314814"),
        (replace(two(), orders={"o": OrderDemand("o", FAR)}), r"order o is due 1157407\.4 days away; check its date"),
        (replace(two(), orders={"o": OrderDemand("o", -FAR)}), r"order o is due 1157407\.4 days away; check its date"),
        (
            replace(two(), machines={"M1": machine("M1", available_from_s=FAR), "M2": machine("M2")}),
            r"M1 is not there for 1157407\.4 days; check until when",
        ),
        (
            replace(two(), people={"P": PersonOutlook("P", days([(6, 14)]), (), FAR)}),
            r"P is not there for 1157407\.4 days; check until when",
        ),
        (two({"attendance": Attendance.ALL, "skill": "saw"}), "task a needs somebody who can do saw, and nobody can"),
        (two({"attendance": Attendance.SETUP}), "task a needs somebody who can do it, and nobody can"),
        (
            replace(two(), machines={"M1": machine("M1", setup_matrix=SetupMatrix("m", FAR)), "M2": machine("M2")}),
            "a setup of M1 takes .*; check setup matrix m",
        ),
    ],
)
def test_what_no_plan_can_reach_is_named(some: Work, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Problem(some)


def test_what_runs_needs_nobody_and_waits_for_nothing() -> None:
    runs = {"attendance": Attendance.ALL, "release_s": FAR, "running": Running("M1", -HOUR, HOUR)}
    assert len(Problem(two(runs)).tasks) == 2


@pytest.mark.parametrize("due_h", [0.0, -1.0, -10_000.0])
def test_what_is_due_in_the_past_is_planned_and_told_late(due_h: float) -> None:
    some = work([task("a", "late", {"M1": HOUR})], [machine("M1")], {"late": due_h * HOUR})
    found = solve(some, SolverSettings(time_limit_s=60, effort=0.01, workers=1))
    assert check(some, found.plan) == []
    assert found.report.weighted_tardiness_s == late_s(some, found.plan) == (1 - due_h) * HOUR
