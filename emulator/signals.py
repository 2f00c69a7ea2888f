"""Condition signals of the emulated machines: temperature, vibration and power.

Each machine has its own hidden physics, keyed by seed and machine. The drive's temperature follows its load with
a first-order lag over the ambient's daily cycle, vibration rises steeply in the last third of a component's life,
power follows the state. Noise is keyed by machine, signal and sample, so a restart meets the same luck.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from plant.calendar import Window
from plant.machine_state import MachineState
from plant.plant import Plant
from plant.reading import Signal

SAMPLE_PERIOD = timedelta(seconds=30)
"""Plant time between two samples; samples lie on a grid that starts with the plant's clock."""
_WINDOWS_AHEAD = timedelta(days=30)

# Share of the full load a machine carries in each state: what heats, shakes and draws power.
_LOAD = {
    MachineState.EXECUTING: 1.0,
    MachineState.SETUP: 0.25,
    MachineState.HELD: 0.15,
    MachineState.STARVED: 0.12,
    MachineState.BLOCKED: 0.12,
    MachineState.IDLE: 0.10,
    MachineState.BREAKDOWN: 0.02,
    MachineState.PLANNED_STOP: 0.01,
}


@dataclass(frozen=True)
class Physics:
    """The hidden constants of one machine.

    Attributes
    ----------
    rise_k
        How far above the ambient the drive's temperature settles at full load when new.
    lag_s
        Time constant of warming and cooling.
    vibration_mm_s
        RMS velocity at full load when new; new machines lie in zones A and B of ISO 20816-3 (below 2.8 mm/s).
    rated_kw
        Power drawn at full load when new.
    """

    rise_k: float
    lag_s: float
    vibration_mm_s: float
    rated_kw: float


@dataclass(frozen=True)
class Condition:
    """One sample of a machine's condition signals."""

    at: datetime
    temperature_c: float
    vibration_mm_s: float
    power_kw: float

    @property
    def values(self) -> dict[Signal, float]:
        """The sample by signal."""
        return {
            Signal.TEMPERATURE: self.temperature_c,
            Signal.VIBRATION: self.vibration_mm_s,
            Signal.POWER: self.power_kw,
        }


@dataclass
class _Thermal:
    """Where a machine's temperature stands: kelvins above ambient, and the load that drives it on."""

    at: datetime
    rise_k: float
    load: float
    wear: float


