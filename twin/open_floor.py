"""The open floor in SimPy: nothing fixes the sequences, dispatching rules decide; the reference for what-if questions.

A SimPy environment keeps the moments at which something happens. When all of one instant has happened, every machine
that could begin something chooses by its rule, so what comes first within an instant decides nothing.
"""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np

from plant.checks import require
from plant.errors import Infeasible
from plant.floor_model import FloorModel
from plant.machine_state import MachineState
from plant.plan import Plan
from twin.draws import Draws
from twin.happened import OPERATION_COLUMNS, STATES, Happened, table
from twin.open_flow import Flow
from twin.open_luck import Luck
from twin.open_phase import BLOCKED, EXECUTING, SETUP, UPKEEP
from twin.open_shop import OpenShop
from twin.open_waits import who_waits

_QUIET = 20_000
"""Moments in a row in which no lot moves: after so many failures and repairs of idle machines, nothing will."""

_FOLLOW = "follow the plan"

_prepared: WeakKeyDictionary[FloorModel, OpenShop] = WeakKeyDictionary()


def simulate_floor(
    model: FloorModel,
    draws: Draws,
    replication: int,
    until_s: float = math.inf,
    rule: str | None = None,
    plan: Plan | None = None,
) -> Happened:
    """Run the floor in future `replication` (from 0) of `draws`.

    Parameters
    ----------
    until_s
        Seconds since the epoch at which to stop; by default the run ends when every order is complete.
    rule
        Name of the dispatching rule of every machine, instead of those the plant names.
    plan
        What the rule "follow the plan" follows; given alone it asks for that rule.

    Raises
    ------
    InvalidInput
        If a rule is unknown, arrivals without end meet no `until_s`, or the plan does not fit the floor.
    Infeasible
        If the floor cannot finish: the message names who waits for whom.
    """
    require(0 <= replication < draws.replications, f"there is no replication {replication} of {draws.replications}")
    require(until_s > 0, f"until_s must be above 0, not {until_s!r}")
    endless = [stream.id for stream in model.plant.arrivals]
    require(not endless or until_s < math.inf, f"arrivals {', '.join(endless)} have no end; give until_s")
    shop = _prepared.get(model)
    if shop is None:
        shop = _prepared[model] = OpenShop(model)
    luck = Luck(draws, replication, shop.rows_for(draws))
    flow = Flow(shop, luck, rule or (_FOLLOW if plan is not None else None), plan)
    flow.demand.start()
    _run(flow, until_s, bool(endless))
    return _happened(flow, until_s)


def _run(flow: Flow, until_s: float, is_endless: bool) -> None:
    done, quiet = -1, 0

    def decide() -> bool:
        nonlocal done, quiet
        flow.decide()
        if is_endless:
            return True
        if flow.unfinished == 0:
            return until_s < math.inf
        if len(flow.log.operations) == done:
            quiet += 1
            return quiet < _QUIET
        done, quiet = len(flow.log.operations), 0
        return True

    if flow.unfinished or until_s < math.inf:
        flow.clock.run_until(until_s, decide)
    if flow.unfinished and (until_s == math.inf or flow.clock.peek() == math.inf) and not is_endless:
        raise Infeasible(f"the floor cannot finish: {who_waits(flow)}")


def _happened(flow: Flow, until_s: float) -> Happened:
    model, log = flow.shop.model, flow.log
    if until_s == math.inf:
        until_s = max((order.completed_s for order in flow.orders), default=0.0)
    unfinished = []
    for machine in flow.machines:
        if machine.is_down or machine.phase == UPKEEP:
            state = MachineState.BREAKDOWN if machine.is_down else MachineState.PLANNED_STOP
            log.stop(machine.index, state, machine.down_since_s, until_s)
        if machine.phase == BLOCKED:
            log.stop(machine.index, MachineState.BLOCKED, machine.blocked_since_s, until_s)
        if not math.isnan(machine.held_since_s):
            log.stop(machine.index, MachineState.HELD, machine.held_since_s, until_s)
        if machine.phase in (SETUP, EXECUTING):
            start_s = until_s if machine.phase == SETUP else machine.begun_s
            unfinished.append((machine.index, machine.setup_begun_s, start_s, until_s))
            if machine.people:
                log.pauses(machine.index, machine.setup_begun_s, until_s, machine.step_time)
    stops = [(machine, STATES.index(state), since, until) for machine, state, since, until in log.stops]
    names = {
        "machine": tuple(machine.spec.id for machine in flow.machines),
        "person": tuple(one.spec.id for one in flow.needs.attendants),
        "stage": tuple(stage.name for stage in flow.shop.stages),
        "state": tuple(STATES),
    }
    return Happened(
        until_s=until_s,
        names=names,
        operations=table(OPERATION_COLUMNS, log.operations),
        orders=_orders(flow),
        attendance=table(("person", "machine", "since_s", "until_s"), log.attendance),
        transports=table(("order", "machine", "since_s", "until_s"), log.transports),
        stops=table(("machine", "state", "since_s", "until_s"), stops),
        working=[model.calendars[machine.spec.calendar] for machine in flow.machines],
        power=[machine.spec.power_kw for machine in flow.machines],
        unfinished=table(("machine", "begin_s", "start_s", "until_s"), unfinished),
    )


def _orders(flow: Flow) -> dict[str, np.ndarray]:
    orders = flow.orders
    return {
        "id": np.array([order.id for order in orders], dtype=np.str_),
        "customer_order": np.array([order.customer_order for order in orders], dtype=np.str_),
        "item": np.array([order.stages[0].item for order in orders], dtype=np.str_),
        "released_s": np.array([order.released_s for order in orders], dtype=np.float64),
        "weight": np.array([order.weight for order in orders], dtype=np.float64),
        "due_s": np.array([order.due_s for order in orders], dtype=np.float64),
        "completed_s": np.array([order.completed_s for order in orders], dtype=np.float64),
        "quantity": np.array([order.quantity for order in orders], dtype=np.int64),
        "good": np.array([order.good for order in orders], dtype=np.int64),
        "scrap": np.array([order.scrap for order in orders], dtype=np.int64),
        "lost": np.array([order.is_lost for order in orders], dtype=np.int64),
    }
