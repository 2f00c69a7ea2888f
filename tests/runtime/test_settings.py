"""Settings: read once, validated; a wrong one stops the start with its name and what is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from plant.errors import SettingsInvalid
from plant.objective import OBJECTIVE, Aim, Objective
from runtime.settings import Settings, read_settings, to_environment
from runtime.wiring import planning_rules


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FORERUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_hold() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.planning.replications) == ("127.0.0.1", 8050, 1000)
    assert settings.database_url is None


def test_the_environment_comes_before_the_file_and_arguments_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("forerun.toml").write_text('port = 1\nhost = "a"\n[planning]\nworkers = 4\nseed = 9\n[endpoints]\na = "x"\n')
    monkeypatch.setenv("FORERUN_PORT", "2")
    monkeypatch.setenv("FORERUN_PLANNING__SEED", "10")
    settings = read_settings(host="b")
    assert (settings.port, settings.host, settings.endpoints) == (2, "b", {"a": "x"})
    assert (settings.planning.workers, settings.planning.seed, settings.planning.replications) == (4, 10, 1000)


def test_a_named_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("port = 3\n")
    monkeypatch.setenv("FORERUN_SETTINGS", str(tmp_path / "other.toml"))
    assert read_settings().port == 3


def test_names_of_tests_and_tools_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_TEST_REQUIRE", "all")
    monkeypatch.setenv("FORERUN_DATA", "/nowhere")
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("FORERUN_PORT", "http", "integer"),
        ("FORERUN_PORT", "70000", "less than or equal to 65535"),
        ("FORERUN_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("FORERUN_PLANNING__WORKERS", "0", "greater than or equal to 1"),
        ("FORERUN_PLANNING__TIME_LIMIT_S", "inf", "finite"),
        ("FORERUN_GATE__ON_TIME_HIGH", "1.5", "less than or equal to 1"),
        ("FORERUN_GATE__ON_TIME_HIGH", "nan", "finite"),
        ("FORERUN_PLANNING__WORKER", "2", "there is no such setting; known are automatic, delay_tolerance_s"),
        ("FORERUN_PROT", "1", "there is no such setting; known are ADMIN_PASSWORD"),
        ("forerun_prot", "1", "there is no such setting"),
        ("FORERUN_PLANNING__OBJECTIVE", "lateness", "there is no aim 'lateness'; name some of tardiness, makespan"),
        ("FORERUN_PLANNING__OBJECTIVE", "setup=x", "the weight of setup must be a number of at least 0, not 'x'"),
        ("FORERUN_PORT__HTTP", "1", "FORERUN_PORT has no parts"),
        ("FORERUN_ENDPOINTS", "opc.tcp://x", "written as JSON"),
        ("FORERUN_ENDPOINTS", '["a"]', "dictionary"),
        ("FORERUN_ALLOWED_HOSTS", "a,b", "written as JSON"),
        ("FORERUN_PLANNING", "fast", "written as JSON"),
        ("FORERUN_EMULATOR", '{"rat": 3}', "there is no such setting; known are gateway_url"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings()
    assert variable in str(refusal.value)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = \n", "forerun.toml: not a TOML file"),
        ("prot = 1\n", "setting prot"),
        ("[planning]\nworker = 1\n", "setting planning.worker"),
        ("planning = 3\n", "setting planning"),
        ("[planning]\nobjective = 3\n", "setting planning.objective .*must be a list of aims, a table"),
        ('[planning]\nobjective = ["setup", "setup"]\n', "setting planning.objective .*named twice in setup, setup"),
        ("[planning]\nobjective = []\n", "setting planning.objective .*at least one aim of tardiness, makespan"),
        ("[planning.objective]\nsetup = true\n", "the weight of setup must be a number of at least 0"),
        ('[gate]\non_time_high = "much"\n', "setting gate.on_time_high"),
        (b"\xff\xfe", "forerun.toml: not a TOML file"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text: str | bytes, told: str) -> None:
    Path("forerun.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsInvalid, match=told):
        read_settings()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('objective = ["tardiness", "energy"]', Objective((Aim.TARDINESS, Aim.ENERGY))),
        ('objective = "setup, work in process"', Objective((Aim.SETUP, Aim.WORK_IN_PROCESS))),
        (
            'objective = { tardiness = 1, "work in process" = 0.5 }',
            Objective((Aim.TARDINESS, Aim.WORK_IN_PROCESS), (1, 0.5)),
        ),
        ("workers = 1", OBJECTIVE),
    ],
)
def test_the_objective_is_a_list_a_table_or_a_text(written: str, meant: Objective) -> None:
    Path("forerun.toml").write_text(f"[planning]\n{written}\n")
    assert planning_rules(read_settings()).solver.objective == meant


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_PORT", "x")
    monkeypatch.setenv("FORERUN_PLANNING__WORKERS", "y")
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings()
    assert [line.split()[1] for line in str(refusal.value).splitlines()] == ["port", "planning.workers"]


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_SETTINGS", "nowhere.toml")
    with pytest.raises(SettingsInvalid, match=r"FORERUN_SETTINGS=nowhere\.toml: there is no such file"):
        read_settings()


def test_secrets_show_neither_in_settings_nor_in_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORERUN_DATABASE_URL", "postgresql://u:s3cret@h/d")
    monkeypatch.setenv("FORERUN_MES_KEY", "fr_s3cret")
    assert "s3cret" not in repr(read_settings())
    monkeypatch.setenv("FORERUN_PORT", "x")
    with pytest.raises(SettingsInvalid) as refusal:
        read_settings()
    assert "s3cret" not in str(refusal.value)


def test_a_child_process_reads_exactly_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(
        data_dir="/some where/data",
        database_url="postgresql://u:p%40ss@h/d?x=1",
        admin_password='quo"te\\d pass',
        port=0,
        allowed_hosts=frozenset({"a", "b"}),
        endpoints={"line-opcua": "opc.tcp://127.0.0.1:4840"},
        log_level="debug",
        planning={"automatic": True, "time_limit_s": 0.1, "objective": {"setup": 1, "energy": 60.5}},
        gate={"tolerance": 0.5},
        emulator={"rate": 120.0, "gateway_url": "http://127.0.0.1:1"},
    )
    for name, value in to_environment(settings).items():
        monkeypatch.setenv(name, value)
    again = read_settings()
    assert again == settings
    assert again.admin_password == SecretStr('quo"te\\d pass')
