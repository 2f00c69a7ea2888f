"""Local search on sequences, scored by their exact times: what the constraint model leaves out is put right here.

A move is taken where it can help: on the chain of steps that makes a late order late (or the plan long), at a
step that waited for its machine. Worse plans are accepted for a while (late acceptance: Burke and Bykov, European
Journal of Operational Research 258, 2017), the best one is kept.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from scheduler.shop import Score, Sequences, Shop, Step, Times

_MEMORY = 40
_MAKESPAN_WEIGHT = 0.01

Place = tuple[int, int]
"""Machine and place in its sequence."""


@dataclass(frozen=True)
class Candidate:
    """Sequences with their times and score."""

    sequences: Sequences
    times: Times
    score: Score


def evaluate(shop: Shop, sequences: Sequences) -> Candidate | None:
    """Return the sequences with their times and score, or None if they are circular."""
    times = shop.times(sequences)
    return None if times is None else Candidate(sequences, times, shop.score(times.finish))


class Search:
    """Late-acceptance search from one candidate; the same seed and number of steps give the same result."""

    def __init__(self, shop: Shop, start: Candidate, opening: Sequences, seed: int) -> None:
        self._shop, self._opening = shop, opening
        self._random = random.Random(seed)  # noqa: S311 - a search, not a secret
        self.best = self._current = start
        self._memory = [_cost(start.score)] * _MEMORY
        self._steps = 0
        self.improved_at = 0
        """The step at which the best candidate was last bettered."""

    def run(self, proceed: Callable[[int], bool]) -> Candidate:
        """Search while ``proceed(steps made)`` holds; return the best candidate seen."""
        while proceed(self._steps):
            slot = self._steps % _MEMORY
            self._steps += 1
            sequences = self._neighbour()
            found = None if sequences is None else evaluate(self._shop, sequences)
            if found is None:
                continue
            cost = _cost(found.score)
            if cost <= self._memory[slot] or cost <= _cost(self._current.score):
                self._current = found
                if found.score < self.best.score:
                    self.best, self.improved_at = found, self._steps
            self._memory[slot] = _cost(self._current.score)
        return self.best

    def _neighbour(self) -> Sequences | None:
        """Return changed sequences, or None where nothing can be moved."""
        chain = self._chain()
        if not chain:
            return None
        machine, place = self._random.choice(chain)
        step = self._current.sequences[machine][place]
        draw = self._random.random()
        if len(step) > 1 and draw < 0.2:
            return self._split(machine, place)
        if self._shop.machines[machine].batch_capacity > 1 and draw < 0.5:
            return self._join(machine, place)
        if draw < 0.75:
            return self._earlier(machine, place)
        return self._elsewhere(machine, place)

    def _chain(self) -> list[Place]:
        """Return the steps that waited for their machine on the chain that ends a late order (or the plan)."""
        shop, times = self._shop, self._current.times
        places = {
            task: (machine, place)
            for machine, steps in enumerate(self._current.sequences)
            for place, step in enumerate(steps)
            for task in step
        }
        task: int | None = self._target()
        found: list[Place] = []
        while task is not None:
            machine, place = places[task]
            step = self._current.sequences[machine][place]
            previous = self._current.sequences[machine][place - 1] if place else None
            ready = shop.ready(step, times.finish)
            if previous is not None and times.finish[previous[0]] >= ready:
                if place >= max(len(self._opening[machine]), 1):
                    found.append((machine, place))
                task = previous[0]
            else:
                waits = [before for member in step for before in shop.predecessors[member]]
                task = max(waits, key=lambda before: times.finish[before], default=None)
                if task is not None and times.finish[task] < ready:
                    task = None
        return found

    def _target(self) -> int:
        """Return the last task of a late order, chosen by its cost, or of the plan."""
        shop, finish = self._shop, self._current.times.finish
        last: dict[str, int] = {}
        for task, name in enumerate(shop.order):
            if name not in last or finish[task] > finish[last[name]]:
                last[name] = task
        late = [(task, shop.weight(task) * (finish[task] - shop.due(task))) for task in last.values()]
        late = [(task, cost) for task, cost in late if cost > 0]
        if late and self._random.random() < 0.9:
            return self._random.choices([task for task, _ in late], [cost for _, cost in late])[0]
        return max(range(len(finish)), key=finish.__getitem__)

    def _earlier(self, machine: int, place: int) -> Sequences | None:
        """Put a step before others of its machine: most often just one place."""
        first = len(self._opening[machine])
        if place <= first:
            return None
        to = place - 1 if self._random.random() < 0.6 else self._random.randrange(first, place)
        changed = self._copy(machine)
        changed[machine].insert(to, changed[machine].pop(place))
        return changed

    def _elsewhere(self, machine: int, place: int) -> Sequences | None:
        """Put a step on another machine that can take it, near the time at which it is ready."""
        shop, step = self._shop, self._current.sequences[machine][place]
        options = set.intersection(*(set(shop.durations[task]) for task in step)) - {machine}
        targets = sorted(other for other in options if shop.machines[other].batch_capacity >= len(step))
        if not targets:
            return self._earlier(machine, place)
        target = self._random.choice(targets)
        changed = self._copy(machine, target)
        changed[machine].pop(place)
        changed[target].insert(self._near(target, shop.ready(step, self._current.times.finish)), step)
        return changed

    def _near(self, machine: int, ready: float) -> int:
        """Return a place on a machine around the first step that begins after `ready`."""
        steps, first = self._current.sequences[machine], len(self._opening[machine])
        after = sum(1 for step in steps if self._current.times.begin[step[0]] < ready)
        return min(max(after + self._random.randint(-1, 1), first), len(steps))

    def _split(self, machine: int, place: int) -> Sequences:
        """Take one member out of a batch and put it right before or behind."""
        changed = self._copy(machine)
        members = list(changed[machine][place])
        single = members.pop(self._random.randrange(len(members)))
        changed[machine][place] = tuple(members)
        changed[machine].insert(place + self._random.randint(0, 1), (single,))
        return changed

    def _join(self, machine: int, place: int) -> Sequences | None:
        """Move members of a step into another step of its family that has room."""
        shop, steps = self._shop, self._current.sequences[machine]
        step, capacity = steps[place], shop.machines[machine].batch_capacity
        rooms = [
            other
            for other in range(len(self._opening[machine]), len(steps))
            if other != place and len(steps[other]) < capacity and shop.family[steps[other][0]] == shop.family[step[0]]
        ]
        if not rooms:
            return None
        room = min(rooms, key=lambda other: (abs(other - place), self._random.random()))
        moved: Step = step[: capacity - len(steps[room])]
        changed = self._copy(machine)
        changed[machine][room] = steps[room] + moved
        changed[machine][place] = step[len(moved) :]
        changed[machine] = [kept for kept in changed[machine] if kept]
        return changed

    def _copy(self, *machines: int) -> Sequences:
        """Return the current sequences with fresh lists for the machines about to change."""
        copied = list(self._current.sequences)
        for machine in machines:
            copied[machine] = list(copied[machine])
        return copied


def _cost(score: Score) -> float:
    return score[0] + _MAKESPAN_WEIGHT * score[1]
