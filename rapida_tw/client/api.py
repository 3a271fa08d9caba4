"""The server's operations, each described once: names, arguments, what comes back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from rapida_tw.client.exchange import Exchange
from rapida_tw.client.records import (
    Assistant,
    BulkEntry,
    Call,
    Conversation,
    Credential,
    Deployment,
    NumberInsight,
    Page,
    PlacedCall,
    Record,
    SentMessage,
)

R = TypeVar("R", bound=Record)
Id = str | int
Values = Mapping[str, Any]


def create_call(
    assistant_id: Id,
    to_number: str,
    from_number: str = "",
    *,
    metadata: Values | None = None,
    args: Values | None = None,
    options: Values | None = None,
    version: str = "",
    idempotency_key: str | None = None,
) -> Exchange[PlacedCall]:
    """Have an assistant call somebody; answered when the carrier has the call.

    The same `idempotency_key` dials once; without one each call of this function has its own, so
    that an attempt whose answer is lost is repeated safely.
    """
    body = call_body(
        assistant_id, to_number, from_number, metadata, args, options, version, idempotency_key
    )
    return Exchange("POST", "/v1/calls", _one(PlacedCall), body=body)


def create_calls(calls: Sequence[Values]) -> Exchange[tuple[BulkEntry, ...]]:
    """Many calls, each the arguments of `create` as a mapping; one entry for each, in order.

    `CallNotStartedError` when none of them was placed.
    """
    body = {"phoneCalls": [call_body(**call) for call in calls]}

    def read(envelope: dict[str, Any]) -> tuple[BulkEntry, ...]:
        return tuple(BulkEntry(one) for one in envelope["data"])

    return Exchange("POST", "/v1/talk/create-bulk-phone-call", read, body=body)


def call_body(
    assistant_id: Id,
    to_number: str,
    from_number: str = "",
    metadata: Values | None = None,
    args: Values | None = None,
    options: Values | None = None,
    version: str = "",
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """The document of a call."""
    body: dict[str, Any] = {
        "assistant": {"assistantId": str(assistant_id), "version": version},
        "toNumber": to_number,
        "idempotencyKey": idempotency_key or f"client-{uuid.uuid4()}",
    }
    given = {"fromNumber": from_number, "metadata": metadata, "args": args, "options": options}
    return body | {key: value for key, value in given.items() if value}


def list_calls(page: int = 1, page_size: int = 20) -> Exchange[Page[Call]]:
    """On the phone now, newest first."""
    return Exchange("GET", "/v1/calls", _page(Call), _pages(page, page_size))


def get_call(call_id: Id) -> Exchange[Call]:
    """One that is on the phone; `NotFoundError` when it is over: see `conversations.get`."""
    return Exchange("GET", f"/v1/calls/{_part(call_id)}", _one(Call))


def hang_up(call_id: Id) -> Exchange[None]:
    """End it, ringing or answered."""
    return _steered(call_id, "hangup", None)


def transfer(call_id: Id, to: str) -> Exchange[None]:
    """Blind, to a number or address; `ConflictError` when its carrier cannot."""
    return _steered(call_id, "transfer", {"to": to})


def send_digits(call_id: Id, digits: str) -> Exchange[None]:
    """0-9 A-D * #, pressed towards the far side; `ConflictError` when its carrier cannot."""
    return _steered(call_id, "dtmf", {"digits": digits})


def hold(call_id: Id, on: bool = True) -> Exchange[None]:
    """Nobody speaks or listens; or both again."""
    return _steered(call_id, "hold", {"on": on})


def say(call_id: Id, text: str) -> Exchange[None]:
    """The assistant says it next."""
    return _steered(call_id, "say", {"text": text})


def send_message(
    assistant_id: Id,
    to: str,
    text: str = "",
    sender: str = "",
    *,
    content_sid: str = "",
    content_variables: Values | None = None,
    metadata: Values | None = None,
    idempotency_key: str | None = None,
) -> Exchange[SentMessage]:
    """Have an assistant write by WhatsApp: a text, or an approved template with its variables.

    Answered when Twilio has the message. The same `idempotency_key` sends once; without one each
    call of this function has its own.
    """
    body: dict[str, Any] = {
        "assistantId": str(assistant_id),
        "to": to,
        "idempotencyKey": idempotency_key or f"client-{uuid.uuid4()}",
    }
    given = {
        "text": text,
        "from": sender,
        "contentSid": content_sid,
        "contentVariables": content_variables,
        "metadata": metadata,
    }
    body |= {key: value for key, value in given.items() if value}
    return Exchange("POST", "/v1/messages", _one(SentMessage), body=body)


def list_conversations(
    page: int = 1,
    page_size: int = 20,
    *,
    assistant_id: Id | None = None,
    status: str = "",
    direction: str = "",
    identifier: str = "",
    criteria: Sequence[tuple[str, str, Any]] = (),
    order_by: str = "",
    order: str = "",
) -> Exchange[Page[Conversation]]:
    """History, newest first. `criteria`: (key, operator, value), such as ("duration", ">", 60)."""
    given = [{"key": key, "value": str(value), "logic": logic} for key, logic, value in criteria]
    query = _pages(page, page_size) | {
        "assistantId": assistant_id,
        "status": status,
        "direction": direction,
        "identifier": identifier,
        "criteria": json.dumps(given) if given else None,
        "orderBy": order_by,
        "order": order,
    }
    return Exchange("GET", "/v1/conversations", _page(Conversation), query)


