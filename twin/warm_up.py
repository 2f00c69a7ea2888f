"""Have the compiled loop of `twin.replay` at hand before a plan asks for it. Pure: it runs in a process pool."""

from __future__ import annotations

from datetime import UTC, datetime

from plant.calendar import WorkingTime
from plant.plan import Plan, PlannedOperation
from plant.plant import SetupMatrix
from plant.ports import Progress, no_progress
from plant.work import MachineOutlook, OrderDemand, Task, Work
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
    task = Task("job", "order", "item", "10", 1, (), {"machine": 1.0}, "family")
    machine = MachineOutlook("machine", WorkingTime.always(), SetupMatrix("matrix", 0.0))
    work = Work(epoch, (task,), {"machine": machine}, {"order": OrderDemand("order", 0.0)})
    replay(work, Plan(epoch, (PlannedOperation("job", "machine", 0, 0.0, 1.0),)), Draws(0, 1))
