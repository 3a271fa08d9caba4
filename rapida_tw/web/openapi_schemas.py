"""The components of the OpenAPI document: what the API answers with."""

from __future__ import annotations

from typing import Any

from rapida_tw.store.campaigns import ENTRY_STATES, STATES
from rapida_tw.store.documents import ROLES
from rapida_tw.web.openapi_bodies import BODIES, VENDOR_CHOICE
from rapida_tw.web.operation import Schema, ref

ERROR = "Error"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
ID: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$", "description": "63 bits"}
# Always within 63 bits.
ID_IN_PATH: Schema = {"type": "string", "pattern": "^([1-9][0-9]{0,17}|[1-8][0-9]{18})$"}
TIME: Schema = {"type": "string", "format": "date-time"}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def answered(**properties: Schema) -> dict[str, Any]:
    """An object that has at least all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def several(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def texts() -> Schema:
    return {"type": "object", "additionalProperties": TEXT}


_SUMMARY = {
    "id": ID,
    "projectId": ID,
    "assistantId": ID,
    "identifier": {**TEXT, "description": "The human side's number, in both directions."},
    "source": TEXT,
    "direction": TEXT,
    "carrier": TEXT,
    "status": {
        **TEXT,
        "description": "webhook, queued, dialling, ringing, answered, saved, connected, active, "
        "ended, failed or expired; more may come.",
    },
    "endReason": TEXT,
    "duration": {**nullable(NUMBER), "description": "Seconds; null before the end."},
    "createdDate": TIME,
    "updatedDate": TIME,
}
_ENTRY = {"data": ANYTHING, "createdDate": TIME}
_PLUG_IN = answered(
    name=TEXT,
    description=nullable(TEXT),
    options={"type": ["array", "null"], "items": ANYTHING},
    credentialFields={
        **several(answered(name=TEXT, description=TEXT, sameAs=nullable(TEXT))),
        "description": "The keys of its credentials; none: any is taken. `sameAs`: the key that "
        "this one is another spelling of.",
    },
)
_PASSED = {"type": ["boolean", "null"], "description": "Null: that cannot be told."}
_DELIVERY = {
    "id": ID,
    "assistantId": ID,
    "conversationId": nullable(ID),
    "event": TEXT,
    "eventId": {**TEXT, "description": "Equal in all attempts."},
    "url": {**TEXT, "description": "Without its query."},
    "state": {"enum": ["waiting", "sending", "delivered", "failed"]},
    "attemptCount": WHOLE,
    "nextAttemptDate": {**nullable(TIME), "description": "Null when it is over."},
    "createdDate": TIME,
    "updatedDate": TIME,
}
_ATTEMPT = answered(
    date=TIME,
    status={**WHOLE, "description": "HTTP; 0: there was no answer."},
    error=TEXT,
    seconds=NUMBER,
    response={**TEXT, "description": "Its beginning."},
)
_NETWORK = answered(
    name=nullable(TEXT),
    networkCode={**nullable(TEXT), "description": "MCC and MNC."},
    networkType={**nullable(TEXT), "description": "mobile, landline, virtual; more may come."},
    countryCode=nullable(TEXT),
)
_OWNER = answered(
    name=nullable(TEXT), type=nullable(TEXT), firstName=nullable(TEXT), lastName=nullable(TEXT)
)
_NUMBER_INSIGHT = {
    **answered(
        number={**TEXT, "description": "E.164."},
        nationalFormat=nullable(TEXT),
        countryCode=nullable(TEXT),
        countryName=nullable(TEXT),
        valid=nullable(FLAG),
        reachable=nullable(FLAG),
        reachability={**nullable(TEXT), "description": "The carrier's own word for it."},
        ported=nullable(FLAG),
        roaming=nullable(FLAG),
        roamingCountries=several(TEXT),
        currentCarrier=nullable(_NETWORK),
        originalCarrier=nullable(_NETWORK),
        callerIdentity=nullable(_OWNER),
        timeZones=several(TEXT),
        missing={**several(TEXT), "description": "What was asked for and is not here."},
        level={"enum": ["basic", "standard", "advanced"]},
        source={"enum": ["number-insight", "identity-insights"]},
    ),
    "description": "Null: it was not asked, or nobody could tell.",
}
_COUNTS: Schema = {"type": "object", "additionalProperties": WHOLE}
_PROGRESS = answered(
    total=WHOLE,
    states=_COUNTS,
    outcomes={**_COUNTS, "description": "Of those that are over."},
)
_CAMPAIGN = {
    "id": ID,
    "projectId": ID,
    "assistantId": ID,
    "name": TEXT,
    "state": {"enum": list(STATES)},
    "settings": ref("CampaignSettings"),
    "createdDate": TIME,
    "updatedDate": TIME,
}
_PROBLEM = answered(errorCode=TEXT, errorMessage=TEXT, humanMessage=TEXT)
_PLACED = {**_SUMMARY, "metadata": texts(), "arguments": ANYTHING, "options": ANYTHING}

SCHEMAS: dict[str, Any] = {
    **BODIES,
    "Problem": _PROBLEM,
    ERROR: {
        "type": "object",
        "properties": {
            "code": {**WHOLE, "minimum": 400, "description": "The HTTP status."},
            "success": {"const": False},
            "error": ref("Problem"),
            "data": {"description": "What is there all the same."},
        },
        "required": ["code", "success", "error"],
    },
    "SentMessage": answered(
        id={**TEXT, "description": "Twilio's; empty where nobody knows it."},
        conversationId=ID,
        status={"enum": ["queued", "unknown"]},
        channel=TEXT,
    ),
    "Paginated": answered(currentPage=WHOLE, totalItem=WHOLE),
    "Id": answered(id=ID),
    "Assistant": answered(
        id=ID,
        projectId=ID,
        name=TEXT,
        description=TEXT,
        model=answered(
            provider=TEXT,
            credentialId=nullable(TEXT),
            options=ANYTHING,
            prompt=several(answered(role={"enum": list(ROLES)}, content=TEXT)),
        ),
        tools=several(ANYTHING),
        webhooks=several(ANYTHING),
        createdDate=TIME,
        updatedDate=TIME,
    ),
    "VendorChoice": VENDOR_CHOICE,
    "Deployment": answered(
        assistantId=ID,
        provider=TEXT,
        credentialId=nullable(TEXT),
        options=ANYTHING,
        greeting=TEXT,
        greetingInterruptible=FLAG,
        errorMessage=TEXT,
        idleTimeout=NUMBER,
        idleMessage=TEXT,
        idleTimeoutRetries=WHOLE,
        maxCallDuration=NUMBER,
        stt=ANYTHING,
        tts=ANYTHING,
        vad=ANYTHING,
        endOfSpeech=ANYTHING,
        recording=FLAG,
        updatedDate=nullable(TIME),
    ),
    "Verification": answered(
        id=ID,
        name=TEXT,
        provider=TEXT,
        verified={**_PASSED, "description": "True: the provider has let us in; null: not asked."},
        checks=several(answered(check=TEXT, passed=_PASSED, detail=TEXT)),
    ),
    "Credential": answered(
        id=ID,
        projectId=ID,
        name=TEXT,
        provider=TEXT,
        keysSet={**several(TEXT), "description": "Which keys have a value; never the values."},
        createdDate=TIME,
        updatedDate=TIME,
        lastUsedDate=nullable(TIME),
    ),
    "Call": answered(
        **{
            "id": {**ID, "description": "The conversation's, too."},
            "assistantId": ID,
            "carrier": TEXT,
            "direction": TEXT,
            "from": TEXT,
            "to": TEXT,
            "status": TEXT,
            "startedDate": TIME,
            "duration": NUMBER,
            "turns": WHOLE,
        }
    ),
    "PlacedCall": answered(**_PLACED),
    "BulkEntry": {
        "type": "object",
        "description": "A placed call, or why there is none.",
        "properties": {
            **{name: schema for name, schema in _PLACED.items() if name != "id"},
            "id": nullable(ID),
            "success": FLAG,
            "error": {"anyOf": [ref("Problem"), {"type": "null"}]},
        },
        "required": ["id", "status", "metadata", "success", "error"],
    },
    "Conversation": answered(**_SUMMARY),
    "WholeConversation": answered(
        **_SUMMARY,
        messages=several(answered(role=TEXT, text=TEXT, **_ENTRY)),
        metrics=several(answered(name=TEXT, value=TEXT, **_ENTRY)),
        events=several(answered(name=TEXT, **_ENTRY)),
        metadata=texts(),
        latency=several(answered(unit={"const": "ms"})),
        recordings={**texts(), "description": "Paths on this server."},
        timeline=nullable(TEXT),
    ),
    "NumberInsight": _NUMBER_INSIGHT,
    "Campaign": answered(**_CAMPAIGN),
    "WholeCampaign": answered(**_CAMPAIGN, progress=_PROGRESS),
    "CampaignCall": answered(
        **{
            "id": ID,
            "to": TEXT,
            "from": TEXT,
            "state": {
                "enum": list(ENTRY_STATES),
                "description": "unknown: whether it was called nobody can tell; it is not again.",
            },
            "attempts": WHOLE,
            "outcome": {**TEXT, "description": "Of the last attempt: busy, remote_hangup, …"},
            "conversationId": {**nullable(ID), "description": "Of the last attempt."},
            "dueDate": {**nullable(TIME), "description": "Not before; null when it is over."},
            "updatedDate": TIME,
        }
    ),
    "WebhookDelivery": answered(**_DELIVERY),
    "WholeWebhookDelivery": answered(**_DELIVERY, body=ANYTHING, attempts=several(_ATTEMPT)),
    "PlugIn": _PLUG_IN,
    "Speech": {"type": "object", "additionalProperties": several(ref("PlugIn"))},
    "Health": {"type": "object", "properties": {"status": TEXT}, "required": ["status"]},
}
