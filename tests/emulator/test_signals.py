from __future__ import annotations

import math
import statistics
from datetime import timedelta

import pytest

from emulator.signals import SAMPLE_PERIOD, ConditionModel, vibration_factor
from plant.folder import load
from plant.machine_state import MachineState
from plant.plant import Plant
from tests.emulator.parts import SHOP, at


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load(SHOP)


def test_the_temperature_follows_the_load_with_a_lag(plant: Plant) -> None:
    model = ConditionModel(plant, seed=3)
    cold = model.sample("M01", at(0), MachineState.EXECUTING, 0.0).temperature_c
    warming = [model.sample("M01", at(30 * k), MachineState.EXECUTING, 0.0).temperature_c for k in range(1, 241)]
    assert warming[0] - cold < 5, "30 s after the start it is still cold"
    assert warming[-1] - cold > 15, "after two hours it is warm"
    halves = [statistics.mean(warming[20 * k : 20 * (k + 1)]) for k in range(12)]
    assert halves[0] < halves[1] < halves[2] < halves[3], "it warms, it does not jump"
    model.sample("M01", at(7230), MachineState.IDLE, 0.0)
    after_weekend = model.sample("M01", at(7230 + 60 * 3600), MachineState.EXECUTING, 0.0)
    assert after_weekend.temperature_c - cold < 10, "a closed weekend cools it, whatever state comes after it"


def test_vibration_drifts_before_a_failure(plant: Plant) -> None:
    def mean(wear: float) -> float:
        model = ConditionModel(plant, seed=3)
        return statistics.mean(
            model.sample("M02", at(30 * k), MachineState.EXECUTING, wear).vibration_mm_s for k in range(100)
        )

    new, old = mean(0.0), mean(0.95)
    assert 1.0 < new < 2.8, "a new machine lies in zone A or B"
    assert mean(0.5) < 1.3 * new, "half of the life shows little"
    assert old / new == pytest.approx(vibration_factor(0.95), rel=0.05)


def test_power_and_vibration_follow_the_state(plant: Plant) -> None:
    model = ConditionModel(plant, seed=3)
    shown = {
        state: model.sample("M05", at(30 * k), state, 0.2)
        for k, state in enumerate(state for state in MachineState if state is not MachineState.UNKNOWN)
    }
    busy, stopped = shown[MachineState.EXECUTING], shown[MachineState.PLANNED_STOP]
    assert busy.power_kw > 3 * shown[MachineState.IDLE].power_kw > 3 * stopped.power_kw > 0
    assert busy.vibration_mm_s > shown[MachineState.SETUP].vibration_mm_s > stopped.vibration_mm_s > 0
    assert all(math.isfinite(value) for sample in shown.values() for value in sample.values.values())


def test_the_same_sample_again_has_the_same_noise_also_after_a_restart(plant: Plant) -> None:
    one = ConditionModel(plant, seed=3)
    for k in range(10):
        one.sample("M01", at(30 * k), MachineState.EXECUTING, 0.1)
    other = ConditionModel(plant, seed=3, state=one.dump())
    assert other.last("M01") == one.last("M01")
    assert other.sample("M01", at(300), MachineState.IDLE, 0.1) == one.sample("M01", at(300), MachineState.IDLE, 0.1)
    differently = ConditionModel(plant, seed=4).sample("M01", at(300), MachineState.IDLE, 0.1)
    assert differently != one.last("M01")


def test_samples_are_due_every_30_plant_seconds_of_open_hours_only(plant: Plant) -> None:
    model = ConditionModel(plant, seed=3)
    assert list(model.due(at(61))) == [at(0), at(30), at(60)]
    assert list(model.due(at(61))) == []
    week = list(model.due(at(7 * 86_400 - 1)))
    closed = plant.open_windows(at(0), at(7 * 86_400))
    open_s = sum((end - begin).total_seconds() for begin, end in closed)
    assert len(week) == open_s / SAMPLE_PERIOD.total_seconds() - 3
    assert all((moment - at(0)) % SAMPLE_PERIOD == timedelta(0) for moment in week)
    assert all(any(begin <= moment < end for begin, end in closed) for moment in week)
