"""benchmarks: the runner lists, runs and prints one JSON object per figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.figures import Figure, in_turn, median_ratio


def test_a_quick_run_prints_json_lines_on_stdout_and_progress_on_stderr(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "RESULTS.md"
    assert main(["replay", "--quick", "--results", str(page)]) == 0
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [figure["figure"] for figure in found] == ["replay_ratio"]
    assert set(found[0]) == {"figure", "value", "unit", "reach", "detail"}
    assert found[0]["detail"]["factor_over_simulate"] > 1
    assert "Replay of a fixed plan" in err
    assert "| replay_ratio |" in page.read_text(encoding="utf-8")


def test_every_benchmark_is_listed_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BENCHMARKS)
    assert all(len(line.split()) > 3 for line in lines)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])


def test_a_figure_knows_whether_it_was_reached() -> None:
    assert Figure("a", 0.9, "1", ">= 0.8").reached is True
    assert Figure("a", 0.9, "1", "<= 0.8").reached is False
    assert Figure("a", 0.9, "1").reached is None


def test_sides_run_in_turn_after_one_round_that_is_not_measured() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    times = in_turn({"one": side("one"), "two": side("two")}, repeats=3)
    assert order == ["one", "two"] * 4
    assert [len(found) for found in times.values()] == [3, 3]
    assert median_ratio([1.0, 2.0, 9.0], [1.0, 1.0, 3.0]) == 2.0
