"""What a test needs from outside: skipped with its reason where it is missing, failed where everything is required."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest


def missing(reason: str) -> None:
    """Skip the running test with `reason`; with ``FORERUN_TEST_REQUIRE=all`` fail it."""
    if os.environ.get("FORERUN_TEST_REQUIRE") == "all":
        pytest.fail(f"required by FORERUN_TEST_REQUIRE=all: {reason}", pytrace=False)
    pytest.skip(reason)


def require_program(name: str, package: str) -> str:
    """Return the path of an installed program, or skip naming the package it comes in."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        missing(f"{name} is not installed (Debian package {package}; `make test` installs it as root)")
    assert path is not None
    return path


def reference_data() -> Path:
    """Return the folder of reference data that `FORERUN_DATA` names, or skip: the project ships none of it."""
    folder = os.environ.get("FORERUN_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FORERUN_DATA does not name the folder of reference data")
    return Path(folder)


def require_module(name: str, package: str) -> ModuleType:
    """Import and return a module of an optional package, or skip naming the package."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"{package} is not installed (it is in requirements-dev.lock; `make test` installs it)")
        raise
