"""The JSON that the management API speaks: one envelope for data, one for errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import getdoc
from typing import Any

from rapida_tw.carriers.base import Document
from rapida_tw.errors import CallError
from rapida_tw.store.records import Page

JSON_TYPE = "application/json"
# Numbers and transcripts are in there: nothing on the way should keep them.
_HEADERS = {"Cache-Control": "no-store"}


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


def error_document(error: CallError) -> Document:
    """The error's envelope: its slug, its text, and a sentence that is true of all of its kind."""
    explanation = getdoc(type(error)) or error.reason
    envelope = {
        "code": error.status,
        "success": False,
        "error": {
            "errorCode": error.reason,
            "errorMessage": str(error) or error.reason,
            "humanMessage": " ".join(explanation.split()),
        },
    }
    return json_document(envelope, error.status)


def json_document(value: Any, status: int = 200) -> Document:
    """Any JSON value as a document."""
    return Document(json.dumps(value).encode("ascii"), JSON_TYPE, status, _HEADERS)
