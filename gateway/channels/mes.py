"""Job orders to an MES over REST: one idempotent PUT per job order."""

from __future__ import annotations

from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from plant.errors import InvalidInput, Unavailable
from plant.message import DeliveryState, MessageKind, Receipt

_TIMEOUT_S = 10.0


class MesChannel:
    """The channel to an MES at `base_url`.

    Every message carries its id as `Idempotency-Key`. 2xx is delivered; 409 and 422 are refused for good, with
    the MES's reason; everything else means trying again later.
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
        if response.status_code in {409, 422}:
            return Receipt(DeliveryState.REFUSED, response.text)
        raise Unavailable(f"the MES answered {response.status_code} to {payload['id']}: {response.text[:200]}")


def _result(response: httpx.Response) -> str:
    """Return what an MES says it did; that it took the message is said by the status, so the rest may be anything."""
    try:
        told = response.json()
    except ValueError:
        return response.text[:200]
    return str(told.get("result", "")) if isinstance(told, dict) else ""
