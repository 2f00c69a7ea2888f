"""Reading a plant folder: what stands in it arrives, and everything wrong in it is named at once."""

from __future__ import annotations

import os
import random
import re
import shutil
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plant.calendar import Calendar
from plant.connection import Protocol
from plant.distribution import Distribution, Family
from plant.errors import PlantInvalid, Problem
from plant.folder import check, load, load_orders, require_connections
from plant.item import ItemKind
from plant.order import Priority
from plant.plant import NO_CHANGEOVERS, Reliability
from plant.tariff import PricePeriod, Tariff
from tests.plant.folder_writer import connections_toml, local_time, products_toml, quoted, shop_toml

SHOP = Path(__file__).parents[2] / "plants" / "machine_shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the machine shop that a test may spoil."""
    shutil.copytree(SHOP, tmp_path / "shop")
    return tmp_path / "shop"


def edit(folder: Path, file: str, before: str, after: str) -> None:
    """Replace the first `before` in a file; the test is wrong if there is none."""
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text, f"{before!r} is not in {file}"
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")


def append(folder: Path, file: str, text: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as opened:
        opened.write(text)


def found(problems: list[Problem], file: str, key: str) -> str:
    """Return the reason of the one problem with this file and key."""
    reasons = [problem.reason for problem in problems if (problem.file, problem.key) == (file, key)]
    assert len(reasons) == 1, f"{file}: {key} among\n" + "\n".join(map(str, problems))
    return reasons[0]


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


# --- what arrives ---------------------------------------------------------------------------------------------------


def test_a_plant_written_out_and_read_again_is_the_same(tmp_path: Path) -> None:
    plant, orders = load(SHOP), load_orders(SHOP, load(SHOP))
    (tmp_path / "plant.toml").write_text(shop_toml(plant), encoding="utf-8")
    (tmp_path / "products.toml").write_text(products_toml(plant), encoding="utf-8")
    (tmp_path / "connections.toml").write_text(connections_toml(plant), encoding="utf-8")
    lines = ["id,customer,item,quantity,ordered_at,due_at,priority"]
    for order in orders:
        ordered, due = local_time(plant, order.ordered_at), local_time(plant, order.due_at)
        lines.append(f"{order.id},{order.customer},{order.item},{order.quantity},{ordered},{due},{order.priority}")
    (tmp_path / "orders.csv").write_text("\n".join(lines), encoding="utf-8")

    assert check(tmp_path) == []
    assert load(tmp_path) == plant
    assert load_orders(tmp_path, plant) == orders


def test_values_arrive_in_seconds_and_utc(folder: Path) -> None:
    plant = load(folder)
    assert plant.starts_at == datetime(2026, 1, 4, 22, tzinfo=UTC), "06:00 in Shanghai"
    lathe = plant.machine("M03")
    assert (lathe.speed, lathe.capabilities, lathe.area) == (1.15, ("turning",), "machining")
    assert lathe.reliability == Reliability(
        Distribution(Family.WEIBULL, 45 * 3600.0, 0.7), Distribution(Family.LOGNORMAL, 1.5 * 3600.0, 0.6)
    )
    assert plant.machine("M10").batch_capacity == 4
    drill = plant.machine("M07").reliability
    assert drill is not None
    assert drill.time_between_failures == Distribution(Family.EXPONENTIAL, 60 * 3600.0, 1.0)
    bar = plant.item("BAR-42")
    assert (bar.kind, bar.lead_time_s, bar.stock) == (ItemKind.PURCHASED, 3 * 86400.0, Decimal(400))
    assert plant.setup_matrix_of("M01").duration_s("saw small bar", "saw plate") == 600.0
    assert [(one.protocol, len(one.machines)) for one in plant.connections] == [
        (Protocol.OPCUA, 5),
        (Protocol.MQTT, 4),
        (Protocol.MODBUS, 4),
    ]
    assert plant.connections[2].options["devices"]["M12"] == 12
    assert isinstance(plant.connections[2].options["poll_s"], float)


def test_quantities_are_exactly_as_written(folder: Path) -> None:
    edit(
        folder,
        "products.toml",
        'bom = [{ item = "BAR-42", quantity = 1 }]',
        'bom = [{ item = "BAR-42", quantity = 0.1 }]',
    )
    plant = load(folder)
    assert plant.item("SH-20").bom[0].quantity == Decimal("0.1")


def test_an_order_line_without_priority_is_normal_and_spreadsheet_marks_are_read_over(folder: Path) -> None:
    text = "id,customer,item,quantity,ordered_at,due_at\n\nA-1,Wuxi,SH-20,3,2026-01-05 06:00,2026-01-09T16:00\n"
    (folder / "orders.csv").write_text(text, encoding="utf-8-sig")
    (order,) = load_orders(folder, load(folder))
    assert (order.id, order.quantity, order.priority) == ("A-1", 3, Priority.NORMAL)
    assert order.due_at == datetime(2026, 1, 9, 8, tzinfo=UTC)


# --- what is wrong --------------------------------------------------------------------------------------------------


def test_every_problem_is_named_at_once(folder: Path) -> None:
    """Planted errors of every kind over all four files; the loader tells each by file, key and reason."""
    edit(folder, "plant.toml", 'calendar = "early only"', 'calendar = "early ony"')  # M01
    edit(folder, "plant.toml", 'setup_matrix = "turning"', 'setup_matrix = "lathe"')  # M02
    edit(folder, "plant.toml", "speed = 1.15", "speed = 0")  # M03
    edit(folder, "plant.toml", "batch_capacity = 4", 'batch_capacity = "four"')  # M10
    edit(folder, "plant.toml", 'id = "P02"', 'id = "P01"')
    edit(folder, "plant.toml", 'name = "Chen Wei"', 'nane = "Chen Wei"')
    edit(folder, "plant.toml", "default_s = 300", "default_s = -300")
    edit(folder, "plant.toml", 'breaks = ["09:00-09:15", "11:30-12:00"]', 'breaks = ["09:00-09:15", "13:30-14:30"]')
    edit(folder, "products.toml", 'capability = "gear cutting"', 'capability = "broaching"')  # GP-18
    edit(folder, "products.toml", 'skill = "spindle assembly"', 'skill = "welding"')
    edit(folder, "products.toml", 'item = "PC-140"', 'item = "PC-150"')
    edit(folder, "products.toml", "lead_time_days = 3", "lead_time_days = -3")
    edit(folder, "products.toml", "per_piece_s = 100,", "per_piece_s = true,")
    edit(folder, "connections.toml", 'protocol = "mqtt"', 'protocol = "zigbee"')
    edit(folder, "connections.toml", '"M06", "M07"', '"M05", "M07"')
    edit(folder, "orders.csv", "GR-100", "GR-999")
    append(folder, "orders.csv", "CO-2001,Wuxi,BAR-42,5,2026-01-05T06:00,2026-01-09T16:00,normal\n")
    append(folder, "orders.csv", "CO-2002,Wuxi,SH-20,five,2026-01-09T16:00,2026-01-05T06:00,urgent\n")
    append(folder, "orders.csv", "CO-2002,Wuxi,SH-20,5,yesterday,2026-01-09T16:00,normal\n")

    problems = check(folder)
    reasons = {
        ("plant.toml", "machine M01: calendar"): "unknown calendar 'early ony'; did you mean 'early only'?",
        ("plant.toml", "machine M02: setup_matrix"): "unknown setup matrix 'lathe'; known are assembly, benches",
        ("plant.toml", "machine M03: speed"): "must be a number above 0, not 0",
        ("plant.toml", "machine M10: batch_capacity"): "must be a whole number of at least 1, not 'four'",
        ("plant.toml", "person P01: id"): "'P01' is used twice",
        ("plant.toml", "person P01: nane"): "unknown key; did you mean 'name'?",
        ("plant.toml", "person P01: name"): "is missing",
        ("plant.toml", "setup_matrix sawing: default_s"): "must be a number of at least 0, not -300",
        ("plant.toml", "shift early"): "break 13:30-14:30 must lie inside 06:00-14:00",
        ("products.toml", "item GP-18: operation 30: capability"): "no machine has it: unknown capability 'broaching'",
        ("products.toml", "item SU-60: operation 10: skill"): "nobody has it: unknown skill 'welding'; known are",
        ("products.toml", "item PS-140: bom PC-150: item"): "unknown item 'PC-150'; did you mean 'PC-140'?",
        ("products.toml", "item BAR-42: lead_time_days"): "must be a number of at least 0, not -3",
        ("products.toml", "item SH-20: operation 10: per_piece_s"): "must be a number of at least 0, not True",
        ("connections.toml", "connection cells: protocol"): "must be one of opcua, mqtt, modbus, not 'zigbee'",
        ("connections.toml", "machine M05"): "is in connections machining, cells; list it in exactly one",
        ("connections.toml", "machine M06"): "is in no connection; list it in exactly one",
        ("orders.csv", "line 2 (CO-1001): item"): "unknown item 'GR-999'",
        ("orders.csv", "line 46 (CO-2001): item"): "'BAR-42' is purchased; order an item that is made",
        ("orders.csv", "line 47 (CO-2002): quantity"): "must be a whole number above 0, not 'five'",
        ("orders.csv", "line 47 (CO-2002): due_at"): "must be after ordered_at 2026-01-09T16:00",
        ("orders.csv", "line 47 (CO-2002): priority"): "must be one of normal, high, or empty, not 'urgent'",
        ("orders.csv", "line 48: id"): "'CO-2002' is used twice, first in line 47",
        ("orders.csv", "line 48 (CO-2002): ordered_at"): "must be a local time such as 2026-01-05T06:00",
    }
    for (file, key), reason in reasons.items():
        assert reason in found(problems, file, key)
    told = {(problem.file, problem.key) for problem in problems}
    assert told - set(reasons) == set(), "and nothing that is not wrong"


def test_load_raises_all_problems_with_the_same_words(folder: Path) -> None:
    edit(folder, "plant.toml", 'calendar = "early only"', 'calendar = "nights"')
    edit(folder, "products.toml", 'kind = "purchased"', 'kind = "bought"')
    with pytest.raises(PlantInvalid) as raised:
        load(folder)
    assert list(raised.value.problems) == check(folder)
    assert "plant.toml: machine M01: calendar: unknown calendar 'nights'" in str(raised.value)
    assert "products.toml: item BAR-42: kind: must be one of made, purchased, not 'bought'" in str(raised.value)


def test_wrong_orders_do_not_stop_the_plant_but_the_orders(folder: Path) -> None:
    edit(folder, "orders.csv", "high", "highest")
    plant = load(folder)
    with pytest.raises(PlantInvalid, match="priority: must be one of normal, high"):
        load_orders(folder, plant)


@pytest.mark.parametrize(
    ("loop", "circle"),
    [
        ([("GW-60", "GW-60")], "GW-60 -> GW-60"),
        ([("GW-60", "GR-140")], "GR-140 -> PS-140 -> GW-60 -> GR-140"),
    ],
)
def test_a_circle_in_the_bills_of_material_is_named(folder: Path, loop: list[tuple[str, str]], circle: str) -> None:
    for item, part in loop:
        text = (folder / "products.toml").read_text(encoding="utf-8")
        head, _, tail = text.partition(f'id = "{item}"')
        tail = tail.replace("bom = [", f'bom = [{{ item = "{part}", quantity = 1 }}, ', 1)
        (folder / "products.toml").write_text(f'{head}id = "{item}"{tail}', encoding="utf-8")
    problem = only(check(folder))
    names = circle.split(" -> ")
    turns = [" -> ".join([*names[k:-1], *names[:k], names[k]]) for k in range(len(names) - 1)]
    assert any(f"the item would be made of itself: {turn};" in problem.reason for turn in turns)


def test_a_calendar_without_working_time_is_refused(folder: Path) -> None:
    edit(folder, "plant.toml", 'id = "late only"\nshifts = ["late"]', 'id = "late only"')
    append(folder, "plant.toml", '\n[[calendar]]\nid = "spring"\nshifts = ["spring"]\nclosed_days = ["2026-03-02"]\n')
    append(
        folder,
        "plant.toml",
        '[[shift]]\nid = "spring"\ndays = ["Mon"]\nstart = "06:00"\nend = "14:00"\nbreaks = ["06:00-14:00"]\n',
    )
    problems = check(folder)
    assert "has no working time; name its shifts, or say always_open = true" in found(
        problems, "plant.toml", "calendar late only: shifts"
    )
    assert "no working time is left within 400 days" in found(problems, "plant.toml", "calendar spring: shifts")
    assert len(problems) == 2


def test_a_tariff_and_overtime_are_read(folder: Path) -> None:
    edit(
        folder,
        "plant.toml",
        'id = "late only"',
        'overtime = [{ from = "2026-01-10T08:00", until = "2026-01-10T12:00" }]\nid = "late only"',
    )
    append(
        folder,
        "plant.toml",
        '[energy]\nper_kwh = 0.62\nperiods = [{ start = "22:00", end = "06:00", per_kwh = 0.31 }, '
        '{ start = "10:00", end = "12:00", per_kwh = 1.05, days = ["Mon", "Fri"] }]\n',
    )
    plant = load(folder)
    saturday = datetime(2026, 1, 10, 0, tzinfo=UTC)
    assert plant.calendar("late only").overtime == ((saturday, saturday + timedelta(hours=4)),)
    night, peak = PricePeriod(time(22), time(6), 0.31), PricePeriod(time(10), time(12), 1.05, (0, 4))
    assert plant.tariff == Tariff(0.62, (night, peak))
    assert load(SHOP).tariff is None


@pytest.mark.parametrize(
    ("energy", "key", "wrong"),
    [
        ("", "energy: per_kwh", "is missing"),
        ("per_kwh = -1", "energy: per_kwh", "must be a number of at least 0, not -1"),
        ("per_kwh = 1\nprices = []", "energy: prices", "unknown key; allowed are per_kwh, periods"),
        (
            'per_kwh = 1\nperiods = [{ start = "9", end = "10:00", per_kwh = 1 }]',
            "energy: periods[0]: start",
            "time of day",
        ),
        (
            'per_kwh = 1\nperiods = [{ start = "09:00", end = "10:00", per_kwh = 1, days = ["Mo"] }]',
            "energy: periods[0]: days",
            "must be among Mon, Tue",
        ),
        (
            'per_kwh = 1\nperiods = [{ start = "09:00", end = "10:00", per_kwh = 1, day = ["Mon"] }]',
            "energy: periods[0]: day",
            "unknown key; did you mean 'days'?",
        ),
        (
            'per_kwh = 1\nperiods = [{ start = "09:00", end = "10:00", per_kwh = 1 }, '
            '{ start = "09:30", end = "11:00", per_kwh = 2 }]',
            "energy",
            "overlap",
        ),
    ],
)
def test_a_wrong_tariff_is_refused(folder: Path, energy: str, key: str, wrong: str) -> None:
    append(folder, "plant.toml", f"[energy]\n{energy}\n")
    assert wrong in found(check(folder), "plant.toml", key)


def test_overtime_that_ends_before_it_begins_is_refused(folder: Path) -> None:
    span = '{ from = "2026-01-10T12:00", until = "2026-01-10T08:00" }'
    edit(folder, "plant.toml", 'id = "late only"', f'overtime = [{span}]\nid = "late only"')
    assert "must end after it starts" in found(check(folder), "plant.toml", "calendar late only: overtime[0]: until")


def test_a_calendar_may_be_always_open(folder: Path) -> None:
    edit(folder, "plant.toml", 'id = "late only"\nshifts = ["late"]', 'id = "late only"\nalways_open = true #')
    assert any("closed_days" in problem.key for problem in check(folder)), "closed days contradict it"
    edit(folder, "plant.toml", "always_open = true #\nclosed_days", "always_open = true #")
    assert Calendar("late only", "Asia/Shanghai") in load(folder).calendars


@pytest.mark.parametrize("file", ["plant.toml", "products.toml", "orders.csv"])
def test_a_missing_file_is_one_problem(folder: Path, file: str) -> None:
    (folder / file).unlink()
    problem = only(check(folder))
    assert (problem.file, problem.key) == (file, "file")
    assert "is missing in" in problem.reason


def test_a_folder_that_is_not_there_is_told_of_each_file(tmp_path: Path) -> None:
    assert [problem.file for problem in check(tmp_path / "nowhere")] == [
        "plant.toml",
        "products.toml",
        "orders.csv",
    ]


def test_a_plan_needs_no_connections_but_a_live_floor_does(folder: Path) -> None:
    connected = load(folder)
    require_connections(connected, folder)
    (folder / "connections.toml").unlink()
    assert check(folder) == []
    plant = load(folder)
    assert plant == replace(connected, connections=())
    with pytest.raises(PlantInvalid) as raised:
        require_connections(plant, folder)
    problem = only(list(raised.value.problems))
    assert (problem.file, problem.key) == ("connections.toml", "file")
    assert f"is missing in {folder}" in problem.reason
    assert "`forerun prepare`" in problem.reason


def without(folder: Path, file: str, kind: str) -> None:
    """Take every ``[[kind]]`` out of a file."""
    path = folder / file
    path.write_text(re.sub(rf"^\[\[{kind}\]\]\n(?:.+\n)*", "", path.read_text(encoding="utf-8"), flags=re.M), "utf-8")


def test_where_nobody_attends_nobody_is_needed(folder: Path) -> None:
    without(folder, "plant.toml", "person")
    said = 'skill = "precision grinding", '
    edit(folder, "products.toml", said, "")
    edit(folder, "products.toml", 'skill = "spindle assembly", ', "")
    assert check(folder) == []
    assert load(folder).people == ()
    edit(folder, "products.toml", 'name = "Grind taper", ', f'name = "Grind taper", {said}')
    assert "nobody has it: unknown skill 'precision grinding'" in only(check(folder)).reason, "it was asked for by name"
    edit(folder, "products.toml", said, 'attendance = "setup", ')
    assert "nobody has it: unknown skill 'grinding'; none is defined" in only(check(folder)).reason


def test_a_plant_without_setup_matrices_has_no_changeovers(folder: Path) -> None:
    without(folder, "plant.toml", "setup_matrix")
    path = folder / "plant.toml"
    path.write_text(re.sub(r"^setup_matrix = .+\n", "", path.read_text(encoding="utf-8"), flags=re.M), "utf-8")
    assert check(folder) == []
    plant = load(folder)
    assert plant.setup_matrices == ()
    assert {plant.setup_matrix_of(machine.id) for machine in plant.machines} == {NO_CHANGEOVERS}
    assert plant.setup_matrix_of("M01").duration_s(None, "saw plate") == 0.0
    assert plant.setup_matrix_of("M01").duration_s("saw small bar", "saw plate") == 0.0
    edit(folder, "plant.toml", 'id = "M01"', 'id = "M01"\nsetup_matrx = "sawing"')
    assert found(check(folder), "plant.toml", "machine M01: setup_matrx") == "unknown key; did you mean 'setup_matrix'?"


def test_one_machine_may_have_no_changeovers_beside_others_that_have(folder: Path) -> None:
    edit(folder, "plant.toml", 'setup_matrix = "sawing"\n', "")
    plant = load(folder)
    assert plant.setup_matrix_of("M01") == NO_CHANGEOVERS
    assert plant.setup_matrix_of("M02").duration_s(None, "turn shaft") == 1200.0
    edit(folder, "plant.toml", 'id = "turning"', f'id = "{NO_CHANGEOVERS.id}"')
    said = found(check(folder), "plant.toml", f"setup_matrix {NO_CHANGEOVERS.id}: id")
    assert "stands for machines that name no matrix; choose another name" in said


def test_connections_that_are_there_must_hold_every_machine(folder: Path) -> None:
    (folder / "connections.toml").write_text("format = 1\n", encoding="utf-8")
    problems = check(folder)
    assert found(problems, "connections.toml", "connection") == "is missing"
    assert "is in no connection" in found(problems, "connections.toml", "machine M13")


@pytest.mark.parametrize("file", ["plant.toml", "products.toml", "connections.toml"])
def test_a_wrong_or_missing_format_is_refused(folder: Path, file: str) -> None:
    edit(folder, file, "format = 1", "format = 2")
    assert "must be 1, not 2" in found(check(folder), file, "format")
    edit(folder, file, "format = 2", "")
    assert "is missing; this version of Forerun reads format = 1" in found(check(folder), file, "format")


@pytest.mark.parametrize(
    ("line", "reason"), [(f"x = {'9' * 5000}", "thousands of digits"), ("x = " + "[" * 100_000, "nested too deeply")]
)
def test_toml_that_overwhelms_its_reader_is_told(folder: Path, line: str, reason: str) -> None:
    for file in ("plant.toml", "connections.toml"):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(f"{line}\n{text}", encoding="utf-8")
    told = [problem for problem in check(folder) if reason in problem.reason]
    assert [problem.file for problem in told] == ["plant.toml", "connections.toml"]


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "orders.csv").unlink()
    os.mkfifo(folder / "orders.csv")
    assert [str(problem) for problem in check(folder)] == ["orders.csv: file: is no ordinary file"]


