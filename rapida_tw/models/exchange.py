"""What the requests and answers of all model vendors have in common: JSON both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.models.base import Tool, ToolCall
from rapida_tw.models.dialect import Complaint
from rapida_tw.net.base import Request
from rapida_tw.net.reasons import passing, reason_in

# A 429 that no waiting helps.
_NO_MONEY = re.compile(r"insufficient_quota|insufficient_balance|credit balance", re.IGNORECASE)
_SHOWN = 300  # characters of a vendor's reason
# OpenAI's models that think unless they are told not to, which on the phone is silence. What the
# least is called depends on the model.
_THINKING = re.compile(r"(?:.*/)?(?:gpt-(?:[5-9]|\d\d)|o\d)")
_LEAST = ("none", "minimal", "low")


def post(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Request:
    """A request that is answered with a stream of events."""
    usual = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates, which JSON text from elsewhere can hold, are in no UTF-8.
    return Request(url, "POST", usual | dict(headers), payload.encode("utf-8", "replace"))


def extra_headers(account: Account) -> dict[str, str]:
    """The `headers` of a credential, a JSON object; `MisconfiguredAssistant` for anything else."""
    text = account.first("headers")
    try:
        headers = json.loads(text or "{}")
    except (ValueError, RecursionError):
        headers = None
    if not isinstance(headers, dict):
        raise MisconfiguredAssistant(f"{account.vendor}: headers must be a JSON object")
    return {str(name): str(value) for name, value in headers.items()}


def schema(tool: Tool) -> Mapping[str, Any]:
    """The JSON schema of a tool's arguments, which vendors want to be an object's."""
    return {"type": "object", "properties": {}, **tool.parameters}


def given_json(text: str) -> Any:
    """An option that is a word or JSON: the object, or the word itself."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{text!r} is no JSON") from None
    return text


def refusal(vendor: str, status: int, body: str) -> Complaint:
    """What a status means; the vendor's own words go with it, but for keys, which it may echo."""
    if status == 401:
        return Complaint(f"{vendor} does not take the key", retryable=False)
    said = shown(reason_in(body))
    if status == 402 or _NO_MONEY.search(body):
        return Complaint(f"{vendor}: the account is empty: {said}", retryable=False)
    return Complaint(f"{vendor} refused: HTTP {status}, {said}".rstrip(", "), passing(status))


def efforts(model: str, chosen: str = "") -> Sequence[str]:
    """How hard a model of OpenAI's thinks: as chosen, else what to try; () when it does not."""
    if chosen:
        return (chosen,)
    return _LEAST if _THINKING.match(model) else ()


def shown(said: object) -> str:
    """A vendor's own words, on one line and not too long."""
    return " ".join(str(said).split())[:_SHOWN]


def event(text: str) -> Mapping[str, Any]:
    """The JSON object of one event; RemoteProtocolError when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise RemoteProtocolError(f"an event is no JSON: {text[:60]!r}") from None
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"an event is no object: {text[:60]!r}")
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one for null and for whatever else may be there."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def count(value: object) -> int:
    """A number of tokens; 0 where none is told."""
    return value if isinstance(value, int) and value > 0 else 0


def tokens(given: object, read: object, cached: object = 0) -> dict[str, int]:
    """`Usage.tokens`, out of what a vendor counted."""
    return {"input": count(given), "output": count(read), "cached": count(cached)}


def wanted(vendor: str, call_id: str, name: str, arguments: str, kept: str = "") -> ToolCall | str:
    """The tool call, its arguments read; a sentence instead when they are no JSON object."""
    try:
        values = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        values = None
    if not name or not isinstance(values, dict):
        return f"{vendor} called the tool {name or '(no name)'} with what is no JSON object"
    return ToolCall(call_id, name, values, kept)


def keep(by: str, model: str, value: object) -> str:
    """What goes into `ToolCall.kept`: of no use to another vendor, nor to another model."""
    return json.dumps({"by": by, "model": model, "value": value}, separators=(",", ":"))


def kept(text: str, by: str, model: str) -> Any:
    """What `keep` was given; None when somebody else has kept it."""
    try:
        found = mapping(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return None
    ours = found.get("by") == by and found.get("model") == model
    return found.get("value") if ours else None
