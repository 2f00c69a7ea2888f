"""A plant written out in the folder's format, apart from the reader's own code."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from plant.calendar import Shift
from plant.distribution import Distribution
from plant.item import ItemKind
from plant.plant import Plant


def local_time(plant: Plant, moment: datetime) -> str:
    """Return a moment as the files write it."""
    assert plant.timezone == "Asia/Shanghai"
    return (moment + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")  # Shanghai knows no summer time


def quoted(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | date):
        return '"' + str(value) + '"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(quoted(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {quoted(part)}" for name, part in value.items()) + " }"
    return repr(value) if isinstance(value, float) else str(value)


def table(kind: str, values: dict[str, object]) -> str:
    return f"[[{kind}]]\n" + "".join(f"{name} = {quoted(value)}\n" for name, value in values.items())


def shift_values(shift: Shift) -> dict[str, object]:
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return {
        "id": shift.id,
        "days": [days[day] for day in shift.days],
        "start": f"{shift.start:%H:%M}",
        "end": f"{shift.end:%H:%M}",
        "breaks": [f"{pause.start:%H:%M}-{pause.end:%H:%M}" for pause in shift.breaks],
    }


def distribution_values(distribution: Distribution) -> dict[str, object]:
    return {
        "family": distribution.family.value,
        "mean_h": distribution.mean / 3600,
        "variation": distribution.variation,
    }


def shop_toml(plant: Plant) -> str:
    """Return plant.toml."""
    shifts = {shift.id: shift for calendar in plant.calendars for shift in calendar.shifts}
    head = {
        "enterprise": plant.enterprise,
        "site": plant.site,
        "name": plant.name,
        "timezone": plant.timezone,
        "starts_at": local_time(plant, plant.starts_at),
        "rule": plant.rule,
    }
    parts = ["format = 1", "plant = " + quoted(head)]
    parts += [table("shift", shift_values(shift)) for shift in shifts.values()]
    parts += [
        table("calendar", {"id": one.id, "shifts": [s.id for s in one.shifts], "closed_days": one.closed_days})
        for one in plant.calendars
    ]
    for matrix in plant.setup_matrices:
        times = [{"before": t.before, "after": t.after, "duration_s": t.duration_s} for t in matrix.times]
        parts.append(table("setup_matrix", {"id": matrix.id, "default_s": matrix.default_s, "times": times}))
    for machine in plant.machines:
        values: dict[str, object] = {
            name: getattr(machine, name)
            for name in ("id", "name", "area", "work_center", "capabilities", "calendar", "setup_matrix")
        }
        values |= {"speed": machine.speed, "batch_capacity": machine.batch_capacity}
        if machine.reliability:
            values["reliability"] = {
                "time_between_failures": distribution_values(machine.reliability.time_between_failures),
                "time_to_repair": distribution_values(machine.reliability.time_to_repair),
            }
        parts.append(table("machine", values))
    for person in plant.people:
        parts.append(table("person", {name: getattr(person, name) for name in ("id", "name", "skills", "calendar")}))
    return "\n".join(parts)


def products_toml(plant: Plant) -> str:
    """Return products.toml."""
    parts = ["format = 1"]
    names = ["id", "name", "capability", "skill", "setup_family", "fixed_s", "per_piece_s", "variation", "scrap_ratio"]
    for item in plant.items:
        values: dict[str, object] = {"id": item.id, "name": item.name, "kind": item.kind.value, "unit": item.unit}
        values["stock"] = item.stock
        if item.kind is ItemKind.PURCHASED:
            values["lead_time_days"] = item.lead_time_s / 86400
        else:
            values["bom"] = [{"item": line.item, "quantity": line.quantity} for line in item.bom]
            values["routing"] = [{name: getattr(step, name) for name in names} for step in item.routing]
        parts.append(table("item", values))
    return "\n".join(parts)


def connections_toml(plant: Plant) -> str:
    """Return connections.toml."""
    parts = ["format = 1"]
    for one in plant.connections:
        values: dict[str, object] = {"id": one.id, "protocol": one.protocol.value, "endpoint": one.endpoint}
        parts.append(table("connection", values | {"machines": one.machines, "options": dict(one.options)}))
    return "\n".join(parts)
