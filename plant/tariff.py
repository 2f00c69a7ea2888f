"""What a kilowatt hour costs, by time of use: periods of the day and the week, in local time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from plant.calendar import Shift
from plant.checks import require, require_aware, require_not_negative

_WEEK = tuple(range(7))
_WEEK_S = 7 * 86400.0
_MONDAY = datetime(2000, 1, 3, tzinfo=UTC)


@dataclass(frozen=True)
class PricePeriod:
    """A recurring span with a price of its own.

    Attributes
    ----------
    start, end
        Local times; an `end` not after `start` lies on the next day.
    per_kwh
        In the plant's unit of money.
    days
        Weekdays on which it begins, Monday = 0.
    """

    start: time
    end: time
    per_kwh: float
    days: tuple[int, ...] = _WEEK

    def __post_init__(self) -> None:
        require_not_negative(f"price from {self.start:%H:%M} to {self.end:%H:%M}: per_kwh", self.per_kwh)
        _ = self.span  # refuses wrong days

    @property
    def span(self) -> Shift:
        """The same span of the week as a shift, whose way from local to UTC time it shares."""
        return Shift(f"price from {self.start:%H:%M} to {self.end:%H:%M}", self.days, self.start, self.end)


@dataclass(frozen=True)
class Tariff:
    """What energy costs.

    Attributes
    ----------
    per_kwh
        Whenever no period says otherwise.
    periods
        No two at the same time of the week.
    """

    per_kwh: float
    periods: tuple[PricePeriod, ...] = field(default=())

    def __post_init__(self) -> None:
        require_not_negative("per_kwh", self.per_kwh)
        spans = sorted(span for period in self.periods for span in _week_of(period))
        around = [*spans, *((begin + _WEEK_S, end, period) for begin, end, period in spans[:1])]
        for (_, end, one), (begin, _, other) in pairwise(around):
            require(
                end <= begin,
                f"the prices from {one} and from {other} overlap; say one price for every moment of the week",
            )

    def prices(self, zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, float]]:
        """Return the moments within [start, end) from which on another price holds (UTC), the first at `start`.

        Parameters
        ----------
        zone
            In which the periods' times are; where its clocks are put back, a period is longer.
        """
        require_aware("start", start)
        require_aware("end", end)
        windows = self._windows(zone, start, end)
        turns: list[tuple[datetime, float]] = [(start, self.per_kwh)]
        for (begin, until, per_kwh), (next_, _, _) in pairwise([*windows, (end, end, self.per_kwh)]):
            turns += [(max(begin, start), per_kwh), (min(until, next_), self.per_kwh)]
        latest = {at: per_kwh for at, per_kwh in turns if start <= at < end}  # of two at one moment the later counts
        found = [(start, latest.pop(start))]
        found += [(at, per_kwh) for at, per_kwh in sorted(latest.items())]
        return [found[0], *(two for one, two in pairwise(found) if one[1] != two[1])]

    def _windows(self, zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, datetime, float]]:
        """Return the periods that touch [start, end), in order."""
        day, last = start.astimezone(zone).date() - timedelta(days=2), end.astimezone(zone).date()
        found = []
        while day <= last:
            for period in self.periods:
                if day.weekday() in period.days:
                    windows = period.span.windows_on(day, zone)
                    found += [(*window, period.per_kwh) for window in windows if window[0] < end and window[1] > start]
            day += timedelta(days=1)
        return sorted(found)


def _week_of(period: PricePeriod) -> list[tuple[float, float, str]]:
    """Return when a period is, in seconds of a week, and how it is called."""
    zone, name = ZoneInfo("UTC"), f"{period.start:%H:%M} to {period.end:%H:%M}"
    windows = [
        window for day in period.days for window in period.span.windows_on((_MONDAY + timedelta(day)).date(), zone)
    ]
    return [((begin - _MONDAY).total_seconds(), (end - _MONDAY).total_seconds(), name) for begin, end in windows]
