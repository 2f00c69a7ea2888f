"""Send a page what changed, and nothing else.

A page describes what may change as parts: (name, subject) -> properties of the component with that id. The browser
keeps a digest of each part it shows; an update brings the parts whose digest differs. Nothing of it is kept on the
server, so any process may answer and a page that lost touch for a while catches up by itself.

An update says on which count of updates it stands. The browser takes it only if that is its own count
(assets/pages.js), and asks again otherwise: an answer that was overtaken can neither be shown nor be believed to have
been shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc
from plotly.utils import PlotlyJSONEncoder

from dashboard.views import Topic

PartKey = tuple[str, str]
Parts = Mapping[PartKey, Mapping[str, Any]]
Seen = Mapping[str, Any]
"""What the browser shows: `count` of updates it has taken, and `parts`, the digest of each by its key as text."""


def part_id(name: str, subject: str = "") -> dict[str, str]:
    """Return the component id of a part; a dictionary, because subjects may contain any character."""
    return {"part": name, "of": subject}


def digests(parts: Parts) -> dict[str, str]:
    """Return a short digest of each part, by its key as text."""
    return {f"{name}|{subject}": _digest(props) for (name, subject), props in parts.items()}


def _digest(props: Mapping[str, Any]) -> str:
    text = json.dumps(props, cls=PlotlyJSONEncoder, sort_keys=True)
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def changed(parts: Parts, seen: Seen | None) -> dict[PartKey, Mapping[str, Any]]:
    """Return the parts that differ from what the browser has `seen`."""
    now = digests(parts)
    before = (seen or {}).get("parts", {})
    return {key: props for key, props in parts.items() if before.get("|".join(key)) != now["|".join(key)]}


def stores(name: str, parts: Parts) -> list[dcc.Store]:
    """Return what a page needs to be kept up to date: what it shows when it is drawn, and where updates arrive."""
    return [dcc.Store(id=_seen(name), data={"count": 0, "parts": digests(parts)}), dcc.Store(id=_update(name))]


def output(name: str) -> Output:
    """Return the output of the callback that answers with an `update`."""
    return Output(_update(name), "data")


def seen(name: str) -> State:
    """Return the state that callback needs."""
    return State(_seen(name), "data")


def update(parts: Parts, seen: Seen | None, fresh: Parts | None = None) -> dict[str, Any]:
    """Return the answer that brings a browser which has `seen` something up to `parts`.

    `fresh` is what to send, if more or other properties than those of the parts that changed.
    """
    sent = changed(parts, seen) if fresh is None else fresh
    return {
        "on": (seen or {}).get("count", 0),
        "changes": [[part_id(*key), dict(props)] for key, props in sent.items()],
        "parts": digests(parts),
    }


def take_updates(app: Dash, name: str, topic: Topic) -> None:
    """Add the callback that takes the updates in, in the browser, and asks for `topic` again if one did not fit."""
    app.clientside_callback(
        ClientsideFunction("forerun", f"take_{topic}"),
        Output(_seen(name), "data"),
        Input(_update(name), "data"),
        State(_seen(name), "data"),
        prevent_initial_call=True,
    )


def _seen(name: str) -> str:
    return f"{name}-seen"


def _update(name: str) -> str:
    return f"{name}-update"
