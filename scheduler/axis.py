"""Compressed working time: the whole seconds CP-SAT counts in, with closed time cut out.

The axis is the working time of the calendar that most of the work shares. A machine with other hours counts in its
own working time; a `Curve` says which axis second corresponds to which of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from plant.calendar import WorkingTime
from scheduler.plain import Plain

_SHORT_GAP_S = 3600.0
"""Closed spans shorter than this (breaks) are not counted as lateness in the model; the decoded plan counts them."""


@dataclass(frozen=True)
class Piece:
    """From own second `own` to `own_end` the axis runs from `axis` on, at `slope` 1 (both open) or 0 (axis closed)."""

    own: int
    own_end: int
    axis: int
    slope: int


@dataclass(frozen=True)
class Gap:
    """Work done after axis second `after` is finished `length` clock seconds later than the axis tells."""

    after: int
    length: int


def common_axis(shop: Plain) -> WorkingTime:
    """Return the working time shared by the machines that most tasks can go to."""
    votes = Counter(shop.machines[machine].working_time for options in shop.durations for machine in options)
    return max(votes.items(), key=lambda item: (item[1], -item[0].starts[0]))[0]


def curve(axis: WorkingTime, own: WorkingTime, horizon_s: float) -> list[Piece]:
    """Return how a machine's own working seconds lie on the axis, up to clock time `horizon_s` and then for ever."""
    edges = {0.0, horizon_s}
    for calendar in (axis, own):
        edges.update(edge for edge in (*calendar.starts, *calendar.ends) if 0 < edge < horizon_s)
    pieces: list[Piece] = []
    for left, right in pairwise(sorted(edges)):
        own_from, own_to = round(own.worked_at(left)), round(own.worked_at(right))
        if own_to > own_from:
            axis_from, axis_to = round(axis.worked_at(left)), round(axis.worked_at(right))
            _extend(pieces, Piece(own_from, own_to, axis_from, int(axis_to > axis_from)))
    end = own.worked_at(horizon_s)
    _extend(pieces, Piece(round(end), round(end) + 10 * round(horizon_s), round(axis.worked_at(horizon_s)), 1))
    return pieces


def _extend(pieces: list[Piece], piece: Piece) -> None:
    """Add a piece, joined to the last one where it just goes on."""
    if pieces:
        last = pieces[-1]
        reached = last.axis + last.slope * (last.own_end - last.own)
        if last.slope == piece.slope and reached == piece.axis:
            pieces[-1] = Piece(last.own, piece.own_end, last.axis, last.slope)
            return
    pieces.append(piece)


def to_axis(pieces: list[Piece], own: int) -> int:
    """Return the earliest axis second at which `own` seconds of a machine's working time have passed."""
    for piece in pieces:
        if own <= piece.own_end:
            return piece.axis + piece.slope * max(own - piece.own, 0)
    last = pieces[-1]
    return last.axis + last.slope * (own - last.own)


def to_own(pieces: list[Piece], axis: int) -> int:
    """Return the first of a machine's own seconds that lies at or after an axis second."""
    for piece in pieces:
        if axis <= piece.axis + piece.slope * (piece.own_end - piece.own):
            return piece.own + (max(axis - piece.axis, 0) if piece.slope else 0)
    return pieces[-1].own_end


def gaps_after(axis: WorkingTime, due_s: float, horizon_s: float) -> list[Gap]:
    """Return the closed spans behind a due date: finishing after one is that much later by the clock."""
    found: list[Gap] = []
    if axis.starts[0] > max(due_s, 0.0):
        found.append(Gap(0, int(axis.starts[0] - max(due_s, 0.0))))
    for (closes, opens), worked in zip(zip(axis.ends, axis.starts[1:], strict=False), axis.worked[1:], strict=False):
        if opens > horizon_s:
            break
        length = opens - max(closes, due_s)
        if length >= _SHORT_GAP_S:
            found.append(Gap(int(worked), int(length)))
    return found
