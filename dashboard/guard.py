"""What a person sees when something was not possible: a notice in place of a silent or broken page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec

import structlog
from dash import ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from dashboard.words import COOKIE, Words, choose_language
from plant.errors import (
    Conflict,
    Denied,
    ForerunError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    Unavailable,
)

NOTICES = "notices"
_log = structlog.get_logger(__name__)
P = ParamSpec("P")


def words() -> Words:
    """Return the words for the request this callback answers."""
    return Words(choose_language(ctx.cookies.get(COOKIE), ctx.headers.get("accept-language")))


def title_of(error: Exception, say: Words) -> str:
    """Name the kind of an error for people."""
    titles: list[tuple[type[ForerunError], str]] = [
        (NotAuthenticated, say("Your session has ended")),
        (Denied, say("You may not do this")),
        (NotFound, say("Not found")),
        (Conflict, say("Someone was faster")),
        (InvalidInput, say("Something is missing or wrong")),
        (Unavailable, say("Not available right now")),
    ]
    return next((title for kind, title in titles if isinstance(error, kind)), say("That did not work"))


def message_of(error: Exception, say: Words) -> str:
    """Say what an error means for the person: its own text, or how to log in again; nothing of our own faults."""
    if isinstance(error, NotAuthenticated):
        return say("Log in again to go on.")
    if isinstance(error, ForerunError):
        return say.tell(error.text)
    return say("This is a fault in Forerun. It is in the log, with the time of now.")


def report_fault(error: Exception) -> None:
    """Write an error nobody expected to the log: Dash itself would only answer 500."""
    if not isinstance(error, ForerunError):
        _log.error("callback failed", output=str(ctx.outputs_list)[:200], exc_info=error)


def notify(title: str, message: str, colour: str = "blue", *, key: str | None = None, stays: bool = False) -> None:
    """Show a notice in the corner of the page; the same `key` replaces the one before."""
    notice = {
        "title": title,
        "message": message,
        "color": colour,
        "autoClose": False if stays else 6000,
        **({"id": key} if key else {}),
    }
    # Showing one that is shown already changes nothing, and updating one that is not, neither.
    actions = ("update", "show") if key else ("show",)
    set_props(NOTICES, {"sendNotifications": [{"action": action, **notice} for action in actions]})


def guarded(function: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[Any]]:
    """Turn errors into a notice; the callback then changes nothing. What nobody expected is logged, too."""

    @wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return await function(*args, **kwargs)
        except PreventUpdate:
            raise
        except Exception as error:
            report_fault(error)
            say = words()
            colour = "yellow" if isinstance(error, Unavailable) else "red"
            notify(title_of(error, say), message_of(error, say), colour, key=type(error).__name__)
            outputs = ctx.outputs_list
            if not outputs:
                return None
            return [no_update] * len(outputs) if isinstance(outputs, list) else no_update

    return run
