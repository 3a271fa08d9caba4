"""The JSON that the management API speaks: one envelope for data, one for errors."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from inspect import getdoc
from typing import Any

from rapida_tw.calls.call_refusals import Refusal
from rapida_tw.carriers.base import Document
from rapida_tw.errors import CallError
from rapida_tw.store.records import Page

JSON_TYPE = "application/json"
# Numbers and transcripts are in there: nothing on the way should keep them.
_HEADERS = {"Cache-Control": "no-store"}
_WAITING = (429, 503)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler of the API returns; of a list, `page` tells which part it is."""

    data: Any
    page: Page | None = None

    def document(self) -> Document:
        envelope: dict[str, Any] = {"code": 200, "success": True, "data": self.data}
        if self.page is not None:
            envelope["paginated"] = {
                "currentPage": self.page.number,
                "totalItem": self.page.total,
            }
        return json_document(envelope)


class RefusedCall(CallError):
    """A call was not placed; the contract's number says why."""

    def __init__(
        self, cause: CallError, refusal: Refusal, conversation_id: int | None = None
    ) -> None:
        """`conversation_id`: where the attempt is remembered, if it got so far."""
        super().__init__(refusal.message)
        self.cause = cause
        self.conversation_id = conversation_id
        self.number = str(refusal.code)
        self.human = refusal.human
        self.retry_after = refusal.retry_after
        # What logs and metrics count by is the cause's.
        self.fault, self.reason, self.status = cause.fault, cause.reason, refusal.status


def error_document(error: CallError) -> Document:
    """The error's envelope, with Retry-After where waiting helps."""
    envelope: dict[str, Any] = {
        "code": error.status,
        "success": False,
        "error": error_part(error),
    }
    if isinstance(error, RefusedCall) and error.conversation_id is not None:
        envelope["data"] = {"id": str(error.conversation_id), "status": "failed"}
    document = json_document(envelope, error.status)
    wait = getattr(error, "retry_after", None)
    if wait is None or error.status not in _WAITING:
        return document
    # RFC 9110, section 10.2.3: whole seconds.
    return replace(document, headers={**_HEADERS, "Retry-After": str(max(1, math.ceil(wait)))})


def error_part(error: CallError) -> dict[str, str]:
    """Its number or slug, its text, and a sentence that is true of all of its kind."""
    if isinstance(error, RefusedCall):
        return {
            "errorCode": error.number,
            "errorMessage": str(error) or error.reason,
            "humanMessage": error.human,
        }
    explanation = getdoc(type(error)) or error.reason
    return {
        "errorCode": error.reason,
        "errorMessage": str(error) or error.reason,
        "humanMessage": " ".join(explanation.split()),
    }


def json_document(value: Any, status: int = 200) -> Document:
    """Any JSON value as a document."""
    return Document(json.dumps(value).encode("ascii"), JSON_TYPE, status, _HEADERS)
