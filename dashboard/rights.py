"""How a button stands whose press not everybody may: shut for others, and saying so when it is pointed at."""

from __future__ import annotations

from typing import Any

from dashboard.words import Words, mark
from plant.actor import Actor, Permission

_REFUSED = {
    Permission.MAKE_PLANS: mark("Your role may not make plans"),
    Permission.RELEASE_PLANS: mark("Your role may not release plans"),
    Permission.CALIBRATE_TWIN: mark("Your role may not calibrate the twin"),
    Permission.PLAN_STOPS: mark("Your role may not plan stops"),
}


def permitted(actor: Actor, permission: Permission, say: Words, *, shut: bool = False) -> dict[str, Any]:
    """Return the properties of a button that needs a permission.

    Parameters
    ----------
    shut
        Whether it is shut for everybody, since there is nothing to do just now.
    """
    may = actor.may(permission)
    return {"disabled": shut or not may, "title": "" if may else say(_REFUSED[permission])}
