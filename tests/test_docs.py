"""The documentation says what is the case: links, names, settings, commands and tables are held against the code."""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, SecretStr
from rich.console import Console

from connectors.build import check as check_connection
from gateway.api import calibrations, disturbances, fidelity, floor, learned, locks, orders, plans
from plant import errors
from plant.actor import PERMISSIONS, Role
from plant.errors import SettingsInvalid
from plant.folder import check, load, load_orders, require_connections
from plant.reading import Signal
from runtime.cli import app
from runtime.offline import plan_offline
from runtime.settings import Settings, read_settings
from scenarios.changes import KINDS
from scenarios.measures import MEASURES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
LINK = re.compile(r"\[(?:[^\]\[]|!\[[^\]]*\]\([^)]*\))*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
NAMED = re.compile(r"\[([\w/]+\.py): (\w+(?:\.\w+)?)\]\(([^)]+)\)")
COMMANDS = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback}
COMMANDS |= {group.name for group in app.registered_groups if group.name}
GROUPS = {
    str(group.name): {info.name or info.callback.__name__ for info in group.typer_instance.registered_commands}
    for group in app.registered_groups
    if group.typer_instance
}
ROUTES = {
    f"{method} /api/v1{route.path}"
    for module in (orders, plans, locks, disturbances, calibrations, learned, floor, fidelity)
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Return the anchors GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", text(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def rows(page: Path) -> dict[str, list[str]]:
    """Return a page's table rows by the code in their first cell."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text(page).splitlines() if line.startswith("| ")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in cells}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(text(page)) + [target for _, target in IMAGE.findall(text(page))]
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT), f"{page.name}: {link} leaves the project"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_is_reached_from_the_start() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        found = [link.partition("#")[0] for link in LINK.findall(text(page)) if not re.match(r"[a-z]+:", link)]
        waiting += [(page.parent / link).resolve() for link in found if link]
    assert set(PAGES) <= seen


def test_pictures_are_small_and_have_a_text() -> None:
    used = {(page.parent / target).resolve() for page in PAGES for said, target in IMAGE.findall(text(page)) if said}
    kept = set((DOCS / "images").iterdir())
    assert kept == used
    for picture in kept:
        assert picture.read_bytes().startswith((b"\x89PNG", b"<svg"))
        assert picture.stat().st_size < 250_000, picture.name


def defined(path: Path) -> set[str]:
    """Return the functions, classes and methods a module defines at its top."""
    names = set()
    for node in ast.parse(text(path)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if hasattr(part, "name")}
    return names


def test_the_journey_names_what_exists() -> None:
    page = DOCS / "architecture.md"
    found = NAMED.findall(text(page))
    for path, name, target in found:
        assert (page.parent / target).resolve() == ROOT / path, f"{path} is linked to {target}"
        assert name in defined(ROOT / path), f"{path} has no {name}"
    assert len(found) >= 40
    for step in ("Order", "Plan", "Verdict", "Release", "Dispatch", "Execution", "Completion"):
        paragraph = text(page).split(f"**{step}.**")[1].split("\n\n")[0]
        assert NAMED.search(paragraph), f"the step {step} links to no code"


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every setting's name with its default."""
    for name, field in model.model_fields.items():
        value = field.get_default(call_default_factory=True)
        if isinstance(value, BaseModel):
            yield from settings(type(value), f"{prefix}{name}.")
        else:
            yield prefix + name, value


def shown(value: object) -> str:
    """Return a default as the reference shows it."""
    match value:
        case None | {}:
            return "none"
        case bool():
            return str(value).lower()
        case frozenset():
            return f"`{', '.join(sorted(value))}`"
        case float():
            return f"`{value:g}`"
    return f"`{value}`"


def test_every_setting_is_documented_with_its_default() -> None:
    told = {name: cells for name, cells in rows(DOCS / "reference" / "settings.md").items() if len(cells) == 3}
    told.pop("setting")
    told = {name: cells for name, cells in told.items() if not name.startswith("-")}
    known = dict(settings(Settings))
    assert set(told) == set(known)
    for name, value in known.items():
        named, default, means = told[name]
        assert named == f"`{variable(name)}`"
        assert default == shown(value), name
        assert means, name


def test_every_request_is_documented() -> None:
    told = {name for name in rows(DOCS / "reference" / "api.md") if re.match(r"[A-Z]+ /", name)}
    assert told == ROUTES


def test_addresses_in_the_docs_exist() -> None:
    patterns = [re.sub(r"\{\w+\}", r"[^/?\\s]+", route.split(" ")[1]) + "$" for route in ROUTES]
    for page in PAGES:
        for address in re.findall(r"/api/v1/[\w{}/-]+", text(page)):
            known = any(re.match(pattern, address.rstrip("/")) for pattern in patterns)
            assert known or address == "/api/v1/openapi", f"{page.name}: {address}"


def test_every_role_is_documented() -> None:
    told = rows(DOCS / "reference" / "api.md")
    for role in set(Role) - {Role.SYSTEM}:
        assert told[role] == [", ".join(sorted(PERMISSIONS[role])) or "nothing"]


def test_every_metric_is_documented() -> None:
    told = set(rows(DOCS / "reference" / "metrics.md"))
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py")]
    kept = {
        name
        for package in packages
        for path in package.rglob("*.py")
        for name in re.findall(r'(?:Counter|Gauge|Histogram|Summary)\(\s*"(forerun_\w+)"', text(path))
    }
    assert kept
    assert kept == {name for name in told if name.startswith("forerun_")}


def keys(table: object) -> Iterator[str]:
    """Yield every key of a TOML document."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield key
            yield from keys(value)
    elif isinstance(table, list):
        for value in table:
            yield from keys(value)


def test_every_key_of_the_machine_shop_is_documented() -> None:
    told = text(DOCS / "reference" / "plant-folder.md")
    folder = ROOT / "plants" / "machine_shop"
    machines = {machine.id for machine in load(folder).machines}
    for file in sorted(folder.glob("*.toml")):
        for key in set(keys(tomllib.loads(text(file)))) - machines:
            assert re.search(rf"[`\[ .]{key}[`\],. ]", told), f"{file.name}: {key}"
    for column in text(folder / "orders.csv").splitlines()[0].split(","):
        assert f"`{column}`" in told


@pytest.mark.parametrize("protocol", ["opcua", "mqtt", "modbus"])
def test_every_option_of_a_connection_is_documented(protocol: str) -> None:
    told = set(re.findall(r"`(\w+)`", rows(DOCS / "reference" / "plant-folder.md")[protocol][0]))
    source = ast.parse(text(ROOT / "connectors" / f"{protocol}_options.py"))
    getters = {"text", "optional", "secret", "texts", "number", "whole", "table"}
    read = {
        call.args[0].value
        for call in ast.walk(source)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in getters
        and ast.unparse(call.func.value) == "take"
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(read) > 5
    assert told == read | ({"byte_order", "word_order"} if protocol == "modbus" else set())


def test_every_signal_is_told_to_whoever_connects_machines() -> None:
    told = text(DOCS / "howto" / "connect-machines.md")
    assert [signal for signal in Signal if f"`{signal}`" not in told] == []


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│├└─ ]*)([A-Z]\w+)\b", line)
        if match is None:
            continue
        depth = len(match[1])
        while above and above[-1][0] >= depth:
            above.pop()
        drawn[match[2]] = above[-1][1] if above else None
        above.append((depth, match[2]))
    real = {
        name: None if value is errors.ForerunError else value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ForerunError)
    }
    assert drawn == real


def shell_lines(page: Path) -> Iterator[str]:
    """Yield the lines of a page's shell blocks."""
    for block in re.findall(r"```sh\n(.*?)```", text(page), re.S):
        yield from block.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_shown_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", text(ROOT / "Makefile"), re.M))
    for line in shell_lines(page):
        make = re.search(r"(?:^|\s)make ([\w-]+)", line)
        assert make is None or make[1] in targets, line
        command = re.search(r"(?:^|[\s/])forerun ([\w-]+)", line)
        if command is not None and not line.startswith(("createdb", "createuser")):
            assert command[1] in COMMANDS | set(GROUPS), line
            if command[1] in GROUPS:
                inner = re.search(rf"forerun {command[1]} ([\w-]+)", line)
                assert inner is not None, line
                assert inner[1] in GROUPS[command[1]], line


def test_every_command_is_mentioned() -> None:
    everything = "\n".join(text(page) for page in PAGES)
    for command in COMMANDS:
        assert f"forerun {command}" in everything, command
    for group, commands in GROUPS.items():
        for command in commands:
            assert f"forerun {group} {command}" in everything, f"{group} {command}"


def test_every_change_is_documented_with_its_keys() -> None:
    told = {name: cells for name, cells in rows(DOCS / "reference" / "scenarios.md").items() if len(cells) == 2}
    told.pop("kind")
    assert set(told) == set(KINDS)
    for kind, change in KINDS.items():
        source = text(Path(inspect.getfile(change)))
        read = set(re.findall(r"""(?:table\.\w+|When\.read|optional_texts)\((?:table, )?"(\w+)\"""", source))
        assert read, kind
        assert set(re.findall(r"`(\w+)`", told[kind][0])) == read, kind


def test_every_measure_is_documented() -> None:
    told = rows(DOCS / "reference" / "scenarios.md")
    for measure in MEASURES:
        assert told[measure.id][2] == measure.means


def variable(name: str) -> str:
    """Return the variable that holds a setting."""
    return f"FORERUN_{name.replace('.', '__').upper()}"


def other_variables() -> set[str]:
    """Return the variables that the reference lists beside the settings."""
    told = text(DOCS / "reference" / "settings.md").split("## Variables that are no settings")[1]
    return {name for line in told.splitlines() for name in re.findall(r"`(FORERUN_\w+)`", line.split(" | ")[0])}


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    """Whatever the product, its containers, tests and benchmarks read from the environment is a setting or listed."""
    sources = [path for folder in ROOT.glob("*/__init__.py") for path in folder.parent.rglob("*.py")]
    sources += [ROOT / "docker-compose.yml", ROOT / "tests" / "requirements.py", *(ROOT / "benchmarks").glob("*.py")]
    named = {name for path in sources for name in re.findall(r"FORERUN_[A-Z_]*[A-Z]", text(path))}
    assert named - {variable(name) for name, _ in settings(Settings)} == other_variables()


def what_is_read(name: str) -> str:
    """Return a setting as it is read, or why it cannot be."""
    try:
        found: Any = read_settings()
    except SettingsInvalid as error:
        return str(error)
    for part in name.split("."):
        found = getattr(found, part)
    return str(found.get_secret_value() if isinstance(found, SecretStr) else found)


def test_every_documented_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A text is taken over as it is; where it is no value, it is refused with the name of the variable."""
    for name in [name for name in os.environ if name.startswith("FORERUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    told = rows(DOCS / "reference" / "settings.md")
    for name, _ in settings(Settings):
        with monkeypatch.context() as patch:
            patch.setenv(told[name][0].strip("`"), "nowhere")
            assert re.search(rf"^nowhere$|\b{variable(name)}\b", what_is_read(name)), name


def test_variables_in_the_docs_are_read() -> None:
    known = {variable(name) for name, _ in settings(Settings)} | other_variables()
    for page in PAGES:
        for named in re.findall(r"FORERUN_[A-Z_]+[A-Z]", text(page)):
            assert named in known, f"{page.relative_to(ROOT)}: {named}"


def test_the_plant_of_the_how_to_is_whole(tmp_path: Path) -> None:
    """What the page tells to write is checked, planned without connections, and connected as it says."""
    page = text(DOCS / "howto" / "own-plant.md")
    files = re.findall(r"`plants/my_plant/([\w.]+)`[^`]*```\w+\n(.*?)```", page, re.S)
    assert [name for name, _ in files] == ["plant.toml", "products.toml", "orders.csv", "connections.toml"]
    for name, content in files[:3]:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert check(tmp_path) == []
    with Console(file=io.StringIO()) as console:
        plan = plan_offline(tmp_path, tmp_path / "out", 1.0, 50, console=console).version
    assert set(plan.orders) == {order.id for order in load_orders(tmp_path, load(tmp_path))}
    assert plan.judgement.passed
    (tmp_path / files[3][0]).write_text(files[3][1], encoding="utf-8")
    assert check(tmp_path) == []
    plant = load(tmp_path)
    require_connections(plant, tmp_path)
    assert [wrong for connection in plant.connections for wrong in check_connection(connection)] == []


def test_paths_named_in_the_docs_exist() -> None:
    for page in PAGES:
        for path in re.findall(r"`((?:docs|tests|plants|historian|plant|runtime)/[\w./-]+)`", text(page)):
            own = PurePosixPath(path).parts[:2] == ("plants", "my_plant")
            assert own or (ROOT / path).exists(), f"{page.name}: {path}"
