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
from plant.errors import InvalidInput, NotFound, Unavailable
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt, new_message_id
from tests.operations.shop import PLANNER, ledger_of, order, report, response, take_messages, with_orders

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


async def test_what_the_other_end_asks_for_is_waited_and_nothing_else_is_sent_meanwhile(historian: Historian) -> None:
    await _put(historian, "a", "b", "c")
    channel = Channel(b=[Unavailable("busy", retry_after_s=90.0)])
    before = datetime.now(UTC)
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert channel.names == ["a", "b"]
    async with historian.transaction(SYSTEM, "test") as tx:
        due_at = await store.next_due(tx)
        assert await store.pending(tx) == 2
    assert due_at is not None
    assert before <= due_at - timedelta(seconds=90) <= datetime.now(UTC)
    await _make_due(historian)
    assert await outbox.deliver(historian, SYSTEM, channel) == 2


async def test_a_wish_to_be_left_alone_for_ever_is_an_hour(historian: Historian) -> None:
    await _put(historian, "a")
    before = datetime.now(UTC)
    await outbox.deliver(historian, SYSTEM, Channel(a=[Unavailable("busy", retry_after_s=1e9)]))
    async with historian.transaction(SYSTEM, "test") as tx:
        due_at = await store.next_due(tx)
    assert due_at is not None
    assert before <= due_at - timedelta(hours=1) <= datetime.now(UTC)


NO = Receipt(DeliveryState.REFUSED, "unknown machine L1")
JOB = "job-order/CO-1/1-10"


async def _refused(historian: Historian) -> list[str]:
    return [message.id for message in await outbox.refused(historian, PLANNER)]


async def _parked(historian: Historian) -> str:
    """Have a message about the first job order refused and return its id."""
    await with_orders(historian, order("CO-1"))
    (id_,) = await _put(historian, "a", subject=JOB)
    await outbox.deliver(historian, SYSTEM, Channel(a=[NO]))
    return id_


async def test_what_is_refused_is_parked_with_its_reason_and_counted(historian: Historian) -> None:
    before = outbox.REFUSED.labels("dispatch")._value.get()
    id_ = await _parked(historian)
    (parked,) = await outbox.refused(historian, PLANNER)
    assert (parked.id, parked.kind, parked.subject) == (id_, MessageKind.DISPATCH, JOB)
    assert (parked.reason, parked.payload, parked.attempts) == ("unknown machine L1", {"id": "a"}, 1)
    assert parked.created_at <= parked.refused_at
    assert outbox.REFUSED.labels("dispatch")._value.get() == before + 1
    await _make_due(historian)
    assert await outbox.deliver(historian, SYSTEM, Channel()) == 0


async def test_what_is_sent_again_goes_once_under_a_new_id(historian: Historian) -> None:
    id_ = await _parked(historian)
    message = await outbox.send_again(historian, PLANNER, id_)
    assert await _refused(historian) == []
    with pytest.raises(NotFound, match="list the refused messages again"):
        await outbox.send_again(historian, PLANNER, id_)
    channel = Channel()
    assert await outbox.deliver(historian, SYSTEM, channel) == 1
    assert channel.came == [(message.id, "a")]
    assert message.id > id_
    refused, again = await ledger_of(historian, JOB)
    assert (refused.kind, refused.after) == ("dispatch refused", "unknown machine L1")
    assert (again.kind, again.actor, again.before) == ("sent again", PLANNER.name, "unknown machine L1")


async def test_what_is_refused_again_is_parked_again(historian: Historian) -> None:
    message = await outbox.send_again(historian, PLANNER, await _parked(historian))
    await outbox.deliver(historian, SYSTEM, Channel(a=[NO]))
    assert await _refused(historian) == [message.id]


async def test_a_later_message_takes_the_place_of_a_refused_one(historian: Historian) -> None:
    id_ = await _parked(historian)
    (later,) = await _put(historian, "a", subject=JOB)
    assert await _refused(historian) == []
    with pytest.raises(NotFound):
        await outbox.send_again(historian, PLANNER, id_)
    await outbox.deliver(historian, SYSTEM, Channel(a=[NO]))
    assert await _refused(historian) == [later]


@pytest.mark.parametrize("kind", ["started", "completed"])
async def test_a_job_that_has_begun_needs_no_order_any_more(historian: Historian, kind: str) -> None:
    id_ = await _parked(historian)
    await report(historian, response("CO-1/1-10", kind))
    assert await _refused(historian) == []
    with pytest.raises(NotFound, match="has begun"):
        await outbox.send_again(historian, PLANNER, id_)


@pytest.mark.parametrize("id_", ["", "no id", "01890000-0000-7000-8000-000000000000"])
async def test_a_message_nobody_knows_cannot_be_sent_again(historian: Historian, id_: str) -> None:
    with pytest.raises(NotFound):
        await outbox.send_again(historian, PLANNER, id_)
