"""An experiment: cases side by side on the same luck, until the question is answered.

Rounds of replications are run in every case; what is known is looked at between rounds only, and chunk k of a seed
is the same wherever it runs. So the answer does not depend on how many workers there are, nor on which was first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol

import numpy as np

from plant.checks import require
from plant.errors import Cancelled
from plant.ports import Progress, no_progress
from scenarios.case import Case
from scenarios.evaluate import CHUNK, Evaluator, Sample, evaluate
from scenarios.intervals import Interval, each_of, mean_interval, paired_interval
from scenarios.measures import COLUMN, MEASURES, Measure, measure_named
from scenarios.precision import HalfWidth, replications_for
from scenarios.prepare import Prepared, prepare
from scenarios.selection import Selection, select_best

Piece = tuple[str, int]
"""One chunk of one case: the case's name and the chunk's ordinal."""

_FIRST_CHUNKS = 2


class Runner(Protocol):
    """Evaluates pieces of an experiment somewhere; `tests/scenarios/test_runners.py` holds its contract."""

    def run(
        self, cases: Mapping[str, Case], seed: int, pieces: Sequence[Piece], evaluator: Evaluator = evaluate
    ) -> Iterator[tuple[Piece, Sample]]:
        """Yield what `evaluator` says of every piece, in any order; closing the iterator gives up what is not begun.

        Raises
        ------
        ForerunError
            What evaluating a piece raised.
        Unavailable
            If a worker is lost.
        """
        ...


class InlineRunner:
    """Evaluates in this process, one piece after the other."""

    def __init__(self) -> None:
        self._prepared: dict[str, tuple[Case, Prepared]] = {}

    def run(
        self, cases: Mapping[str, Case], seed: int, pieces: Sequence[Piece], evaluator: Evaluator = evaluate
    ) -> Iterator[tuple[Piece, Sample]]:
        """See `Runner`."""
        for name, chunk in pieces:
            known = self._prepared.get(name)
            if known is None or known[0] is not cases[name]:
                known = self._prepared[name] = (cases[name], prepare(cases[name]))
            yield (name, chunk), evaluator(known[1], seed, chunk)


@dataclass(frozen=True)
class Question:
    """What is asked of an experiment.

    Attributes
    ----------
    measure
        Id of the measure whose half-width and best are asked for.
    half_width
        Of every scenario's difference from the base, all at once; of the base's mean where there is nothing but the
        base. None: `max_replications` are run.
    confidence
        With which all intervals of one measure hold together.
    indifference
        The difference in the measure that matters, where the best is to be selected; None: nothing is selected.
    probability
        With which the best is to be selected.
    """

    measure: str = "lead_time"
    half_width: HalfWidth | None = field(default_factory=lambda: HalfWidth(0.01, relative=True))
    confidence: float = 0.95
    indifference: float | None = None
    probability: float = 0.95
    max_replications: int = 4096
    seed: int = 1

    def __post_init__(self) -> None:
        measure_named(self.measure)
        require(0 < self.confidence < 1, f"a confidence lies between 0 and 1, not {self.confidence!r}")
        require(0 < self.probability < 1, f"a probability lies between 0 and 1, not {self.probability!r}")
        require(self.max_replications >= 2, f"max_replications must be at least 2, not {self.max_replications}")
        if self.indifference is not None:
            require(self.indifference > 0, f"the indifference must be above 0, not {self.indifference!r}")


class Ended(StrEnum):
    """Why an experiment ended."""

    ANSWERED = "answered"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Outcome:
    """What an experiment found. The first name is the base.

    Attributes
    ----------
    samples
        Per case, shape (replications, measures), equally many and replication by replication on the same luck.
    selection
        Of the question's measure, where it was asked for and there is something to select from.
    """

    question: Question
    names: tuple[str, ...]
    samples: Mapping[str, Sample]
    ended: Ended
    selection: Selection | None

    @property
    def base(self) -> str:
        """Name of what the others are compared to."""
        return self.names[0]

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of what is compared to the base."""
        return self.names[1:]

    @property
    def replications(self) -> int:
        """Futures that every case was run in."""
        return len(self.samples[self.base])

    def mean(self, name: str, measure: Measure) -> Interval:
        """Return a case's mean of a measure with its interval; those of all cases hold together."""
        values = self.samples[name][:, COLUMN[measure.id]]
        return mean_interval(values, each_of(self.question.confidence, len(self.names)))

    def difference(self, name: str, measure: Measure) -> Interval:
        """Return a scenario's paired difference from the base; those of all scenarios hold together."""
        column = COLUMN[measure.id]
        confidence = each_of(self.question.confidence, len(self.scenarios))
        return paired_interval(self.samples[name][:, column], self.samples[self.base][:, column], confidence)

    def answering(self) -> list[Interval]:
        """Return the intervals whose half-width was asked for."""
        measure = measure_named(self.question.measure)
        if not self.scenarios:
            return [self.mean(self.base, measure)]
        return [self.difference(name, measure) for name in self.scenarios]

    def asked_half_width(self) -> float | None:
        """Return the half-width asked for, in the measure's unit."""
        if self.question.half_width is None:
            return None
        return self.question.half_width.asked(self.mean(self.base, measure_named(self.question.measure)).mean)


