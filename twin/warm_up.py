"""Have the compiled loop of `twin.replay` at hand before a plan asks for it. Pure: it runs in a process pool."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.ports import Progress, no_progress
from plant.work import MachineOutlook, OrderDemand, Task, Wait, Work
from twin.draws import Draws
from twin.replay import replay


def warm_up(progress: Progress = no_progress) -> None:
    """Replay next to nothing: what that compiles is kept on disk, and every process finds it there.

    Parameters
    ----------
    progress
        Is not told anything: nobody waits for this.
    """
    epoch = datetime(2026, 1, 5, tzinfo=UTC)
    first, last = (Task(name, "order", "item", "10", 1, (), {"machine": 1.0}, "family") for name in ("first", "last"))
    # What is not to wait too long is looked at by a loop of its own.
    kept_short = replace(last, predecessors=("first",), waits={"first": Wait(most_s=1.0)})
    machine = MachineOutlook("machine", WorkingTime.always(), SetupMatrix("matrix", 0.0))
    planned = [PlannedOperation(name, "machine", place, place, 1.0) for place, name in enumerate(("first", "last"))]
    for behind in (last, kept_short):
        work = Work(epoch, (first, behind), {"machine": machine}, {"order": OrderDemand("order", 0.0)})
        replay(work, Plan(epoch, tuple(planned)), Draws(0, 1))
