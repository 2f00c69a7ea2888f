"""The `forerun` command as people meet it: exit codes, readable errors, no traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plant.errors import InvalidInput, Unavailable
from runtime import cli

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "plants" / "machine_shop"


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("FORERUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


class Run:
    """Runs the command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["forerun", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return int(end.value.code or 0), said.out, said.err


@pytest.fixture
def forerun(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


def test_help_names_every_command(forerun: Run) -> None:
    code, out, _ = forerun("--help")
    assert code == 0
    commands = "demo plan promise check prepare app ingest worker emulator account key snapshot calibrate learn"
    for command in commands.split():
        assert f" {command} " in out


def test_a_good_folder_has_no_problems(forerun: Run) -> None:
    code, out, err = forerun("check", SHOP)
    assert (code, err) == (0, "")
    assert "no problems found" in out


def test_all_problems_of_a_bad_folder_are_shown_at_once(forerun: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    products = (folder / "products.toml").read_text()
    (folder / "products.toml").write_text(products.replace("format = 1", "format = 1\n[typo]\n", 1))
    with (folder / "orders.csv").open("a") as orders:
        orders.write("CO-X,Nobody,no-such-item,0,soon,later,urgent\n")
    code, _, err = forerun("check", folder)
    assert code == 1
    assert "products.toml: " in err
    assert "typo" in err
    assert "no-such-item" in err
    assert "problems in" in err


def test_a_rule_that_is_none_is_found_by_the_check(forerun: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    shop = (folder / "plant.toml").read_text(encoding="utf-8")
    (folder / "plant.toml").write_text(shop.replace('rule = "ATC"', 'rule = "LUCK"', 1), encoding="utf-8")
    code, _, err = forerun("check", folder)
    assert code == 1
    assert "plant.toml: plant: rule: unknown dispatching rule 'LUCK'; known are" in err


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_folder_that_is_not_there_is_named(forerun: Run, command: str) -> None:
    code, out, err = forerun(command, "/nowhere", *(["--out", "out"] if command == "plan" else []))
    assert code == 1
    assert "plant.toml" in err
    assert "/nowhere" in err
    assert "no problems" not in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", SHOP),
        ("plan", SHOP, "--out", "x", "--replications", "3"),
        ("plan", SHOP, "--out", "x", "--replications", "2000000000"),
        ("plan", SHOP, "--out", "x", "--seed", "-1"),
        ("plan", SHOP, "--out", "x", "--seed", str(2**40)),
        ("check",),
        ("nonsense",),
        ("--nonsense",),
    ],
)
def test_a_wrong_call_is_told_with_exit_code_2(forerun: Run, arguments: tuple[object, ...]) -> None:
    code, _, err = forerun(*arguments)
    assert code == 2
    assert "Usage" in err


def test_a_plan_cannot_be_written_over_a_file(forerun: Run, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, _, err = forerun("plan", SHOP, "--out", "out", "--time-limit", "0.1")
    assert code == 1
    assert "out" in err
    assert (tmp_path / "out").read_text() == "mine"


def test_an_aim_that_is_none_is_told_with_those_that_are(forerun: Run, tmp_path: Path) -> None:
    code, _, told = forerun("plan", SHOP, "--out", tmp_path / "out", "--objective", "lateness")
    assert (code, (tmp_path / "out").exists()) == (1, False)
    assert "there is no aim 'lateness'; name some of tardiness, makespan, setup, work in process" in told


def test_a_folder_that_cannot_be_made_is_told_before_planning(forerun: Run) -> None:
    code, out, err = forerun("plan", SHOP, "--out", "/proc/nothing/here", "--time-limit", "0.1")
    assert code == 1
    assert "--out" in err
    assert "operations" not in out


@pytest.mark.parametrize("process", ["app", "worker", "ingest", "prepare"])
def test_without_a_database_the_missing_setting_is_named(forerun: Run, process: str) -> None:
    code, _, err = forerun(process)
    assert code == 1
    assert "FORERUN_DATABASE_URL" in err


def test_a_database_that_does_not_answer_is_told(forerun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_DATABASE_URL", "postgresql://nobody:s3cret@127.0.0.1:1/none?connect_timeout=1")
    monkeypatch.setattr("psycopg_pool.AsyncConnectionPool.open", _refuse)
    code, _, err = forerun("worker")
    assert code == 1
    assert "database does not answer" in err
    assert "s3cret" not in err


async def _refuse(*_: object, **__: object) -> None:
    raise Unavailable("opening the database: the database does not answer; is it running?")


def test_a_wrong_setting_is_told(forerun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_PORT", "http")
    code, _, err = forerun("app")
    assert code == 1
    assert "setting port (FORERUN_PORT)" in err


def test_messages_of_parts_that_fail_together_are_all_told_as_they_are(
    forerun: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(settings: object) -> None:
        inner = ExceptionGroup("inner", [InvalidInput("[/red] is [bold]no markup[/bold]")])
        raise ExceptionGroup("outer", [Unavailable("the broker is away"), inner])

    monkeypatch.setattr("runtime.wiring.run_worker", fail)
    code, _, err = forerun("worker")
    assert code == 1
    assert err.splitlines() == ["the broker is away", "[/red] is [bold]no markup[/bold]"]


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(settings: object) -> None:
        raise ExceptionGroup("outer", [KeyError("a fault"), InvalidInput("told")])

    monkeypatch.setattr("runtime.wiring.run_worker", fail)
    monkeypatch.setattr(sys, "argv", ["forerun", "worker"])
    with pytest.raises(ExceptionGroup) as raised:
        cli.main()
    assert [type(error) for error in raised.value.exceptions] == [KeyError]


def test_ctrl_c_ends_it_quietly() -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from runtime import cli, wiring\n"
        "async def wait(settings):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    await asyncio.Event().wait()\n"
        "wiring.prepare = wait\n"
        "sys.argv = ['forerun', 'prepare']\n"
        "cli.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    end = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert end.returncode in {1, 130, -signal.SIGINT}
    assert "Traceback" not in end.stderr


def test_the_live_floor_is_saved_and_planned_from(
    forerun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    monkeypatch.setenv("FORERUN_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("FORERUN_PLANT", str(SHOP))
    file = tmp_path / "floor.json"
    code, _, err = forerun("prepare")
    assert code == 0, err
    code, out, err = forerun("snapshot", "save", file)
    assert code == 0, err
    assert "open orders" in out
    options = ("--time-limit", "0.3", "--replications", "20", "--snapshot", file)
    code, out, err = forerun("plan", SHOP, "--out", tmp_path / "out", *options)
    assert code == 0, err
    assert (tmp_path / "out" / "plan.json").exists()

    file.write_text(file.read_text(encoding="utf-8").replace('"plant_version": "pv-', '"plant_version": "pv-x'))
    code, _, err = forerun("plan", SHOP, "--out", tmp_path / "out", *options)
    assert code == 1
    assert "use it with the plant it was taken of" in err


def test_what_reads_machines_says_that_nobody_told_how(
    forerun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(SHOP, bare)
    (bare / "connections.toml").unlink()
    monkeypatch.setenv("FORERUN_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("FORERUN_PLANT", str(bare))
    monkeypatch.setenv("FORERUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FORERUN_PORT", "0")
    monkeypatch.setenv("FORERUN_MES_KEY", "fr_0123456789012345678901234567890123456789")
    monkeypatch.setenv("FORERUN_EMULATOR__GATEWAY_URL", "http://127.0.0.1:1")
    assert forerun("check", bare)[0] == 0
    assert forerun("prepare")[0] == 0, "orders can be entered and planned all the same"
    for command in ("ingest", "emulator", "demo"):
        code, out, err = forerun(command)
        assert code == 1, command
        assert f"connections.toml: file: is missing in {bare}" in out + err, command
        assert "starting" not in out + err, command


def test_a_promise_names_dates_and_what_binds_them(forerun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_PLANNING__TIME_LIMIT_S", "0.5")
    monkeypatch.setenv("FORERUN_PLANNING__REPLICATIONS", "50")
    code, out, err = forerun("promise", "SH-20", 2, "--due", "2026-03-02T12:00", "--plant", SHOP)
    assert (code, err) == (0, "")
    assert "as the plan stands" in out
    assert "decides the date in" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("promise", "SH-99", 2), "SH-99"),
        (("promise", "SH-20", 2, "--due", "soon"), "must be a local time such as"),
        (("promise", "SH-20", 0), "equal to 1"),
    ],
)
def test_a_promise_that_cannot_be_is_refused(forerun: Run, arguments: tuple[object, ...], told: str) -> None:
    code, _, err = forerun(*arguments, "--plant", SHOP)
    assert code != 0
    assert told in err


def test_learning_offline_says_what_came_of_it(forerun: Run) -> None:
    little = ("--candidates", 2, "--cases", 10, "--effort", 0.001, "--replications", 5)
    code, out, err = forerun("learn", SHOP, *little)
    assert (code, err) == (0, "")
    assert "unlearned" in out


def test_where_nothing_can_be_written_nothing_is_learned(forerun: Run, tmp_path: Path) -> None:
    code, out, err = forerun("learn", SHOP, "--out", tmp_path / "missing" / "tuning.toml")
    assert (code, out) == (1, "")
    assert "cannot be written" in err


def test_learning_without_orders_and_a_file_that_is_no_tuning_are_refused(forerun: Run, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(SHOP, bare)
    orders = bare / "orders.csv"
    orders.write_text(orders.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    code, _, err = forerun("learn", bare)
    assert code == 1
    assert "there is nothing to learn from" in err
    (tmp_path / "odd.toml").write_text("format = 1\n[rule]\nspeed = 3\n", encoding="utf-8")
    code, _, err = forerun("plan", SHOP, "--out", tmp_path / "out", "--tuning", tmp_path / "odd.toml")
    assert code == 1
    assert "unknown key speed in rule" in err
