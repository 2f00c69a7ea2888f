"""Delivery of messages to business systems: claimed, sent, settled; retried until the other end answers."""

from __future__ import annotations

import structlog

from historian import ledger, outbox
from operations.store import Store
from plant.actor import Actor, Permission
from plant.clock import wall_now
from plant.errors import Unavailable
from plant.message import DeliveryState, OutboxMessage
from plant.ports import Channel

_CLAIM = 100

log = structlog.get_logger()


async def deliver(store: Store, actor: Actor, channel: Channel) -> int:
    """Deliver what is due and return how many messages were settled.

    A claim is a lease: if this process dies between sending and settling, the message is sent again, which the
    other end recognises by its id.
    """
    actor.require(Permission.DELIVER_MESSAGES)
    async with store.transaction(actor, "claim messages") as tx:
        messages = await outbox.claim(tx, _CLAIM, wall_now())
    settled = 0
    for message in messages:
        settled += await _deliver_one(store, actor, channel, message)
    return settled


async def _deliver_one(store: Store, actor: Actor, channel: Channel, message: OutboxMessage) -> bool:
    try:
        receipt = await channel.send(message.kind, message.id, dict(message.payload))
    except Unavailable as error:
        async with store.transaction(actor, "postpone message") as tx:
            due_at = await outbox.retry(tx, message, wall_now(), str(error))
        log.warning(
            "delivery postponed", message=message.id, subject=message.subject, until=str(due_at), reason=str(error)
        )
        return False
    async with store.transaction(actor, "settle message") as tx:
        await outbox.settle(tx, message.id, receipt)
        if receipt.state is DeliveryState.REFUSED:
            await ledger.append(tx, message.subject, "dispatch refused", None, receipt.detail)
    return True
