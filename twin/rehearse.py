"""The one place that decides which engine tells what becomes of a plan."""

from __future__ import annotations

import numpy as np

from plant.plan import Plan
from plant.work import Work
from twin.draws import Draws
from twin.graph import Node, graph_of, has_longest_wait
from twin.luck import Flags, delivered_s, failed
from twin.replay import Busy, Replay, replay
from twin.simulate import Run, Simulation, ages_always


def rehearse(work: Work, plan: Plan, draws: Draws) -> Replay:
    """Run the plan through R replications: replayed where that is exact, simulated where it is not.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work or is circular.
    """
    return replay(work, plan, draws) if is_replayable(work) else simulated(work, plan, draws)


def is_replayable(work: Work) -> bool:
    """Tell whether replay is exact for every plan of this work.

    A machine that fails in calendar time may fail while it waits, so what its repair stops depends on when things
    happen and not on the sequence alone: only the simulation knows.
    """
    return not any(ages_always(machine) for machine in work.machines.values())


def simulated(work: Work, plan: Plan, draws: Draws) -> Replay:
    """Return what `twin.simulate` says of every replication, as `twin.replay` would say it.

    Raises
    ------
    InvalidInput
        If the plan does not fit the work or is circular.
    """
    nodes = graph_of(work, plan)
    simulation = Simulation(work, plan, draws)
    runs = [simulation.run(future) for future in range(draws.replications)]
    ids = [task.id for task in work.tasks]
    shape = (len(ids), draws.replications)
    machines = dict.fromkeys(node.machine for node in nodes)
    changed_over = {node.row: ids[node.row] for node in nodes if ids[node.row] in runs[0].freed_s}
    return Replay(
        work,
        draws.seed,
        draws.replications,
        nodes,
        np.array([[run.start_s[name] for run in runs] for name in ids]).reshape(shape),
        np.array([[run.finish_s[name] for run in runs] for name in ids]).reshape(shape),
        {name: _busy(runs, name) for name in machines},
        freed_s={row: np.array([run.freed_s[name] for run in runs]) for row, name in changed_over.items()},
        begun_s={
            node.row: np.array([run.begun_s[ids[node.row]] for run in runs])
            for node in nodes
            if has_longest_wait(work, node)
        },
        release_s={
            node.row: awaited
            for node in nodes
            if not node.running
            and (awaited := delivered_s([work.tasks[row] for row in node.members], draws)) is not None
        },
        done=_done(work, nodes, draws),
        engine="simulate",
    )


def _busy(runs: list[Run], machine: str) -> Busy:
    spent = [run.busy[machine] for run in runs]
    return Busy(
        np.array([one.setup_s for one in spent]),
        np.array([one.processing_s for one in spent]),
        np.array([one.repair_s for one in spent]),
    )


def _done(work: Work, nodes: tuple[Node, ...], draws: Draws) -> dict[int, Flags]:
    return {node.row: failed(node.rework, work, draws) for node in nodes if node.rework is not None}