def get_conversation(conversation_id: Id) -> Exchange[Conversation]:
    """One, with messages, metrics, events and recordings."""
    return Exchange("GET", f"/v1/conversations/{_part(conversation_id)}", _one(Conversation))


def create_assistant(name: str, **fields: Any) -> Exchange[Assistant]:
    """`fields` as the API has them: description, model, tools, webhooks."""
    body = {"name": name, **fields}
    return Exchange("POST", "/v1/assistants", _one(Assistant), body=body, repeatable=False)


def list_assistants(page: int = 1, page_size: int = 20) -> Exchange[Page[Assistant]]:
    """Newest first."""
    return Exchange("GET", "/v1/assistants", _page(Assistant), _pages(page, page_size))


def get_assistant(assistant_id: Id) -> Exchange[Assistant]:
    """One of them."""
    return Exchange("GET", f"/v1/assistants/{_part(assistant_id)}", _one(Assistant))


def update_assistant(assistant_id: Id, **fields: Any) -> Exchange[Assistant]:
    """Change what is given, keep the rest."""
    path = f"/v1/assistants/{_part(assistant_id)}"
    # The first answer alone tells a webhook's secret that the server has made.
    again = "webhooks" not in fields
    return Exchange("PATCH", path, _one(Assistant), body=fields, repeatable=again)


def delete_assistant(assistant_id: Id) -> Exchange[None]:
    """Its conversations stay."""
    return Exchange("DELETE", f"/v1/assistants/{_part(assistant_id)}", _nothing, repeatable=False)


def get_deployment(assistant_id: Id) -> Exchange[Deployment]:
    """How it is on the phone."""
    path = f"/v1/assistants/{_part(assistant_id)}/phone-deployment"
    return Exchange("GET", path, _one(Deployment))


def set_deployment(assistant_id: Id, **fields: Any) -> Exchange[Deployment]:
    """Set or replace it; `fields` as the API has them: provider, credentialId, greeting, ..."""
    path = f"/v1/assistants/{_part(assistant_id)}/phone-deployment"
    return Exchange("PUT", path, _one(Deployment), body=fields)


def create_credential(name: str, provider: str, value: Mapping[str, str]) -> Exchange[Credential]:
    """Store secrets; they never come back."""
    body = {"name": name, "provider": provider, "value": dict(value)}
    return Exchange("POST", "/v1/credentials", _one(Credential), body=body, repeatable=False)


def list_credentials(page: int = 1, page_size: int = 20) -> Exchange[Page[Credential]]:
    """Newest first, without values."""
    return Exchange("GET", "/v1/credentials", _page(Credential), _pages(page, page_size))


def get_credential(credential_id: Id) -> Exchange[Credential]:
    """Which of its keys are set."""
    return Exchange("GET", f"/v1/credentials/{_part(credential_id)}", _one(Credential))


def verify_credential(credential_id: Id) -> Exchange[Record]:
    """Whether it works."""
    return Exchange("POST", f"/v1/credentials/{_part(credential_id)}/verify", _one(Record))


def delete_credential(credential_id: Id) -> Exchange[None]:
    """Take it away."""
    path = f"/v1/credentials/{_part(credential_id)}"
    return Exchange("DELETE", path, _nothing, repeatable=False)


def look_up_number(
    number: str,
    level: str = "basic",
    *,
    credential_id: Id | None = None,
    api: str = "",
    caller_name: bool = False,
    raw: bool = False,
) -> Exchange[NumberInsight]:
    """What Vonage knows of a number, in E.164. `level`: basic, standard or advanced.

    Costs money: an attempt whose answer is lost is not repeated.
    """
    query = {
        "number": number,
        "level": level,
        "credentialId": credential_id,
        "api": api,
        "callerName": "true" if caller_name else None,
        "raw": "true" if raw else None,
    }
    path = "/v1/number-insight"
    return Exchange("GET", path, _one(NumberInsight), query, repeatable=False)


def _steered(call_id: Id, action: str, body: Values | None) -> Exchange[None]:
    # Said or pressed twice is not what was asked for.
    path = f"/v1/calls/{_part(call_id)}/{action}"
    return Exchange("POST", path, _nothing, body=body, repeatable=False)


def _part(name: Id) -> str:
    """Nothing leaves its place in the path."""
    return quote(str(name), safe="")


def _pages(page: int, page_size: int) -> dict[str, Any]:
    return {"page": page, "pageSize": page_size}


def _one(kind: type[R]) -> Callable[[dict[str, Any]], R]:
    def read(envelope: dict[str, Any]) -> R:
        return kind(envelope["data"])

    return read


def _page(kind: type[R]) -> Callable[[dict[str, Any]], Page[R]]:
    def read(envelope: dict[str, Any]) -> Page[R]:
        if not isinstance(envelope["data"], list):
            raise TypeError("no list")
        items = tuple(kind(one) for one in envelope["data"])
        paginated = envelope.get("paginated") or {}
        number = int(paginated.get("currentPage", 1))
        return Page(items, number, int(paginated.get("totalItem", len(items))))

    return read


def _nothing(envelope: dict[str, Any]) -> None:
    return None
