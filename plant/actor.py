"""Who acts, and what they may do. Deny by default: a role has the permissions listed here and no others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plant.errors import Denied
from plant.text import told


class Permission(StrEnum):
    """What a use case may ask for; each asks for exactly one."""

    VIEW_FLOOR = "view floor"
    VIEW_PLANS = "view plans"
    VIEW_ORDERS = "view orders"
    VIEW_HEALTH = "view health"
    ENTER_ORDERS = "enter orders"
    MAKE_PLANS = "make plans"
    RELEASE_PLANS = "release plans"
    OVERRIDE_GATE = "override gate"
    CALIBRATE_TWIN = "calibrate twin"
    REPORT_JOBS = "report jobs"
    REPORT_DISTURBANCES = "report disturbances"
    PLAN_STOPS = "plan stops"
    INGEST_READINGS = "ingest readings"
    DELIVER_MESSAGES = "deliver messages"
    KEEP_CLOCK = "keep clock"
    IMPORT_PLANT = "import plant"
    MANAGE_ACCESS = "manage access"


class Role(StrEnum):
    """Roles an actor may have."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    QUALITY = "quality"
    MAINTENANCE = "maintenance"
    PLANNER = "planner"
    SALES = "sales"
    BUYER = "buyer"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    APPROVER = "approver"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    INTEGRATION = "integration"
    ADMIN = "admin"
    SYSTEM = "system"
    """Forerun's own processes."""


_VIEW = frozenset({Permission.VIEW_FLOOR, Permission.VIEW_PLANS, Permission.VIEW_ORDERS, Permission.VIEW_HEALTH})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEW,
    Role.OPERATOR: frozenset({Permission.VIEW_FLOOR, Permission.VIEW_HEALTH, Permission.VIEW_PLANS}),
    Role.QUALITY: frozenset({Permission.VIEW_FLOOR, Permission.VIEW_ORDERS}),
    Role.MAINTENANCE: frozenset({Permission.VIEW_FLOOR, Permission.VIEW_HEALTH, Permission.PLAN_STOPS}),
    Role.PLANNER: _VIEW
    | {
        Permission.ENTER_ORDERS,
        Permission.MAKE_PLANS,
        Permission.RELEASE_PLANS,
        Permission.OVERRIDE_GATE,
        Permission.CALIBRATE_TWIN,
        Permission.REPORT_DISTURBANCES,
        Permission.PLAN_STOPS,
    },
    Role.SALES: frozenset({Permission.VIEW_ORDERS, Permission.ENTER_ORDERS}),
    Role.BUYER: frozenset({Permission.VIEW_ORDERS, Permission.REPORT_DISTURBANCES}),
    Role.WAREHOUSE: frozenset({Permission.VIEW_ORDERS, Permission.REPORT_DISTURBANCES}),
    Role.FINANCE: frozenset({Permission.VIEW_ORDERS}),
    Role.APPROVER: _VIEW,
    Role.SUPPLIER: frozenset(),
    Role.CUSTOMER: frozenset(),
    Role.INTEGRATION: _VIEW | {Permission.ENTER_ORDERS, Permission.REPORT_JOBS, Permission.REPORT_DISTURBANCES},
    Role.ADMIN: _VIEW | {Permission.MANAGE_ACCESS, Permission.IMPORT_PLANT},
    Role.SYSTEM: frozenset(Permission) - {Permission.OVERRIDE_GATE, Permission.MANAGE_ACCESS},
}


@dataclass(frozen=True)
class Actor:
    """Someone or something that acts, with its roles."""

    name: str
    roles: frozenset[Role]

    def may(self, permission: Permission) -> bool:
        """Tell whether one of the roles has `permission`."""
        return any(permission in PERMISSIONS[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        """Raise `Denied` unless the actor has `permission`."""
        if not self.may(permission):
            roles = [role.value for role in sorted(self.roles)] or ["no role"]
            raise Denied(
                told(
                    "{name} ({roles:words}) may not {permission:word}; ask an administrator for a role that may",
                    name=self.name,
                    roles=roles,
                    permission=permission.value,
                )
            )


SYSTEM = Actor("forerun", frozenset({Role.SYSTEM}))
"""Forerun's own processes: ingest, outbox, replanning."""
