"""Job orders to an MES over REST: one idempotent PUT per job order."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from plant.clock import wall_now
from plant.errors import InvalidInput, Unavailable
from plant.message import DeliveryState, MessageKind, Receipt

_TIMEOUT_S = 10.0
_LONGEST_TOLD = 2000
_REFUSALS = {400, 404, 405, 409, 410, 413, 414, 415, 422}
"""Answers that say that this message cannot be taken; the same again would be answered the same."""


class MesChannel:
    """The channel to an MES at `base_url`.

    Every message carries its id as `Idempotency-Key`. 2xx is delivered, and so is 409 with a `revision` in the JSON
    body that is not older than ours: the MES had it already. Otherwise what says that the message cannot be taken
    (such as 400, 404, 409, 413, 422, without `Retry-After`) is refused for good, with the MES's reason. Everything
    else means trying again later: the MES is away or busy, or does not let us in.
    """

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_S, trust_env=False)

    async def __aenter__(self) -> MesChannel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, kind: str, message_id: str, payload: dict[str, Any]) -> Receipt:
        """Send one message; see `plant.ports.Channel`."""
        if kind != MessageKind.DISPATCH:
            raise InvalidInput(f"the MES channel does not know messages of kind {kind!r}")
        body = {key: value for key, value in payload.items() if key != "id"}
        path = f"/job-orders/{quote(payload['id'], safe='')}"
        try:
            response = await self._client.put(path, json=body, headers={"Idempotency-Key": message_id})
        except httpx.HTTPError as error:
            raise Unavailable(f"the MES at {self._client.base_url} does not answer: {error!r}") from error
        if response.is_success:
            return Receipt(DeliveryState.DELIVERED, _result(response))
        if response.status_code == 409 and _has_already(response, payload):
            return Receipt(DeliveryState.DELIVERED, "known already")
        answer = f"the MES answered {response.status_code} to {payload['id']}: {response.text[:_LONGEST_TOLD]}"
        retry_after = response.headers.get("Retry-After")
        if response.status_code in _REFUSALS and retry_after is None:
            return Receipt(DeliveryState.REFUSED, answer)
        raise Unavailable(answer, retry_after_s=_seconds(retry_after))


def _result(response: httpx.Response) -> str:
    """Return what an MES says it did; that it took the message is said by the status, so the rest may be anything."""
    told = _told(response)
    return response.text[:200] if told is None else str(told.get("result", ""))


def _has_already(response: httpx.Response, payload: dict[str, Any]) -> bool:
    """Tell whether a conflict is one with this very message, or with a later one, that came before."""
    known = (_told(response) or {}).get("revision")
    return isinstance(known, int) and known >= payload["revision"]


def _told(response: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer, an empty one for other JSON, None when it is none."""
    try:
        told = response.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else {}


def _seconds(retry_after: str | None) -> float | None:
    """Return how long `Retry-After` (RFC 9110: seconds, or an HTTP date) asks to wait; None when it does not say."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": UTC, of a sender that does not tell where it stands
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - wall_now()).total_seconds())
