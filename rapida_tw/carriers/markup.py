"""The XML that carriers are answered with: TwiML and its relatives (XML 1.0, fifth edition).

Documents are trees until the last moment, so nothing that a caller or an operator wrote can become
an element.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, tostring

from rapida_tw.carriers.base import Document
from rapida_tw.errors import (
    CallError,
    Forged,
    MisconfiguredAssistant,
    NotSupported,
    Unauthenticated,
)

CONTENT_TYPE = "text/xml"
REASON_HEADER = "X-Rapida-Error"  # for whoever tries the webhook by hand; no carrier reads it
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_LONGEST_SENTENCE = 1_000  # characters; the carriers' own limit is at 3000 or above
# What XML cannot hold, not even as a character reference (section 2.2, production 2).
_NO_CHARACTER = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def element(
    tag: str, *children: Element, text: str = "", attributes: Mapping[str, str] | None = None
) -> Element:
    """An element of `children` or `text`, freed of characters that XML cannot hold."""
    made = Element(tag, {name: _holdable(value) for name, value in (attributes or {}).items()})
    made.text = _holdable(text) or None
    made.extend(children)
    return made


def response(*verbs: Element, status: int = 200, reason: str = "") -> Document:
    """The document `<Response>` of `verbs`."""
    body = _DECLARATION + tostring(element("Response", *verbs), "utf-8", xml_declaration=False)
    return Document(body, CONTENT_TYPE, status, {REASON_HEADER: reason} if reason else {})


def apology(error: CallError, *, say: str, reject: str) -> Document:
    """Refuse a call; `say` and `reject` are the carrier's verbs for it.

    Whoever called an assistant that cannot answer is told so: only a 200 is read to the caller.
    Everything else is our operator's or a stranger's mistake, and a 422 or 403 shows it in the
    carrier's console. Never 404 or 500, which would mean that nobody is here.
    """
    if isinstance(error, Unauthenticated | Forged):
        return response(element(reject), status=403, reason=error.reason)
    if error.status >= 500 or isinstance(error, MisconfiguredAssistant | NotSupported):
        sentence = element(say, text=error.spoken[:_LONGEST_SENTENCE])
        return response(sentence, element("Hangup"), reason=error.reason)
    return response(element(reject), status=422, reason=error.reason)


def _holdable(text: str) -> str:
    return _NO_CHARACTER.sub("", text)
