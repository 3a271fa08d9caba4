"""Entrance: who may bring a call or a message to an assistant: by key or by a signature."""

from __future__ import annotations

from rapida_tw.carriers.base import Carrier, WebhookRequest
from rapida_tw.errors import AssistantNotFound, Unauthenticated
from rapida_tw.ids import LARGEST, parse_id
from rapida_tw.web.auth import Gate
from rapida_tw.web.authority import Authority
from rapida_tw.web.request import BoundedRequest


class Entrance:
    """Of the addresses that carriers ask."""

    def __init__(self, gate: Gate, authority: Authority) -> None:
        self._gate = gate
        self._authority = authority

    async def enter(
        self, request: BoundedRequest, webhook: WebhookRequest, carrier: Carrier, assistant_id: int
    ) -> int:
        """The project that a key or the carrier's signature opens; `Unauthenticated`, `Forged`.

        A wrong key or a wrong signature is refused whatever the other says.
        """
        key = await self._gate.look(request)
        try:
            signed_for = await self._authority.verify(webhook, carrier, assistant_id)
        except AssistantNotFound:
            if key is not None:
                raise
            signed_for = None  # nobody who may not come in learns which assistants there are
        if key is not None:
            return key.project_id
        if signed_for is None:
            raise Unauthenticated(
                "Unauthenticated request: it carries no API key, and no signature can be checked"
            )
        return signed_for


def assistant_of(text: str) -> int:
    """The assistant's id in an address; `BadRequest`, `AssistantNotFound`."""
    if text.isascii() and text.isdigit() and int(text[:20]) > LARGEST:
        raise AssistantNotFound("there is no assistant with such a large id")
    return parse_id(text, "the assistant's id")
