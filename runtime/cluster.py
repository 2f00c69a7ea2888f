"""Experiments on a Dask cluster: `dask scheduler` and `dask worker` processes, wherever they run.

The workers need this version of Forerun installed. Nothing is lost when one of them goes: Dask gives its pieces to
another.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plant.errors import ForerunError, InvalidInput, Unavailable
from scenarios.case import Case
from scenarios.evaluate import Evaluator, Sample, evaluate
from scenarios.experiment import Piece
from scenarios.prepare import Prepared, prepare

_KEPT = 64
"""Prepared cases a cluster worker keeps."""

_prepared: dict[str, Prepared] = {}


class ClusterRunner:
    """Runs pieces on a cluster; a context manager. Implements `scenarios.experiment.Runner`.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://cluster.example:8786``.
    timeout_s
        How long to wait for the scheduler.

    Raises
    ------
    InvalidInput
        If the extra `cluster` is not installed, or the address cannot be one.
    Unavailable
        If no scheduler answers there.
    """

    def __init__(self, address: str, timeout_s: float = 10.0) -> None:
        try:
            import distributed
        except ImportError as error:
            raise InvalidInput(
                "--cluster needs Dask, which is not installed; install it with: pip install 'forerun[cluster]'"
            ) from error
        self._distributed: Any = distributed
        try:
            self._client = distributed.Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                f"no Dask scheduler answers at {address} within {timeout_s:g} s; is `dask scheduler` running there?"
            ) from error
        except ValueError as error:
            raise InvalidInput(
                f"--cluster {address}: {error}; give an address such as tcp://cluster.example:8786"
            ) from error
        self._scattered: dict[str, tuple[Case, str, Any]] = {}

    def __enter__(self) -> ClusterRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; it goes on running."""
        self._client.close()

    def run(
        self, cases: Mapping[str, Case], seed: int, pieces: Sequence[Piece], evaluator: Evaluator = evaluate
    ) -> Iterator[tuple[Piece, Sample]]:
        """See `scenarios.experiment.Runner`."""
        if pieces and not self._client.scheduler_info()["workers"]:
            raise Unavailable("the Dask scheduler has no workers; start some with `dask worker`")
        futures = {}
        for name, chunk in pieces:
            token, case = self._case(name, cases[name])
            futures[self._client.submit(_answer, token, case, evaluator, seed, chunk, pure=False)] = (name, chunk)
        try:
            for future in self._distributed.as_completed(list(futures), loop=self._client.loop):
                yield futures[future], self._result(future)
        finally:
            self._client.cancel(list(futures))

    def _result(self, future: Any) -> Sample:
        try:
            sample: Sample = future.result()
        except ForerunError:
            raise
        except self._distributed.KilledWorker as error:
            raise Unavailable(f"the cluster lost the workers that tried this piece: {error}") from error
        return sample

    def _case(self, name: str, case: Case) -> tuple[str, Any]:
        known = self._scattered.get(name)
        if known is None or known[0] is not case:
            known = self._scattered[name] = (case, uuid.uuid4().hex, self._client.scatter(case, broadcast=True))
        return known[1], known[2]


def _answer(token: str, case: Case, evaluator: Evaluator, seed: int, chunk: int) -> Sample:
    """Evaluate a piece in a cluster worker, which prepares each case once."""
    prepared = _prepared.get(token)
    if prepared is None:
        prepared = prepare(case)
        while len(_prepared) >= _KEPT:
            _prepared.pop(next(iter(_prepared)), None)
        _prepared[token] = prepared
    return evaluator(prepared, seed, chunk)
