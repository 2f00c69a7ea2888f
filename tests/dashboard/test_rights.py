"""A button that not everybody may press is shut for the others and says why; nothing else says so."""

from __future__ import annotations

import pytest

from dashboard.rights import permitted
from dashboard.words import Words
from plant.actor import Actor, Permission, Role

SAY = Words("en")
PLANNER, VIEWER = (Actor(role.value, frozenset({role})) for role in (Role.PLANNER, Role.VIEWER))


@pytest.mark.parametrize(
    ("permission", "told"),
    [
        (Permission.MAKE_PLANS, "Your role may not make plans"),
        (Permission.RELEASE_PLANS, "Your role may not release plans"),
        (Permission.CALIBRATE_TWIN, "Your role may not calibrate the twin"),
        (Permission.PLAN_STOPS, "Your role may not plan stops"),
    ],
)
def test_who_may_not_press_is_told_so(permission: Permission, told: str) -> None:
    assert permitted(VIEWER, permission, SAY) == {"disabled": True, "title": told}


def test_a_shut_button_is_shut_for_those_who_may_too_and_blames_no_role() -> None:
    assert permitted(PLANNER, Permission.MAKE_PLANS, SAY) == {"disabled": False, "title": ""}
    assert permitted(PLANNER, Permission.MAKE_PLANS, SAY, shut=True) == {"disabled": True, "title": ""}
