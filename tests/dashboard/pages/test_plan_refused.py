"""What the MES refused: shown to who may see orders, and no reproach to who may not."""

from __future__ import annotations

import asyncio

from dashboard.changes import Parts
from dashboard.pages import plan_refused
from dashboard.words import Words
from plant.actor import Actor, Role
from tests.dashboard.factory import ANNA, MemoryLive, MemoryViews, actor_now
from tests.dashboard.pages.test_plan import texts


def parts(views: MemoryViews, actor: Actor, language: str = "en") -> Parts:
    async def ask() -> Parts:
        actor_now.set(actor)
        return await plan_refused._parts(views, Words(language))

    return asyncio.run(ask())


def test_it_is_hidden_while_nothing_is_refused_and_from_who_sees_no_orders() -> None:
    views = MemoryViews(MemoryLive())
    assert parts(views, ANNA)["plan-refused", ""]["className"] == "hidden"
    views.refuse("CO-1/1-10", "unknown machine")
    assert parts(views, Actor("olaf", frozenset({Role.OPERATOR})))["plan-refused", ""]["className"] == "hidden"
    assert "CO-1/1-10" in texts(parts(views, ANNA)["plan-refused", ""]["children"])


def test_the_mes_reason_stays_as_it_was_said() -> None:
    views = MemoryViews(MemoryLive())
    views.refuse("CO-1/1-10", "unknown machine {M08}")
    told = texts(parts(views, ANNA, "zh")["plan-refused", ""]["children"])
    assert "MES 拒绝了 1 个作业单" in told
    assert "unknown machine {M08}" in told
