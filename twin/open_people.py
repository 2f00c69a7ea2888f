"""People on the open floor: who may attend a step now, and when somebody may if nobody may now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from plant.calendar import WorkingTime
from plant.plant import Person


class Attendant:
    """One person in one future."""

    __slots__ = ("index", "is_busy", "spec", "working_time")

    def __init__(self, index: int, spec: Person, working_time: WorkingTime) -> None:
        self.index = index
        self.spec = spec
        self.working_time = working_time
        self.is_busy = False


class People:
    """Everybody, by what they can do; those who can do least stand first, which keeps the versatile free."""

    def __init__(self, everybody: Sequence[Attendant]) -> None:
        skills = sorted({skill for one in everybody for skill in one.spec.skills})
        self._able = {
            skill: sorted(
                (one for one in everybody if skill in one.spec.skills),
                key=lambda one: (len(one.spec.skills), one.index),
            )
            for skill in skills
        }

    def free(
        self, skill: str, count: int, now_s: float, beside: Attendant | None = None
    ) -> tuple[Attendant, ...] | None:
        """Return `count` people with the skill who are there and not busy, None if there are not so many.

        Parameters
        ----------
        beside
            Somebody who is not to be among them.
        """
        found: list[Attendant] = []
        if count == 0:
            return ()
        for one in self._able.get(skill, ()):
            if not one.is_busy and one is not beside and one.working_time.begin(now_s) <= now_s:
                found.append(one)
                if len(found) == count:
                    return tuple(found)
        return None

    def next_coming_s(self, skill: str, now_s: float) -> float:
        """Return when the next of those who are away and not busy comes; inf if nobody will."""
        comes = (one.working_time.begin(now_s) for one in self._able.get(skill, ()) if not one.is_busy)
        return min((at_s for at_s in comes if at_s > now_s), default=math.inf)

    def able(self, skill: str) -> Iterable[Attendant]:
        """Return who has the skill."""
        return self._able.get(skill, ())
