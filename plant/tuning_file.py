"""A tuning as a file (`format = 1`): what `forerun learn` writes and `forerun plan --tuning` reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from plant.checks import require
from plant.errors import InvalidInput
from plant.text import told
from plant.tuning import MoveShares, RuleKind, RuleTuning, Tuning

FORMAT = 1
_KINDS = ", ".join(RuleKind)

T = TypeVar("T", RuleTuning, MoveShares)


def tuning_text(tuning: Tuning) -> str:
    """Return a tuning as TOML."""
    lines = [f"format = {FORMAT}"]
    if tuning.rule is not None:
        lines += ["", "[rule]", *_lines({**asdict(tuning.rule), "kind": tuning.rule.kind.value})]
    return "\n".join([*lines, "", "[moves]", *_lines(asdict(tuning.shares)), ""])


def _lines(values: Mapping[str, str | float]) -> list[str]:
    return [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value!r}" for name, value in values.items()
    ]


def tuning_of(text: str) -> Tuning:
    """Return the tuning that `tuning_text` wrote; what is not stated is as in the unlearned.

    Raises
    ------
    InvalidInput
        If it is no TOML, of another format, or says something that is unknown or out of range.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(told("not TOML: {error}", error=error)) from error
    given = document.pop("format", None)
    require(given == FORMAT, told("format must be {known}, not {given}", known=FORMAT, given=repr(given)))
    rule = document.pop("rule", None)
    shares = document.pop("moves", {})
    require(not document, told("unknown: {names}; there are format, rule and moves", names=", ".join(document)))
    return Tuning(None if rule is None else _read("rule", RuleTuning, rule), _read("moves", MoveShares, shares))


def _read(table: str, kind: type[T], values: Any) -> T:
    """Return what a table of the file says."""
    require(isinstance(values, dict), told("{table} must be a table", table=table))
    known = {one.name for one in fields(kind)}
    found: dict[str, Any] = {}
    for name, value in values.items():
        require(
            name in known,
            told(
                "unknown key {key} in {table}; there are {known}", key=name, table=table, known=", ".join(sorted(known))
            ),
        )
        found[name] = _kind(value) if name == "kind" else _number(table, name, value)
    return kind(**found)


def _kind(value: Any) -> RuleKind:
    try:
        return RuleKind(value)
    except ValueError:
        raise InvalidInput(
            told("kind of rule must be one of {known}, not {given}", known=_KINDS, given=repr(value))
        ) from None


def _number(table: str, name: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    require(
        is_number, told("{name} in {table} must be a number, not {given}", name=name, table=table, given=repr(value))
    )
    return float(value)
