"""Who may do what: deny by default."""

from __future__ import annotations

import pytest

from plant.actor import PERMISSIONS, SYSTEM, Actor, Permission, Role
from plant.errors import Denied, ForerunError


def actor(*roles: Role) -> Actor:
    return Actor("Ada", frozenset(roles))


def test_every_role_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)


def test_nobody_without_a_role_may_do_anything() -> None:
    assert not any(actor().may(permission) for permission in Permission)
    assert not any(actor(Role.SUPPLIER, Role.CUSTOMER).may(permission) for permission in Permission)


def test_an_actor_may_what_any_role_of_theirs_may() -> None:
    both = actor(Role.VIEWER, Role.SALES)
    assert both.may(Permission.VIEW_FLOOR)
    assert both.may(Permission.ENTER_ORDERS)
    assert not both.may(Permission.RELEASE_PLANS)


def test_only_a_planner_goes_over_the_gate() -> None:
    assert [role for role in Role if actor(role).may(Permission.OVERRIDE_GATE)] == [Role.PLANNER]
    assert [role for role in Role if actor(role).may(Permission.MANAGE_ACCESS)] == [Role.ADMIN]


def test_a_machine_account_reports_jobs_and_no_one_else_outside_does() -> None:
    assert {role for role in Role if actor(role).may(Permission.REPORT_JOBS)} == {Role.INTEGRATION, Role.SYSTEM}


def test_require_says_who_lacks_what() -> None:
    actor(Role.PLANNER).require(Permission.RELEASE_PLANS)
    with pytest.raises(Denied, match=r"Ada \(operator, viewer\) may not release plans; ask an administrator"):
        actor(Role.VIEWER, Role.OPERATOR).require(Permission.RELEASE_PLANS)
    with pytest.raises(ForerunError, match=r"Ada \(no role\) may not view floor"):
        actor().require(Permission.VIEW_FLOOR)


def test_the_systems_own_processes_ingest_and_deliver_but_do_not_override() -> None:
    SYSTEM.require(Permission.INGEST_READINGS)
    SYSTEM.require(Permission.DELIVER_MESSAGES)
    assert not SYSTEM.may(Permission.OVERRIDE_GATE)
