"""Texts, numbers and times in both languages; nothing is left untranslated."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.catalogue import extract, read
from dashboard.words import LANGUAGES, Words, choose_language

ROOT = Path(__file__).parents[2] / "dashboard"
OTHER_LANGUAGES = sorted(set(LANGUAGES) - {"en"})


def _marked_in_code() -> set[str]:
    """Every literal handed to ``say``, ``mark`` or ``plural``, also inside f-strings, which extraction cannot read."""
    found = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("say", "mark", "plural"):
                texts = node.args[: 2 if name == "plural" else 1]
                found |= {text.value for text in texts if isinstance(text, ast.Constant)}
    return found


def _ids(message_id: object) -> set[str]:
    return set(message_id) if isinstance(message_id, (list, tuple)) else {str(message_id)}


def test_every_text_in_the_code_is_extracted() -> None:
    extracted = set().union(*(_ids(message.id) for message in extract() if message.id))
    assert _marked_in_code() == extracted


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_nothing_is_left_untranslated(language: str) -> None:
    wanted = {frozenset(_ids(message.id)) for message in extract() if message.id}
    translated = [message for message in read(language) if message.id]
    assert {frozenset(_ids(message.id)) for message in translated} == wanted
    for message in translated:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), f"not translated: {message.id}"
        assert not message.fuzzy


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_a_translation_fills_in_the_same_values(language: str) -> None:
    for message in read(language):
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"{(\w+)}", " ".join(_ids(message.id))))
        for string in strings:
            assert set(re.findall(r"{(\w+)}", string)) == wanted, message.id


@pytest.mark.parametrize(
    ("cookie", "accepts", "language"),
    [
        (None, None, "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr;q=0.9, zh;q=0.5", "zh"),
        ("en", "zh-CN", "en"),
        ("xx<script>", "zh", "zh"),
    ],
)
def test_the_language_is_what_was_chosen_or_what_the_browser_asks_for(
    cookie: str | None, accepts: str | None, language: str
) -> None:
    assert choose_language(cookie, accepts) == language


def test_times_are_the_plants() -> None:
    moment = datetime(2026, 1, 4, 22, 5, tzinfo=UTC)
    assert Words("en", "Asia/Shanghai").moment(moment) == "Mon 5 Jan 06:05"
    assert Words("zh", "Asia/Shanghai").moment(moment) == "1月5日周一 06:05"
    assert Words("en", "Europe/Berlin").time(moment) == "23:05"
    assert Words("en").moment(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (29, "0 min", "0 分钟"),
        (59 * 60, "59 min", "59 分钟"),
        (3600, "1 h 00 min", "1 小时 00 分"),
        (-5 * 3600 - 300, "−5 h 05 min", "−5 小时 05 分"),
        (86400 * 2 + 3600, "2 d 1 h", "2 天 1 小时"),
    ],
)
def test_lengths_of_time(seconds: float, english: str, chinese: str) -> None:
    assert Words("en").duration(seconds) == english
    assert Words("zh").duration(seconds) == chinese


def test_numbers() -> None:
    say = Words("en")
    assert [say.number(1234.5), say.number(1234.56, 1), say.number(None)] == ["1,234", "1,234.6", "–"]
    assert [say.percent(0.684), say.percent(0.684, 1), say.percent(None)] == ["68%", "68.4%", "–"]
    assert [say.plural("{n} time", "{n} times", n) for n in (1, 1000)] == ["1 time", "1,000 times"]
