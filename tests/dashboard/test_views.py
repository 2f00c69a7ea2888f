"""The pages' contract, held against the factory in memory the other tests here run on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from plant.actor import Actor
from tests.dashboard.contract import LiveContract, ViewsContract
from tests.dashboard.factory import MemoryLive, MemoryViews, actor_now

T = TypeVar("T")


class _Memory:
    def __init__(self) -> None:
        self.live = MemoryLive()
        self.views = MemoryViews(self.live)
        self.passing_plan, self.refused_plan = "plan-1", "plan-2"
        self.calibration = self.views.calibrations[0].id

    def ask(self, actor: Actor | None, question: Callable[[], Awaitable[T]]) -> T:
        async def asked() -> T:
            actor_now.set(actor)
            return await question()

        return asyncio.run(asked())


class TestMemory(ViewsContract, LiveContract):
    @pytest.fixture
    def subject(self) -> _Memory:
        return _Memory()
