"""Flexible job shop as a CP-SAT model in compressed working time, solved for weighted tardiness, then for makespan.

The model is close to the shop, not equal to it: whole seconds, batches as they stand in the plan it starts from,
and on machines with many steps the setup that plan paid on average. What counts is the order of the steps it finds;
`scheduler.solve` runs that order through the shop's exact rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from ortools.sat.python import cp_model

from scheduler.axis import Piece, common_axis, curve, gaps_after, to_axis, to_own
from scheduler.candidate import Candidate
from scheduler.decode import Sequences, Step
from scheduler.plain import Plain
from scheduler.problem import Problem

_MOST_ARCS_STEPS = 20
"""Up to this many steps a machine's setups are modelled exactly, as arcs of a circuit."""

WEIGHT_UNIT = 10
"""Priority weights are counted in tenths."""


@dataclass(eq=False)
class Node:
    """A step of the model: one task, or a batch that stays together.

    Attributes
    ----------
    durations
        Whole working seconds per machine that may take it.
    start, end
        Its time on the axis, setup included.
    presence
        Per machine, whether it goes there.
    own_start, own_end
        Its time in the working time of each machine that may take it.
    setup
        Per machine, whole working seconds of the changeover there.
    """

    step: Step
    durations: dict[int, int]
    start: cp_model.IntVar
    end: cp_model.IntVar
    presence: dict[int, cp_model.IntVar] = field(default_factory=dict)
    own_start: dict[int, cp_model.IntVar] = field(default_factory=dict)
    own_end: dict[int, cp_model.IntVar] = field(default_factory=dict)
    setup: dict[int, cp_model.IntVar | int] = field(default_factory=dict)


