"""Delivery: in order within a subject, again after a crash, later when the other end is away, never stuck on one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from historian import outbox as store
from historian.database import Historian
from operations import outbox
from plant.actor import SYSTEM
from plant.errors import InvalidInput, Unavailable
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt, new_message_id
from tests.operations.shop import ledger_of, take_messages

Answer = Receipt | Exception


class Channel:
    """The other end: answers per payload, and remembers what came."""

    def __init__(self, **answers: Sequence[Answer]) -> None:
        self.came: list[tuple[str, str]] = []
        self._answers = {name: list(told) for name, told in answers.items()}

    async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
        self.came.append((message_id, payload["id"]))
        told = self._answers.get(payload["id"])
        answer = told.pop(0) if told else Receipt(DeliveryState.DELIVERED)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.came]


async def _put(historian: Historian, *names: str, subject: str | None = None) -> list[str]:
    ids = sorted(new_message_id() for _ in names)
    async with historian.transaction(SYSTEM, "test") as tx:
        for id_, name in zip(ids, names, strict=True):
            await store.add(tx, OutboxMessage(id_, MessageKind.DISPATCH, subject or name, {"id": name}))
    return ids


async def _pending(historian: Historian) -> int:
    async with historian.transaction(SYSTEM, "test") as tx:
        return await store.pending(tx)


async def _make_due(historian: Historian) -> None:
    """Let all waiting times pass."""
    async with historian.transaction(SYSTEM, "test") as tx:
        await tx.execute(b"update outbox set due_at = %s", [datetime.now(UTC)])


async def test_messages_are_delivered_once(historian: Historian) -> None:
    await _put(historian, "a", "b")
    channel = Channel()
    assert await outbox.deliver(historian, SYSTEM, channel) == 2
    assert await outbox.deliver(historian, SYSTEM, channel) == 0
    assert channel.names == ["a", "b"]
    assert await _pending(historian) == 0


async def test_those_of_one_subject_go_one_after_the_other(historian: Historian) -> None:
    await _put(historian, "a1", "a2", "a3", subject="a")
    await _put(historian, "b")
    channel = Channel(a2=[Unavailable("busy")])
    assert await outbox.deliver(historian, SYSTEM, channel) == 2
    assert await outbox.deliver(historian, SYSTEM, channel) == 0
    assert await outbox.deliver(historian, SYSTEM, channel) == 0  # a2 waits, and a3 for it
    await _make_due(historian)
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert channel.names == ["a1", "b", "a2", "a2", "a3"]


async def test_what_cannot_be_delivered_waits_longer_each_time_up_to_a_minute(historian: Historian) -> None:
    await _put(historian, "a")
    for wait_s in (1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60):
        await _make_due(historian)
        before = datetime.now(UTC)
        assert await outbox.deliver(historian, SYSTEM, Channel(a=[Unavailable("no answer")])) == 0
        async with historian.transaction(SYSTEM, "test") as tx:
            due_at = await store.next_due(tx)
        assert due_at is not None
        assert before <= due_at - timedelta(seconds=wait_s) <= datetime.now(UTC)
    async with historian.transaction(SYSTEM, "test") as tx:
        assert await tx.value(b"select detail from outbox") == "no answer"


async def test_a_worker_that_dies_after_sending_sends_again_under_the_same_id(historian: Historian) -> None:
    (id_,) = await _put(historian, "a")
    channel = Channel()
    (message,) = await take_messages(historian)  # claimed with a lease that has run out
    await channel.send(message.kind, message.id, dict(message.payload))
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert channel.came == [(id_, "a"), (id_, "a")]


async def test_what_is_claimed_by_another_worker_is_left_to_it(historian: Historian) -> None:
    await _put(historian, "a")
    async with historian.transaction(SYSTEM, "test") as tx:
        await store.claim(tx, 10, datetime.now(UTC), timedelta(minutes=1))
    assert await outbox.deliver(historian, SYSTEM, Channel()) == 0


async def test_a_refusal_is_final_and_in_the_ledger(historian: Historian) -> None:
    await _put(historian, "a")
    channel = Channel(a=[Receipt(DeliveryState.REFUSED, "has begun already")])
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert await outbox.deliver(historian, SYSTEM, channel) == 0
    (entry,) = await ledger_of(historian, "a")
    assert (entry.kind, entry.after) == ("dispatch refused", "has begun already")


async def test_a_message_the_channel_does_not_know_holds_up_nobody(historian: Historian) -> None:
    await _put(historian, "odd", "next", subject="a")
    await _put(historian, "b")
    channel = Channel(odd=[InvalidInput("no such kind")])
    assert await outbox.deliver(historian, SYSTEM, channel) == 2
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert channel.names == ["odd", "b", "next"]


async def test_a_message_another_worker_settled_differently_does_not_stop_the_rest(historian: Historian) -> None:
    first, _ = await _put(historian, "a", "b")

    class Slow(Channel):
        async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
            if message_id == first:
                async with historian.transaction(SYSTEM, "the other worker") as tx:
                    await store.settle(tx, first, Receipt(DeliveryState.REFUSED, "begun"), datetime.now(UTC))
            return await super().send(kind, message_id, payload)

    assert await outbox.deliver(historian, SYSTEM, Slow()) == 2
    async with historian.transaction(SYSTEM, "test") as tx:
        states = await tx.all(b"select state from outbox order by id")
    assert [row["state"] for row in states] == ["refused", "delivered"]


async def test_what_would_outlast_its_lease_is_left_to_the_next_claim(
    historian: Historian, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _put(historian, "a", "b", "c")
    monkeypatch.setattr(outbox, "_SAFE_S", -1.0)
    channel = Channel()
    assert await outbox.deliver(historian, SYSTEM, channel) == 0
    assert channel.came == []
    assert await _pending(historian) == 3
