"""Delivery of messages to business systems: claimed, sent, settled; retried until the other end takes or refuses."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from prometheus_client import Counter

from historian import ledger, orders, outbox
from historian.database import Historian, Transaction
from plant.actor import Actor, Permission
from plant.clock import wall_now
from plant.errors import Conflict, InvalidInput, NotFound, Unavailable
from plant.message import (
    DeliveryState,
    MessageKind,
    OutboxMessage,
    Receipt,
    RefusedMessage,
    new_message_id,
)
from plant.order import JobState
from plant.ports import Channel
from plant.text import told

_CLAIM = 100
_LEASE = timedelta(seconds=60)
_SAFE_S = 40.0
"""Of the lease: what is not on its way by then is left to the next claim, so that no two workers send one message."""
_LONGEST_WAIT_S = 60.0
_LONGEST_PAUSE_S = 3600.0
"""The most of what the other end asks to be left alone for: a wrong header must not end all dispatch."""

DELIVERED = Counter("forerun_messages_delivered", "Messages to business systems that were taken", ["kind"])
REFUSED = Counter("forerun_messages_refused", "Messages that were refused for good and are parked", ["kind"])
POSTPONED = Counter("forerun_messages_postponed", "Attempts after which a message waits for another one", ["kind"])

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
    for place, message in enumerate(messages):
        if time.monotonic() > safe_until:
            break
        try:
            receipt = await _send(channel, message)
        except Unavailable as error:
            await _postpone(historian, actor, message, error)
            if error.retry_after_s is not None:  # it asked to be left alone, not to be asked something else
                for other in messages[place + 1 :]:
                    await _postpone(historian, actor, other, error)
                break
        else:
            await _settle(historian, actor, message, receipt)
            settled += 1
    return settled


async def _send(channel: Channel, message: OutboxMessage) -> Receipt:
    try:
        return await channel.send(message.kind, message.id, dict(message.payload))
    except InvalidInput as error:  # no channel will ever take it: what stands behind it must not wait for it
        return Receipt(DeliveryState.REFUSED, str(error))


async def _postpone(historian: Historian, actor: Actor, message: OutboxMessage, error: Unavailable) -> None:
    wait_s = min(0.5 * 2 ** min(message.attempts, 10), _LONGEST_WAIT_S)
    wait = timedelta(seconds=max(wait_s, min(error.retry_after_s or 0.0, _LONGEST_PAUSE_S)))
    log.warning("delivery postponed", message=message.id, subject=message.subject, reason=str(error), wait=str(wait))
    async with historian.transaction(actor, "postpone message") as tx:
        await outbox.postpone(tx, message.id, wall_now() + wait, str(error))
    POSTPONED.labels(message.kind).inc()


async def _settle(historian: Historian, actor: Actor, message: OutboxMessage, receipt: Receipt) -> None:
    refused = receipt.state is DeliveryState.REFUSED
    try:
        async with historian.transaction(actor, "settle message") as tx:
            await outbox.settle(tx, message.id, receipt, wall_now())
            if refused:
                await ledger.append(tx, message.subject, "dispatch refused", None, receipt.detail)
    except Conflict as error:
        # Another worker had it, too, and the other end told us two different things: the first one counts.
        log.warning("delivered twice", message=message.id, subject=message.subject, reason=str(error))
        return
    if refused:
        log.warning("message refused", message=message.id, subject=message.subject, reason=receipt.detail)
    (REFUSED if refused else DELIVERED).labels(message.kind).inc()


async def refused(historian: Historian, actor: Actor) -> list[RefusedMessage]:
    """Return the messages that were refused for good and still matter, refused last first.

    One that a later message about the same job order followed does not matter any more, nor one about a job order
    that has begun: that is how a new plan's order for it is refused, rightly.
    """
    actor.require(Permission.VIEW_ORDERS)
    async with historian.transaction(actor, "list refused messages") as tx:
        return await _parked(tx)


async def _parked(tx: Transaction) -> list[RefusedMessage]:
    found = await outbox.refused(tx)
    open_jobs = await orders.jobs(tx, open_only=True) if found else []
    waiting = {f"job-order/{one.job.id}" for one in open_jobs if one.state is not JobState.RUNNING}
    return [message for message in found if message.kind is not MessageKind.DISPATCH or message.subject in waiting]


async def send_again(historian: Historian, actor: Actor, message_id: str) -> OutboxMessage:
    """Send a refused message once more, when what was wrong at the other end is mended, and return it.

    It goes as a new message with an id of its own: under the old one the other end may just repeat its answer.

    Raises
    ------
    NotFound
        If no message of this id is parked: it was taken, sent again or replaced by a later one, or its job has begun.
    """
    actor.require(Permission.RELEASE_PLANS)
    async with historian.transaction(actor, "send message again") as tx:
        parked = {message.id: message for message in await _parked(tx)}
        if message_id not in parked:
            raise NotFound(
                told(
                    "no refused message '{message}' waits: it was taken or replaced by a later one, or its job order "
                    "has begun; list the refused messages again",
                    message=message_id,
                )
            )
        old = parked[message_id]
        message = OutboxMessage(new_message_id(), old.kind, old.subject, old.payload)
        await outbox.add(tx, message)
        await ledger.append(tx, old.subject, "sent again", old.reason, {"refused": old.id, "message": message.id})
    return message