def run_experiment(
    cases: Mapping[str, Case],
    question: Question,
    runner: Runner,
    progress: Progress = no_progress,
    enough: Callable[[], bool] = lambda: False,
    counted: frozenset[str] | None = None,
) -> Outcome:
    """Run all cases until the question is answered, the replications are used up, or it is enough.

    Parameters
    ----------
    cases
        The base first.
    enough
        Asked after every piece; once it says yes, what is complete in all cases is the outcome.
    counted
        Orders that lead time, on time and tardiness are measured on; None: all.

    Raises
    ------
    Cancelled
        If it was enough before every case had two replications.
    """
    require(bool(cases), "an experiment needs at least the base")
    kept = _Kept(tuple(cases))
    wanted, limit = _FIRST_CHUNKS, math.ceil(question.max_replications / CHUNK)
    while True:
        pieces = kept.missing(min(wanted, limit))
        found = runner.run(cases, question.seed, pieces, partial(evaluate, counted=counted))
        stopped = not _gather(found, kept, limit, progress, enough)
        outcome = _look(kept, question, stopped)
        needed = _needed(outcome)
        if outcome.ended is not Ended.EXHAUSTED or outcome.replications >= question.max_replications:
            return outcome
        wanted = max(math.ceil(needed / CHUNK), kept.complete + 1)


class _Kept:
    """The pieces that are there."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.samples: dict[Piece, Sample] = {}

    @property
    def complete(self) -> int:
        """Chunks that are there in every case, without a hole."""
        chunk = 0
        while all((name, chunk) in self.samples for name in self.names):
            chunk += 1
        return chunk

    def missing(self, chunks: int) -> list[Piece]:
        """Return what is not there of the first chunks, chunk by chunk."""
        wanted = [(name, chunk) for chunk in range(chunks) for name in self.names]
        return [piece for piece in wanted if piece not in self.samples]


def _gather(
    found: Iterable[tuple[Piece, Sample]], kept: _Kept, limit: int, progress: Progress, enough: Callable[[], bool]
) -> bool:
    """Keep what comes; return False if it was enough before all had come."""
    everything = limit * len(kept.names)
    iterator = iter(found)
    try:
        for piece, sample in iterator:
            kept.samples[piece] = sample
            progress(min(len(kept.samples) / everything, 1.0), f"{len(kept.samples) * CHUNK:,} futures")
            if enough():
                return False
    finally:
        if isinstance(iterator, Iterator) and hasattr(iterator, "close"):
            iterator.close()
    return True


def _look(kept: _Kept, question: Question, stopped: bool) -> Outcome:
    """Return the outcome of what is complete, `EXHAUSTED` where the question is not answered by it."""
    chunks = kept.complete
    if chunks == 0:
        raise Cancelled("stopped before every case had been through its first futures; nothing can be compared")
    samples = {
        name: np.concatenate([kept.samples[name, chunk] for chunk in range(chunks)])[: question.max_replications]
        for name in kept.names
    }
    outcome = Outcome(question, kept.names, samples, Ended.EXHAUSTED, _selection(question, kept.names, samples))
    ended = Ended.ANSWERED if _answered(outcome) else Ended.STOPPED if stopped else Ended.EXHAUSTED
    return Outcome(question, kept.names, samples, ended, outcome.selection)


def _selection(question: Question, names: tuple[str, ...], samples: Mapping[str, Sample]) -> Selection | None:
    if question.indifference is None or len(names) < 2:
        return None
    measure = measure_named(question.measure)
    matrix = np.stack([samples[name][:, COLUMN[measure.id]] for name in names], axis=1)
    return select_best(
        matrix, names, question.indifference, question.probability, more_is_better=measure.more_is_better
    )


def _answered(outcome: Outcome) -> bool:
    """Tell whether all that was asked for is known; where nothing was, all replications are wanted."""
    asked = outcome.asked_half_width()
    if asked is None:
        return outcome.selection is not None and outcome.selection.best is not None
    precise = all(interval.half_width <= asked for interval in outcome.answering())
    return precise and (outcome.selection is None or outcome.selection.best is not None)


def _needed(outcome: Outcome) -> int:
    """Return how many replications the next look is expected to need."""
    asked = outcome.asked_half_width()
    if asked is None:
        return outcome.question.max_replications if outcome.selection is None else outcome.replications * 2
    needed = max(replications_for(interval, asked) for interval in outcome.answering())
    undecided = outcome.selection is not None and outcome.selection.best is None
    return max(needed, math.ceil(outcome.replications * 1.5)) if undecided else needed


__all__ = [
    "MEASURES",
    "Ended",
    "InlineRunner",
    "Outcome",
    "Piece",
    "Question",
    "Runner",
    "run_experiment",
]
