"""The (flexible) job shop as arrays: operations, what precedes what, and on which machines for how long.

This is the plain problem of the literature, in whole units of time: one operation at a time on a machine, no setups,
machines that are always there. An operation may have a release time (head) and a time that must pass after it
(tail); the objective is the largest end plus tail: the makespan where tails are 0, the greatest lateness where they
count from the due date (see `DisjunctiveProblem.of`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plant.checks import require
from plant.errors import InvalidInput
from plant.text import Told, told

Ints = NDArray[np.int32]
Times = NDArray[np.int64]

_LONGEST = 2**53
"""Times and their sums stay below this: exact as whole numbers here and as floats elsewhere."""


class Arrays(NamedTuple):
    """A problem as the compiled loops read it: N operations, A alternatives, M machines; lists lie end to end.

    Attributes
    ----------
    before_edges, before
        Operation ``v`` waits for ``before[before_edges[v]:before_edges[v + 1]]``; shapes (N + 1,) and edges.
    after_edges, after
        The same relation from the other side.
    alternative_edges, machine, duration
        ``v`` can be made by the alternatives from ``alternative_edges[v]`` to before ``alternative_edges[v + 1]``, each
        on its machine for its duration; shapes (N + 1,), (A,), (A,).
    head, tail
        Release time of each operation and what must pass after it; shape (N,).
    room_edges
        Where each machine's sequence may lie in an array of A places; shape (M + 1,).
    last
        Operations that can be the last of a longest path: those with a tail or with nothing after them.
    order
        All operations, each behind what it waits for; shape (N,).
    """

    before_edges: Ints
    before: Ints
    after_edges: Ints
    after: Ints
    alternative_edges: Ints
    machine: Ints
    duration: Times
    head: Times
    tail: Times
    room_edges: Ints
    last: Ints
    order: Ints


@dataclass(frozen=True)
class DisjunctiveProblem:
    """A checked problem; build it with `of`.

    Attributes
    ----------
    machines
        How many machines there are.
    arrays
        Everything else.
    """

    machines: int
    arrays: Arrays

    @classmethod
    def of(
        cls,
        machines: int,
        alternatives: Sequence[Sequence[tuple[int, int]]],
        predecessors: Sequence[Sequence[int]],
        heads: Sequence[int] | None = None,
        tails: Sequence[int] | None = None,
    ) -> DisjunctiveProblem:
        """Return the problem of these operations.

        Parameters
        ----------
        alternatives
            Per operation the (machine, duration) pairs it can be made with; machines count from 0.
        predecessors
            Per operation the numbers of those that must end before it starts.
        heads
            Release times; none means 0.
        tails
            What counts on top of an operation's end; none means 0. For due dates d give max(d) - d: the greatest
            lateness is then the objective minus max(d).

        Raises
        ------
        InvalidInput
            When an operation has no machine, an unknown one, or one twice; when a time is negative or all together
            are too long; when operations wait for each other in a circle.
        """
        count = len(alternatives)
        require(machines >= 1, told("a shop needs at least 1 machine, not {count}", count=machines))
        require(
            len(predecessors) == count,
            told(
                "{given} lists of predecessors for {count} operations: give one each",
                given=len(predecessors),
                count=count,
            ),
        )
        _check_alternatives(machines, alternatives)
        head, tail = _times(told("head"), heads, count), _times(told("tail"), tails, count)
        _check_length(alternatives, head, tail)
        before_edges, before = _listed([_known(v, given, count) for v, given in enumerate(predecessors)])
        after_edges, after = _reversed(before_edges, before)
        alternative_edges, pairs = _edges(alternatives), [pair for given in alternatives for pair in given]
        machine = np.array([pair[0] for pair in pairs], np.int32)
        arrays = Arrays(
            before_edges,
            before,
            after_edges,
            after,
            alternative_edges,
            machine,
            np.array([pair[1] for pair in pairs], np.int64),
            head,
            tail,
            np.concatenate([[0], np.cumsum(np.bincount(machine, minlength=machines))]).astype(np.int32),
            np.flatnonzero((np.diff(after_edges) == 0) | (tail > 0)).astype(np.int32),
            _ordered(before_edges, before, after_edges, after),
        )
        return cls(machines, arrays)

    @property
    def operations(self) -> int:
        """How many operations there are."""
        return int(self.arrays.head.size)

    @cached_property
    def flexible(self) -> bool:
        """Whether some operation has a choice of machines."""
        return self.arrays.machine.size > self.operations


def _check_alternatives(machines: int, alternatives: Sequence[Sequence[tuple[int, int]]]) -> None:
    for operation, given in enumerate(alternatives):
        # Words are made where something is wrong: for each number of a large shop they cost half of its reading.
        wrong = _wrong(machines, operation, given)
        if wrong is not None:
            raise InvalidInput(wrong)


def _wrong(machines: int, operation: int, given: Sequence[tuple[int, int]]) -> Told | None:
    """Return what is wrong with an operation's alternatives, None if nothing is."""
    if not given:
        return told("operation {operation} has no machine that can make it; give it at least one", operation=operation)
    for machine, duration in given:
        if not 0 <= machine < machines:
            return told(
                "operation {operation} names machine {machine}; there are {count}, counted from 0",
                operation=operation,
                machine=machine,
                count=machines,
            )
        if duration < 0:
            return told(
                "operation {operation} takes {duration} on machine {machine}; a duration is at least 0",
                operation=operation,
                duration=duration,
                machine=machine,
            )
    if len({machine for machine, _ in given}) < len(given):
        return told("operation {operation} names a machine twice; keep its shortest", operation=operation)
    return None


