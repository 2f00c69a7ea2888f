"""What energy costs and what overtime was agreed, as plant.toml writes them."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from plant.calendar import Window
from plant.folder_table import Table
from plant.tariff import PricePeriod, Tariff


def read_tariff(root: Table) -> Tariff | None:
    """Read ``[energy]``, which may be left out."""
    table = root.table("energy") if root.has("energy") else None
    if table is None:
        return None
    per_kwh = table.number("per_kwh")
    found = [_period(row) for row in table.tables("periods", "periods", label="", required=False)]
    return table.make(lambda: Tariff(per_kwh, tuple(period for period in found if period)))


def _period(table: Table) -> PricePeriod | None:
    start, end, per_kwh = table.time("start"), table.time("end"), table.number("per_kwh")
    days = table.days("days", required=False)
    return table.make(lambda: PricePeriod(start, end, per_kwh, days))


def read_overtime(table: Table, zone: ZoneInfo) -> tuple[Window, ...]:
    """Read `overtime` of ``[[calendar]]``: a list of { from, until }."""
    found = []
    for row in table.tables("overtime", "overtime", label="", required=False):
        start, end = row.moment("from", zone), row.moment("until", zone)
        if start >= end and row.ok:
            row.problem("until", "overtime must end after it starts")
        found.append(row.make(partial(tuple, (start, end))))
    return tuple((span[0], span[1]) for span in found if span)
