"""Sends the MES's job responses to the gateway: in order, again and again until each is taken or refused for good."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import structlog

_RESPONSE_FIELDS = ("id", "job_order", "at", "machine", "good", "scrap", "reason")
_RETRY_FIRST_S, _RETRY_LAST_S = 0.1, 5.0
_TRY_AGAIN = (401, 408, 425, 429)
"""Answers below 500 that another try may turn into a 2xx."""
_log = structlog.get_logger(__name__)


class ResponseSender:
    """Delivers job responses, which are the log's ``job`` entries, one at a time.

    Parameters
    ----------
    delivered
        Number of the last entry that was settled before this process.
    on_refused
        Called with a response and the gateway's answer when it refused the response for good.
    """

    def __init__(
        self, gateway_url: str, api_key: str, delivered: int, on_refused: Callable[[dict[str, Any], str], None]
    ) -> None:
        self._url = f"{gateway_url.rstrip('/')}/api/v1/job-responses"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._waiting: deque[dict[str, Any]] = deque()
        self._there_is_work = asyncio.Event()
        self._on_refused = on_refused
        self.delivered = delivered
        """Number of the last entry the gateway has taken or refused."""

    @property
    def waiting(self) -> int:
        """Responses the gateway has not settled."""
        return len(self._waiting)

    def queue(self, entry: dict[str, Any]) -> None:
        """Queue a ``job`` entry of the log."""
        self._waiting.append(entry)
        self._there_is_work.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with httpx.AsyncClient(headers=self._headers, timeout=10, trust_env=False) as client:
            while True:
                await self._there_is_work.wait()
                while self._waiting:
                    await self._deliver(client, self._waiting[0])
                    self.delivered = self._waiting.popleft()["n"]
                self._there_is_work.clear()

    async def _deliver(self, client: httpx.AsyncClient, entry: dict[str, Any]) -> None:
        """Post one response until it is settled; what stands behind it waits."""
        pause_s, failure = _RETRY_FIRST_S, ""
        while True:
            answer = await self._post(client, entry)
            if answer is None:
                if failure:
                    _log.info("gateway answers again", after=failure)
                return
            if answer != failure:
                _log.warning("job response not taken, trying again", job_order=entry["job_order"], answer=answer)
            failure = answer
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RETRY_LAST_S)

    async def _post(self, client: httpx.AsyncClient, entry: dict[str, Any]) -> str | None:
        """Post once; return None when it is settled, else why another try is needed."""
        try:
            answer = await client.post(self._url, json=body_of(entry))
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        if answer.is_success:
            return None
        told = f"{answer.status_code} {answer.text[:500]}"
        if answer.status_code >= 500 or answer.status_code in _TRY_AGAIN or answer.is_redirect:
            return told
        _log.error("job response refused", job_order=entry["job_order"], answer=told)
        self._on_refused(entry, told)
        return None


def body_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the job response that a ``job`` entry records, as the gateway takes it."""
    return {"kind": entry["response"], **{name: entry[name] for name in _RESPONSE_FIELDS}}
