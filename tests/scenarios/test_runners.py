"""The contract of runners: the same samples, to the last bit, from every one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from plant.errors import InvalidInput, Unavailable
from runtime.cluster import ClusterRunner
from runtime.pool import PoolRunner
from scenarios.case import Case
from scenarios.experiment import InlineRunner, Piece, Question, Runner, run_experiment
from scenarios.scenario import BASE, LIBRARY, load
from tests.requirements import require_module
from tests.scenarios.shop import machine_shop

PIECES: list[Piece] = [(name, chunk) for chunk in (0, 3) for name in (BASE, "down")]


@cache
def cases() -> dict[str, Case]:
    return {BASE: machine_shop(), "down": load(LIBRARY / "machine_down_4h").apply(machine_shop())}


@pytest.fixture(scope="module", params=["inline", "one worker", "two workers", "cluster"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param == "inline":
        yield InlineRunner()
    elif request.param == "cluster":
        distributed = require_module("distributed", "distributed")
        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True, host="127.0.0.1"
            ) as cluster,
            ClusterRunner(cluster.scheduler_address) as found,
        ):
            yield found
    else:
        with PoolRunner(1 if request.param == "one worker" else 2) as found:
            yield found


def test_every_runner_says_the_same_to_the_last_bit(runner: Runner) -> None:
    expected = dict(InlineRunner().run(cases(), 7, PIECES))
    for _ in range(2):  # prepared, and prepared before
        found = dict(runner.run(cases(), 7, PIECES))
        assert set(found) == set(PIECES)
        for piece in PIECES:
            assert np.array_equal(found[piece], expected[piece]), piece


def test_another_seed_is_another_future_and_a_chunk_its_own(runner: Runner) -> None:
    one = dict(runner.run(cases(), 1, [(BASE, 0), (BASE, 1)]))
    other = dict(runner.run(cases(), 2, [(BASE, 0)]))
    assert not np.array_equal(one[BASE, 0], other[BASE, 0])
    assert not np.array_equal(one[BASE, 0], one[BASE, 1])


def test_a_run_may_be_left_early_and_the_next_one_is_not_disturbed(runner: Runner) -> None:
    pieces = [(BASE, chunk) for chunk in range(6)]
    run = runner.run(cases(), 3, pieces)
    next(run)
    run.close()
    found = dict(runner.run(cases(), 7, [("down", 0)]))
    assert np.array_equal(found["down", 0], dict(InlineRunner().run(cases(), 7, [("down", 0)]))["down", 0])


def test_a_case_that_cannot_be_is_refused_and_the_runner_goes_on(runner: Runner) -> None:
    broken = replace(machine_shop(), orders=())
    with pytest.raises(InvalidInput, match="nothing left to do"):
        list(runner.run({"broken": broken}, 1, [("broken", 0)]))
    assert len(list(runner.run(cases(), 1, [(BASE, 0)]))) == 1


def test_the_outcome_of_an_experiment_does_not_depend_on_the_workers() -> None:
    question = Question(max_replications=192, seed=5)
    alone = run_experiment(cases(), question, InlineRunner())
    with PoolRunner(3) as pool:
        together = run_experiment(cases(), question, pool)
    assert alone.replications == together.replications
    for name in alone.names:
        assert np.array_equal(alone.samples[name], together.samples[name])


def test_a_pool_that_loses_a_worker_says_so() -> None:
    with PoolRunner(1) as pool:
        list(pool.run(cases(), 1, [(BASE, 0)]))
        (child,) = [one for one in multiprocessing.active_children() if one.name.startswith("ForkServer")]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="worker"):
            list(pool.run(cases(), 1, [(BASE, chunk) for chunk in range(4)]))


@pytest.mark.long
def test_workers_may_be_spawned() -> None:
    with PoolRunner(1, "spawn") as pool:
        assert len(list(pool.run(cases(), 1, [(BASE, 0)]))) == 1


def test_closing_ends_the_workers_and_a_closed_pool_refuses() -> None:
    pool = PoolRunner(2)
    pool.close()
    with pytest.raises(Unavailable, match="ended"):
        list(pool.run(cases(), 1, [(BASE, 0)]))
    with pytest.raises(InvalidInput, match="at least one worker"):
        PoolRunner(0)


def test_an_address_where_nobody_answers_is_told() -> None:
    require_module("distributed", "distributed")
    with pytest.raises((Unavailable, InvalidInput), match=r"scheduler|address"):
        ClusterRunner("tcp://127.0.0.1:1", timeout_s=0.5)


def test_a_missing_extra_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"forerun\[cluster\]"):
        ClusterRunner("tcp://127.0.0.1:8786")
