"""`plant.text`: English sentences with values, plain enough to be kept, and another language's way with them."""

from __future__ import annotations

import json
import pickle
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from plant.errors import Conflict, ForerunError, GateRefused
from plant.text import Teller, Told, listed, told

MOMENT = datetime(2026, 1, 5, 7, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("sentence", "english"),
    [
        (told("nothing to fill in"), "nothing to fill in"),
        (told("{order} is late", order="CO-1"), "CO-1 is late"),
        (told("at {at:moment}", at=MOMENT), "at Mon 5 Jan 07:30"),
        (told("{a:span}, {b:span}, {c:span}", a=89 * 60, b=5400, c=7 * 86400), "89 min, 1.5 h, 7.0 days"),
        (told("{a:percent} of {n:count}", a=0.825, n=12345), "82.5 % of 12,345"),
        (told("{a:percent}", a=None), "–"),
        (told("late by {late:hours}", late=1234.56), "late by 1,234.6 h"),
        (told("{who:words} may not {what:word}", who=["a", "b"], what="sleep"), "a, b may not sleep"),
        (told("{risk} Really.", risk=told("{order} is late.", order="CO-1")), "CO-1 is late. Really."),
        (listed([told("one"), told("two"), told("three")]), "one, two, three"),
    ],
)
def test_the_english_sentence(sentence: Told, english: str) -> None:
    assert str(sentence) == english


def test_values_are_plain_enough_to_be_kept() -> None:
    sentence = told("{at:moment} {kind}", at=MOMENT, kind=object, n=3)
    assert json.loads(json.dumps(dict(sentence.values))) == dict(sentence.values)


def test_a_template_reaches_no_further_than_its_values() -> None:
    with pytest.raises(KeyError):
        str(told("{order.__class__}", order="CO-1"))


def test_another_language_translates_templates_and_words_but_not_values() -> None:
    class Shouting(Teller):
        def translated(self, message: str) -> str:
            return {"{a} is {b:word}": "{a} IST {b:word}", "late": "SPÄT"}.get(message, message)

    assert Shouting().tell(told("{a} is {b:word}", a="late", b="late")) == "late IST SPÄT"
    assert Shouting().tell("late") == "late", "what a person wrote is not translated"


def test_an_error_keeps_its_text_on_the_way_between_processes() -> None:
    sentence = told("plan {plan} is gone", plan="P1")
    error: ForerunError = pickle.loads(pickle.dumps(Conflict(sentence)))
    assert (str(error), error.text) == ("plan P1 is gone", sentence)
    assert Conflict("written by hand").text == "written by hand"
    refused: GateRefused = pickle.loads(pickle.dumps(GateRefused([sentence, sentence])))
    assert (str(refused), refused.reasons) == ("plan P1 is gone; plan P1 is gone", (sentence, sentence))
