"""Deny by default: every use case asks for one permission before anything else, and only these roles have it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import operations
from plant.actor import PERMISSIONS, Actor, Permission, Role
from plant.errors import Denied

_VIEWERS = {Role.VIEWER, Role.PLANNER, Role.APPROVER, Role.INTEGRATION, Role.ADMIN, Role.SYSTEM}
_FLOOR = _VIEWERS | {Role.OPERATOR, Role.QUALITY, Role.MAINTENANCE}
_HEALTH = _VIEWERS | {Role.OPERATOR, Role.MAINTENANCE}
_PLANS = _VIEWERS | {Role.OPERATOR}
_ORDERS = _VIEWERS | {Role.QUALITY, Role.SALES, Role.BUYER, Role.WAREHOUSE, Role.FINANCE}
_PLANNING = {Role.PLANNER, Role.SYSTEM}
_OURSELVES = {Role.SYSTEM}
_REPORTING = _PLANNING | {Role.BUYER, Role.WAREHOUSE, Role.INTEGRATION}

MAY: dict[str, set[Role]] = {
    "access.create_account": {Role.ADMIN},
    "access.create_api_key": {Role.ADMIN},
    "accounts.add_account": {Role.ADMIN},
    "accounts.add_key": {Role.ADMIN},
    "accounts.disable_account": {Role.ADMIN},
    "accounts.list_accounts": {Role.ADMIN},
    "accounts.list_keys": {Role.ADMIN},
    "accounts.revoke_key": {Role.ADMIN},
    "calibration.adopt": _PLANNING,
    "calibration.compare": _PLANS,
    "calibration.get": _PLANS,
    "calibration.list_calibrations": _PLANS,
    "calibration.make": _PLANNING,
    "calibration.roll_back": _PLANNING,
    "clock.anchor": _FLOOR,
    "clock.set_anchor": _OURSELVES,
    "completion.record": {Role.INTEGRATION, Role.SYSTEM},
    "dispatch.dispatch_due": _PLANNING,
    "disturbances.planned_stops": _HEALTH,
    "disturbances.report_absence": _REPORTING,
    "disturbances.call_off_stop": {Role.MAINTENANCE, Role.PLANNER, Role.SYSTEM},
    "disturbances.plan_stop": {Role.MAINTENANCE, Role.PLANNER, Role.SYSTEM},
    "disturbances.report_late_material": _REPORTING,
    "fidelity.measure": _PLANNING,
    "fidelity.newest": _PLANS,
    "fidelity.up_to_date": _PLANNING,
    "floor.machines": _FLOOR,
    "floor.oee": _FLOOR,
    "floor.quarantined": _FLOOR,
    "floor.states_of": _FLOOR,
    "health.machines": _HEALTH,
    "health.signals": _HEALTH,
    "ingest.current_plant": _OURSELVES,
    "ingest.last_known": _OURSELVES,
    "ingest.refuse_all": _OURSELVES,
    "ingest.store": _OURSELVES,
    "indicators.kpis": _FLOOR,
    "jobs.cancel": _PLANNING,
    "jobs.get": _PLANS,
    "jobs.newest": _PLANS,
    "jobs.request_calibration": _PLANNING,
    "jobs.request_learning": _PLANNING,
    "jobs.request_plan": _PLANNING,
    "learning.go_back": _PLANNING,
    "learning.list_learned": _PLANS,
    "learning.make": _PLANNING,
    "locks.list_locks": _PLANS,
    "locks.lock": _PLANNING,
    "locks.unlock": _PLANNING,
    "locks.why_impossible": _PLANNING,
    "orders.enter": {Role.PLANNER, Role.SALES, Role.INTEGRATION, Role.SYSTEM},
    "orders.jobs_on_machines": _FLOOR,
    "orders.list_jobs": _ORDERS,
    "orders.list_open": _ORDERS,
    "orders.list_orders": _ORDERS,
    "outbox.deliver": _OURSELVES,
    "outbox.refused": _ORDERS,
    "outbox.send_again": _PLANNING,
    "plan_load.load": _PLANS,
    "planning.diff": _PLANS,
    "planning.get_plan": _PLANS,
    "planning.in_force": _PLANS,
    "planning.list_plans": _PLANS,
    "planning.make_plan": _PLANNING,
    "releases.release": _PLANNING,
    "planning.repair_plan": _PLANNING,
    "plants.current": _FLOOR,
    "plants.get": _FLOOR,
    "plants.import_plant": {Role.ADMIN, Role.SYSTEM},
    "promises.ask": {Role.PLANNER, Role.SALES, Role.INTEGRATION, Role.SYSTEM},
    "releases.how_released": _PLANS,
    "situation.take": _PLANNING,
    "sources.run": _OURSELVES,
    "why_not.ask": _PLANNING,
    "upkeep.keep_up": _OURSELVES,
}

BEFORE_ANYBODY_IS_KNOWN = {"access.by_api_key", "access.by_session", "access.log_in", "access.log_out"}
"""They find out who asks."""
OF_OUR_OWN_PROCESSES = {
    "access.first_account",
    "access.install_api_key",
    "calibration.calibrate_if_due",
    "fidelity.renew_if_recalibrated",
    "jobs.resume",
    "jobs.run",
    "replanning.replan_if_stale",
}
"""No page, route or message leads to them: they act as `SYSTEM`."""


def _use_cases() -> dict[str, Callable[..., Any]]:
    """Find every public coroutine that is handed the historian."""
    found = {}
    for info in pkgutil.iter_modules(operations.__path__):
        module = importlib.import_module(f"operations.{info.name}")
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            taken = inspect.signature(function).parameters
            if function.__module__ == module.__name__ and not name.startswith("_") and "historian" in taken:
                found[f"{info.name}.{name}"] = function
    return found


USE_CASES = _use_cases()
WITH_ACTOR = sorted(name for name, function in USE_CASES.items() if "actor" in inspect.signature(function).parameters)


class Untouchable:
    """Stands for every collaborator: whoever uses it went past the permission."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was used before the permission was checked")


