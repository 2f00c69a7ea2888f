"""A scenario: named changes to a base, why it exists, and what to expect of it.

A scenario is a folder with ``scenario.toml`` and ``README.md``, perhaps with a ``README.zh.md``. The README's section
*What to expect* holds lines such as ``- **lead time** falls``, which tests hold it to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plant.errors import ForerunError, InvalidInput, NotFound, PlantInvalid, Problem
from plant.folder_table import Table, unknown
from scenarios.case import Case
from scenarios.changes import KINDS, Change
from scenarios.measures import MEASURES

FORMAT = 1
FILE, README, README_ZH = "scenario.toml", "README.md", "README.zh.md"
LIBRARY = Path(__file__).parent / "library"
BASE = "base"
"""What the unchanged case is called; no scenario may have this name."""

_EXPECTED = re.compile(r"^- \*\*([^*]+)\*\* (rises|falls)\b", re.M)


@dataclass(frozen=True)
class Scenario:
    """What would happen if.

    Attributes
    ----------
    name
        Its folder's name.
    title, title_zh
        One line in English and in Chinese.
    readme, readme_zh
        Why it exists and what to expect; the English text in both where there is no other.
    expected
        Per measure id, ``"rises"`` or ``"falls"`` against the base, as the README says.
    """

    name: str
    title: str
    title_zh: str
    changes: tuple[Change, ...]
    readme: str
    readme_zh: str
    expected: Mapping[str, str]

    def title_in(self, language: str) -> str:
        """Return its title in a language, ``"en"`` or ``"zh"``."""
        return self.title_zh if language == "zh" else self.title

    def readme_in(self, language: str) -> str:
        """Return its README in a language."""
        return self.readme_zh if language == "zh" else self.readme

    def apply(self, case: Case) -> Case:
        """Return the case with all changes made, in their order.

        Raises
        ------
        InvalidInput
            If a change does not fit the case; the message names scenario and change.
        """
        for number, change in enumerate(self.changes, start=1):
            try:
                case = change.apply(case)
            except ForerunError as error:
                raise InvalidInput(f"scenario {self.name}, change {number} ({change.KIND}): {error}") from error
        return case


def load(folder: Path) -> Scenario:
    """Read a scenario's folder.

    Raises
    ------
    NotFound
        If there is no scenario.toml in it.
    PlantInvalid
        With every problem found in scenario.toml and README.md.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{folder} is no scenario: it holds no {FILE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{folder / FILE} cannot be read: {error}") from error
    problems: list[Problem] = []
    readme, expected = _readme(folder, problems)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlantInvalid([*problems, Problem(f"{folder.name}/{FILE}", "file", f"is no TOML: {error}")]) from None
    title, title_zh, changes = _read(Table(f"{folder.name}/{FILE}", "", document, problems))
    if folder.name == BASE:
        problems.append(
            Problem(FILE, "folder", f"a scenario cannot be called {BASE!r}: that is what it is compared to")
        )
    if problems:
        raise PlantInvalid(problems)
    return Scenario(folder.name, title, title_zh, changes, readme, _readme_zh(folder) or readme, expected)


def _read(root: Table) -> tuple[str, str, tuple[Change, ...]]:
    if root.raw("format", None) != FORMAT:
        root.problem("format", f"must be {FORMAT}; this version of Forerun reads format = {FORMAT}")
    title = root.text("title")
    title_zh = root.text("title_zh", title or "?")
    changes = []
    for table in root.tables("change", "change", label="kind"):
        kind = table.text("kind")
        if kind in KINDS:
            changes.append(KINDS[kind].read(table))
        elif kind:
            table.problem("kind", unknown("kind of change", kind, list(KINDS)))
    if not changes and root.ok:
        root.problem("change", "a scenario needs at least one [[change]]")
    root.close()
    return title, title_zh, tuple(change for change in changes if change is not None)


def _readme(folder: Path, problems: list[Problem]) -> tuple[str, dict[str, str]]:
    file = f"{folder.name}/{README}"
    try:
        text = (folder / README).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(file, "file", "is missing: say why the scenario exists and what to expect"))
        return "", {}
    ids = {measure.name: measure.id for measure in MEASURES}
    expected = {}
    for name, direction in _EXPECTED.findall(text):
        if name in ids:
            expected[ids[name]] = direction
        else:
            problems.append(Problem(file, "What to expect", unknown("measure", name, list(ids))))
    return text, expected


def _readme_zh(folder: Path) -> str:
    """Return the Chinese README, nothing where there is none."""
    try:
        return (folder / README_ZH).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{folder / README_ZH} cannot be read: {error}") from error


def library(folder: Path = LIBRARY) -> tuple[Scenario, ...]:
    """Return all scenarios of a folder of scenarios, by name; those that are shipped by default."""
    return tuple(load(one.parent) for one in sorted(folder.glob(f"*/{FILE}")))


def named(name: str, shipped: Path = LIBRARY) -> Scenario:
    """Return a scenario by its name in the library, or by the path of its folder.

    Raises
    ------
    NotFound
        If it is neither; the message lists the shipped ones.
    """
    if (shipped / name / FILE).is_file():
        return load(shipped / name)
    if (Path(name) / FILE).is_file():
        return load(Path(name).resolve())
    names = [one.parent.name for one in shipped.glob(f"*/{FILE}")]
    raise NotFound(f"{unknown('scenario', name, names)}; or give the path of a folder with a {FILE}")
