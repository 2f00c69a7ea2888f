"""emulator/truth.py: reproducible, different from the plan, and fair to it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from emulator.truth import Truth
from plant.folder import load
from plant.plant import Plant

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load(SHOP)


def test_the_same_seed_gives_the_same_truth_and_another_one_another(plant: Plant) -> None:
    assert Truth.of(plant, 7) == Truth.of(plant, 7)
    assert Truth.of(plant, 7).machines != Truth.of(plant, 8).machines
    assert Truth.of(plant, 7).operations != Truth.of(plant, 8).operations


@pytest.mark.parametrize("seed", range(5))
def test_true_mean_times_are_near_the_planned_ones_but_differ_from_operation_to_operation(
    plant: Plant, seed: int
) -> None:
    truth = Truth.of(plant, seed)
    ratios = [
        truth.operations[item.id, operation.id].time_factor * machine.speed / truth.machines[machine.id].speed
        for item in plant.made_items()
        for operation in item.routing
        for machine in plant.machines_with(operation.capability)
    ]
    assert 0.97 <= sum(ratios) / len(ratios) <= 1.05
    assert all(0.8 < ratio < 1.3 for ratio in ratios)
    assert max(ratios) - min(ratios) > 0.15


@pytest.mark.parametrize("seed", range(5))
def test_reliability_scrap_and_changeovers_differ_within_bounds(plant: Plant, seed: int) -> None:
    truth = Truth.of(plant, seed)
    for machine in plant.machines:
        true, planned = truth.machines[machine.id], machine.reliability
        assert 0.9 <= true.setup_factor <= 1.15
        assert planned is not None
        assert true.time_between_failures is not None
        assert 0.8 <= true.time_between_failures.mean / planned.time_between_failures.mean <= 1.2
        assert 0.85 <= true.time_to_repair.mean / planned.time_to_repair.mean <= 1.25
    for item in plant.made_items():
        for operation in item.routing:
            true_scrap = truth.operations[item.id, operation.id].scrap_ratio
            assert 0.7 * operation.scrap_ratio <= true_scrap <= 1.3 * operation.scrap_ratio


def test_pieces_come_out_bad_at_the_true_ratio(plant: Plant) -> None:
    truth = Truth.of(plant, 3)
    item, operation = max(truth.operations, key=lambda key: truth.operations[key].scrap_ratio)
    ratio, pieces = truth.operations[item, operation].scrap_ratio, 20_000
    assert ratio > 0
    share = sum(truth.bad_pieces(item, operation, pieces, "J", 0)) / pieces
    assert abs(share - ratio) < 5 * math.sqrt(ratio * (1 - ratio) / pieces)
    assert truth.bad_pieces(item, operation, 50, "J", 0) == truth.bad_pieces(item, operation, 50, "J", 0)
    assert truth.bad_pieces(item, operation, 500, "J", 0) != truth.bad_pieces(item, operation, 500, "J", 1)


def test_processing_times_average_to_the_true_mean(plant: Plant) -> None:
    truth = Truth.of(plant, 3)
    item = plant.made_items()[0]
    operation = item.routing[0]
    machine = plant.machines_with(operation.capability)[0]
    true = truth.operations[item.id, operation.id]
    mean_s = operation.duration_s(10, truth.machines[machine.id].speed) * true.time_factor
    draws = [truth.processing_s(machine.id, item.id, operation, 10, f"J{n}", 0) for n in range(2000)]
    assert len(set(draws)) == len(draws)
    assert abs(sum(draws) / len(draws) / mean_s - 1) < 5 * true.variation / math.sqrt(len(draws))
