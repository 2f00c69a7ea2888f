"""How the emulated factory really is: derived from the plant and a seed, and known to nobody outside `emulator`.

Machines are a little faster or slower than planned, operations take longer or shorter, changeovers and repairs
differ, pieces come out bad at another rate. Over the whole plant true mean times lie within a few percent of the
planned ones, so that a good plan has a fair chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from plant.distribution import Distribution, Family, exponential
from plant.item import Operation
from plant.plant import Machine, Plant
from twin.draws import Draws

_REPAIR_WITHOUT_PLAN = Distribution(Family.LOGNORMAL, 3600.0, 0.5)
"""What a commanded repair takes on a machine that never fails by itself."""


@dataclass(frozen=True)
class TrueMachine:
    """A machine's hidden parameters.

    Attributes
    ----------
    speed
        True factor on planned times, the planned speed included.
    setup_factor
        True changeover times over planned ones.
    time_between_failures
        Operating seconds between failures, None if it never fails by itself.
    time_to_repair
        Working seconds of a repair.
    """

    speed: float
    setup_factor: float
    time_between_failures: Distribution | None
    time_to_repair: Distribution


@dataclass(frozen=True)
class TrueOperation:
    """An operation's hidden parameters: true over planned times, their variation, and the chance of a bad piece."""

    time_factor: float
    variation: float
    scrap_ratio: float


@dataclass(frozen=True)
class Truth:
    """All hidden parameters, and the luck of the one future that really happens.

    Attributes
    ----------
    operations
        By item and operation id.
    """

    seed: int
    machines: Mapping[str, TrueMachine]
    operations: Mapping[tuple[str, str], TrueOperation]

    @staticmethod
    def of(plant: Plant, seed: int) -> Truth:
        """Derive the truth of a plant; the same plant and seed give the same truth."""
        machines = {machine.id: _machine(machine, seed) for machine in plant.machines}
        operations = {
            (item.id, operation.id): _operation(item.id, operation, seed)
            for item in plant.made_items()
            for operation in item.routing
        }
        correction = _between(seed, 0.98, 1.04, "level", plant.site) / _mean_ratio(plant, machines, operations)
        level = {
            key: replace(operation, time_factor=operation.time_factor * correction)
            for key, operation in operations.items()
        }
        return Truth(seed, machines, level)

    def processing_s(self, machine: str, item: str, operation: Operation, pieces: int, job: str, attempt: int) -> float:
        """Return the true processing time of a job, in working seconds."""
        true = self.operations[item, operation.id]
        mean_s = operation.duration_s(pieces, self.machines[machine].speed) * true.time_factor
        if true.variation == 0:
            return mean_s
        return mean_s * self._draw(Distribution(Family.LOGNORMAL, 1.0, true.variation), "processing", job, attempt)

    def bad_pieces(self, item: str, operation: str, pieces: int, job: str, attempt: int) -> tuple[bool, ...]:
        """Return of each piece of a job whether it comes out bad."""
        ratio = self.operations[item, operation].scrap_ratio
        draws = Draws(self.seed, pieces).row(exponential(1.0), "true scrap", job, attempt)
        return tuple(bool(draw < -math.log1p(-ratio)) for draw in draws)

    def setup_s(self, machine: str, planned_s: float) -> float:
        """Return the true time of a changeover, in working seconds."""
        return planned_s * self.machines[machine].setup_factor

    def between_failures_s(self, machine: str, ordinal: int) -> float:
        """Return the operating seconds from failure `ordinal` - 1 (or the beginning) to this one; inf for never."""
        distribution = self.machines[machine].time_between_failures
        return math.inf if distribution is None else self._draw(distribution, "time between failures", machine, ordinal)

    def repair_s(self, machine: str, ordinal: int) -> float:
        """Return the working seconds the repair of failure `ordinal` takes."""
        return self._draw(self.machines[machine].time_to_repair, "time to repair", machine, ordinal)

    def commanded_repair_s(self, machine: str, ordinal: int) -> float:
        """Return the working seconds the repair of a machine takes that was broken by command."""
        return self._draw(self.machines[machine].time_to_repair, "commanded time to repair", machine, ordinal)

    def _draw(self, distribution: Distribution, purpose: str, subject: str, ordinal: int) -> float:
        # "true": a rehearsal that happens to use the same seed must not foresee what really happens.
        return float(Draws(self.seed, 1).row(distribution, f"true {purpose}", subject, ordinal)[0])


def _machine(machine: Machine, seed: int) -> TrueMachine:
    between, repair = None, _REPAIR_WITHOUT_PLAN
    if machine.reliability is not None:
        planned = machine.reliability
        between = _scaled(planned.time_between_failures, _between(seed, 0.8, 1.2, "mtbf", machine.id))
        repair = _scaled(planned.time_to_repair, _between(seed, 0.85, 1.25, "mttr", machine.id))
    return TrueMachine(
        speed=machine.speed * _between(seed, 0.95, 1.05, "speed", machine.id),
        setup_factor=_between(seed, 0.9, 1.15, "setup", machine.id),
        time_between_failures=between,
        time_to_repair=repair,
    )


def _operation(item: str, operation: Operation, seed: int) -> TrueOperation:
    subject = f"{item}/{operation.id}"
    return TrueOperation(
        time_factor=_between(seed, 0.9, 1.15, "time", subject),
        variation=operation.variation * _between(seed, 0.9, 1.2, "variation", subject),
        scrap_ratio=min(operation.scrap_ratio * _between(seed, 0.7, 1.3, "scrap", subject), 0.99),
    )


def _mean_ratio(
    plant: Plant, machines: Mapping[str, TrueMachine], operations: Mapping[tuple[str, str], TrueOperation]
) -> float:
    """Return true over planned time, averaged over every operation on every machine that can take it."""
    ratios = [
        operations[item.id, operation.id].time_factor * machine.speed / machines[machine.id].speed
        for item in plant.made_items()
        for operation in item.routing
        for machine in plant.machines_with(operation.capability)
    ]
    return sum(ratios) / len(ratios) if ratios else 1.0


def _scaled(distribution: Distribution, factor: float) -> Distribution:
    return replace(distribution, mean=distribution.mean * factor)


def _between(seed: int, low: float, high: float, purpose: str, subject: str) -> float:
    """Return a uniform draw: 1 - exp(-x) of a standard exponential x is uniform on [0, 1)."""
    draw = float(Draws(seed, 1).row(exponential(1.0), f"truth: {purpose}", subject)[0])
    return low - (high - low) * math.expm1(-draw)
