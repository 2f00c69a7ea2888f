"""Experiments on the cores of this computer: worker processes that stay, and keep the cases they have prepared."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from plant.checks import require
from plant.errors import ForerunError, Unavailable
from scenarios.case import Case
from scenarios.evaluate import Evaluator, Sample, evaluate
from scenarios.experiment import Piece
from scenarios.prepare import Prepared, prepare

_PR_SET_PDEATHSIG = 1
_AHEAD = 2
"""Pieces a worker has in hand: it begins the second while we take in the first."""


@dataclass
class _Worker:
    """A process, and what it holds."""

    process: BaseProcess
    pipe: Connection
    cases: set[int] = field(default_factory=set)
    in_hand: deque[Piece] = field(default_factory=deque)


class PoolRunner:
    """Runs pieces in `workers` processes; a context manager. Implements `scenarios.experiment.Runner`.

    The workers are started at once and live until `close`, or until this process ends, however it ends. A worker gets
    pieces of cases it has prepared as long as there are any, so that most cases are prepared once in all.

    Parameters
    ----------
    start_method
        As `multiprocessing` names it: all of them work, since whatever is sent can be pickled.
    """

    def __init__(self, workers: int, start_method: str = "forkserver") -> None:
        require(workers >= 1, f"there must be at least one worker, not {workers}")
        context = multiprocessing.get_context(start_method)
        if start_method == "forkserver":
            context.set_forkserver_preload([__name__])
        self._numbers: dict[str, tuple[Case, int]] = {}
        self._counted = 0
        self._workers: list[_Worker] = []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def __enter__(self) -> PoolRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        self._workers = []

    def run(
        self, cases: Mapping[str, Case], seed: int, pieces: Sequence[Piece], evaluator: Evaluator = evaluate
    ) -> Iterator[tuple[Piece, Sample]]:
        """See `scenarios.experiment.Runner`."""
        if not self._workers:
            raise Unavailable("the workers have been ended; start a new pool")
        waiting = list(pieces)
        try:
            self._hand_out(cases, seed, evaluator, waiting)
            while any(worker.in_hand for worker in self._workers):
                for worker in self._ready():
                    found = _take(worker)
                    self._hand_out(cases, seed, evaluator, waiting)
                    yield found
        finally:
            self._settle()

    def _ready(self) -> list[_Worker]:
        busy = {worker.pipe: worker for worker in self._workers if worker.in_hand}
        return [busy[pipe] for pipe in wait(list(busy)) if isinstance(pipe, Connection)]

    def _hand_out(self, cases: Mapping[str, Case], seed: int, evaluator: Evaluator, waiting: list[Piece]) -> None:
        """Give every worker that has a hand free its next piece, one each in turn."""
        for ahead in range(1, _AHEAD + 1):
            for worker in self._workers:
                if waiting and len(worker.in_hand) < ahead:
                    piece = waiting.pop(self._best(worker, cases, waiting))
                    number = self._number(piece[0], cases[piece[0]])
                    fresh = None if number in worker.cases else cases[piece[0]]
                    worker.cases.add(number)
                    worker.in_hand.append(piece)
                    _send(worker, (number, fresh, evaluator, seed, piece[1]))

    def _best(self, worker: _Worker, cases: Mapping[str, Case], waiting: Sequence[Piece]) -> int:
        """Return the place of the first piece whose case this worker has prepared, else nobody has, else any."""
        nobody: int | None = None
        for place, (name, _) in enumerate(waiting):
            number = self._number(name, cases[name])
            if number in worker.cases:
                return place
            if nobody is None and not any(number in other.cases for other in self._workers):
                nobody = place
        # Another worker's case is taken from the end: its own worker takes from the front.
        return len(waiting) - 1 if nobody is None else nobody

    def _number(self, name: str, case: Case) -> int:
        known = self._numbers.get(name)
        if known is None or known[0] is not case:
            self._counted += 1
            known = self._numbers[name] = (case, self._counted)
        return known[1]

    def _settle(self) -> None:
        """Take in what is still being done, so that the next run finds the pipes empty; a broken pool is ended."""
        try:
            while any(worker.in_hand for worker in self._workers):
                for worker in self._ready():
                    worker.in_hand.popleft()
                    worker.pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            self.close()


def _send(worker: _Worker, message: object) -> None:
    try:
        worker.pipe.send(message)
    except OSError as error:
        raise Unavailable("a worker process died (out of memory?); try again with fewer workers") from error


def _take(worker: _Worker) -> tuple[Piece, Sample]:
    piece = worker.in_hand.popleft()
    try:
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        worker.in_hand.clear()
        raise Unavailable("a worker process died (out of memory?); try again with fewer workers") from None
    if kind == "error":
        raise value
    return piece, value


def _serve(pipe: Connection) -> None:
    """Answer pieces until the pipe is closed; end with whoever started us."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    prepared: dict[int, Prepared] = {}
    while True:
        try:
            number, case, evaluator, seed, chunk = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(_answer(prepared, number, case, evaluator, seed, chunk))
        except BrokenPipeError:
            return  # whoever asked is gone


def _answer(
    prepared: dict[int, Prepared], number: int, case: Case | None, evaluator: Evaluator, seed: int, chunk: int
) -> tuple[str, Any]:
    try:
        if case is not None:
            prepared[number] = prepare(case)
        return "result", evaluator(prepared[number], seed, chunk)
    except ForerunError as error:
        return "error", error
    except Exception as error:  # nothing is lost: it is raised again where the result is awaited
        return "error", RuntimeError(f"{type(error).__name__}: {error}")
