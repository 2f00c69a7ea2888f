"""The shape of the house: who imports whom, who tells the time, who speaks SQL, and that the tree names no machine."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = sorted(
    folder.parent.name for folder in ROOT.glob("*/__init__.py") if folder.parent.name not in {"tests", "benchmarks"}
)
FLOORS = [
    {"runtime"},
    {"connectors", "gateway", "dashboard", "emulator"},
    {"operations"},
    {"scenarios"},
    {"scheduler", "twin", "methods", "historian"},
    {"plant"},
]

NOW = {"now", "utcnow", "today"}
SQL = re.compile(r"\s*(select|insert\s+into|update\s+\w+\s+set|delete\s+from|(create|alter|drop)\s+\w+|copy\s)\b", re.I)
# Talks to the server before there is a historian, and to procrastinate, whose tables are its own.
OTHER_SQL = {"runtime/embedded.py", "runtime/jobs.py"}

ADDRESSES = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:work|Users)/",
            r"(?<![\w.])/home/(?!forerun\b)\w+",
            r"https?://\S*(?:pypi|pythonhosted|npmjs|yarnpkg)",
            r"--(?:extra-)?index-url",
            r'"resolved":',
        ]
    )
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the product with its path."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Yield every text file of the tree that is kept, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content:
                yield name, content.decode("utf-8")


def test_packages_import_only_from_floors_below(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_the_contracts_cover_every_package_and_know_no_exception() -> None:
    linter = PYPROJECT["tool"]["importlinter"]
    assert sorted(linter["root_packages"]) == PACKAGES
    assert sorted(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    layers = next(contract for contract in linter["contracts"] if contract["type"] == "layers")
    assert [set(layer.split(" | ")) for layer in layers["layers"]] == FLOORS
    for contract in linter["contracts"]:
        assert not [key for key in contract if key.startswith(("ignore", "unmatched"))], contract["name"]


def test_only_the_clock_asks_what_time_it_is() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in NOW
        and ast.unparse(node.value) in {"datetime", "date", "datetime.datetime", "datetime.date"}
    ]
    assert [place.split(":")[0] for place in found] == ["plant/clock.py"], found


def docstrings(tree: ast.AST) -> set[int]:
    """Return the ids of constants that stand alone as statements: docstrings."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def test_only_the_historian_speaks_sql() -> None:
    found = set()
    for path, tree in modules():
        notes = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in notes:
                text = node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
                if SQL.match(text) and " " in text.strip() and _is_statement(text):
                    found.add((path, text))
    outside = {(path, text) for path, text in found if not path.startswith("historian/")}
    assert found - outside, "the check no longer recognises SQL: it finds none in historian/ either"
    assert {path for path, _ in outside} <= OTHER_SQL, outside


def _is_statement(text: str) -> bool:
    """Tell SQL from a sentence or a use case's name that begins with the same word."""
    return bool(
        re.search(r"\b(from|into|set|table|database|index|view|extension|to_regclass\(|as)\b|\(|%s|\{\}", text, re.I)
    )


def test_the_plant_needs_nothing_but_the_standard_library() -> None:
    allowed = set(__import__("sys").stdlib_module_names) | {"plant"}
    for path, tree in modules():
        if path.startswith("plant/"):
            for node in ast.walk(tree):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert {name.split(".")[0] for name in names} <= allowed, path


def test_the_tree_names_no_machine_and_no_registry() -> None:
    names = []
    for name, text in tracked_texts():
        names.append(name)
        # The option that keeps addresses out of the lock is not an address.
        found = ADDRESSES.search(text.replace("--no-emit-index-url", ""))
        assert found is None, f"{name}: {found[0] if found else ''}"
    assert {"README.md", "Makefile", "requirements.lock"} <= set(names)
