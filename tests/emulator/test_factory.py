"""The core of the emulated plant without sockets and wall clock: killed anywhere, it comes back to the same truth."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.events import DispatchedJob, StoreResult
from emulator.factory import Factory, resume_at
from emulator.floor import EmulatedFloor
from emulator.journal import COMMANDS, HAPPENINGS, Journal
from emulator.signals import ConditionModel
from emulator.truth import Truth
from emulator.update import Group, Update
from plant.clock import Anchor
from plant.errors import Conflict, InvalidInput, NotFound
from plant.folder import load
from plant.plant import Plant
from tests.emulator.parts import SHOP, at


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load(SHOP)


class Hand:
    """A timekeeper set by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self._leased = moment

    @property
    def anchor(self) -> Anchor:
        return Anchor(self.moment, self.moment, 0.0)

    def now(self) -> datetime:
        return self.moment

    def lease(self) -> datetime:
        self._leased = self.moment + timedelta(minutes=2)
        return self._leased

    def must_renew(self) -> bool:
        return self.moment + timedelta(minutes=1) > self._leased


class Running:
    """A factory on a folder, with all that its machines have shown."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.journal = Journal(folder)
        state: Mapping[str, Any] = self.journal.snapshot or {}
        self.hand = Hand(resume_at(plant, self.journal))
        self.factory = Factory(
            plant,
            EmulatedFloor(plant, Truth.of(plant, 11), plant.starts_at, state.get("floor")),
            self.journal,
            self.hand,  # type: ignore[arg-type]
            ConditionModel(plant, 11, state.get("conditions")),
            lambda job: None,
            dict,
        )
        self.shown = self.factory.resume().updates

    def go(self, moment: datetime) -> None:
        """Step to a plant time."""
        self.hand.moment = moment
        self.shown += self.factory.step().updates

    def happenings(self) -> list[dict[str, Any]]:
        """Return the log's happenings without what a second run may name differently."""
        kept = [entry for entry in self.journal.entries() if entry["kind"] in HAPPENINGS]
        return [{name: value for name, value in entry.items() if name not in ("n", "id")} for entry in kept]


def _job(plant: Plant, rng: random.Random, number: int) -> DispatchedJob:
    machine = rng.choice(plant.machines)
    item, operation = rng.choice(
        [(item, op) for item in plant.made_items() for op in item.routing if op.capability in machine.capabilities]
    )
    return DispatchedJob(
        **{"id": f"CO-{number}", "revision": number, "machine": machine.id, "item": item.id},
        **{"operation": operation.id, "quantity": rng.randint(1, 9), "setup_family": operation.setup_family},
        **{"planned_start": at(0), "planned_end": at(1), "sequence": rng.randint(0, 50)},
        **{"production_order": "P", "customer_order": "C", "release_at": at(rng.uniform(0, 20_000))},
        predecessors=(f"CO-{rng.randrange(number)}",) if number and rng.random() < 0.3 else (),
    )


def _command(running: Running, plant: Plant, rng: random.Random, number: int) -> None:
    machine = rng.choice(plant.machines).id
    kind = rng.choice(["store"] * 8 + ["break", "repair", "abort"])
    try:
        if kind == "store":
            running.factory.store(_job(plant, rng, number), f"key {number}")
        elif kind == "break":
            running.factory.break_machine(machine, rng.choice([None, rng.uniform(10, 5000)]))
        elif kind == "repair":
            running.factory.repair(machine)
        else:
            running.factory.abort(f"CO-{rng.randrange(number + 1)}", "no longer wanted")
    except (NotFound, Conflict):
        pass  # an unknown job order or one that has ended: refused, and nothing logged


def _shown_once(shown: list[Update]) -> dict[tuple[str, Group, datetime, int], Mapping[Any, Any]]:
    """Return what was shown by machine, group, time and entry; the same shown again must be the same."""
    found: dict[tuple[str, Group, datetime, int], Mapping[Any, Any]] = {}
    for update in shown:
        key = (update.machine, update.group, update.at, update.number)
        assert found.setdefault(key, update.values) == update.values, f"two truths about {key}"
    return found


@pytest.mark.parametrize("seed", range(2))
def test_killed_anywhere_it_comes_back_to_the_same_truth(plant: Plant, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    running = Running(plant, tmp_path / "0")
    shown: list[Update] = []
    moments, kills, killed_at = [plant.starts_at], 0, set(rng.sample(range(60), 3))
    for number in range(60):
        moments.append(max(running.hand.moment, moments[-1]) + timedelta(seconds=rng.choice([0.02, 7, 1500])))
        running.hand.moment = moments[-1]
        if rng.random() < 0.5:
            _command(running, plant, rng, number)
        if rng.random() < 0.9:
            running.go(moments[-1])
        if number in killed_at:  # everything in memory is gone, the files are as they are, one line half written
            kills += 1
            shutil.copytree(tmp_path / str(kills - 1), tmp_path / str(kills))
            with (tmp_path / str(kills) / "log.jsonl").open("ab") as log:
                log.write(b'{"n": 99999, "kind": "sta')
            shown += running.shown
            running = Running(plant, tmp_path / str(kills))
            moments.append(running.hand.moment)
    running.go(moments[-1] + timedelta(hours=1))

    undisturbed = Running(plant, tmp_path / "undisturbed")
    for command in [entry for entry in running.journal.entries() if entry["kind"] in COMMANDS]:
        undisturbed.hand.moment = datetime.fromisoformat(command["at"])
        undisturbed.factory._advance_to_now()
        undisturbed.factory._carry_out(command)
    undisturbed.go(running.hand.moment)
    assert running.happenings() == undisturbed.happenings(), f"seed {seed}"
    assert len(running.happenings()) > 40
    conditions = {
        key: values for key, values in _shown_once(shown + running.shown).items() if key[1] is Group.CONDITION
    }
    for key, values in _shown_once(undisturbed.shown).items():
        if key[1] is Group.CONDITION:
            assert conditions[key] == values, f"seed {seed}: {key}"


def test_a_key_seen_before_a_kill_is_known_after_it(plant: Plant, tmp_path: Path) -> None:
    running = Running(plant, tmp_path / "a")
    job = _job(plant, random.Random(1), 0)
    assert running.factory.store(job, "k") is StoreResult.STORED
    running.go(at(60_000))
    changed = replace(job, revision=7)
    assert running.factory.store(changed, "other") is StoreResult.BEGUN
    again = Running(plant, tmp_path / "a")
    assert again.factory.store(changed, "k") is StoreResult.STORED, "the first answer to this key"
    assert again.factory.store(changed, "another") is StoreResult.BEGUN


def test_another_truth_on_the_same_folder_is_refused(plant: Plant, tmp_path: Path) -> None:
    running = Running(plant, tmp_path / "a")
    running.factory.store(_job(plant, random.Random(1), 0), "k")
    running.go(at(60_000))
    running.journal.close()
    log = tmp_path / "a" / "log.jsonl"
    (tmp_path / "a" / "snapshot.json").unlink()
    changed = log.read_text().replace('"executing"', '"setup"', 1)
    assert changed != log.read_text()
    log.write_text(changed)
    with pytest.raises(InvalidInput, match=r"entry \d+ of the emulated plant's log"):
        Running(plant, tmp_path / "a")
