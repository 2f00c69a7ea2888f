"""What truly happened, worked out from the emulated plant's own log and the plant's files: without `twin`.

Deliberately plain: loops over seconds and pieces that a reader can check with a pencil.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class State:
    """A state change as the log has it."""

    at: datetime
    state: str
    job_order: str | None


class Truth:
    """The log up to a moment, and the planned times of the plant's files."""

    def __init__(self, folder: Path, log: Sequence[dict[str, Any]], until: datetime) -> None:
        self._shop = tomllib.loads((folder / "plant.toml").read_text())
        self._products = {item["id"]: item for item in tomllib.loads((folder / "products.toml").read_text())["item"]}
        self._log = [entry | {"at": datetime.fromisoformat(entry["at"])} for entry in log if "at" in entry]
        self._until = until

    @property
    def machines(self) -> list[str]:
        return [machine["id"] for machine in self._shop["machine"]]

    def states(self, machine: str) -> list[State]:
        """Return the state changes of a machine, in order."""
        return [
            State(entry["at"], entry["state"], entry["job_order"])
            for entry in self._log
            if entry["kind"] == "state" and entry["machine"] == machine and entry["at"] <= self._until
        ]

    def counts(self, machine: str) -> list[dict[str, Any]]:
        """Return the pieces a machine counted, in order."""
        return [
            entry
            for entry in self._log
            if entry["kind"] == "count" and entry["machine"] == machine and entry["at"] <= self._until
        ]

    def completed(self) -> dict[str, dict[str, Any]]:
        """Return the last word on each job order that was completed."""
        return {
            entry["job_order"]: entry
            for entry in self._log
            if entry["kind"] == "job" and entry["response"] == "completed" and entry["at"] <= self._until
        }

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the job orders as they were dispatched."""
        return {entry["job"]["id"]: entry["job"] for entry in self._log if entry["kind"] == "dispatch"}

    def oee(self, machine: str, start: datetime) -> float | None:
        """Return planned run time of the good pieces over planned busy time, from `start` on."""
        open_spans = self._open_spans(machine, start)
        busy = sum((b - a).total_seconds() for a, b in open_spans)
        if busy == 0:
            return None
        planned = good = produced = 0.0
        for entry in self._counts(machine, start):
            if not any(a < entry["at"] <= b for a, b in open_spans):
                continue
            pieces = entry["delta_good"] + entry["delta_scrap"]
            planned += pieces * self._planned_piece_s(machine, entry["job_order"])
            good += entry["delta_good"]
            produced += pieces
        return planned / busy * (good / produced if produced else 0.0)

    def pieces(self, machine: str, start: datetime) -> tuple[int, int]:
        """Return the good and the scrapped pieces a machine made after `start`."""
        entries = self._counts(machine, start)
        return sum(one["delta_good"] for one in entries), sum(one["delta_scrap"] for one in entries)

    def _counts(self, machine: str, start: datetime) -> list[dict[str, Any]]:
        if self._machine(machine).get("batch_capacity", 1) == 1:
            return [entry for entry in self.counts(machine) if entry["at"] > start]
        # Of a batch, a job's pieces count when the job is done.
        return [
            {
                "at": entry["at"],
                "job_order": job,
                "delta_good": entry["good"],
                "delta_scrap": entry["scrap"],
            }
            for job, entry in self.completed().items()
            if entry["machine"] == machine and entry["at"] > start
        ]

    def _planned_piece_s(self, machine: str, job_order: str) -> float:
        job = self.jobs()[job_order]
        routing = self._products[job["item"]]["routing"]
        step = next(operation for operation in routing if operation["id"] == job["operation"])
        described = self._machine(machine)
        total = step.get("fixed_s", 0) + job["quantity"] * step.get("per_piece_s", 0)
        return total / described.get("speed", 1.0) / job["quantity"] / described.get("batch_capacity", 1)

    def _machine(self, machine: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self._shop["machine"] if one["id"] == machine)
        return found

    def _open_spans(self, machine: str, start: datetime) -> list[Span]:
        """Return the machine's working time, break by break, from `start` to the end of what is looked at."""
        name = self._machine(machine)["calendar"]
        calendar = next(one for one in self._shop["calendar"] if one["id"] == name)
        shifts = [one for one in self._shop["shift"] if one["id"] in calendar["shifts"]]
        zone = ZoneInfo(self._shop["plant"]["timezone"])
        spans: list[Span] = []
        day = start.astimezone(zone).date()
        while day <= self._until.astimezone(zone).date():
            if day.isoformat() not in calendar.get("closed_days", []):
                for shift in shifts:
                    if day.strftime("%a") in shift["days"]:
                        spans += _pieces_of_shift(shift, day, zone)
            day += timedelta(days=1)
        clipped = [(max(a, start), min(b, self._until)) for a, b in spans]
        return [(a, b) for a, b in clipped if a < b]


def _pieces_of_shift(shift: dict[str, Any], day: date, zone: ZoneInfo) -> list[Span]:
    def local(text: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(text), zone)

    edges = [shift["start"]]
    for pause in shift.get("breaks", []):
        edges += pause.split("-")
    edges.append(shift["end"])
    return [(local(a), local(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
