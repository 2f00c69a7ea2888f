"""What calibrations estimate, named and with the unit each is told in: factors, shares, lengths of time."""

from __future__ import annotations

from dashboard.words import Words, mark
from plant.calibration import ANY_CHANGEOVER, Difference, Parameter

NAMES = {
    Parameter.DURATION: mark("Processing time"),
    Parameter.VARIATION: mark("Variation of processing time"),
    Parameter.PERFORMANCE: mark("Performance"),
    Parameter.SETUP: mark("Changeover time"),
    Parameter.SETUP_VARIATION: mark("Variation of changeover time"),
    Parameter.TIME_BETWEEN_FAILURES: mark("Time between failures"),
    Parameter.FAILURE_VARIATION: mark("Variation of time between failures"),
    Parameter.TIME_TO_REPAIR: mark("Time to repair"),
    Parameter.REPAIR_VARIATION: mark("Variation of time to repair"),
    Parameter.SCRAP: mark("Scrap"),
}
_FACTORS = {Parameter.DURATION, Parameter.PERFORMANCE, Parameter.SETUP}
_SECONDS = {Parameter.TIME_BETWEEN_FAILURES, Parameter.TIME_TO_REPAIR}


def subject(one: Difference, say: Words) -> str:
    """Name the operation or the changeover; empty where the machine is all."""
    return say("any changeover") if one.subject == ANY_CHANGEOVER else one.subject


def value(parameter: Parameter, found: float | None, say: Words) -> str:
    """Tell a value in its parameter's unit, or a dash."""
    if found is None:
        return "–"
    if parameter in _FACTORS:
        return f"× {say.number(found, 2)}"
    return _span(found, say) if parameter in _SECONDS else say.percent(found, 1)


def _span(seconds: float, say: Words) -> str:
    """Tell hours in tenths, short times in minutes: figures that stand beside each other are compared."""
    if seconds < 2 * 3600:
        return say("{m} min", m=say.number(seconds / 60))
    return say("{n} h", n=say.number(seconds / 3600, 1))


def interval(one: Difference, say: Words) -> str:
    """Tell the 90 % interval, or a dash."""
    if one.low is None or one.high is None:
        return "–"
    return f"{value(one.parameter, one.low, say)} – {value(one.parameter, one.high, say)}".replace("× ", "")


def data(one: Difference, say: Words) -> str:
    """Tell how many observations an estimate rests on, and how many of those were cut off."""
    complete = say.number(one.count)
    return say("{n} + {cut} cut off", n=complete, cut=say.number(one.censored)) if one.censored else complete
