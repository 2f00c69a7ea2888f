"""What stays the same in every future of an open floor, prepared once: stages, queues, ways, working times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plant.calendar import WorkingTime
from plant.distribution import Distribution, Family
from plant.errors import InvalidInput
from plant.floor_model import FloorModel
from plant.item import Attendance, Item, ItemKind, Operation
from plant.plant import Machine, SetupMatrix
from plant.resource import Transport
from twin.draws import Draws
from twin.open_luck import Rows


@dataclass(frozen=True, eq=False)
class Stage:
    """One operation of an item's routing, as lots meet it.

    Attributes
    ----------
    number
        Among all stages of the model.
    machines
        Places of the machines that can take it.
    queue
        Common queue of those machines; -1 where each lot is given to one of them when it leaves for there.
    plain
        Nothing but a machine is needed: no people, tools or stock, and it may be interrupted.
    clean
        All pieces come out good.
    work_after_s
        Planned work (fixed, per piece) from here to the end of the routing, at speed 1.
    materials
        Stocked items and pieces of each that one piece takes when it begins.
    """

    number: int
    item: str
    operation: Operation
    place: int
    machines: tuple[int, ...]
    queue: int
    factor: Distribution | None
    family: str
    fixed_s: float
    per_piece_s: float
    plain: bool
    clean: bool
    back_to: int
    work_after_s: tuple[float, float]
    materials: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        """``item-operation``."""
        return f"{self.item}-{self.operation.id}"


@dataclass(eq=False)
class OpenShop:
    """A model prepared for many runs."""

    model: FloorModel
    routings: dict[str, tuple[Stage, ...]] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    queues: list[tuple[int, ...]] = field(default_factory=list)
    ways: Mapping[tuple[str, str], Transport] = field(default_factory=dict)
    mean_work_s: list[float] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)
    rows_of: Draws | None = None
    setups: dict[str, dict[tuple[str | None, str], float]] = field(default_factory=dict)
    shared: dict[tuple[str, tuple[str, ...]], WorkingTime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plant = self.model.plant
        self.ways = {(way.before, way.after): way for way in plant.transports}
        self.setups = {plant.setup_matrix_of(machine.id).id: {} for machine in plant.machines}
        places = {machine.id: place for place, machine in enumerate(plant.machines)}
        queues: dict[tuple[int, ...], int] = {}
        for item in plant.items:
            if item.kind is ItemKind.MADE:
                self._route(item, places, queues)
        self.queues = list(queues)
        self.mean_work_s = [self._mean_work_s(place, one) for place, one in enumerate(plant.machines)]

    def _route(self, item: Item, places: Mapping[str, int], queues: dict[tuple[int, ...], int]) -> None:
        plant, found = self.model.plant, []
        stocked = tuple(
            (line.item, float(line.quantity)) for line in item.bom if plant.item(line.item).replenishment is not None
        )
        ids = [operation.id for operation in item.routing]
        for place, operation in enumerate(item.routing):
            machines = plant.machines_with(operation.capability)
            if not machines:
                raise InvalidInput(
                    f"item {item.id}, operation {operation.id}: no machine has the capability {operation.capability!r}"
                )
            numbers = tuple(places[machine.id] for machine in machines)
            queue = -1 if self._is_given(machines) else queues.setdefault(numbers, len(queues))
            materials = stocked if place == 0 else ()
            rework = operation.rework
            after = item.routing[place:]
            stage = Stage(
                number=len(self.stages),
                item=item.id,
                operation=operation,
                place=place,
                machines=numbers,
                queue=queue,
                factor=_factor(operation),
                family=operation.setup_family,
                fixed_s=operation.fixed_s,
                per_piece_s=operation.per_piece_s,
                plain=not (materials or operation.tools or not operation.interruptible)
                and operation.attendance is Attendance.NONE,
                clean=operation.scrap_ratio == 0 and rework is None,
                back_to=-1 if rework is None else ids.index(rework.to),
                work_after_s=(sum(one.fixed_s for one in after), sum(one.per_piece_s for one in after)),
                materials=materials,
            )
            self.stages.append(stage)
            found.append(stage)
        self.routings[item.id] = tuple(found)

    def _is_given(self, machines: tuple[Machine, ...]) -> bool:
        """Tell whether lots must choose among these machines on leaving: for the place there, or the way."""
        centers = {machine.work_center for machine in machines}
        return any(machine.input_buffer is not None for machine in machines) or (bool(self.ways) and len(centers) > 1)

    def _mean_work_s(self, place: int, machine: Machine) -> float:
        times = [stage.operation.duration_s(1, machine.speed) for stage in self.stages if place in stage.machines]
        return sum(times) / len(times) if times else 0.0

    def rows_for(self, draws: Draws) -> Rows:
        """Return what was drawn for all futures of `draws` so far; only the last asked for is kept."""
        if self.rows_of != draws:
            self.rows_of, self.rows = draws, {}
        return self.rows

    def setup_s(self, matrix: SetupMatrix, before: str | None, after: str) -> float:
        """Return the changeover, remembered."""
        known = self.setups[matrix.id]
        found = known.get((before, after))
        if found is None:
            found = known[before, after] = matrix.duration_s(before, after)
        return found

    def shared_time(self, calendar: str, people: tuple[str, ...]) -> WorkingTime:
        """Return the time a machine's calendar and these people have in common, remembered."""
        key = (calendar, people)
        if key not in self.shared:
            found = self.model.calendars[calendar]
            for person in people:
                found = found.common(self.model.people[person])
            self.shared[key] = found
        return self.shared[key]


def _factor(operation: Operation) -> Distribution | None:
    if operation.time_factor is not None:
        return None if operation.time_factor.variation == 0 else operation.time_factor
    return Distribution(Family.LOGNORMAL, 1.0, operation.variation) if operation.variation > 0 else None
