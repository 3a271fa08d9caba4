"""WhatsApp through Twilio's Messages, as the farm has them."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.twilio import signature
from tests.sim.outgoing import fields
from tests.sim.test_twilio_rest import TOKEN, Twilio

EVENTS = "https://voice.example.com/messages/status"
HOOK = "https://voice.example.com/whatsapp"
USER, NUMBER = "+15550100001", "+14155238886"
MESSAGE: dict[str, Any] = {
    "To": f"whatsapp:{USER}",
    "From": f"whatsapp:{NUMBER}",
    "Body": "Hello",
    "StatusCallback": EVENTS,
}


def send(twilio: Twilio, **changes: Any) -> Any:
    form = {name: value for name, value in {**MESSAGE, **changes}.items() if value is not None}
    return twilio.send("/Messages.json", form)


def statuses(twilio: Twilio) -> list[str]:
    return [fields(one)["MessageStatus"] for one in twilio.asked if one.url == EVENTS]


def test_answered_in_time() -> None:
    """Free text reaches who has written within the last day."""
    twilio = Twilio()
    request = twilio.rest.messages.written(HOOK, USER, "hi", NUMBER)
    assert fields(request)["WaId"] == "15550100001"
    expected = signature(TOKEN, HOOK, fields(request))
    assert request.headers["X-Twilio-Signature"] == expected
    twilio.run(1.0)
    told = send(twilio)
    assert (told.status, told.json["status"]) == (201, "queued")
    assert told.json["sid"].startswith("SM")
    twilio.run(2.0)
    assert statuses(twilio) == ["sent", "delivered", "read"]
    assert twilio.send(f"/Messages/{told.json['sid']}.json", None).json["status"] == "read"


def test_out_of_the_window() -> None:
    """To others it fails with 63016, later; a template goes."""
    twilio = Twilio()
    assert send(twilio).status == 201
    twilio.run(1.0)
    assert statuses(twilio) == ["failed"]
    assert fields(twilio.asked[-1])["ErrorCode"] == "63016"
    send(twilio, Body=None, ContentSid="HX1", ContentVariables='{"1":"Maria"}')
    twilio.run(1.0)
    assert statuses(twilio)[1:] == ["sent", "delivered", "read"]


REFUSED = [
    ({"To": None}, 21604),
    ({"From": None}, 21603),
    ({"From": NUMBER}, 21910),
    ({"To": "whatsapp:5550100001"}, 21211),
    ({"From": "whatsapp:+15550100077"}, 63007),
    ({"Body": None}, 21619),
    ({"Body": "x" * 1_601}, 21617),
    ({"ContentVariables": '{"1":"Maria"}'}, 21656),
    ({"ContentSid": "HX1", "ContentVariables": "{"}, 21656),
    ({"StatusCallback": "/status"}, 21609),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_refused(changes: dict[str, Any], code: int) -> None:
    """In Twilio's own form, and noted."""
    twilio = Twilio(numbers=frozenset({NUMBER}))
    told = send(twilio, **changes)
    assert (told.status, told.json["code"]) == (400, code)
    assert twilio.rest.messages.sent == []
    assert twilio.rest.troubles.complaints