class ConditionModel:
    """Samples the condition signals of every machine of a plant.

    Parameters
    ----------
    seed
        Chooses the hidden physics and the noise.
    state
        What `dump` returned in an earlier life of the process.
    """

    def __init__(self, plant: Plant, seed: int, state: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self._plant, self._seed = plant, seed
        self._windows: list[Window] = []
        self._zone = ZoneInfo(plant.timezone)
        self._starts_at = plant.starts_at
        self._physics = {machine.id: self._physics_of(machine.id) for machine in plant.machines}
        self._thermal: dict[str, _Thermal] = {}
        self._last: dict[str, Condition] = {}
        for machine, kept in (state or {}).items():
            self._restore(machine, kept)
        first = plant.starts_at - timedelta(microseconds=1)
        self._sampled_at = max((thermal.at for thermal in self._thermal.values()), default=first)

    def due(self, until: datetime) -> Iterator[datetime]:
        """Yield the points of the sampling grid since the last sample, up to `until`, that lie in open hours."""
        while (point := self._next_point()) <= until:
            self._sampled_at = point
            yield point

    def _next_point(self) -> datetime:
        after = self._sampled_at + timedelta(microseconds=1)
        if not self._windows or self._windows[-1][1] <= after + SAMPLE_PERIOD:
            self._windows = self._plant.open_windows(after, after + _WINDOWS_AHEAD)
        for begin, end in self._windows:
            periods = -((self._starts_at - max(after, begin)) // SAMPLE_PERIOD)
            point = self._starts_at + periods * SAMPLE_PERIOD
            if point < end:
                return point
        return self._starts_at + ((after + _WINDOWS_AHEAD - self._starts_at) // SAMPLE_PERIOD) * SAMPLE_PERIOD

    def sample(self, machine: str, at: datetime, state: MachineState, wear: float) -> Condition:
        """Return the condition of `machine` at the grid point `at`.

        Parameters
        ----------
        state
            State in which the machine is at `at`.
        wear
            Share of the running component's life that is used up, 0 (new) to 1 (fails).
        """
        physics = self._physics[machine]
        load = _LOAD.get(state, 0.0)
        rise_k = self._warm(machine, at, load, wear)
        temperature = self._ambient_c(at) + rise_k + 0.25 * self._noise(machine, Signal.TEMPERATURE, at)
        shaken = physics.vibration_mm_s * (0.08 + 0.92 * load) * vibration_factor(wear)
        drawn = physics.rated_kw * (0.02 + 0.98 * load) * (1 + 0.10 * wear**2)
        condition = Condition(
            at,
            round(temperature, 3),
            round(shaken * math.exp(0.05 * self._noise(machine, Signal.VIBRATION, at)), 4),
            round(drawn * math.exp(0.02 * self._noise(machine, Signal.POWER, at)), 4),
        )
        self._last[machine] = condition
        return condition

    def last(self, machine: str) -> Condition | None:
        """Return the latest sample of `machine`, None before the first."""
        return self._last.get(machine)

    def dump(self) -> dict[str, dict[str, object]]:
        """Return all that a later process needs to go on from here, as JSON values."""
        return {machine: self._kept(machine, thermal) for machine, thermal in self._thermal.items()}

    def _kept(self, machine: str, thermal: _Thermal) -> dict[str, object]:
        last = self._last[machine]
        return {
            "at": thermal.at.isoformat(),
            "rise_k": thermal.rise_k,
            "load": thermal.load,
            "wear": thermal.wear,
            "last": [last.temperature_c, last.vibration_mm_s, last.power_kw],
        }

    def _restore(self, machine: str, kept: Mapping[str, object]) -> None:
        at = datetime.fromisoformat(str(kept["at"])).astimezone(UTC)
        rise_k, load, wear = (float(str(kept[name])) for name in ("rise_k", "load", "wear"))
        self._thermal[machine] = _Thermal(at, rise_k, load, wear)
        last = kept["last"]
        assert isinstance(last, list)
        self._last[machine] = Condition(at, *last)

    def _warm(self, machine: str, at: datetime, load: float, wear: float) -> float:
        """Let the temperature follow the load of the time since the last sample; return kelvins above ambient."""
        before = self._thermal.get(machine) or _Thermal(at, 0.0, 0.0, wear)
        physics = self._physics[machine]
        # A worn drive has more friction: up to 60 % more heat for the same work.
        settled = physics.rise_k * before.load * (1 + 0.6 * before.wear**3)
        gone = math.exp(-(at - before.at).total_seconds() / physics.lag_s)
        rise_k = settled + (before.rise_k - settled) * gone
        self._thermal[machine] = _Thermal(at, rise_k, load, wear)
        return rise_k

    def _ambient_c(self, at: datetime) -> float:
        """Hall temperature: a daily cycle with its peak at 15:00 local, and a slow one of nine days."""
        local = at.astimezone(self._zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        days = (at - self._starts_at).total_seconds() / 86_400
        return 21.0 + 2.5 * math.cos((hour - 15) / 24 * math.tau) + 1.5 * math.sin(days / 9 * math.tau)

    def _physics_of(self, machine: str) -> Physics:
        draws = [_uniform(f"{self._seed}\0physics\0{machine}\0{name}") for name in ("rise", "lag", "shake", "power")]
        return Physics(18 + 17 * draws[0], 600 + 600 * draws[1], 1.1 + 1.0 * draws[2], 4 + 14 * draws[3])

    def _noise(self, machine: str, signal: Signal, at: datetime) -> float:
        """Return a standard normal draw that belongs to this sample alone (Box-Muller)."""
        key = f"{self._seed}\0{machine}\0{signal}\0{at.isoformat()}"
        radius = math.sqrt(-2 * math.log(1 - _uniform(key + "\0r")))
        return radius * math.cos(math.tau * _uniform(key + "\0a"))


def vibration_factor(wear: float) -> float:
    """Return how many times a new machine's vibration one shows at this wear: flat at first, then steep (1 to 3.5)."""
    return 1 + 2.5 * min(max(wear, 0.0), 1.0) ** 4


def _uniform(key: str) -> float:
    """Return the draw in [0, 1) that belongs to `key`."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=7).digest(), "big") / 2**56