def _times(name: Told, given: Sequence[int] | None, count: int) -> Times:
    if given is None:
        return np.zeros(count, np.int64)
    require(
        len(given) == count,
        told("{given} {name} times for {count} operations: give one each", given=len(given), name=name, count=count),
    )
    for operation, value in enumerate(given):
        require(
            0 <= value < _LONGEST,
            told(
                "the {name} of operation {operation} is {value}; it must be at least 0 and below 2^53",
                name=name,
                operation=operation,
                value=value,
            ),
        )
    return np.array(given, np.int64)


def _check_length(alternatives: Sequence[Sequence[tuple[int, int]]], head: Times, tail: Times) -> None:
    longest = sum(max(duration for _, duration in given) for given in alternatives)
    longest += int(head.max(initial=0)) + int(tail.max(initial=0))
    require(
        longest < _LONGEST,
        told(
            "all operations one after the other take {longest}, 2^53 or more; count in a longer unit", longest=longest
        ),
    )


def _known(operation: int, given: Sequence[int], count: int) -> list[int]:
    for before in given:
        if not 0 <= before < count:
            raise InvalidInput(
                told(
                    "operation {operation} waits for operation {before}; there are {count}, counted from 0",
                    operation=operation,
                    before=before,
                    count=count,
                )
            )
    return sorted(set(given))


def _edges(lists: Sequence[Sequence[object]]) -> Ints:
    return np.concatenate([[0], np.cumsum([len(entries) for entries in lists])]).astype(np.int32)


def _listed(lists: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    return _edges(lists), np.array([entry for entries in lists for entry in entries], np.int32)


def _reversed(before_edges: Ints, before: Ints) -> tuple[Ints, Ints]:
    """Return the same relation listed from the other side."""
    count = before_edges.size - 1
    later = np.repeat(np.arange(count, dtype=np.int32), np.diff(before_edges))
    edges = np.concatenate([[0], np.cumsum(np.bincount(before, minlength=count))]).astype(np.int32)
    return edges, later[np.argsort(before, kind="stable")]


def _ordered(before_edges: Ints, before: Ints, after_edges: Ints, after: Ints) -> Ints:
    """Return a topological order (Kahn), or refuse a circle."""
    waits = np.diff(before_edges).tolist()
    later, edges = after.tolist(), after_edges.tolist()
    order = [operation for operation, count in enumerate(waits) if count == 0]
    for operation in order:  # grows while it is walked
        for follower in later[edges[operation] : edges[operation + 1]]:
            waits[follower] -= 1
            if waits[follower] == 0:
                order.append(follower)
    if len(order) < len(waits):
        stuck = next(operation for operation, count in enumerate(waits) if count > 0)
        raise InvalidInput(
            told(
                "operation {operation} waits for itself, directly or through others; break the circle", operation=stuck
            )
        )
    return np.array(order, np.int32)
