"""The inner loop of `twin.critical`, compiled: the chain of every order and replication, walked back from its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernel import compiled
from twin.luck import Flags, Matrix


@compiled
def walk_back(
    ends: NDArray[np.intp],
    weight: Matrix,
    bound: tuple[NDArray[np.intp], Matrix, Matrix, Matrix, Matrix],
    steps: tuple[NDArray[np.intp], NDArray[np.intp], Flags, Flags],
    result: tuple[Matrix, Matrix, Flags, Matrix, Matrix, Matrix, Matrix],
) -> None:
    """Walk the chains and add up what they were spent on.

    Parameters
    ----------
    ends, weight
        By replication and order, the row its chain ends with and what the chain counts for its order's waits.
    bound
        By replication and row: the row waited for last (-1: none), since when it waited for no other, what of that
        was for somebody to come, what of the step it lay still while whoever attends it was off, and when it ended.
    steps
        By row: machine, person (-1: nobody), whether its first step waits for material; by row and order, whether it
        is the order's own.
    result
        Filled in: seconds by order, replication and machine; chains through each row; by order, replication and
        person, whether the chain waited for them; and the four sums of `twin.critical.Waits`.
    """
    before, bound_s, wait_s, off_s, finish_s = bound
    machine, person, awaits, own = steps
    spent_s, through, waited, own_s, others_s, attending_s, material_s = result
    for future in range(ends.shape[0]):
        for order in range(ends.shape[1]):
            now, counts, excused_s = ends[future, order], weight[future, order], 0.0
            until_s = finish_s[future, now]
            while now >= 0:
                since_s, come_s, last = bound_s[future, now], wait_s[future, now], before[future, now]
                took_s = until_s - since_s
                spent_s[order, future, machine[now]] += took_s
                through[now] += took_s > 0
                if own[now, order]:
                    still_s = min(off_s[future, now], took_s)
                    own_s[order] += (took_s - still_s) * counts
                    if still_s > 0:
                        attending_s[order, person[now]] += still_s * counts
                    if awaits[now] and last < 0:
                        material_s[now] += since_s * counts
                else:
                    others_s[order, machine[now]] += max(took_s - excused_s, 0.0) * counts
                if come_s > 0:
                    waited[order, future, person[now]] = True
                    attending_s[order, person[now]] += come_s * counts
                # What waiting for somebody explains of the step they attended before.
                excused_s = max(excused_s - took_s, 0.0) + come_s
                # What must wait or is carried between two steps is on neither machine.
                left_s = since_s if last < 0 else min(since_s, finish_s[future, last])
                if own[now, order]:
                    own_s[order] += (since_s - left_s) * counts
                now, until_s = last, left_s
