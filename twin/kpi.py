"""Key performance indicators of a tally, by their names in ISO 22400-2:2014.

Every KPI is a ratio of sums, so machines and periods are added first (``Tally + Tally``) and divided afterwards;
ratios are never averaged. What has nothing to be divided by is None.

ISO 22400-2:2014, "Automation systems and integration - Key performance indicators (KPIs) for manufacturing
operations management - Part 2: Definitions and descriptions". TEEP and the six big losses are not in it; they are
those of total productive maintenance: S. Nakajima, "Introduction to TPM", Productivity Press, 1988.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from twin.tally import Tally


@dataclass(frozen=True)
class Losses:
    """The six big losses of TPM, in seconds of planned busy time.

    With `unknown_s` they sum to PBT less the valuable time (planned run time of the good pieces), always.

    Attributes
    ----------
    breakdowns_s
        1: breakdown and held.
    setup_s
        2: changeovers (AUST) and planned stops.
    minor_stops_s
        3: idling and minor stops: idle, starved, blocked, micro-stops.
    reduced_speed_s
        4: APT less the planned run time of what was produced; below 0 when it ran faster than planned.
    rejects_s
        5: planned run time of what was scrapped or is to be reworked, startup rejects left out.
    startup_s
        6: planned run time of what was scrapped right after a changeover.
    unknown_s
        Not one of the six: working time of which nothing is known.
    """

    breakdowns_s: float
    setup_s: float
    minor_stops_s: float
    reduced_speed_s: float
    rejects_s: float
    startup_s: float
    unknown_s: float

    @property
    def total_s(self) -> float:
        """All of them: PBT less the valuable time."""
        return float(sum(getattr(self, one.name) for one in fields(self)))


@dataclass(frozen=True)
class Kpis:
    """What became of a tally; None where undefined.

    Attributes
    ----------
    availability, effectiveness, quality_ratio, oee, nee
        ISO 22400-2:2014 availability, effectiveness, quality ratio, OEE index, NEE index; see `twin.oee.Times`.
    allocation_efficiency, utilization_efficiency, setup_ratio, technical_efficiency
        ISO 22400-2:2014, same names; see `twin.oee.Times`.
    teep
        Total effective equipment performance (TPM): OEE x PBT / calendar time.
    throughput_per_h
        ISO 22400-2:2014 throughput rate: pieces produced per hour. The standard divides by the execution time of an
        order (AOET); of a machine and a period that is its planned busy time.
    first_pass_yield
        ISO 22400-2:2014 first pass yield GP / IP: good pieces of those that went through for the first time.
    scrap_ratio, rework_ratio
        ISO 22400-2:2014 SQ / PQ and RQ / PQ.
    mtbf_s
        ISO 22400-2:2014 mean operating time between failures: production time, overtime included, per failure. It is
        the time between failures that a plant's reliability gives. The standard's own quotient counts one
        more interval than there are failures, which would make the sum of two periods differ from the whole.
    mttr_s
        ISO 22400-2:2014 mean time to repair: seconds of breakdown in working time per failure.
    corrective_maintenance_ratio
        ISO 22400-2:2014 corrective maintenance ratio CMT / (CMT + PMT): breakdown over breakdown and planned stops,
        in working time.
    energy_per_good_kwh
        Energy per good piece, those made in overtime included: ISO 22400-2:2014 comprehensive energy consumption,
        with the good quantity for the produced one.
    losses
        The six big losses.
    """

    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    oee: float | None
    nee: float | None
    allocation_efficiency: float | None
    utilization_efficiency: float | None
    setup_ratio: float | None
    technical_efficiency: float | None
    teep: float | None
    throughput_per_h: float | None
    first_pass_yield: float | None
    scrap_ratio: float | None
    rework_ratio: float | None
    mtbf_s: float | None
    mttr_s: float | None
    corrective_maintenance_ratio: float | None
    energy_per_good_kwh: float | None
    losses: Losses


def kpis(tally: Tally) -> Kpis:
    """Return the KPIs of a tally, be it of one machine or the sum of many."""
    times, stops = tally.times, tally.stops
    energy_kwh = tally.energy_kwh
    return Kpis(
        availability=times.availability,
        effectiveness=times.effectiveness,
        quality_ratio=times.quality_ratio,
        oee=times.oee,
        nee=times.nee,
        allocation_efficiency=times.allocation,
        utilization_efficiency=times.utilisation,
        setup_ratio=times.setup_ratio,
        technical_efficiency=times.technical_efficiency,
        teep=_ratio(times.planned_run_s * (times.quality_ratio or 0.0), tally.calendar_s),
        throughput_per_h=_ratio(times.produced * 3600.0, times.pbt_s),
        first_pass_yield=_ratio(tally.first_pass, tally.inspected),
        scrap_ratio=_ratio(times.scrap, times.produced),
        rework_ratio=_ratio(times.rework, times.produced),
        mtbf_s=_ratio(times.apt_s + times.overtime_s, tally.failures),
        mttr_s=_ratio(stops.breakdown_s, tally.failures),
        corrective_maintenance_ratio=_ratio(stops.breakdown_s, stops.breakdown_s + stops.planned_stop_s),
        energy_per_good_kwh=None if energy_kwh is None else _ratio(energy_kwh, times.good + tally.overtime_good),
        losses=losses(tally),
    )


def losses(tally: Tally) -> Losses:
    """Return the six big losses of a tally."""
    times, stops = tally.times, tally.stops
    return Losses(
        breakdowns_s=stops.breakdown_s + stops.held_s,
        setup_s=times.aust_s + stops.planned_stop_s,
        minor_stops_s=stops.idle_s + stops.starved_s + stops.blocked_s + stops.micro_stop_s,
        reduced_speed_s=times.apt_s - times.planned_run_s,
        rejects_s=times.planned_run_s - times.valuable_s - tally.startup_run_s,
        startup_s=tally.startup_run_s,
        unknown_s=times.unknown_s,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
