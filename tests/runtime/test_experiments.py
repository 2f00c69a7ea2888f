"""`forerun scenario` end to end: names in, a comparison and a report out; interrupted, it keeps what is there."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

import pytest
from rich.console import Console

from plant.errors import InvalidInput, NotFound
from runtime import cli, experiments
from runtime.bases import base_case
from runtime.experiments import Means, list_scenarios, run_scenarios, show_scenario
from scenarios.evaluate import CHUNK
from scenarios.experiment import Ended, InlineRunner, Outcome, Question, run_experiment
from scenarios.precision import HalfWidth
from scenarios.scenario import library
from tests.scenarios.shop import SHOP

ONE = Means(workers=1)
QUICK = Question(half_width=HalfWidth(0.05, relative=True), max_replications=128, indifference=1.0)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, str, str]:
    said, out = io.StringIO(), tmp_path_factory.mktemp("out") / "new"
    console = Console(file=said, width=100)
    outcome = run_scenarios(["extra_shift", "machine_down_4h"], base_case(SHOP), QUICK, ONE, out, console)
    return outcome, said.getvalue(), (out / "report.html").read_text(encoding="utf-8")


def test_the_table_names_every_scenario_and_how_it_ended(ran: tuple[Outcome, str, str]) -> None:
    outcome, said, _ = ran
    assert outcome.ended is Ended.ANSWERED
    assert outcome.names == ("base", "extra_shift", "machine_down_4h")
    for name in outcome.names:
        assert f"\n  {name} " in said
    assert "Answered: lead time is known to ±" in said
    assert "Best: extra_shift, with 95% probability if it is better by 1 at least" in said
    assert "report.html" in said


def test_the_report_needs_nothing_else_and_tells_why_each_scenario_exists(ran: tuple[Outcome, str, str]) -> None:
    _, _, html = ran
    assert "<script src=" not in html
    assert "<link " not in html
    assert html.count("plotly-graph-div") >= 3
    assert "Extra shift on Saturdays" in html
    assert "nobody else grinds" in html
    assert "M08 is down from +28 h on for 4 h" in html


def test_the_report_speaks_chinese(tmp_path: Path) -> None:
    run_scenarios(["extra_shift"], base_case(SHOP), QUICK, ONE, tmp_path, Console(file=io.StringIO()), "zh")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh">' in html
    assert "周六加班一班" in html
    assert "整个机加工车间在周六" in html
    assert "交付周期" in html


def test_the_first_interrupt_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupted(cases, question, runner, progress, enough, counted):  # type: ignore[no-untyped-def]
        told = 0

        def report(share: float, doing: str) -> None:
            nonlocal told
            told += 1
            if told == 4:
                os.kill(os.getpid(), signal.SIGINT)
            progress(share, doing)

        return run_experiment(cases, question, runner, report, enough, counted)

    monkeypatch.setattr(experiments, "run_experiment", interrupted)
    said = io.StringIO()
    question = Question(half_width=HalfWidth(1e-9), max_replications=10**6)
    outcome = run_scenarios(["machine_down_4h"], base_case(SHOP), question, ONE, None, Console(file=said, width=100))
    assert outcome.ended is Ended.STOPPED
    assert CHUNK <= outcome.replications <= 3 * CHUNK
    assert "Taking what is there" in said.getvalue()
    assert "Stopped early" in said.getvalue()
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_is_run_where_something_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("workers were started")

    monkeypatch.setattr(Means, "open", lambda self: never())
    quiet = Console(file=io.StringIO())
    with pytest.raises(NotFound, match="unknown scenario"):
        run_scenarios(["nonsense"], base_case(SHOP), QUICK, ONE, None, quiet)
    taken = tmp_path / "file"
    taken.write_text("mine")
    with pytest.raises(InvalidInput, match="is not a folder"):
        run_scenarios(["extra_shift"], base_case(SHOP), QUICK, ONE, taken, quiet)
    copy = tmp_path / "extra_shift"
    copy.mkdir()
    (copy / "README.md").write_text("# Mine\n")
    (copy / "scenario.toml").write_text(
        'format = 1\ntitle = "Mine"\n[[change]]\nkind = "demand"\nfactor = 2\n', encoding="utf-8"
    )
    with pytest.raises(InvalidInput, match="two different scenarios are called 'extra_shift'"):
        run_scenarios(["extra_shift", str(copy)], base_case(SHOP), QUICK, ONE, None, quiet)


def test_a_steady_state_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Inline(InlineRunner):
        def __enter__(self) -> Inline:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(Means, "open", lambda self: Inline())
    said = io.StringIO()
    question = Question(half_width=None, max_replications=64)
    run_scenarios(["extra_shift"], base_case(SHOP), question, ONE, None, Console(file=said, width=200), weeks=6)
    assert "orders count" in said.getvalue()
    assert "MSER-5" in said.getvalue()


def test_listing_and_showing() -> None:
    said = io.StringIO()
    list_scenarios(Console(file=said, width=120))
    for scenario in library():
        assert scenario.name in said.getvalue()
    said = io.StringIO()
    show_scenario("machine_down_4h", Console(file=said, width=120))
    assert "What to expect" in said.getvalue()
    assert "Changes: M08 is down" in said.getvalue()


def test_a_chinese_terminal_is_answered_in_chinese(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    for arguments, said in ((["list"], "磨床停机 4 小时"), (["show", "machine_down_4h"], "预期")):
        monkeypatch.setattr(sys, "argv", ["forerun", "scenario", *arguments])
        with pytest.raises(SystemExit):
            cli.main()
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nonsense"], 1, "unknown scenario 'nonsense'"),
        (["run", "extra_shift", "--half-width", "much"], 1, "a half-width is a number"),
        (["run", "extra_shift", "--measure", "joy"], 1, "unknown measure 'joy'"),
        (["run", "extra_shift", "--language", "fr"], 1, "there are en, zh"),
        (["run", "extra_shift", "--rule", "LIFO"], 1, "unknown dispatching rule 'LIFO'; known are ATC"),
        (["run", "extra_shift", "--snapshot", "none.json"], 1, "none.json cannot be read"),
        (["run", "extra_shift", "--best", "0"], 1, "indifference must be above 0"),
        (["run"], 2, "Usage"),
        (["run", "extra_shift", "--workers", "0"], 2, "Usage"),
    ],
)
def test_a_wrong_call_is_told(
    arguments: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["forerun", "scenario", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr().err
    assert end.value.code == code
    assert said in told
    assert "Traceback" not in told
