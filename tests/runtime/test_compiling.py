"""What is compiled when Forerun is installed is all that plans need, and other processes find it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.compiled_code import inherit
from runtime.compiling import PARTS, compile_all, forget_stale
from scheduler.job_shop_search import Limits, search
from scheduler.solve import SolverSettings, solve
from tests.scheduler.job_shops import random_problem
from tests.scheduler.test_property import everything

ROOT = Path(__file__).parents[2]

FRESH = """
import json
from runtime.compiling import PARTS
from tests.runtime.test_compiling import compiled_functions
for part in PARTS:
    part()
found = compiled_functions()
print(json.dumps([{name: sum(getattr(one.stats, kind).values()) for name, one in found.items()}
                  for kind in ("cache_hits", "cache_misses")]))
"""


def compiled_functions() -> dict[str, Any]:
    """Return every function of ours that numba compiles, by its module and name."""
    modules = {name: module for name, module in sys.modules.items() if name.startswith(("scheduler.", "twin."))}
    return {
        f"{name}.{key}": value
        for name, module in sorted(modules.items())
        for key, value in vars(module).items()
        if hasattr(value, "signatures") and value.__module__ == name
    }


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.booleans())
def test_no_plan_needs_another_compilation(seed: int, flexible: bool) -> None:
    for part in PARTS:
        part()
    before = {name: len(one.signatures) for name, one in compiled_functions().items()}
    solve(everything(seed), SolverSettings(time_limit_s=0.5, effort=0.02, workers=1))
    search(random_problem(seed, flexible=flexible), Limits(steps=100, workers=1), seed)
    assert {name: len(one.signatures) for name, one in compiled_functions().items()} == before


def test_a_fresh_process_that_keeps_elsewhere_compiles_nothing(tmp_path: Path) -> None:
    compile_all()
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FRESH], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    hits, misses = json.loads(done.stdout)
    assert {name: count for name, count in misses.items() if count} == {}
    assert {"scheduler.tabu.search", "scheduler.walk.burst", "twin.kernel.walk"} <= {n for n, c in hits.items() if c}


def test_what_was_compiled_from_other_sources_is_removed(tmp_path: Path) -> None:
    package, kept = tmp_path / "__init__.py", tmp_path / "__pycache__" / "some.f-1.py311.1.nbc"
    package.write_text("")
    (tmp_path / "some.py").write_text("one = 1")
    forget_stale(package)
    kept.write_bytes(b"code")
    forget_stale(package)
    assert kept.exists()
    (tmp_path / "other.py").write_text("one = 2")
    forget_stale(package)
    assert not kept.exists()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A source file with one function kept beside it."""
    source = tmp_path / "package" / "some.py"
    (source.parent / "__pycache__").mkdir(parents=True)
    for suffix in ("nbi", "1.nbc"):
        (source.parent / "__pycache__" / f"some.f-1.py311.{suffix}").write_text("shipped")
    (source.parent / "__pycache__" / "someone.f-1.py311.nbi").write_text("another module's")
    return source


def test_a_folder_inherits_what_is_newer_and_only_of_this_file(shipped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    older, newer = (folder / f"some.f-1.py311.{suffix}" for suffix in ("nbi", "1.nbc"))
    older.write_text("own")
    os.utime(older, (0, 0))
    newer.write_text("own")
    os.utime(newer, (1e11, 1e11))
    inherit(str(shipped), str(folder))
    assert {file.name: file.read_text() for file in folder.iterdir()} == {older.name: "shipped", newer.name: "own"}


def test_a_folder_that_is_not_there_inherits_nothing(shipped: Path, tmp_path: Path) -> None:
    inherit(str(shipped), str(tmp_path / "missing"))
    assert not (tmp_path / "missing").exists()
