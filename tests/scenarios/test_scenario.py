"""A scenario's folder: read with every problem found at once, applied in order, refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.errors import InvalidInput, NotFound, PlantInvalid
from scenarios.scenario import load, named
from tests.scenarios.shop import machine_shop

GOOD = """format = 1
title = "Both"

[[change]]
kind = "new_machine"
id = "M14"
like = "M08"

[[change]]
kind = "machine_down"
machine = "M14"
from = "+1 d"
for_h = 2
"""


def write(folder: Path, text: str, readme: str = "# Both\n\n- **lead time** falls\n") -> Path:
    folder.mkdir()
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(readme, encoding="utf-8")
    return folder


def test_changes_are_made_in_their_order(tmp_path: Path) -> None:
    scenario = load(write(tmp_path / "both", GOOD))
    assert (scenario.name, scenario.title, scenario.title_zh) == ("both", "Both", "Both")
    assert scenario.expected == {"lead_time": "falls"}
    assert scenario.apply(machine_shop()).plant.machine("M14").calendar == "of M14"


def test_a_change_that_does_not_fit_is_named_with_its_scenario(tmp_path: Path) -> None:
    scenario = load(write(tmp_path / "mine", GOOD.replace('"M14"\nfrom', '"M15"\nfrom')))
    with pytest.raises(InvalidInput, match=r"scenario mine, change 2 \(machine_down\): unknown machine 'M15'"):
        scenario.apply(machine_shop())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("format = 1", "format = 2"), "format: must be 1"),
        (GOOD.replace("format = 1\n", ""), "format: must be 1"),
        (GOOD.replace('title = "Both"\n', ""), "title: is missing"),
        (
            GOOD.replace('"machine_down"', '"machine_dwon"'),
            "unknown kind of change 'machine_dwon'; did you mean 'machine_down'",
        ),
        (GOOD.replace("for_h = 2", "for_h = -2"), "change machine_down: for_h: must be a number above 0"),
        (GOOD.replace("for_h = 2", "for_hours = 2"), "for_hours: unknown key"),
        (GOOD.replace('"+1 d"', '"soon"'), "change machine_down: from: must be a local time"),
        (GOOD.replace('like = "M08"', ""), "change new_machine: like: is missing"),
        ('format = 1\ntitle = "x"\n', "change: is missing"),
        ('format = 1\ntitle = "x"\nchange = []\n', "at least one"),
        ("format = ", "is no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlantInvalid) as refused:
        load(write(tmp_path / "wrong", text))
    assert "wrong/scenario.toml" in str(refused.value)
    assert said in str(refused.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "wrong", GOOD.replace("for_h = 2", "for_h = 0").replace('like = "M08"', "like = 8"))
    (folder / "README.md").unlink()
    with pytest.raises(PlantInvalid) as refused:
        load(folder)
    assert len(refused.value.problems) == 3


def test_a_readme_that_expects_something_unknown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlantInvalid, match="unknown measure 'happiness'"):
        load(write(tmp_path / "wrong", GOOD, "# Both\n\n- **happiness** rises\n"))


def test_names(tmp_path: Path) -> None:
    assert named("extra_shift").name == "extra_shift"
    assert named(str(write(tmp_path / "own", GOOD))).name == "own"
    with pytest.raises(NotFound, match="unknown scenario 'extra_shfit'; did you mean 'extra_shift'"):
        named("extra_shfit")
    with pytest.raises(NotFound, match="is no scenario"):
        load(tmp_path)
    with pytest.raises(PlantInvalid, match="cannot be called 'base'"):
        load(write(tmp_path / "base", GOOD))
