"""What is known of the twin: calibrations, error, and what was learned."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.shown.clock import ClockView
from plant.calibration import CalibrationSummary
from plant.learned import LearnedRecord
from twin.fidelity_report import FidelityReport


@dataclass(frozen=True)
class TwinView:
    """What is known of the twin: its calibrations, newest first, its error as last measured, and what was learned.

    Attributes
    ----------
    fidelity
        None before the first measurement.
    learned
        Newest first, with what is in use.
    """

    clock: ClockView
    calibrations: tuple[CalibrationSummary, ...]
    fidelity: FidelityReport | None
    learned: tuple[LearnedRecord, ...] = ()
