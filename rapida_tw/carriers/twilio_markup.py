"""The TwiML that connects a call to our media socket (Twilio, "TwiML Voice: Stream")."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from rapida_tw.carriers.base import Document
from rapida_tw.carriers.markup import element, response

# Our documentation has it; to Twilio it is no attribute of <Stream>, and passed over.
_EVENTS: Final = "initiated ringing answered completed"
_LONGEST_PARAMETER = 499  # characters of a <Parameter>'s name and value together


def connect(
    media_url: str, event_url: str, assistant_id: int, conversation_id: int, client_number: str
) -> Document:
    """`client_number`: the human side's, in both directions."""
    assistant = str(assistant_id)
    stream = element(
        "Stream",
        _parameter("assistant_id", assistant),
        _parameter("client_number", client_number),
        attributes={
            "url": media_url,
            "name": f"{assistant}__{conversation_id}",
            "statusCallback": event_url,
            "statusCallbackMethod": "POST",
            "statusCallbackEvent": _EVENTS,
        },
    )
    return response(element("Connect", stream))


def _parameter(name: str, value: str) -> Element:
    short = value[: _LONGEST_PARAMETER - len(name)]
    return element("Parameter", attributes={"name": name, "value": short})
