"""What is learned is better where there is something to gain, and adopted no more often than luck explains."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest
from scipy.stats import binomtest

from operations.learner import Cases, LearningSettings, Look, candidate, learn, learned
from plant.errors import Cancelled, InvalidInput
from plant.ports import no_progress
from plant.text import Text
from plant.tuning import DEFAULT, RuleKind, Tuning
from scenarios.halving import Score
from tests.operations.learning_plants import QUICK, busy, nothing_to_gain, setups_matter

WELL = replace(QUICK, candidates=16)


def test_a_plant_that_the_portfolio_does_not_suit_is_learned() -> None:
    found = learn(setups_matter(1), WELL)
    assert found.is_better
    assert found.unlearned is not None
    assert found.unlearned.cases == WELL.cases
    assert found.unlearned.learned_s < 0.8 * found.unlearned.other_s
    assert found.orders == len(setups_matter(1).past)


def test_where_everything_is_on_time_nothing_is_better() -> None:
    found = learn(nothing_to_gain(1), QUICK)
    assert not found.is_better


def test_the_same_seed_learns_the_same() -> None:
    settings = replace(QUICK, candidates=4, cases=10)
    subject = nothing_to_gain(2)
    other = replace(settings, seed=2)
    one = learn(subject, settings)
    assert learn(subject, settings) == one
    assert learn(subject, settings).id == one.id != learn(subject, other).id


@pytest.mark.parametrize("after", [1, 60])
def test_cancelling_ends_it_wherever_it_is(after: int) -> None:
    told: list[float] = []

    def progress(share: float, doing: Text) -> None:
        told.append(share)
        if len(told) == after:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        learn(nothing_to_gain(1), QUICK, progress)
    assert len(told) == after


def test_progress_never_goes_back_and_ends_with_everything() -> None:
    told: list[float] = []
    learned(_noise(1, gain=5.0), QUICK, progress=lambda share, _: told.append(share))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0


def test_the_cases_it_is_shown_on_were_not_seen_before() -> None:
    seen: dict[Tuning, list[int]] = {}

    def look(tuning: Tuning, case: int) -> Score:
        seen.setdefault(tuning, []).append(case)
        return _noise(1, gain=5.0)(tuning, case)

    best, against, _ = learned(look, QUICK)
    assert best != DEFAULT
    assert against is not None
    assert seen[best][-QUICK.cases :] == seen[DEFAULT][-QUICK.cases :]
    assert min(seen[best][-QUICK.cases :]) > max(seen[best][: -QUICK.cases])


def test_what_is_in_use_is_kept_unless_it_is_beaten_too() -> None:
    used = candidate(99, 0)

    def look(tuning: Tuning, case: int) -> Score:
        """Everything beats the unlearned; what is in use does as well as any other."""
        return (10.0 * (tuning == DEFAULT) + _noise(7)(tuning, case)[0] / 10,)

    best, unlearned, against = learned(look, QUICK, used)
    assert unlearned is not None
    assert unlearned.is_better
    assert best == used or (against is not None and not against.is_better)


def _noise(seed: int, gain: float = 0.0) -> Look:
    """Return looks that are nothing but noise, heavy in its tail; what is not the unlearned may gain something."""

    def look(tuning: Tuning, case: int) -> Score:
        key = np.random.default_rng([seed, case, crc32(repr(tuning).encode())])
        common = np.random.default_rng([seed, case]).exponential(10.0)
        return (common + float(key.exponential(1.0)) - gain * (tuning != DEFAULT),)

    return look


def test_luck_is_adopted_as_rarely_as_the_interval_promises() -> None:
    adopted = 0
    for seed in range(400):
        settings = replace(QUICK, seed=seed, cases=20)
        _, against, _ = learned(_noise(seed), settings)
        adopted += against is not None and against.is_better
    assert binomtest(adopted, 400, 0.05, alternative="greater").pvalue > 0.01, adopted


@pytest.mark.long
def test_plans_that_differ_by_the_dice_of_the_search_only_are_rarely_adopted() -> None:
    """Everybody looks as the unlearned does, with other dice: the best of them is the luckiest, and no better."""
    adopted, differed = 0, 0
    for seed in range(40):
        settings = replace(QUICK, seed=seed, cases=20)
        cases = Cases(busy(seed), settings, no_progress)

        def look(tuning: Tuning, case: int, cases: Cases = cases) -> Score:
            return cases.look(DEFAULT, case, attempt=crc32(repr(tuning).encode()) % 10**6)

        _, against, _ = learned(look, settings)
        adopted += against is not None and against.is_better
        differed += against is not None and against.better + against.worse > 0
    assert differed > 20, "the dice make a difference"
    assert binomtest(adopted, 40, 0.05, alternative="greater").pvalue > 0.05, adopted


def test_candidates_differ_and_go_beyond_the_usual_grid() -> None:
    found = [candidate(1, number) for number in range(200)]
    assert len(set(found)) == 200
    rules = [one.rule for one in found if one.rule is not None and one.rule.kind is RuleKind.ATC]
    assert min(one.setup_care for one in rules if one.setup_care) < 0.01
    assert max(one.look_ahead for one in rules) > 300
    assert candidate(1, 7) == found[7]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"candidates": 1}, "candidates"), ({"cases": 9}, "cases"), ({"effort": 0.0}, "effort"), ({"seed": -1}, "seed")],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        LearningSettings(**wrong)  # type: ignore[arg-type]


def test_without_orders_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InvalidInput, match="no order to learn from"):
        learn(replace(nothing_to_gain(1), books=()), QUICK)
