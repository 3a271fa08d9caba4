"""Status callbacks: whose call they are of, who may send them, and what is kept of them."""

from __future__ import annotations

import json

from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.store.records import NamedCall
from tests.web.case import WebCase
from tests.web.fakes import ASSISTANT, CONTEXT_ID, KEY, PROJECT

FORM = "application/x-www-form-urlencoded"
CALL = NamedCall(5, ASSISTANT, PROJECT)


class AsteriskTests(WebCase):
    """A carrier that signs nothing."""

    PATH = f"/v1/talk/asterisk/ctx/{CONTEXT_ID}/event"

    def setUp(self) -> None:
        super().setUp()
        self.calls.names["asterisk", CONTEXT_ID] = CALL

    def event(self) -> CarrierEvent:
        """The only one that was taken, of the call."""
        ((call, carrier, event),) = self.calls.events
        self.assertEqual((call, carrier), (CALL, "asterisk"))
        return event

    def test_query(self) -> None:
        """GET with a query: 201, nothing in it; the key is not journalled."""
        response = self.get(f"{self.PATH}?type=StasisEnd&x-api-key={KEY}&X-Api-Key=k", key=None)
        self.assertEqual((response.status, response.body), (201, b""))
        self.assertEqual(self.event().data, {"type": "StasisEnd"})

    def test_json(self) -> None:
        """ARI's JSON by POST: what is nested comes as JSON text."""
        document = {"type": "ChannelDestroyed", "cause": 16, "channel": {"id": "1.2"}}
        self.send("POST", self.PATH, document, key=None)
        fields = self.event().data
        self.assertEqual(fields["type"], "ChannelDestroyed")
        self.assertEqual(fields["cause"], "16")
        self.assertEqual(json.loads(fields["channel"]), {"id": "1.2"})

    def test_form_and_query(self) -> None:
        """A query beside the body does not hide it."""
        path = f"{self.PATH}?x-api-key={KEY}&event=answered"
        self.send("POST", path, b"b=2", key=None, Content_Type=FORM)
        self.assertEqual(self.event().data, {"event": "answered", "b": "2"})
