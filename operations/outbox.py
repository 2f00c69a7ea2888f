"""Delivery of messages to business systems: claimed, sent, settled; retried until the other end answers."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog

from historian import ledger, outbox
from historian.database import Historian
from plant.actor import Actor, Permission
from plant.clock import wall_now
from plant.errors import Conflict, InvalidInput, Unavailable
from plant.message import DeliveryState, OutboxMessage, Receipt
from plant.ports import Channel

_CLAIM = 100
_LEASE = timedelta(seconds=60)
_SAFE_S = 40.0
"""Of the lease: what is not on its way by then is left to the next claim, so that no two workers send one message."""
_LONGEST_WAIT_S = 60.0

log = structlog.get_logger()


async def deliver(historian: Historian, actor: Actor, channel: Channel) -> int:
    """Deliver what is due and return how many messages were settled.

    A claim is a lease: if this process dies between sending and settling, the message is sent again, which the
    other end recognises by its id.
    """
    actor.require(Permission.DELIVER_MESSAGES)
    async with historian.transaction(actor, "claim messages") as tx:
        messages = await outbox.claim(tx, _CLAIM, wall_now(), _LEASE)
    safe_until = time.monotonic() + _SAFE_S
    settled = 0
    for message in messages:
        if time.monotonic() > safe_until:
            break
        settled += await _deliver_one(historian, actor, channel, message)
    return settled


async def _deliver_one(historian: Historian, actor: Actor, channel: Channel, message: OutboxMessage) -> bool:
    try:
        receipt = await channel.send(message.kind, message.id, dict(message.payload))
    except InvalidInput as error:  # no channel will ever take it: what stands behind it must not wait for it
        receipt = Receipt(DeliveryState.REFUSED, str(error))
    except Unavailable as error:
        wait = timedelta(seconds=min(0.5 * 2 ** min(message.attempts, 10), _LONGEST_WAIT_S))
        log.warning(
            "delivery postponed", message=message.id, subject=message.subject, reason=str(error), wait=str(wait)
        )
        async with historian.transaction(actor, "postpone message") as tx:
            await outbox.postpone(tx, message.id, wall_now() + wait, str(error))
        return False
    try:
        async with historian.transaction(actor, "settle message") as tx:
            await outbox.settle(tx, message.id, receipt, wall_now())
            if receipt.state is DeliveryState.REFUSED:
                await ledger.append(tx, message.subject, "dispatch refused", None, receipt.detail)
    except Conflict as error:
        # Another worker had it, too, and the other end told us two different things: the first one counts.
        log.warning("delivered twice", message=message.id, subject=message.subject, reason=str(error))
    return True
