"""A plan version as a file (`format = 1`): what `forerun plan` writes for other programs, and itself, to read."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from historian.documents import restore
from plant.errors import InvalidInput
from plant.plan import PlannedOperation, PlanVersion

FORMAT = 1


def plan_document(version: PlanVersion) -> dict[str, Any]:
    """Return a plan version as a JSON document: times in UTC, ISO 8601; durations in seconds."""
    document = {
        "format": FORMAT,
        "id": version.id,
        "plant_version": version.plant_version,
        "made_at": version.made_at,
        "reason": str(version.reason),
        "seed": version.seed,
        "calibration": version.calibration,
        "learned": version.learned,
        "epoch": version.plan.epoch,
        "orders": list(version.orders),
        "solver": asdict(version.solver),
        "operations": [_operation(version.plan.epoch, operation) for operation in version.plan.operations],
        "verdict": asdict(version.verdict),
        "judgement": asdict(version.judgement.in_english()),
        "robustness": None if version.robustness is None else asdict(version.robustness),
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def plan_text(version: PlanVersion) -> str:
    """Return `plan_document` as JSON text."""
    return json.dumps(plan_document(version), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_plan(file: Path) -> PlanVersion:
    """Return the plan version that `plan_text` wrote to `file`.

    Raises
    ------
    InvalidInput
        If it cannot be read, or holds no plan of this format.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} cannot be read as a plan: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput(f"{file} is no plan of format {FORMAT}; name a plan.json that forerun plan wrote")
    try:
        epoch = datetime.fromisoformat(document["epoch"])
        operations = [_read_operation(epoch, dict(one)) for one in document["operations"]]
        parts = {**document, "parent": None, "plan": {"epoch": document["epoch"], "operations": operations}}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{file} is no whole plan: {error!r}; make it again with forerun plan") from error
    try:
        return restore(PlanVersion, parts)
    except InvalidInput as error:
        raise InvalidInput(f"{file} is no whole plan: {error}; make it again with forerun plan") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _read_operation(epoch: datetime, one: dict[str, Any]) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(one.pop(name)) for name in ("start_at", "end_at"))
    return {**one, "start_s": (start - epoch).total_seconds(), "end_s": (end - epoch).total_seconds()}


def _operation(epoch: datetime, operation: PlannedOperation) -> dict[str, Any]:
    return {
        "job_order": operation.job_order,
        "machine": operation.machine,
        "position": operation.position,
        "batch": operation.batch,
        "person": operation.person,
        "setup_s": operation.setup_s,
        "start_at": epoch + timedelta(seconds=operation.start_s),
        "end_at": epoch + timedelta(seconds=operation.end_s),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