def test_what_is_no_toml_is_told_with_its_line_and_the_other_files_are_still_read(folder: Path) -> None:
    edit(folder, "plant.toml", "[plant]\n", "[plant]\nenterprise = Forerun\n")
    edit(folder, "orders.csv", "GR-100", "GR-999")
    problems = check(folder)
    assert "is no TOML" in found(problems, "plant.toml", "line 6")
    assert "unknown item" in found(problems, "orders.csv", "line 2 (CO-1001): item")
    assert len(problems) == 2, "references into an unreadable file are not called wrong"


def test_what_is_no_utf8_is_told(folder: Path) -> None:
    (folder / "products.toml").write_bytes("name = 'Größe'".encode("latin-1"))
    reason = found(check(folder), "products.toml", "file")
    assert reason == "must be UTF-8 text; byte 10 is not; save it as UTF-8 (Excel: CSV UTF-8)"


@pytest.mark.parametrize(
    ("file", "before", "after", "key", "reason"),
    [
        ("plant.toml", "[plant]", "[factory]", "plant", "is missing"),
        ("plant.toml", "Asia/Shanghai", "Asia/Shanghei", "plant: timezone", "unknown time zone 'Asia/Shanghei'"),
        ("plant.toml", 'site = "shanghai"', 'site = "shanghai/1"', "plant: site", "must not contain '/'"),
        ("plant.toml", "2026-01-05T06:00", "2026-01-05", "plant: starts_at", "must be a local time such as"),
        ("plant.toml", "2026-01-05T06:00", "2026-02-30T06:00", "plant: starts_at", "is no time: day"),
        ("plant.toml", '"Mon", "Tue"', '"Mon", "Tu"', "shift early: days", "must be among Mon, Tue"),
        ("plant.toml", 'start = "06:00"', 'start = "6 am"', "shift early: start", "such as 06:00, not '6 am'"),
        ("plant.toml", 'start = "06:00"', 'start = "26:00"', "shift early: start", "is no time of day"),
        ("plant.toml", 'breaks = ["09:00-09:15"', 'breaks = ["09:00"', "shift early: breaks", "must be a span"),
        ("plant.toml", '"2026-02-16"', '"16.2.2026"', "calendar two shifts: closed_days", "must be a date such as"),
        ("plant.toml", '["early", "late"]', '["early", "nigt"]', "calendar two shifts: shifts", "unknown shift"),
        (
            "plant.toml",
            'before = "saw small bar"',
            'before = "saw smal bar"',
            "setup_matrix sawing: times[0]: before",
            "unknown setup family 'saw smal bar'; did you mean 'saw small bar'?",
        ),
        (
            "plant.toml",
            'after = "saw plate", duration_s = 600',
            'after = "saw large bar", duration_s = 600',
            "setup_matrix sawing: times[2]",
            "the change from 'saw small bar' to 'saw large bar' is listed twice",
        ),
        ("plant.toml", 'capabilities = ["sawing"]', "capabilities = []", "machine M01: capabilities", "one or more"),
        ("plant.toml", 'id = "M02"', 'id = "M/02"', "machine M/02: id", "must not contain '/'"),
        ("plant.toml", 'id = "M02"', "ident = 2", "machine[1]: id", "is missing"),
        (
            "plant.toml",
            'family = "weibull", mean_h = 50',
            'family = "weibul", mean_h = 50',
            "machine M01: reliability: time_between_failures: family",
            "must be one of constant, exponential, lognormal, gamma, weibull",
        ),
        (
            "plant.toml",
            "mean_h = 50, variation = 0.8",
            "mean_h = 0, variation = 0.8",
            "machine M01: reliability: time_between_failures: mean_h",
            "must be a number above 0",
        ),
        (
            "plant.toml",
            "mean_h = 50, variation = 0.8",
            "mean_h = 50",
            "machine M01: reliability: time_between_failures: variation",
            "is missing",
        ),
        (
            "plant.toml",
            "mean_h = 50, variation = 0.8",
            "mean_h = 50, variation = 0",
            "machine M01: reliability: time_between_failures",
            "a weibull needs a variation above 0",
        ),
        (
            "plant.toml",
            "mean_h = 50, variation = 0.8",
            "mean_h = 1e-300, variation = 0.8",
            "machine M01: reliability",
            "it fails every 3.6e-297 s; the mean must be at least 10 s",
        ),
        (
            "plant.toml",
            "mean_h = 50, variation = 0.8",
            "mean_h = 50, variation = 1e18",
            "machine M01: reliability",
            "the time between failures has variation 1e+18; at most 100 count",
        ),
        (
            "plant.toml",
            "mean_h = 1.0, variation = 0.6",
            "mean_h = 1e18, variation = 0.6",
            "machine M01: reliability",
            "a repair takes 1e+18 h; the mean must be at most 100000 h",
        ),
        (
            "plant.toml",
            "batch_capacity = 4",
            "batch_capacity = 1000000000000000000000",
            "machine M10: batch_capacity",
            "must be at most 1,000,000",
        ),
        ("plant.toml", "2026-01-05T06:00", "9998-12-31T06:00", "plant: starts_at", "must be in a year from 1970 to"),
        ("plant.toml", 'skills = ["sawing"', 'skills = ["sawing", "sawing"', "person P01: skills", "listed twice"),
        ("products.toml", "stock = 400", "stock = inf", "item BAR-42: stock", "must be a number of at least 0"),
        ("products.toml", "stock = 400", "stock = nan", "item BAR-42: stock", "must be a number of at least 0"),
        ("products.toml", 'id = "20", name = "Turn"', 'id = "10", name = "Turn"', None, "'10' is used twice"),
        (
            "products.toml",
            'kind = "made"',
            'kind = "made"\nlead_time_days = 3',
            "item SH-20: lead_time_days",
            "unknown",
        ),
        ("products.toml", "scrap_ratio = 0.01 ", "scrap_ratio = 1 ", "item SH-20: operation 20", "below 1, not 1.0"),
        (
            "connections.toml",
            '"M01", "M02"',
            '"M01", "M02", "M99"',
            "connection machining: machines",
            "unknown machine",
        ),
        ("connections.toml", 'endpoint = "opc', 'end_point = "opc', "connection machining: endpoint", "is missing"),
        ("orders.csv", "due_at", "due", "line 1", "the columns must be id, customer, item"),
        ("orders.csv", "id,customer,item,quantity,", "id;customer;item;quantity;", "line 1", "the columns must be"),
        ("orders.csv", "2025-12-22T11:10", "0001-01-01T00:00", "line 2 (CO-1001): ordered_at", "check the year"),
        ("plant.toml", "2026-01-05T06:00", "0001-01-01T06:00", "plant: starts_at", "check the year"),
        ("orders.csv", ",normal", "", "line 2", "has 6 cells where the header has 7 columns"),
        ("orders.csv", "CO-1001,", ",", "line 2: id", "is missing"),
    ],
)
def test_one_wrong_value(folder: Path, file: str, before: str, after: str, key: str | None, reason: str) -> None:
    edit(folder, file, before, after)
    problems = check(folder)
    assert any(reason in problem.reason and key in (None, problem.key) for problem in problems), "\n".join(
        map(str, problems)
    )


