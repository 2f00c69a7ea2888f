"""A calibration is immutable, named by what it says, written and read without loss, and compared."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from plant.calibration import Calibration, Estimate, Fit, Parameter, compare, from_json, summary, to_json
from plant.errors import InvalidInput
from tests.plant.shops import MONDAY


def estimate(
    parameter: Parameter = Parameter.DURATION,
    machine: str | None = "L1",
    subject: str = "shaft/10",
    value: float = 1.1,
    half: float = 0.1,
) -> Estimate:
    fit = Fit("anderson-darling", 0.4, 0.35, 12)
    draws = (value - half / 2, value, value + half / 2)
    return Estimate(parameter, machine, subject, value, value - half, value + half, 12, 1, 1.0, fit, draws)


def calibration(*estimates: Estimate) -> Calibration:
    return Calibration("pv-1", MONDAY, MONDAY + timedelta(days=30), estimates or (estimate(),))


def test_its_id_follows_from_what_it_says() -> None:
    assert calibration().id == calibration().id
    assert calibration().id.startswith("cal-")
    assert calibration().id != calibration(estimate(value=1.2)).id


def test_json_keeps_everything() -> None:
    made = calibration(estimate(), replace(estimate(Parameter.SCRAP, None), fit=None, planned=None, posterior=()))
    assert from_json(to_json(made)) == made
    assert json.loads(to_json(made))["format"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(format=2), "format must be 1, not 2"),
        (lambda document: document.update(plant_version="pv-2"), "was changed"),
        (lambda document: document["estimates"][0].update(value=1.15), "was changed"),
        (lambda document: document["estimates"][0].update(value=9.0), "must lie within its interval"),
        (lambda document: document.pop("since"), "not the JSON of a calibration"),
    ],
)
def test_json_that_is_none_of_ours_is_refused(change: object, message: str) -> None:
    document = json.loads(to_json(calibration()))
    change(document)  # type: ignore[operator]
    with pytest.raises(InvalidInput, match=message):
        from_json(json.dumps(document))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not the JSON of a calibration"):
        from_json("[1")


def test_an_estimate_is_held_once_and_history_is_not_empty() -> None:
    with pytest.raises(InvalidInput, match="each estimate once"):
        calibration(estimate(), estimate(value=1.3))
    with pytest.raises(InvalidInput, match="needs history"):
        Calibration("pv-1", MONDAY, MONDAY, ())
    with pytest.raises(InvalidInput, match="must have one length"):
        calibration(estimate(), replace(estimate(machine="L2"), posterior=(1.0,)))


def test_comparing_puts_what_really_changed_first() -> None:
    same, close, far = (estimate(machine=name) for name in ("same", "close", "far"))
    before = calibration(same, close, far, estimate(machine="gone"))
    after = calibration(same, replace(close, value=1.15), estimate(machine="far", value=1.6), estimate(machine="new"))
    found = compare(before, after)
    assert [one.machine for one in found] == ["far", "gone", "new", "close"]
    assert [one.apart for one in found] == [True, False, False, False]
    assert (found[0].before, found[0].after) == (1.1, 1.6)
    assert (found[1].after, found[2].before) == (None, None)
    assert (found[0].low, found[0].high) == pytest.approx((1.5, 1.7))
    assert (found[0].count, found[0].censored) == (12, 1)
    assert (found[1].low, found[1].planned) == (None, 1.0)
    assert compare(before, before) == ()


def test_what_was_seen_comes_before_what_was_inferred_and_means_before_variations() -> None:
    before = [estimate(machine=name) for name in ("seen", "more", "inferred")]
    before.append(estimate(Parameter.VARIATION, None))
    seen, more, inferred, variation = (replace(one, value=1.9, high=2.0, low=1.8) for one in before)
    after = (replace(more, value=1.95), replace(inferred, value=1.99, count=0, censored=0), variation, seen)
    found = compare(calibration(*before), calibration(*after))
    assert [one.machine for one in found] == ["more", "seen", None, "inferred"]


def test_against_the_plan_its_values_are_taken_for_certain() -> None:
    kept = estimate(machine="kept", value=1.0)
    unknown = replace(estimate(machine="unknown"), planned=None)
    made = calibration(kept, estimate(machine="near", value=1.05), estimate(machine="far", value=1.2), unknown)
    found = compare(None, made)
    assert [(one.machine, one.before, one.apart) for one in found] == [
        ("far", 1.0, True),
        ("unknown", None, False),
        ("near", 1.0, False),
    ]


def test_a_summary_leaves_the_draws_out() -> None:
    rows = summary(calibration())
    assert rows[0]["posterior"] == 3
    assert rows[0]["value"] == 1.1


def test_what_it_says_nothing_of_is_not_found() -> None:
    assert calibration().find(Parameter.DURATION, "L1", "shaft/10") == estimate()
    assert calibration().find(Parameter.SCRAP, None, "shaft/10") is None
