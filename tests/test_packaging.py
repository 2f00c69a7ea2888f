"""The wheel holds what an installation needs, and works where nothing else of the project is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.requirements import missing

ROOT = Path(__file__).parents[1]
DATA = ("*.sql", "*.toml", "*.csv", "*.po", "*.css", "*.js", "*.svg", "*.conf", "*.md")


def run(*command: str, cwd: Path, path: Path | None = None) -> str:
    """Run a command and return what it prints; a failure shows it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORERUN_")}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network and without an environment of its own."""
    if importlib.util.find_spec("hatchling") is None:
        missing("hatchling is not installed (it is in requirements.lock; `make test` installs it)")
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which nothing but the wheel is installed."""
    target = tmp_path_factory.mktemp("installed")
    options = ("--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(wheel), cwd=target)
    return target


def test_everything_but_tests_and_benchmarks_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    for package in packages:
        for pattern in ("*.py", *DATA):
            for path in (ROOT / package).rglob(pattern):
                assert path.relative_to(ROOT).as_posix() in names
    for path in (ROOT / "plants").rglob("*.*"):
        assert f"runtime/plants/{path.relative_to(ROOT / 'plants').as_posix()}" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/", "plants/"))]
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_installed_command_checks_the_packaged_plant(installed: Path, tmp_path: Path) -> None:
    plant = installed / "runtime" / "plants" / "machine_shop"
    said = run(sys.executable, "-m", "runtime.cli", "check", str(plant), cwd=tmp_path, path=installed)
    assert "no problems found" in " ".join(said.split())
    assert (installed / "bin" / "forerun").exists()


def test_the_installed_command_knows_the_shipped_scenarios(installed: Path, tmp_path: Path) -> None:
    said = run(sys.executable, "-m", "runtime.cli", "scenario", "list", cwd=tmp_path, path=installed)
    for folder in (ROOT / "scenarios" / "library").iterdir():
        assert folder.name in said


def test_the_installed_packages_find_their_files(installed: Path, tmp_path: Path) -> None:
    code = """
import dashboard.app, dashboard.words, historian.migrations, historian.orders, historian.samples
from pathlib import Path
print(historian.orders.__file__)
print((dashboard.app.ASSETS / "live.js").is_file())
print((Path(historian.orders.__file__).parent / "sql" / "schema.sql").is_file())
"""
    where, *found = run(sys.executable, "-c", code, cwd=tmp_path, path=installed).split()
    assert Path(where).is_relative_to(installed)
    assert found == ["True", "True"]