def test_a_time_that_the_clocks_skip_is_refused(folder: Path) -> None:
    edit(folder, "plant.toml", "Asia/Shanghai", "Europe/Berlin")
    edit(folder, "plant.toml", "2026-01-05T06:00", "2026-03-29T02:30")
    reason = found(check(folder), "plant.toml", "plant: starts_at")
    assert reason == "'2026-03-29T02:30' does not exist in Europe/Berlin: the clocks are put forward over it"


JUNK = (None, 0, -1, 2.5, True, "", " padded ", "x", [], [1], ["x", "x"], {}, {"x": 1}, [{"id": 5}], [[]])


def spoil(value: Any, luck: random.Random) -> Any:
    """Return `value` with one place somewhere inside it replaced by junk, or taken out."""
    if isinstance(value, dict) and value and luck.random() < 0.9:
        name = luck.choice(list(value))
        changed = dict(value)
        junk = spoil(value[name], luck)
        changed.pop(name)
        return changed if junk is None else changed | {name: junk}
    if isinstance(value, list) and value and luck.random() < 0.9:
        place = luck.randrange(len(value))
        junk = spoil(value[place], luck)
        return [*value[:place], *([] if junk is None else [junk]), *value[place + 1 :]]
    return luck.choice(JUNK)


@pytest.mark.parametrize("seed", range(80))
def test_whatever_stands_in_the_files_is_told_and_never_crashes_the_reader(folder: Path, seed: int) -> None:
    luck = random.Random(seed)
    for file in luck.sample(["plant.toml", "products.toml", "connections.toml"], luck.randint(1, 3)):
        document = tomllib.loads((SHOP / file).read_text(encoding="utf-8"))
        for _ in range(luck.randint(1, 5)):
            document = spoil(document, luck)
            if not isinstance(document, dict):
                document = {}
        text = "".join(f"{name} = {quoted(value)}\n" for name, value in document.items())
        (folder / file).write_text(text, encoding="utf-8")
    problems = check(folder)
    assert not any("is no TOML" in problem.reason for problem in problems), "the test writes TOML"
    assert all(problem.file and problem.key and problem.reason for problem in problems)
    if not any(problem.file != "orders.csv" for problem in problems):
        assert load(folder).machines


def test_an_order_id_that_does_not_reach_every_machine_is_told_with_what_would(folder: Path) -> None:
    for id_ in ("CO-2026-WUXI-0000001", "订单-1", "x" * 101):
        append(folder, "orders.csv", f"{id_},Wuxi,SH-20,5,2026-01-05T06:00,2026-01-09T16:00,normal\n")
    problems = [problem for problem in check(folder) if problem.key.endswith(": id")]
    assert [problem.key.split(" ")[1] for problem in problems] == ["46", "47", "48"]
    for problem in problems[:2]:
        assert "hold 24 ASCII characters; use an id of at most" in problem.reason
    assert "use at most 100" in problems[2].reason
    with pytest.raises(PlantInvalid, match="hold 24 ASCII"):
        load_orders(folder, load(folder))
