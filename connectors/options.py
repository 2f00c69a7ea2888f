"""Reading a connection's options: every problem is collected and named, unknown keys included."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from plant.connection import Connection
from plant.errors import InvalidInput


class OptionReader:
    """Takes options one by one and remembers what is wrong with them.

    A getter that finds a problem notes it and returns a harmless value, so that one pass finds all; `finish`
    tells them.

    Parameters
    ----------
    endpoint
        Replaces the connection's own, as an installation may.
    """

    def __init__(self, connection: Connection, endpoint: str | None = None) -> None:
        self.connection = connection
        self.problems: list[str] = []
        self._endpoint = endpoint or connection.endpoint
        self._known: set[str] = set()

    def problem(self, key: str, reason: str) -> None:
        """Note that an option is wrong."""
        self.problems.append(f"connection {self.connection.id}: options.{key} {reason}")

    def address(self, schemes: Mapping[str, int]) -> tuple[str, str, int]:
        """Return scheme, host and port of the endpoint; `schemes` maps those allowed to their default port."""
        parts = urlsplit(self._endpoint)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in schemes or not parts.hostname or port == -1:
            example = " or ".join(f"{scheme}://host:{number}" for scheme, number in schemes.items())
            self.problems.append(f"connection {self.connection.id}: endpoint must be {example}, not {self._endpoint!r}")
            return next(iter(schemes)), "", 0
        return parts.scheme, parts.hostname, port or schemes[parts.scheme]

    def account(self) -> tuple[str | None, str | None]:
        """Return name and password if the endpoint holds them: an installation's endpoint may, a plant's should not."""
        parts = urlsplit(self._endpoint)
        return (unquote(parts.username) if parts.username else None), (
            unquote(parts.password) if parts.password else None
        )

    def text(self, key: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """Return a non-empty text; without `default` it is required."""
        value = self._take(key, default)
        if not isinstance(value, str) or not value.strip() or (choices and value not in choices):
            allowed = f"one of {', '.join(choices)}" if choices else "a non-empty text"
            self.problem(key, f"must be {allowed}, not {value!r}")
            return default or ""
        return value

    def optional(self, key: str) -> str | None:
        """Return a non-empty text, or None where it is not given."""
        self._known.add(key)
        return self.text(key) if key in self.connection.options else None

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a finite number within [low, high]."""
        value = self._take(key, default)
        numeric = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not numeric or not low <= value <= high:
            self.problem(key, f"must be a number from {low:g} to {high:g}, not {value!r}")
            return default
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number within [low, high]."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.problem(key, f"must be a whole number from {low} to {high}, not {value!r}")
            return default
        return value

    def texts(self, key: str, default: Sequence[str], choices: Sequence[str]) -> tuple[str, ...]:
        """Return a list of texts out of `choices`."""
        value = self._take(key, list(default))
        if not isinstance(value, list) or not value or any(item not in choices for item in value):
            self.problem(key, f"must be a list out of {', '.join(choices)}, not {value!r}")
            return tuple(default)
        return tuple(value)

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a table; it is required."""
        value = self._take(key, None)
        if not isinstance(value, Mapping):
            self.problem(key, f"must be a table, not {value!r}")
            return {}
        return value

    def secret(self, key: str) -> str | None:
        """Return what the environment variable that option `key` names holds, or None where it is not given."""
        name = self.optional(key)
        if name is None:
            return None
        if not os.environ.get(name):
            self.problem(key, f"names the environment variable {name}, which is not set; set it to the secret")
        return os.environ.get(name)

    def finish(self) -> list[str]:
        """Return all problems, those of keys nobody asked for included."""
        for key in self.connection.options:
            if key not in self._known:
                self.problem(key, f"is unknown; known are {', '.join(sorted(self._known))}")
        return self.problems

    def require_none(self) -> None:
        """Raise `InvalidInput` with all problems, if there are any."""
        problems = self.finish()
        if problems:
            raise InvalidInput("\n".join(problems))

    def _take(self, key: str, default: Any) -> Any:
        self._known.add(key)
        return self.connection.options.get(key, default)
