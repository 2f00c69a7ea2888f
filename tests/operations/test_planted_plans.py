"""The gate on thousands of plans of which it is known what is wrong with them, or that nothing is."""

from __future__ import annotations

from collections import Counter

import pytest

from operations.rehearsal import Terms, examine
from operations.remedies import RemedyRules
from plant.verdict import Judgement
from tests.operations.planted import REPLICATIONS, SPOILERS, Planted, base, fragile, impossible, sound

TERMS = Terms(remedies=RemedyRules(most=0))
LONG = 250
"""Shops; each has one sound plan, and 40 mutations of it."""


def judged(planted: Planted, seed: int) -> Judgement:
    return examine(planted.work, planted.plan, REPLICATIONS, seed, planted.frozen, terms=TERMS).judgement


def passed_although(shops: range, mutations: int) -> tuple[list[str], list[str], Counter[str]]:
    """Return what passed of the planted plans, what was refused of the sound ones, and how often what was planted."""
    let_out: list[str] = []
    refused: list[str] = []
    kinds: Counter[str] = Counter()
    for seed in shops:
        room = sound(*base(seed), seed)
        judgement = judged(room, seed)
        if not judgement.passed:
            refused.append(f"seed {seed}: {judgement.in_english().reasons}")
        for number in range(mutations):
            spoil = fragile if number % 4 == 0 else impossible
            planted = spoil(room, seed * 1000 + number)
            kinds[planted.what.split(":")[0] if spoil is impossible else "fragile"] += 1
            if judged(planted, seed).passed:
                let_out.append(f"seed {seed}, mutation {number}: {planted.what}")
    return let_out, refused, kinds


def test_every_planted_plan_is_blocked_and_sound_ones_are_released() -> None:
    let_out, refused, kinds = passed_although(range(25), 12)
    assert let_out == []
    assert refused == []
    assert len(kinds) == len(SPOILERS) + 1, kinds  # each way of spoiling was tried


@pytest.mark.long
def test_ten_thousand_planted_plans_are_blocked_and_of_the_sound_ones_98_percent_released() -> None:
    let_out, refused, kinds = passed_although(range(1000, 1000 + LONG), 40)
    assert kinds.total() == 10_000
    assert let_out == []
    assert len(refused) <= 0.02 * LONG, refused