class Asked(Actor):
    """An actor with no permission who notes which one was asked for."""

    asked: list[Permission]

    def require(self, permission: Permission) -> None:
        self.asked.append(permission)
        super().require(permission)


def _somebody(roles: frozenset[Role]) -> Asked:
    actor = Asked("nobody", roles)
    object.__setattr__(actor, "asked", [])
    return actor


def _arguments(function: Callable[..., Any], actor: Actor) -> dict[str, Any]:
    """Return anything at all for the parameters: no use case may look at them before it knows who asks."""
    ready: dict[str, Any] = {"actor": actor, "start": datetime(2026, 1, 1, tzinfo=UTC), "reason": "any"}
    return {
        name: ready.get(name, Untouchable())
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }


def test_every_use_case_is_in_the_table_or_among_those_without_an_actor() -> None:
    assert set(USE_CASES) == set(MAY) | BEFORE_ANYBODY_IS_KNOWN | OF_OUR_OWN_PROCESSES
    assert set(WITH_ACTOR) == set(MAY)


@pytest.mark.parametrize("name", WITH_ACTOR)
async def test_it_asks_for_one_permission_before_anything_else_and_these_roles_have_it(name: str) -> None:
    actor = _somebody(frozenset())
    with pytest.raises(Denied, match="may not"):
        await USE_CASES[name](**_arguments(USE_CASES[name], actor))
    (permission,) = actor.asked
    assert {role for role in Role if permission in PERMISSIONS[role]} == MAY[name]


@pytest.mark.parametrize("role", Role)
async def test_a_role_outside_the_table_is_denied(role: Role) -> None:
    for name in WITH_ACTOR:
        if role not in MAY.get(name, set()):
            with pytest.raises(Denied):
                await USE_CASES[name](**_arguments(USE_CASES[name], _somebody(frozenset({role}))))
