"""Every shipped scenario loads, fits the machine shop, and does there what its README says."""

from __future__ import annotations

from functools import cache

import pytest

from plant.order import Priority
from scenarios.experiment import InlineRunner, Outcome, Question, run_experiment
from scenarios.measures import MEASURES
from scenarios.scenario import BASE, LIBRARY, Scenario, library, load
from tests.scenarios.shop import machine_shop

NAMES = [scenario.name for scenario in library()]
SEED = 20260105


@cache
def outcome() -> Outcome:
    base = machine_shop()
    cases = {BASE: base} | {scenario.name: scenario.apply(base) for scenario in library()}
    # Every expectation is of an effect many standard errors away from zero: at 96 replications and a confidence of
    # 99.9 % over all scenarios, an interval that covers zero means that the README is wrong.
    return run_experiment(cases, Question(half_width=None, confidence=0.999, max_replications=96, seed=SEED), RUNNER)


RUNNER = InlineRunner()


def shipped(name: str) -> Scenario:
    return load(LIBRARY / name)


def test_at_least_eight_are_shipped_among_them_the_two_that_are_measured() -> None:
    assert len(NAMES) >= 8
    assert {"extra_shift", "machine_down_4h"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_changes_the_machine_shop_and_leaves_the_base_alone(name: str) -> None:
    base = machine_shop()
    before = (base.plant, base.orders, base.rule)
    case = shipped(name).apply(base)
    assert (case.plant, case.orders, case.rule) != before
    assert (base.plant, base.orders, base.rule) == before


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_says_why_it_exists_and_what_to_expect(name: str) -> None:
    scenario = shipped(name)
    assert scenario.readme.startswith(f"# {scenario.title}\n")
    assert "## Why\n" in scenario.readme
    assert "## What to expect\n" in scenario.readme
    assert scenario.expected
    assert scenario.title_zh != scenario.title


@pytest.mark.parametrize("name", NAMES)
def test_its_chinese_readme_says_as_much(name: str) -> None:
    scenario = shipped(name)
    assert scenario.readme_in("zh").startswith(f"# {scenario.title_in('zh')}\n\n## 缘由\n")
    assert "\n## 预期\n" in scenario.readme_zh
    assert scenario.readme_zh.count("\n- **") == scenario.readme.count("\n- **")


@pytest.mark.parametrize("name", NAMES)
def test_it_differs_from_the_base_where_its_readme_says(name: str) -> None:
    found = outcome()
    for measure in MEASURES:
        direction = shipped(name).expected.get(measure.id)
        if direction is not None:
            difference = found.difference(name, measure)
            told = f"{measure.name} {direction}: {difference.mean:+.3f} ± {difference.half_width:.3f} (seed {SEED})"
            assert difference.differs, told
            assert (difference.mean > 0) == (direction == "rises"), told


def test_every_expected_line_of_a_readme_is_understood() -> None:
    for name in NAMES:
        section = shipped(name).readme.split("## What to expect\n")[1]
        assert section.count("\n- ") == len(shipped(name).expected), name


def test_the_rush_order_is_the_quickest_of_its_kind() -> None:
    case = shipped("rush_order").apply(machine_shop())
    rush = case.orders[-1]
    assert rush.id == "CO-RUSH"
    assert rush.priority is Priority.HIGH
    assert rush.item in {order.item for order in machine_shop().orders}
