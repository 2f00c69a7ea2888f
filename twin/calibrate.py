"""From what history shows to what the plant is like: every parameter with an interval that means what it says.

Times of jobs and changeovers: `twin.crossed`. Failures, repairs and scrap: `twin.shrink`. Both start from the plan
and leave it as far as the data ask for. A calibration depends on nothing but its input: the same history gives the
same version.
"""

from __future__ import annotations

from plant.calibration import Calibration
from plant.plant import Plant
from twin.estimate_failures import reliability_estimates
from twin.estimate_scrap import scrap_estimates
from twin.estimate_times import processing_estimates, setup_estimates
from twin.observations import Observations


def calibrate(plant: Plant, plant_version: str, observations: Observations) -> Calibration:
    """Return what the observations say of the plant.

    Returns
    -------
    Calibration
        With estimates for every machine and operation that could meet, seen or not; changeovers, scrap and
        failures as far as plan or history speak of them.
    """
    estimates = [
        *processing_estimates(plant, observations.processing),
        *setup_estimates(plant, observations.setups),
        *reliability_estimates(plant, observations.between_failures, observations.repairs),
        *scrap_estimates(plant, observations.pieces),
    ]
    return Calibration(plant_version, observations.since, observations.until, tuple(estimates))