class JobShopModel:
    """The model of a shop, starting from a plan whose batches and opening steps it keeps."""

    def __init__(self, problem: Problem, start: Candidate, opening: Sequences) -> None:
        self.shop = shop = Plain(problem)
        self._times, self._placed, self._opening = start.times(problem), start.sequences(problem), opening
        self.model = cp_model.CpModel()
        self._axis = common_axis(shop)
        self._clock_horizon = (
            1.5 * float(self._times["finish"].max()) + max(map(max, (d.values() for d in shop.durations))) + 1
        )
        self.horizon = math.ceil(self._axis.worked_at(self._clock_horizon)) + 1
        self._curves: dict[int, list[Piece]] = {
            number: curve(self._axis, machine.working_time, self._clock_horizon)
            for number, machine in enumerate(shop.machines)
            if machine.working_time != self._axis
        }
        self._own_horizon = {number: pieces[-1].own_end for number, pieces in self._curves.items()}
        self._decided = {task for steps in opening for step in steps for task in step}
        self.nodes = self._make_nodes(start.sequence.steps[: start.steps].tolist())
        self._node_of = {task: node for node in self.nodes for task in node.step}
        for node in self.nodes:
            self._place(node)
        for machine in range(len(shop.machines)):
            self._sequence(machine)
        self._precedence()
        self.tardiness = self._tardiness()
        self.makespan = self.model.new_int_var(0, self.horizon, "makespan")
        for node in self.nodes:
            self.model.add(self.makespan >= node.end)
        self._hint_from_start()

    # --- steps -------------------------------------------------------------------------------------------------

    def _make_nodes(self, leads: list[int]) -> list[Node]:
        """Return the nodes in the order in which the starting plan decides them: each behind what it waits for.

        By when they begin they are not: a task may take no time.
        """
        placed = {step[0]: (machine, step) for machine, steps in enumerate(self._placed) for step in steps}
        nodes = []
        for lead in leads:
            machine, step = placed[lead]
            options = self._options(machine, step)
            nodes.append(
                Node(
                    step,
                    {option: int(self.shop.duration(option, step) + 1e-6) for option in options},
                    self.model.new_int_var(0, self.horizon, f"start {step}"),
                    self.model.new_int_var(0, self.horizon, f"end {step}"),
                )
            )
        return nodes

    def _options(self, machine: int, step: Step) -> list[int]:
        if step[0] in self._decided:
            return [machine]
        shared = set.intersection(*(set(self.shop.durations[task]) for task in step))
        return sorted(option for option in shared if self.shop.machines[option].batch_capacity >= len(step))

    def _place(self, node: Node) -> None:
        """Give a node its machine, and its own time on machines whose hours differ from the axis."""
        model = self.model
        for machine in node.durations:
            node.presence[machine] = model.new_bool_var(f"{node.step} on {machine}")
            if machine in self._curves:
                horizon = self._own_horizon[machine]
                own_start = model.new_int_var(0, horizon, f"own start {node.step}")
                own_end = model.new_int_var(0, horizon, f"own end {node.step}")
                self._link(machine, own_start, node.start, node.presence[machine], is_end=False)
                self._link(machine, own_end, node.end, node.presence[machine], is_end=True)
            else:
                own_start, own_end = node.start, node.end
            node.own_start[machine], node.own_end[machine] = own_start, own_end
        model.add_exactly_one(node.presence.values())

    def _link(
        self, machine: int, own: cp_model.IntVar, axis: cp_model.IntVar, present: cp_model.IntVar, *, is_end: bool
    ) -> None:
        """Tie own time to the axis: a start not before what the axis says, an end not before what the machine says."""
        chosen = []
        for piece in self._curves[machine]:
            literal = self.model.new_bool_var("")
            chosen.append(literal)
            self.model.add(own >= piece.own).only_enforce_if(literal)
            self.model.add(own <= piece.own_end).only_enforce_if(literal)
            there = piece.axis + piece.slope * (own - piece.own)
            relation = axis >= there if is_end else axis <= there
            self.model.add(relation).only_enforce_if(literal)
        self.model.add(sum(chosen) == present)

    # --- machines ----------------------------------------------------------------------------------------------

    def _sequence(self, machine: int) -> None:
        """One step at a time, setups between them, decided steps first, nothing while the machine is down."""
        nodes = [node for node in self.nodes if machine in node.durations]
        if not nodes:
            return
        self._setups(machine, nodes)
        model, intervals = self.model, []
        outlook = self.shop.machines[machine]
        free = math.ceil(outlook.working_time.worked_at(self.shop.free[machine]) - 1e-6)
        for node in nodes:
            present, size = node.presence[machine], node.setup[machine] + node.durations[machine]
            start, end = node.own_start[machine], node.own_end[machine]
            intervals.append(model.new_optional_interval_var(start, size, end, present, f"{node.step} on {machine}"))
            if free > 0:
                model.add(start >= free).only_enforce_if(present)
        model.add_no_overlap(intervals)
        self._decided_first(machine, nodes)

    def _decided_first(self, machine: int, nodes: list[Node]) -> None:
        decided = [self._node_of[step[0]] for step in self._opening[machine]]
        for earlier, later in pairwise(decided):
            self.model.add(later.own_start[machine] >= earlier.own_end[machine])
        if decided:
            for node in nodes:
                if node.step[0] not in self._decided:
                    follows = node.own_start[machine] >= decided[-1].own_end[machine]
                    self.model.add(follows).only_enforce_if(node.presence[machine])

    def _setups(self, machine: int, nodes: list[Node]) -> None:
        shop = self.shop
        families = {shop.family[node.step[0]] for node in nodes}
        before = (shop.machines[machine].setup_family, *families)
        possible = {shop.setup(machine, family, node.step) for family in before for node in nodes}
        if max(possible) == 0 or len(nodes) > _MOST_ARCS_STEPS:
            expected = self._expected_setup(machine)
            for node in nodes:
                node.setup[machine] = 0 if shop.running[node.step[0]] else expected
        else:
            self._circuit(machine, nodes, int(max(possible)))

    def _expected_setup(self, machine: int) -> int:
        """Return the mean setup the starting plan pays on a machine, per step that has not begun."""
        paid = [
            float(self._times["setup"][step[0]]) for step in self._placed[machine] if not self.shop.running[step[0]]
        ]
        return int(sum(paid) / len(paid)) if paid else 0

    def _circuit(self, machine: int, nodes: list[Node], longest: int) -> None:
        """Choose a machine's order as a circuit; each arc sets the setup of the step it leads to."""
        shop, model = self.shop, self.model
        arcs: list[tuple[int, int, cp_model.LiteralT]] = []
        used = model.new_bool_var(f"{machine} used")
        arcs.append((0, 0, ~used))
        for number, node in enumerate(nodes, start=1):
            setup = model.new_int_var(0, longest, f"setup {node.step} on {machine}")
            node.setup[machine] = setup
            present = node.presence[machine]
            model.add_implication(present, used)
            arcs.append((number, number, ~present))
            first, last = model.new_bool_var(""), model.new_bool_var("")
            arcs += [(0, number, first), (number, 0, last)]
            initial = int(shop.setup(machine, shop.machines[machine].setup_family, node.step))
            model.add(setup == initial).only_enforce_if(first)
        for number, node in enumerate(nodes, start=1):
            for other, later in enumerate(nodes, start=1):
                if other == number:
                    continue
                follows = model.new_bool_var("")
                arcs.append((number, other, follows))
                paid = int(shop.setup(machine, shop.family[node.step[0]], later.step))
                model.add(later.setup[machine] == paid).only_enforce_if(follows)
                model.add(later.own_start[machine] >= node.own_end[machine]).only_enforce_if(follows)
        model.add_circuit(arcs)

    # --- orders ------------------------------------------------------------------------------------------------

    def _precedence(self) -> None:
        shop = self.shop
        for node in self.nodes:
            if shop.running[node.step[0]]:
                continue
            release = max(shop.release[task] for task in node.step)
            self.model.add(node.start >= math.ceil(self._axis.worked_at(release) - 1e-6))
            for before in {self._node_of[other] for task in node.step for other in shop.predecessors[task]} - {node}:
                self.model.add(node.start >= before.end)

    def _tardiness(self) -> cp_model.LinearExprT:
        """Return the weighted tardiness in clock seconds (times `WEIGHT_UNIT`); nights count, breaks do not."""
        model, shop = self.model, self.shop
        members: dict[str, list[Node]] = {}
        for task, name in enumerate(shop.order):
            if shop.is_last[task]:
                members.setdefault(name, []).append(self._node_of[task])
        terms = []
        for name, nodes in members.items():
            demand = shop.work.orders[name]
            due = math.floor(self._axis.worked_at(max(demand.due_s, 0.0)))
            late = model.new_int_var(0, 10 * round(self._clock_horizon) + max(-math.floor(demand.due_s), 0), name)
            done = model.new_int_var(0, self.horizon, f"done {name}")
            for node in nodes:
                model.add(done >= node.end)
            beyond = done - due + max(-math.ceil(demand.due_s), 0)
            for gap in gaps_after(self._axis, demand.due_s, self._clock_horizon):
                passed = model.new_bool_var("")
                model.add(done <= gap.after).only_enforce_if(~passed)
                beyond += gap.length * passed
            model.add(late >= beyond)
            terms.append(round(demand.priority.weight * WEIGHT_UNIT) * late)
        return sum(terms)

    # --- hints and answers -------------------------------------------------------------------------------------

    def _hint_from_start(self) -> None:
        """Hint the starting plan, retimed in the model's own whole seconds so that the hint is a solution."""
        ends: dict[int, int] = {}
        free = {
            number: math.ceil(machine.working_time.worked_at(self.shop.free[number]) - 1e-6)
            for number, machine in enumerate(self.shop.machines)
        }
        machine_of = {step: number for number, steps in enumerate(self._placed) for step in steps}
        for node in self.nodes:
            machine = machine_of[node.step]
            begin, own_end, end = self._retimed(node, machine, free[machine], ends)
            free[machine] = own_end
            ends.update(dict.fromkeys(node.step, end))
            self.model.add_hint(node.start, begin)
            self.model.add_hint(node.end, end)
            for option, presence in node.presence.items():
                self.model.add_hint(presence, option == machine)

    def _retimed(self, node: Node, machine: int, free: int, ends: dict[int, int]) -> tuple[int, int, int]:
        """Return start on the axis, end in the machine's own time and end on the axis."""
        shop, pieces, ready = self.shop, self._curves.get(machine), 0
        if not shop.running[node.step[0]]:
            release = max(shop.release[task] for task in node.step)
            waits = [ends[before] for task in node.step for before in shop.predecessors[task]]
            ready = max(math.ceil(self._axis.worked_at(release) - 1e-6), *waits, 0)
        setup = node.setup[machine]
        paid = setup if isinstance(setup, int) else int(self._times["setup"][node.step[0]])
        own_begin = max(to_own(pieces, ready) if pieces else ready, free)
        own_end = own_begin + paid + node.durations[machine]
        return (ready, own_end, to_axis(pieces, own_end)) if pieces else (own_begin, own_end, own_end)

    @property
    def relaxed(self) -> bool:
        """Whether no plan of the shop can be less late than the model's bound: no batches, no averaged setups."""
        averaged = any(isinstance(setup, int) and setup > 0 for node in self.nodes for setup in node.setup.values())
        batching = any(
            self.shop.machines[machine].batch_capacity > 1 for node in self.nodes for machine in node.durations
        )
        return not averaged and not batching

    @property
    def exact(self) -> bool:
        """Whether the model leaves nothing out but fractions of seconds and breaks: relaxed, and all hours alike."""
        return self.relaxed and not self._curves and self.shop.is_all

    def sequences(self, value: Callable[[cp_model.LinearExprT], int]) -> Sequences:
        """Return the sequences of a solution, given how to read a variable's value in it."""
        placed: list[list[tuple[int, int, int]]] = [[] for _ in self.shop.machines]
        for number, node in enumerate(self.nodes):
            for machine, presence in node.presence.items():
                if value(presence):
                    placed[machine].append((value(node.own_start[machine]), value(node.own_end[machine]), number))
        return [[self.nodes[number].step for _, _, number in sorted(steps)] for steps in placed]
