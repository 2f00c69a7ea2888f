"""Texts, numbers and times in both languages; nothing is left untranslated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard.catalogue import TELLERS, extract, read
from dashboard.words import LANGUAGES, Words, choose_language
from plant import errors
from plant.actor import Actor, Permission, Role
from plant.errors import Denied
from plant.long_job import LongJobState
from plant.order import Priority
from plant.plan import PlanState
from plant.text import Told, told
from scheduler.rules import RULES

ROOT = Path(__file__).parents[2]
REACH_PAGES = (
    "historian/errors.py",
    "historian/long_jobs.py",
    "historian/plans.py",
    "historian/plants.py",
    "methods/work.py",
    "operations/access.py",
    "operations/floor.py",
    "operations/gate.py",
    "operations/jobs.py",
    "operations/planning.py",
    "operations/rehearsal.py",
    "plant/actor.py",
    "runtime/compute.py",
    "runtime/jobs.py",
    "scheduler/keep.py",
    "scheduler/rules.py",
    "scheduler/solve.py",
    "twin/graph.py",
)
"""Modules whose errors a page shows to whoever asked for something, or as the end of planning work."""
OTHER_LANGUAGES = sorted(set(LANGUAGES) - {"en"})


def _marked_in_code() -> set[str]:
    """Every literal handed to ``say``, ``mark``, ``plural`` or ``told``, also in f-strings, which extraction skips."""
    found = set()
    for file in (file for package in ("dashboard", *TELLERS) for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("say", "mark", "plural", "told"):
                texts = node.args[: 2 if name == "plural" else 1]
                found |= {text.value for text in texts if isinstance(text, ast.Constant)}
    return found


def _ids(message_id: object) -> set[str]:
    return set(message_id) if isinstance(message_id, (list, tuple)) else {str(message_id)}


def test_every_text_in_the_code_is_extracted() -> None:
    extracted = set().union(*(_ids(message.id) for message in extract() if message.id))
    assert _marked_in_code() == extracted


def _is_told(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "told"


def _raised(tree: ast.Module) -> Iterator[ast.expr]:
    """The text of each of our errors that is raised or required."""
    ours = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if getattr(node.exc.func, "id", "") in ours | {"Interfered"} - {"GateRefused"}:
                yield node.exc.args[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
            yield node.args[1]


@pytest.mark.parametrize("module", REACH_PAGES)
def test_what_goes_wrong_below_a_page_can_be_told_in_every_language(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    plain = [ast.unparse(text) for text in _raised(tree) if not _is_told(text)]
    assert not plain, f"{module}: raise these with told(...)"
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _is_told(call):
            assert isinstance(call.args[0], ast.Constant), f"{module}:{call.lineno}: a template is a literal"


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_every_word_that_is_filled_in_is_translated(language: str) -> None:
    words = {*Permission, *Role, *Priority, *PlanState, *LongJobState, *(rule.name for rule in RULES)}
    known = {message.id for message in read(language)}
    abbreviations = {word for word in words if word.isupper()}
    assert {str(word) for word in words - abbreviations} - known == set()


def test_a_refusal_is_told_in_the_readers_language() -> None:
    with pytest.raises(Denied) as denied:
        Actor("vic", frozenset({Role.VIEWER, Role.ADMIN})).require(Permission.RELEASE_PLANS)
    assert str(denied.value) == ("vic (admin, viewer) may not release plans; ask an administrator for a role that may")
    assert Words("en").tell(denied.value.text) == str(denied.value)
    assert Words("zh").tell(denied.value.text) == "vic（管理员、查看者）无权下达计划；请向管理员申请有此权限的角色"


def test_texts_from_below_keep_the_plants_clock_and_the_readers_numbers() -> None:
    moment = datetime(2026, 1, 5, 7, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    late = told("half of the futures finish it by {at:moment}, {late:span} late", at=moment, late=5400)
    assert Words("en").tell(late) == "half of the futures finish it by Mon 5 Jan 07:30, 1 h 30 min late"
    assert Words("zh").tell(late) == "半数推演在 1月5日周一 07:30 前完工，延误 1 小时 30 分"
    futures = told("rehearsing {n:count} futures", n=1000)
    assert Words("zh").tell(told("{doing}; weighted tardiness {late:hours}", doing=futures, late=3.25)) == (
        "正在推演 1,000 种未来；加权延误 3.2 小时"
    )
    assert Words("zh").tell("written by a person") == "written by a person"
    assert Words("zh").tell(Told("never translated {a:percent}", {"a": 0.825})) == "never translated 82.5%"


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
        wanted = set(re.findall(r"{([\w:]+)}", " ".join(_ids(message.id))))
        for string in strings:
            assert set(re.findall(r"{([\w:]+)}", string)) == wanted, message.id


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


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.9981, ">\u00a099%"), (0.99, "99%"), (0.42, "42%"), (0.0019, "<\u00a01%"), (0.0, "0%")],
)
def test_only_what_is_certain_is_told_as_certain(share: float, text: str) -> None:
    assert [Words("en").likelihood(share), Words("zh").likelihood(share)] == [text, text]


def test_numbers() -> None:
    say = Words("en")
    assert [say.number(1234.5), say.number(1234.56, 1), say.number(None)] == ["1,234", "1,234.6", "–"]
    assert [say.percent(0.684), say.percent(0.684, 1), say.percent(None)] == ["68%", "68.4%", "–"]
    assert [say.plural("{n} time", "{n} times", n) for n in (1, 1000)] == ["1 time", "1,000 times"]
