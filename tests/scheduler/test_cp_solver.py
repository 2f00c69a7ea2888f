"""CP-SAT leaves Ctrl-C alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, signal
from ortools.sat.python import cp_model
from scheduler.cp_solver import new_solver

heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))

class Interrupting(cp_model.CpSolverSolutionCallback):
    def on_solution_callback(self):
        os.kill(os.getpid(), signal.SIGINT)

model = cp_model.CpModel()
model.maximize(sum(model.new_int_var(0, 9, str(n)) for n in range(9)))
status = new_solver().solve(model, Interrupting())
during = len(heard)
os.kill(os.getpid(), signal.SIGINT)
print(status == cp_model.OPTIMAL, during > 0, len(heard) == during + 1)
"""


def test_an_interrupt_reaches_its_handler_while_it_solves_and_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (done.returncode, done.stdout.strip()) == (0, "True True True"), done.stderr
