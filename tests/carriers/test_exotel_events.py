"""What Exotel tells of calls and streams, in all its spellings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.carriers.base import CarrierEvent, WebhookRequest
from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.errors import BadRequest

DATA = Path(__file__).parents[1] / "data" / "exotel"
PASSTHRU = dict(parse_qsl((DATA / "passthru.query").read_text().strip()))
SID = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
STREAM = {name[7:-1]: value for name, value in PASSTHRU.items() if name.startswith("Stream[")}


def by_json(**fields: Any) -> CarrierEvent:
    return EXOTEL.read_event(WebhookRequest("POST", "/", {"x-api-key": "rpd-secret"}, json=fields))


def by_form(**fields: str) -> CarrierEvent:
    return EXOTEL.read_event(WebhookRequest("POST", "/", form=fields))


class StreamTests(SynchronousTestCase):
    def test_flattened(self) -> None:
        """A Passthru after the stream tells how it ended; our own address is not kept."""
        event = EXOTEL.read_event(WebhookRequest("GET", "/", PASSTHRU))
        self.assertEqual((event.name, event.call_ids), ("stream.cancelled", (SID,)))
        kept = {name: text for name, text in PASSTHRU.items() if name != "Stream[StreamUrl]"}
        self.assertEqual(event.data, kept)

    def test_one_key(self) -> None:
        """The same as JSON in one key, as text and as an object."""
        rest = {name: text for name, text in PASSTHRU.items() if "[" not in name}
        expected = EXOTEL.read_event(WebhookRequest("GET", "/", PASSTHRU))
        self.assertEqual(by_form(**rest, Stream=json.dumps(STREAM)), expected)
        self.assertEqual(by_json(**rest, Stream=STREAM), expected)

    def test_spellings(self) -> None:
        """No two documents of Exotel agree."""
        for fields, name in (
            ({"StreamSid": "S1", "EventType": "stream_completed"}, "stream.completed"),
            ({"stream_sid": "S1", "Status": "failed"}, "stream.failed"),
            ({"stream[streamsid]": "S1", "STREAM[STATUS]": "completed"}, "stream.completed"),
            ({"Stream": {"StreamSID": "S1"}}, "stream.event"),
            ({"Stream": {"StreamSID": "S1", "Status": "stream"}}, "stream.event"),
        ):
            self.assertEqual(by_json(**fields).name, name, fields)

    def test_no_object(self) -> None:
        """`Stream` with something else in it tells nothing of a stream."""
        for value in ("true", "[1]", "{", "[" * 5_000, ""):
            self.assertEqual(by_form(CallSid=SID, Stream=value).name, "passthru", value[:9])


class CallTests(SynchronousTestCase):
    def test_status(self) -> None:
        """A status callback, as JSON and as the fields of a form."""
        fields = {
            "CallSid": SID,
            "EventType": "terminal",
            "Status": "no-answer",
            "DateUpdated": "2026-08-25 12:07:09",
            "RecordingUrl": "",
        }
        for event in (by_json(**fields, From=None), by_form(**fields)):
            self.assertEqual((event.name, event.call_ids), ("status.no-answer", (SID,)))
            self.assertEqual(event.data, fields)

    def test_progress(self) -> None:
        """What happens before the end is told by the event's type."""
        self.assertEqual(by_form(EventType="ringing", Status="").name, "status.ringing")
        self.assertEqual(by_form(EventType="Answered", Status="completed").name, "status.answered")

    def test_legs(self) -> None:
        """What is nested becomes JSON."""
        event = by_json(CallSid=SID, Status="completed", Legs=[{"Status": "busy"}])
        self.assertEqual(event.data["Legs"], '[{"Status": "busy"}]')

    def test_passthru(self) -> None:
        """A Passthru in the middle of a flow is not the end of the call."""
        self.assertEqual(by_form(CallSid=SID, CallType="completed").name, "passthru.completed")
        self.assertEqual(by_form(CallSid=SID).name, "passthru")

    def test_recording(self) -> None:
        """A recording alone."""
        event = by_form(CallSid=SID, RecordingUrl="https://recordings.exotel.example/1.mp3")
        self.assertEqual(event.name, "recording.completed")

    def test_custom_field(self) -> None:
        """The context's id, if that is what we have given with the call."""
        event = by_form(call_sid=SID, Status="completed", CustomField=CONTEXT)
        self.assertEqual(event.call_ids, (SID, CONTEXT))
        event = by_form(CallSid=SID, Status="completed", CustomField="order 7")
        self.assertEqual(event.call_ids, (SID,))

    def test_nothing(self) -> None:
        """Nothing that is known is no event."""
        for fields in ({}, {"hello": "world"}, {"Status": None, "CallSid": ""}):
            self.assertRaises(BadRequest, by_json, **fields)

    NAMES = st.sampled_from(("CallSid", "Stream", "Stream[Status]", "Status", "EventType"))
    VALUES = st.none() | st.integers() | st.text() | st.lists(st.text())

    @given(st.dictionaries(NAMES | st.text(), VALUES | st.dictionaries(st.text(), VALUES)))
    def test_anything(self, fields: dict[str, Any]) -> None:
        """Whatever comes is an event of printable texts or a BadRequest."""
        try:
            event = EXOTEL.read_event(WebhookRequest("POST", "/", json=fields))
        except BadRequest:
            return
        for name, text in event.data.items():
            self.assertTrue((event.name + name + text).isprintable())
