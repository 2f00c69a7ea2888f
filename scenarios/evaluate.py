"""One case in many futures: the only module here that runs the twin.

Every future runs on the open floor (`twin.open_floor`): dispatching rules decide as things happen. Chunk k of a seed
meets the same luck in every case, whatever is evaluated before, beside or after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from plant.checks import require
from scenarios.prepare import Prepared, Values
from scenarios.seen import orders_seen, times_of
from twin.draws import Draws
from twin.happened import Happened
from twin.open_floor import simulate_floor

CHUNK = 32
"""Replications that are run together: part of what a seed means, so it never depends on the workers."""

Sample = Values
"""Shape (replications, measures), columns in the order of `scenarios.measures.MEASURES`."""

Evaluator = Callable[[Prepared, int, int], Sample]
"""Looks at a chunk of futures of a prepared case: ``(prepared, seed, chunk)``; it can be pickled."""

_HOUR_S, _DAY_S = 3600.0, 86400.0


def evaluate(prepared: Prepared, seed: int, chunk: int, counted: frozenset[str] | None = None) -> Sample:
    """Return what `CHUNK` futures come to, shape (CHUNK, measures).

    Parameters
    ----------
    chunk
        Ordinal from 0: replications ``chunk * CHUNK`` and following of this seed.
    counted
        Orders that lead time, on time and tardiness are measured on; None: all. The other measures are the shop's.

    Raises
    ------
    InvalidInput
        If no order that counts is complete in one of the futures.
    Infeasible
        If the floor cannot finish; the message names who waits for whom.
    """
    return np.array([_measured(prepared, happened, counted) for happened in _futures(prepared, seed, chunk)])


def lead_times_h(prepared: Prepared, seed: int, chunk: int, orders: tuple[str, ...]) -> Sample:
    """Return the lead time of orders in `CHUNK` futures, in hours, shape (orders, CHUNK); nan for one that is gone."""
    lead_h = np.full((len(orders), CHUNK), np.nan)
    for column, happened in enumerate(_futures(prepared, seed, chunk)):
        seen = orders_seen(prepared, happened)
        found = dict(zip(seen.id.tolist(), ((seen.completed_s - seen.ordered_s) / _HOUR_S).tolist(), strict=True))
        lead_h[:, column] = [found.get(name, np.nan) for name in orders]
    return lead_h


def _futures(prepared: Prepared, seed: int, chunk: int) -> Iterator[Happened]:
    digest = hashlib.blake2b(f"{seed}\0chunk\0{chunk}".encode(), digest_size=8).digest()
    draws = Draws(int.from_bytes(digest, "big"), CHUNK)
    for replication in range(CHUNK):
        yield simulate_floor(prepared.model, draws, replication, prepared.until_s, prepared.rule)


def _measured(prepared: Prepared, happened: Happened, counted: frozenset[str] | None) -> tuple[float, ...]:
    """Return one future's measures. Of an order that is not complete it is known how late it is already."""
    seen, end_s = orders_seen(prepared, happened), happened.until_s
    counts = np.array([counted is None or name in counted for name in seen.id.tolist()], dtype=np.bool_)
    complete = ~np.isnan(seen.completed_s)
    require(bool((counts & complete).any()), "none of the orders that count is complete in this case; look for longer")
    there_until_s = np.where(complete, seen.completed_s, end_s)
    late_s = np.maximum(there_until_s - seen.due_s, 0.0)
    judged = counts & (complete | (late_s > 0))
    in_process_s = there_until_s - np.minimum(seen.begun_s, there_until_s)
    return (
        float((seen.completed_s - seen.ordered_s)[counts & complete].mean()) / _HOUR_S,
        float((late_s[judged] <= 0).mean()),
        float((seen.weight * late_s)[judged].sum()) / _HOUR_S,
        int(complete.sum()) / (end_s / _DAY_S),
        times_of(prepared, happened).oee or 0.0,
        float(in_process_s.sum()) / end_s,
    )
