"""The two plain texts in which job shops are published.

A flexible job shop (``fjsp``): first line jobs and machines (what follows there is ignored), then one line per job: the
number of operations, and per operation the number of alternatives and that many (machine, duration) pairs, machines
counted **from 1** (Brandimarte 1993; Hurink, Jurisch and Thole 1994; Behnke and Geiger 2012).

A job shop (``jsp``): first line jobs and machines, then one line per job of (machine, duration) pairs, machines
counted **from 0**; a line may end with ``-1 -1``, and may then visit machines again or not at all
(Taillard 1993; Da Col and Teppan 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from plant.checks import require
from plant.errors import InvalidInput
from plant.text import Told, told
from scheduler.disjunctive import DisjunctiveProblem

Job = list[list[tuple[int, int]]]
"""Per operation its (machine, duration) pairs, machines from 0."""


def read_fjsp(text: str) -> DisjunctiveProblem:
    """Return the flexible job shop a text describes; `InvalidInput` names the line and what is wrong in it."""
    return _read(text, _flexible_job)


def read_jsp(text: str) -> DisjunctiveProblem:
    """Return the job shop a text describes; `InvalidInput` names the line and what is wrong in it."""
    return _read(text, _plain_job)


def write_fjsp(problem: DisjunctiveProblem) -> str:
    """Return the text of a problem whose operations form chains; `InvalidInput` if they do not."""
    lines = [
        " ".join([str(len(job)), *(f"{len(given)} {_pairs(given, 1)}" for given in job)]) for job in jobs_of(problem)
    ]
    return "\n".join([f"{len(lines)} {problem.machines}", *lines]) + "\n"


def write_jsp(problem: DisjunctiveProblem) -> str:
    """Return the text of a problem without alternatives whose operations form chains; `InvalidInput` otherwise."""
    require(not problem.flexible, told("operations with a choice of machines cannot be written as jsp; use fjsp"))
    lines = [" ".join([*(_pairs(given, 0) for given in job), "-1 -1"]) for job in jobs_of(problem)]
    return "\n".join([f"{len(lines)} {problem.machines}", *lines]) + "\n"


def jobs_of(problem: DisjunctiveProblem) -> list[Job]:
    """Return a problem's chains of operations; `InvalidInput` if it has anything else."""
    arrays = problem.arrays
    plain = (
        (arrays.before_edges[1:] - arrays.before_edges[:-1] <= 1).all()
        and (arrays.after_edges[1:] - arrays.after_edges[:-1] <= 1).all()
        and not arrays.head.any()
        and not arrays.tail.any()
    )
    require(bool(plain), told("only jobs that are chains, without release times and tails, can be written as a text"))
    firsts = (v for v in range(problem.operations) if arrays.before_edges[v] == arrays.before_edges[v + 1])
    return [[_alternatives(problem, v) for v in _chain(problem, first)] for first in firsts]


def _chain(problem: DisjunctiveProblem, operation: int) -> Iterator[int]:
    arrays = problem.arrays
    while True:
        yield operation
        edge = arrays.after_edges[operation]
        if edge == arrays.after_edges[operation + 1]:
            return
        operation = int(arrays.after[edge])


def _alternatives(problem: DisjunctiveProblem, operation: int) -> list[tuple[int, int]]:
    arrays = problem.arrays
    chosen = slice(arrays.alternative_edges[operation], arrays.alternative_edges[operation + 1])
    return list(zip(arrays.machine[chosen].tolist(), arrays.duration[chosen].tolist(), strict=True))


def _pairs(given: list[tuple[int, int]], first: int) -> str:
    return " ".join(f"{machine + first} {duration}" for machine, duration in given)


_JOBS, _MACHINES = told("the number of jobs"), told("the number of machines")
_OPERATIONS, _ALTERNATIVES = told("the number of operations"), told("the number of alternatives")
_MACHINE, _DURATION = told("a machine"), told("a duration")


class _Line:
    """A line's numbers, taken one by one, and where it stands."""

    def __init__(self, number: int, text: str) -> None:
        self.number, self._words, self._at = number, text.split(), 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def take(self, what: Told, least: int) -> int:
        """Return the next number; `what` says what it should be."""
        if not self:
            raise self.wrong(told("it ends where {what} should stand", what=what))
        word = self._words[self._at]
        self._at += 1
        try:
            value = int(word)
        except ValueError:
            raise self.wrong(told("{word} stands where {what} should", word=word, what=what)) from None
        if value < least:
            raise self.wrong(
                told("{what} is {value}; it must be at least {least}", what=what, value=value, least=least)
            )
        return value

    def wrong(self, reason: Told) -> InvalidInput:
        """Return the error that names this line."""
        return InvalidInput(told("line {line}: {reason}", line=self.number, reason=reason))


def _flexible_job(line: _Line, machines: int) -> Job:
    return [
        [_pair(line, machines, 1) for _ in range(line.take(_ALTERNATIVES, 1))] for _ in range(line.take(_OPERATIONS, 1))
    ]


def _plain_job(line: _Line, machines: int) -> Job:
    job: Job = []
    while line:
        machine = line.take(_MACHINE, -1)
        duration = line.take(_DURATION, -1 if machine < 0 else 0)
        if machine < 0:
            break
        job.append([_within(line, machine, duration, machines, 0)])
    return job


def _pair(line: _Line, machines: int, first: int) -> tuple[int, int]:
    return _within(line, line.take(_MACHINE, first), line.take(_DURATION, 0), machines, first)


def _within(line: _Line, machine: int, duration: int, machines: int, first: int) -> tuple[int, int]:
    if machine >= machines + first:
        raise line.wrong(
            told(
                "machine {machine} is unknown: the first line says {machines}, counted from {first}",
                machine=machine,
                machines=machines,
                first=first,
            )
        )
    return machine - first, duration


def _read(text: str, read_job: Callable[[_Line, int], Job]) -> DisjunctiveProblem:
    lines = [_Line(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    require(bool(lines), told("the text is empty; its first line should say how many jobs and machines there are"))
    first, *others = lines
    count, machines = first.take(_JOBS, 1), first.take(_MACHINES, 1)
    require(
        len(others) == count,
        told("the first line says {count} jobs, but {given} lines follow", count=count, given=len(others)),
    )
    jobs = []
    for line in others:
        jobs.append(read_job(line, machines))
        if line:
            raise line.wrong(told("it goes on behind the job's last operation"))
        if not jobs[-1]:
            raise line.wrong(told("the job has no operation"))
    return problem_of(machines, jobs)


def problem_of(machines: int, jobs: Sequence[Job]) -> DisjunctiveProblem:
    """Return the problem of jobs whose operations follow one another."""
    predecessors: list[list[int]] = []
    for job in jobs:
        predecessors += [[], *([len(predecessors) + place] for place in range(len(job) - 1))]
    return DisjunctiveProblem.of(machines, [given for job in jobs for given in job], predecessors)
