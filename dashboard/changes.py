"""Send a page what changed, and nothing else.

A page describes what may change as parts: (name, subject) -> properties of the component with that id. The browser
keeps a digest of each part it shows; an update sends the parts whose digest differs. Nothing of it is kept on the
server, so any process may answer and a page that lost touch for a while catches up by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Output, no_update, set_props
from plotly.utils import PlotlyJSONEncoder

PartKey = tuple[str, str]
Parts = Mapping[PartKey, Mapping[str, Any]]
Fields = Sequence[tuple[str, str]]
"""(part's name, property) of parts without a subject, in the order in which a callback answers."""


def part_id(name: str, subject: str = "") -> dict[str, str]:
    """Return the component id of a part; a dictionary, because subjects may contain any character."""
    return {"part": name, "of": subject}


def digests(parts: Parts) -> dict[str, str]:
    """Return a short digest of each part, by its key as text."""
    return {f"{name}|{subject}": _digest(props) for (name, subject), props in parts.items()}


def _digest(props: Mapping[str, Any]) -> str:
    text = json.dumps(props, cls=PlotlyJSONEncoder, sort_keys=True)
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def changed(parts: Parts, seen: Mapping[str, str]) -> dict[PartKey, Mapping[str, Any]]:
    """Return the parts that differ from what the browser has `seen`."""
    now = digests(parts)
    return {key: props for key, props in parts.items() if seen.get("|".join(key)) != now["|".join(key)]}


def send(parts: Parts, seen: Mapping[str, str] | None) -> dict[str, str]:
    """Send what changed with this callback's answer and return what the browser has seen then."""
    for (name, subject), props in changed(parts, seen or {}).items():
        set_props(part_id(name, subject), dict(props))
    return digests(parts)


def outputs(fields: Fields) -> list[Output]:
    """Return the outputs of a callback that may be asked again before it has answered.

    Of an answer that was overtaken Dash drops the outputs, but not what `send` sends: where a person chooses what is
    shown, the parts have to be outputs.
    """
    return [Output(part_id(name), prop) for name, prop in fields]


def answers(parts: Parts, fields: Fields, seen: Mapping[str, str] | None) -> list[Any]:
    """Return what belongs into `outputs`: the properties of parts that changed."""
    fresh = changed(parts, seen or {})
    return [fresh.get((name, ""), {}).get(prop, no_update) for name, prop in fields]
