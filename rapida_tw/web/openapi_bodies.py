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
from rapida_tw.campaigns.settings import MOST_ENTRIES as MOST_CAMPAIGN_CALLS
from rapida_tw.campaigns.settings import RETRYABLE
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


def _or_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = [kind] if isinstance(kind, str) else [*kind]
    return {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}


def given(*required: str, **properties: Schema) -> dict[str, Any]:
    """An object that has no more than these. What need not be there may be null: as absent."""
    described: dict[str, Any] = {
        "type": "object",
        "properties": {
            name: schema if name in required else _or_null(schema)
            for name, schema in properties.items()
        },
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
# Of a call; what is no text counts as its JSON.
_OF_A_CALL = {
    **_ENTRIES,
    "additionalProperties": {
        "anyOf": [
            text(LONGEST_TEXT),
            {"type": ["number", "boolean", "null", "object", "array"]},
        ]
    },
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
    "metadata": _OF_A_CALL,
    "args": {**_OF_A_CALL, "description": "For the prompt's and the greeting's templates."},
    "options": {**_OF_A_CALL, "description": "Over the deployment's, for this call."},
    "idempotencyKey": {
        "type": "string",
        "pattern": "^[!-~]*$",
        "maxLength": LONGEST_IDEMPOTENCY_KEY,
        "description": "The same one dials once.",
    },
}

_CLOCK = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_ZONE = {**text(64, 1), "example": "Europe/Berlin"}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
CAMPAIGN_SETTINGS = given(
    callsPerSecond={**number(0.01, 1_000), "default": 1},
    simultaneous={**number(1, 100_000, "integer"), "default": 10},
    startDate={**_MOMENT, "description": "Nobody is called before."},
    endDate={**_MOMENT, "description": "Who was not called until then is not called."},
    hours={
        **given(
            **{
                "from": {**_CLOCK, "default": "09:00"},
                "to": {**_CLOCK, "default": "20:00", "description": "Earlier: over midnight."},
            },
            days={
                "type": "array",
                "items": number(1, 7, "integer"),
                "minItems": 1,
                "maxItems": 7,
                "description": "1 is Monday; all of them where it is not given.",
            },
            timeZone={**_ZONE, "description": "callee: where the number that is called is."},
            fallbackTimeZone={**_ZONE, "description": "Of numbers that tell none."},
        ),
        "description": "When somebody may be called; at any time where it is not given.",
    },
    retries={
        **given(
            attempts={**number(1, 10, "integer"), "default": 3},
            after={**number(10, 7 * 86_400), "default": 900, "description": "Seconds."},
            factor={**number(1, 10), "default": 2, "description": "Each pause is so much longer."},
            outcomes={"type": "array", "items": {"enum": list(RETRYABLE)}},
        ),
        "description": "Whom to call again; nobody where it is not given.",
    },
)
_CAMPAIGN_CALLS = {
    "type": "array",
    "maxItems": MOST_CAMPAIGN_CALLS,
    "items": {
        "anyOf": [
            _CALL["toNumber"],
            given("toNumber", **{key: _CALL[key] for key in _CALL if key != "idempotencyKey"}),
        ]
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
            provider={
                "type": "string",
                "pattern": "^(?!webhook$)[a-z0-9][a-z0-9_.-]{0,99}$",
                "description": "A webhook makes its own.",
            },
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
    "NewCampaign": {
        **given(
            "assistantId",
            assistantId=_ID,
            name=text(200, 1),
            settings=ref("CampaignSettings"),
            calls=_CAMPAIGN_CALLS,
            idempotencyKey={
                "type": "string",
                "pattern": "^[!-~]{1,200}$",
                "description": "The same one makes one campaign.",
            },
        ),
        "example": {
            "assistantId": "2000000000000000001",
            "name": "Spring",
            "calls": ["+15550100", {"toNumber": "+15550101", "args": {"name": "Ada"}}],
            "settings": {"callsPerSecond": 2, "hours": {"from": "09:00", "to": "18:00"}},
        },
    },
    "CampaignSettings": CAMPAIGN_SETTINGS,
    "MoreCampaignCalls": given("calls", calls={**_CAMPAIGN_CALLS, "minItems": 1}),
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
