"""CP-SAT's solver, as a guest in this process."""

from __future__ import annotations

from ortools.sat.python import cp_model


def new_solver() -> cp_model.CpSolver:
    """Return a solver that leaves Ctrl-C to whoever handles it here.

    Of itself it takes the signal over, in a way that may corrupt the memory, and afterwards leaves it without any
    handler: the next Ctrl-C would end the process, and the best plan so far with it.
    """
    solver = cp_model.CpSolver()
    solver.parameters.catch_sigint_signal = False
    return solver
