"""The outbox: every message delivered, those of one subject in order, none by two workers at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from historian import outbox
from historian.database import Channel, Historian
from plant.actor import SYSTEM
from plant.errors import Conflict, InvalidInput
from plant.message import DeliveryState, MessageKind, OutboxMessage, Receipt

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
TAKEN = Receipt(DeliveryState.DELIVERED)


def message(number: int, subject: str) -> OutboxMessage:
    id_ = f"00000000-0000-7000-8000-{number:012}"
    return OutboxMessage(id_, MessageKind.DISPATCH, subject, {"n": number, "nested": {"a": [1.5, None]}}, due_at=NOW)


async def put(store: Historian, *messages: OutboxMessage) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        for one in messages:
            await outbox.add(tx, one)


async def claim(store: Historian, now: datetime = NOW, limit: int = 10) -> list[OutboxMessage]:
    async with store.transaction(SYSTEM, "test") as tx:
        return await outbox.claim(tx, limit, now, LEASE)


async def settle(store: Historian, message_id: str, receipt: Receipt = TAKEN) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        await outbox.settle(tx, message_id, receipt, NOW)


async def test_messages_come_out_as_they_went_in(store: Historian) -> None:
    await put(store, message(1, "a"))
    (found,) = await claim(store)
    assert found == OutboxMessage(
        message(1, "a").id, MessageKind.DISPATCH, "a", message(1, "a").payload, attempts=1, due_at=NOW + LEASE
    )


async def test_of_one_subject_only_the_first_goes_until_it_is_settled(store: Historian) -> None:
    one, two, three = message(1, "a"), message(2, "a"), message(3, "b")
    await put(store, three, two, one)
    assert [found.id for found in await claim(store)] == [one.id, three.id]
    assert await claim(store) == []
    await settle(store, one.id, Receipt(DeliveryState.REFUSED, "already begun"))
    assert [found.id for found in await claim(store)] == [two.id]
    async with store.transaction(SYSTEM, "test") as tx:
        assert await outbox.pending(tx) == 2


async def test_a_lease_that_ran_out_is_claimed_again(store: Historian) -> None:
    await put(store, message(1, "a"))
    await claim(store)
    assert await claim(store, NOW + LEASE - timedelta(seconds=1)) == []
    (again,) = await claim(store, NOW + LEASE)
    assert again.attempts == 2


async def test_a_postponed_message_waits_and_keeps_its_place(store: Historian) -> None:
    await put(store, message(1, "a"), message(2, "a"))
    (first,) = await claim(store)
    later = NOW + timedelta(minutes=5)
    async with store.transaction(SYSTEM, "test") as tx:
        await outbox.postpone(tx, first.id, later, "no answer")
        assert await outbox.next_due(tx) == NOW
    assert await claim(store, NOW + LEASE) == []
    assert [found.id for found in await claim(store, later)] == [first.id]


async def test_the_limit_holds(store: Historian) -> None:
    await put(store, *[message(n, f"s{n}") for n in range(5)])
    assert [found.id for found in await claim(store, limit=2)] == [message(n, "").id for n in range(2)]


async def test_settling_twice_the_same_way_is_harmless_and_otherwise_refused(store: Historian) -> None:
    await put(store, message(1, "a"))
    await settle(store, message(1, "a").id)
    await settle(store, message(1, "a").id)
    with pytest.raises(Conflict, match="is delivered"):
        await settle(store, message(1, "a").id, Receipt(DeliveryState.REFUSED))
    with pytest.raises(Conflict, match="is unknown"):
        await settle(store, message(2, "a").id)
    with pytest.raises(InvalidInput):
        await settle(store, message(1, "a").id, Receipt(DeliveryState.PENDING))


async def test_workers_at_once_never_claim_the_same(historian: Historian) -> None:
    await put(historian, *[message(n, f"s{n % 20}") for n in range(40)])
    claims = await asyncio.gather(*(claim(historian, limit=4) for _ in range(8)))
    ids = [found.id for one in claims for found in one]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {message(n, "").id for n in range(20)}


async def test_a_message_is_told_of_when_its_transaction_commits(historian: Historian) -> None:
    notices = historian.listen([Channel.OUTBOX])
    assert (await anext(notices)).payload == ""  # listening now
    with pytest.raises(Conflict):
        await put(historian, message(1, "a"), message(1, "a"))
    await put(historian, message(2, "a"))
    async with historian.transaction(SYSTEM, "test") as tx:
        await outbox.settle(tx, message(2, "a").id, TAKEN, NOW)
    heard = [await asyncio.wait_for(anext(notices), 10) for _ in range(2)]
    assert [notice.payload for notice in heard] == ["", message(2, "a").id]
    await notices.aclose()


async def test_of_what_was_refused_the_last_word_per_subject_is_told(store: Historian) -> None:
    await put(store, message(1, "a"), message(2, "a"), message(3, "b"), message(4, "c"), message(5, "d"))
    for number, receipt in ((1, "no"), (2, "no again"), (3, "no"), (4, "no")):
        async with store.transaction(SYSTEM, "test") as tx:
            at = NOW + timedelta(seconds=number)
            await outbox.settle(tx, message(number, "").id, Receipt(DeliveryState.REFUSED, receipt), at)
    await put(store, message(6, "b"))
    async with store.transaction(SYSTEM, "test") as tx:
        found = await outbox.refused(tx)
    assert [(one.id, one.subject, one.reason) for one in found] == [
        (message(4, "").id, "c", "no"),
        (message(2, "").id, "a", "no again"),
    ]
    assert found[1].refused_at == NOW + timedelta(seconds=2)
    assert found[1].payload == message(2, "a").payload
