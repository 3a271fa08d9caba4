"""The components of the OpenAPI document: what the API is given.

Bounds are those of the readers, `store/documents.py` and its neighbours; schemathesis
(tests/interop) holds both together.
"""

from __future__ import annotations

from typing import Any

from rapida_tw.calls.call_document import (
    LONGEST_IDEMPOTENCY_KEY,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_CALLS,
    MOST_ENTRIES,
    VERSION,
)
from rapida_tw.store.credential_documents import LONGEST as LONGEST_SECRET
from rapida_tw.store.credential_documents import MOST_KEYS
from rapida_tw.store.documents import MOST_FALLBACKS, ROLES
from rapida_tw.store.webhook_documents import METHODS, MOST_RETRIES
from rapida_tw.store.webhook_documents import MOST as MOST_WEBHOOKS
from rapida_tw.web.operation import Schema, ref

MOST_TOOLS = 200


def text(longest: int, shortest: int = 0) -> dict[str, Any]:
    """NUL is in no text: databases do not take it."""
    return {
        "type": "string",
        "minLength": shortest,
        "maxLength": longest,
        "pattern": "^[^\\u0000]*$",
    }


def number(low: float, high: float, kind: str = "number") -> dict[str, Any]:
    return {"type": kind, "minimum": low, "maximum": high}


def given(*required: str, **properties: Schema) -> dict[str, Any]:
    """An object that has no more than these."""
    described: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**described, "required": [*required]} if required else described


_ID: Schema = {
    "description": "As text or number.",
    "anyOf": [
        {"type": "string", "pattern": "^([1-9][0-9]{0,17}|[1-8][0-9]{18})$"},
        {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    ],
}
_NO_ID: Schema = {"type": "null"}
_PLAIN: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": "^[^\\u0000]*$"},
    "additionalProperties": {
        "anyOf": [text(LONGEST_TEXT), {"type": ["number", "boolean", "null"]}]
    },
}
_ENTRIES = {
    **_PLAIN,
    "propertyNames": text(LONGEST_KEY, 1),
    "maxProperties": MOST_ENTRIES,
}
_REFERENCE = {"anyOf": [_ID, _NO_ID], "description": "Of a credential that is there."}
_CHOICE = {"provider": text(100), "credentialId": _REFERENCE, "options": _PLAIN}
_FALLBACKS = {"type": "array", "items": given(**_CHOICE), "maxItems": MOST_FALLBACKS}
VENDOR_CHOICE = given(**_CHOICE, fallbacks=_FALLBACKS)
_VENDOR = {
    "description": "One vendor; or a list, whose first is asked first.",
    "anyOf": [
        ref("VendorChoice"),
        {"type": "array", "items": given(**_CHOICE), "maxItems": 1 + MOST_FALLBACKS},
    ],
}
_PROMPT = {
    "type": "array",
    "maxItems": 200,
    "items": given("role", "content", role={"enum": list(ROLES)}, content=text(100_000)),
}
_WEBHOOK = given(
    "url",
    url={"type": "string", "pattern": "^https?://[a-z0-9]{1,20}(\\.[a-z]{2,8})?(/[a-z0-9/]*)?$"},
    method={"enum": list(METHODS)},
    headers={"type": "object", "maxProperties": 0},
    events={"type": "array", "items": {"const": "call.*"}, "maxItems": 2},
    retryStatusCodes={
        "type": "array",
        "items": number(300, 599, "integer"),
        "maxItems": 20,
    },
    maxRetries=number(0, MOST_RETRIES, "integer"),
    timeoutSeconds=number(1, 60),
    enabled={"type": "boolean"},
    description=text(500),
)
_ASSISTANT = {
    "name": text(200, 1),
    "description": text(2_000),
    "model": given(**_CHOICE, fallbacks=_FALLBACKS, prompt=_PROMPT),
    "tools": {"type": "array", "items": _PLAIN, "maxItems": MOST_TOOLS},
    "webhooks": {"type": "array", "items": _WEBHOOK, "maxItems": MOST_WEBHOOKS},
}
_SECRETS = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": MOST_KEYS,
    "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_.-]{0,63}$"},
    "additionalProperties": text(LONGEST_SECRET),
    # Blank values are as absent, and one must be there.
    "not": {"additionalProperties": {"pattern": "^\\s*$"}},
}
_CALL = {
    "assistant": given(
        "assistantId",
        assistantId=_ID,
        version={"type": "string", "pattern": f"^{VERSION.pattern}$"},
    ),
    "toNumber": {
        "type": "string",
        "pattern": "^\\+?[0-9]{2,20}$",
        "description": "E.164; also a number as its network dials it, or a SIP address.",
    },
    "fromNumber": {
        "type": "string",
        "pattern": "^(\\+?[0-9]{2,20})?$",
        "description": "Empty: the deployment's own.",
    },
    "metadata": _ENTRIES,
    "args": {**_ENTRIES, "description": "For the prompt's and the greeting's templates."},
    "options": {**_ENTRIES, "description": "Over the deployment's, for this call."},
    "idempotencyKey": {
        "type": "string",
        "pattern": "^[!-~]*$",
        "maxLength": LONGEST_IDEMPOTENCY_KEY,
        "description": "The same one dials once.",
    },
}

