"""Accounts, ledger, quarantine, long jobs and the clock's anchor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from historian import accounts, clock, ledger, long_jobs, quarantine
from historian.database import Historian
from plant.actor import SYSTEM, Actor, Role
from plant.clock import Anchor
from plant.errors import Conflict, InvalidInput, NotFound
from plant.long_job import LongJob, LongJobKind, LongJobState
from plant.message import new_message_id
from plant.reading import Rejected
from plant.text import told

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROLES = frozenset({Role.PLANNER, Role.VIEWER})


async def test_an_account_and_its_sessions(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await accounts.count(tx) == 0
        assert await accounts.find(tx, "ada") is None
        await accounts.save(tx, "ada", "hash", ROLES)
        assert await accounts.find(tx, "ada") == accounts.Account("ada", "hash", ROLES)
        assert await accounts.count(tx) == 1
        await accounts.open_session(tx, b"token", "ada", NOW)
        before = NOW - timedelta(seconds=1)
        assert await accounts.session_actor(tx, b"token", before) == Actor("ada", ROLES)
        assert await accounts.session_actor(tx, b"token", NOW) is None
        assert await accounts.session_actor(tx, b"other", before) is None
        await accounts.close_session(tx, b"token")
        assert await accounts.session_actor(tx, b"token", before) is None


async def test_a_new_password_ends_the_sessions_of_its_account(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        for name in ("ada", "bob"):
            await accounts.save(tx, name, "hash", ROLES)
            await accounts.open_session(tx, name.encode(), name, NOW)
        await accounts.save(tx, "ada", "other", ROLES)
        before = NOW - timedelta(seconds=1)
        assert await accounts.session_actor(tx, b"ada", before) is None
        assert await accounts.session_actor(tx, b"bob", before) is not None
        assert await accounts.drop_expired_sessions(tx, NOW) == 1


async def test_a_name_is_taken_once_and_stays_so_out_of_use(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await accounts.insert(tx, "ada", "hash", ROLES)
        assert not await accounts.insert(tx, "ada", "other", ROLES)
        assert await accounts.find(tx, "ada") == accounts.Account("ada", "hash", ROLES)
        await accounts.open_session(tx, b"token", "ada", NOW)
        assert await accounts.disable(tx, "ada")
        assert not await accounts.disable(tx, "ada")
        assert await accounts.find(tx, "ada") is None
        assert not await accounts.insert(tx, "ada", "hash", ROLES)
        assert await accounts.everybody(tx) == [accounts.Listed("ada", ROLES, tx.at, active=False)]
        assert await accounts.drop_expired_sessions(tx, NOW) == 0  # it ended with the account


async def test_an_api_key_of_a_new_name(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await accounts.insert_api_key(tx, "erp", b"one", ROLES)
        assert not await accounts.insert_api_key(tx, "erp", b"two", ROLES)
        assert await accounts.api_key_actor(tx, b"one") == Actor("erp", ROLES)
        assert await accounts.api_keys(tx) == [accounts.Listed("erp", ROLES, tx.at)]


async def test_api_keys(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await accounts.save_api_key(tx, "mes", b"one", {Role.INTEGRATION})
        assert not await accounts.save_api_key(tx, "mes", b"one", {Role.INTEGRATION})
        assert await accounts.api_key_actor(tx, b"one") == Actor("mes", frozenset({Role.INTEGRATION}))
        assert await accounts.save_api_key(tx, "mes", b"two", {Role.INTEGRATION})
        assert await accounts.api_key_actor(tx, b"one") is None
        await accounts.revoke_api_key(tx, "mes")
        assert await accounts.api_key_actor(tx, b"two") is None
        with pytest.raises(NotFound, match="mes"):
            await accounts.revoke_api_key(tx, "mes")


async def test_the_ledger_keeps_who_changed_what_and_shows_tampering(store: Historian) -> None:
    before, after = {"n": 0.1 + 0.2, "big": 1e300, "minus": -0.0, "list": [None, True, "€"]}, Anchor(NOW, NOW, 60.0)
    async with store.transaction(Actor("ada", ROLES), "change it") as tx:
        digest = await ledger.append(tx, "thing/1", "changed", before, after)
        await ledger.append(tx, "thing/2", "made", None, None)
    async with store.transaction(SYSTEM, "test") as tx:
        (entry,) = await ledger.entries(tx, "thing/1")
        assert [one.subject for one in await ledger.entries(tx)] == ["thing/2", "thing/1"]
        assert (entry.actor, entry.use_case, entry.kind, entry.before, entry.hash) == (
            "ada",
            "change it",
            "changed",
            before,
            digest,
        )
        assert all(one.intact for one in await ledger.entries(tx))
        await tx.execute(b"update ledger set actor = 'bob' where subject = 'thing/1'")
        assert [one.intact for one in await ledger.entries(tx)] == [True, False]


async def test_the_quarantine_counts_what_comes_again(store: Historian) -> None:
    broken = Rejected("mqtt", "{not json\0\ud800", "malformed")
    async with store.transaction(SYSTEM, "test") as tx:
        await quarantine.add(tx, broken, broken, Rejected("mqtt", "x" * 9000, "malformed"))
        await quarantine.add(tx, broken, Rejected("opcua", "NaN", "not a number"))
        assert await quarantine.counts(tx) == {"mqtt": 4, "opcua": 1}
        found = {(one.source, one.payload[:9], one.repeats) for one in await quarantine.newest(tx)}
        assert found == {("mqtt", "{not json", 3), ("mqtt", "x" * 9, 1), ("opcua", "NaN", 1)}


def job(number: int) -> LongJob:
    made_at = NOW + timedelta(seconds=number)
    return LongJob(new_message_id(), LongJobKind.PLAN, f"plan {number}", "ada", LongJobState.QUEUED, made_at)


async def test_a_long_job_reports_can_be_cancelled_and_ends_once(store: Historian) -> None:
    first, second = job(1), job(2)
    async with store.transaction(SYSTEM, "test") as tx:
        await long_jobs.insert(tx, first)
        await long_jobs.insert(tx, second)
        assert await long_jobs.newest(tx) == [second, first]
        assert not await long_jobs.report(tx, first.id, 0.5, "solving")
        await long_jobs.request_cancel(tx, first.id)
        assert await long_jobs.report(tx, first.id, 0.75, "rehearsing")
        running = await long_jobs.get(tx, first.id)
        assert (running.state, running.share, running.doing) == (LongJobState.RUNNING, 0.75, "rehearsing")
        doing = told("rehearsing {n:count} futures; {late}", n=1000, late=told("{h:hours} late", h=2.5))
        await long_jobs.report(tx, first.id, 0.8, doing)
        assert (await long_jobs.get(tx, first.id)).doing == doing
        await long_jobs.finish(tx, first.id, LongJobState.DONE, "plan-1")
        done = await long_jobs.get(tx, first.id)
        assert (done.state, done.share, done.result) == (LongJobState.DONE, 1.0, "plan-1")
        await long_jobs.request_cancel(tx, first.id)
        for again in (
            long_jobs.report(tx, first.id, 1.0, "more"),
            long_jobs.finish(tx, first.id, LongJobState.FAILED, error="no"),
        ):
            with pytest.raises(Conflict, match=first.id):
                await again
        with pytest.raises(InvalidInput, match="not an end"):
            await long_jobs.finish(tx, second.id, LongJobState.RUNNING)
        with pytest.raises(NotFound, match="unknown"):
            await long_jobs.get(tx, new_message_id())


async def test_the_last_anchor_holds(store: Historian) -> None:
    async with store.transaction(SYSTEM, "test") as tx:
        assert await clock.anchor(tx) is None
        for rate in (60.0, 120.0):
            await clock.set_anchor(tx, Anchor(NOW, NOW + timedelta(seconds=1), rate))
        assert await clock.anchor(tx) == Anchor(NOW, NOW + timedelta(seconds=1), 120.0)