_WHATSAPP_NUMBER = {"type": "string", "pattern": "^\\+[1-9][0-9]{6,13}$"}
_TEXT_TO_SEND = {"type": "string", "maxLength": 1_600, "pattern": "^[!-~][^\\u0000]*$"}
_MESSAGE: dict[str, Any] = {
    "assistantId": _ID,
    "to": _WHATSAPP_NUMBER,
    "from": _WHATSAPP_NUMBER,
    "metadata": _ENTRIES,
    "idempotencyKey": text(LONGEST_IDEMPOTENCY_KEY, 1),
}

BODIES: dict[str, Any] = {
    "NewAssistant": {
        **given("name", **_ASSISTANT),
        "example": {
            "name": "Ada",
            "model": {
                "provider": "scripted",
                "prompt": [{"role": "system", "content": "You answer the phone of a shop."}],
            },
        },
    },
    "AssistantChange": {**given(**_ASSISTANT), "example": {"description": "For the night."}},
    "NewDeployment": {
        **given(
            provider=text(200, 1),
            credentialId=_REFERENCE,
            options=_PLAIN,
            greeting=text(2_000),
            greetingInterruptible={"type": "boolean"},
            errorMessage=text(2_000),
            idleTimeout=number(1, 600),
            idleMessage=text(2_000),
            idleTimeoutRetries=number(0, 5, "integer"),
            maxCallDuration=number(1, 86_400),
            stt=_VENDOR,
            tts=_VENDOR,
            vad=_VENDOR,
            endOfSpeech=_VENDOR,
            recording={"type": "boolean"},
        ),
        "example": {"provider": "asterisk", "greeting": "Good morning, how can I help you?"},
    },
    "NewCredential": {
        **given(
            "name",
            "provider",
            "value",
            name=text(200, 1),
            provider={"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,99}$"},
            value=_SECRETS,
        ),
        "example": {"name": "Main", "provider": "acme", "value": {"token": "not-a-secret"}},
    },
    "CredentialChange": {
        **given(name=text(200, 1), value=_SECRETS),
        "example": {"name": "Main, renamed"},
    },
    "NewCall": {
        **given("assistant", "toNumber", **_CALL),
        "description": "snake_case is understood as well, and assistantId instead of assistant.",
        "example": {
            "assistant": {"assistantId": "2000000000000000001"},
            "toNumber": "+15550100",
            "metadata": {"order": "17"},
        },
    },
    "NewCalls": given(
        "phoneCalls",
        phoneCalls={
            "type": "array",
            "items": ref("NewCall"),
            "minItems": 1,
            "maxItems": MOST_CALLS,
        },
    ),
    "NewMessage": {
        "anyOf": [
            given("assistantId", "to", "text", text=_TEXT_TO_SEND, **_MESSAGE),
            given(
                "assistantId",
                "to",
                "contentSid",
                contentSid={"type": "string", "pattern": "^HX[0-9A-Fa-f]{32}$"},
                contentVariables=_ENTRIES,
                **_MESSAGE,
            ),
        ],
        "example": {
            "assistantId": "2000000000000000001",
            "to": "+15550100001",
            "text": "Your table is ready.",
        },
    },
    "WebhookPing": given("assistantId", assistantId=_ID),
    "Transfer": given("to", to={"type": "string", "pattern": "^[!-~]{1,200}$"}),
    "Hold": {
        "type": "object",
        "properties": {"on": {"type": "boolean", "default": True}},
        "additionalProperties": False,
    },
    "Digits": given("digits", digits={"type": "string", "pattern": "^[0-9A-D*#]{1,64}$"}),
    "Saying": given(
        "text",
        text={"type": "string", "maxLength": 2_000, "pattern": "^[!-~][^\\u0000]*$"},
    ),
}
