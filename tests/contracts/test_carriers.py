"""The contract of carriers, for every one that is installed; a new one need not be named here."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw import errors
from rapida_tw.carriers.base import (
    Carrier,
    CarrierEvent,
    Document,
    IncomingCall,
    Invitation,
    MediaWire,
    WebhookRequest,
)
from rapida_tw.carriers.outbound import State
from rapida_tw.errors import CallError, Forged, NotSupported, RemoteProtocolError
from tests.carriers.asking import CONTEXT, HOST, HOSTILE

CARRIERS: dict[str, Carrier] = {
    point.name: point.load() for point in entry_points(group="rapida_tw.carriers")
}
KEY = "rpd-secret-key"
UPGRADE = WebhookRequest("GET", "/", url=f"wss://{HOST}/v1/talk/any/ctx/{CONTEXT}")


def has_sockets(carrier: Carrier) -> bool:
    try:
        carrier.media(UPGRADE, {})
    except NotSupported:
        return False
    return True


each = pytest.mark.parametrize("name", CARRIERS)
each_with_sockets = pytest.mark.parametrize(
    "name", [name for name, carrier in CARRIERS.items() if has_sockets(carrier)]
)
# The dialplan reads the status itself; platforms take 404 and 500 for "nobody is here".
each_platform = pytest.mark.parametrize("name", sorted({*CARRIERS} - {"asterisk"}))
some = settings(max_examples=60)


ERRORS = [
    thing
    for thing in vars(errors).values()
    if isinstance(thing, type) and issubclass(thing, CallError)
]


# -- what is asked ----------------------------------------------------------------------------

# The names that carriers use, so that garbage gets beyond the first check.
NAMES = st.sampled_from(
    [
        *("From", "from", "CallFrom", "Caller", "To", "to", "CallTo", "CallSid", "CallUUID"),
        *("uuid", "conversation_uuid", "channel_id", "CallStatus", "status", "StreamEvent"),
        *("Event", "event", "type", "EventType", "Stream", "RecordingStatus", "AnsweredBy"),
        *("Legs", "detail", "sub_state", "SipResponseCode", "hangup_cause", "HangupCauseCode"),
        *("MessageStatus", "dtmf", "data", "payload", "event_type", "x-api-key", "sample-rate"),
    ]
) | st.text(max_size=20)
WORDS_OF_LIFE = ["ringing", "failed", "busy", "completed", "machine", "call.hangup", "Hangup"]
VALUES = st.text(max_size=200) | st.sampled_from(["", "+15550100001", *WORDS_OF_LIFE, *HOSTILE])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=6)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("content-type", "authorization", "accept", "x-twilio-signature"),
            *("x-twilio-webhooks-signature-settings", "x-plivo-signature-v3"),
            *("x-plivo-signature-v3-nonce", "telnyx-signature-ed25519", "telnyx-timestamp"),
        ]
    ),
    VALUES
    | st.sampled_from(
        ["application/x-www-form-urlencoded", "application/json", "Bearer a.b.c", "Basic €"]
    ),
    max_size=5,
)
REQUESTS = st.builds(
    WebhookRequest,
    st.sampled_from(["GET", "POST"]),
    st.just("/v1/talk"),
    FIELDS,
    FIELDS,
    HEADERS,
    st.binary(max_size=50),
    st.dictionaries(NAMES, JSON, max_size=4),
    st.text(max_size=30) | st.sampled_from([f"https://{HOST}/a?b=c", UPGRADE.url]),
)
SECRETS = st.dictionaries(
    st.sampled_from(
        sorted({field for carrier in CARRIERS.values() for field in carrier.credential_fields})
    ),
    st.text(max_size=40),
)


@each
def test_described(name: str) -> None:
    """It bears its entry point's name, and sentences for people."""
    carrier = CARRIERS[name]
    assert carrier.name == name
    assert carrier.description
    for field, sentence in carrier.credential_fields.items():
        assert field.isidentifier()
        assert sentence.endswith(".")
    assert isinstance(carrier.subprotocols, tuple)
    assert isinstance(carrier.context_in_band, bool)


@each
@some
@given(REQUESTS)
def test_any_call(name: str, request: WebhookRequest) -> None:
    """A call is read, or the error says what is wrong; what is read is printable and short."""
    with suppress(CallError):
        call = CARRIERS[name].read_call(request)
        assert call.carrier == name
        for text in (call.caller, call.callee, call.provider_call_id, *call.aliases):
            assert text.isprintable()
            assert len(text) <= 130
        assert all(isinstance(value, str) for value in call.metadata.values())


@each
def test_no_call(name: str) -> None:
    """A bare request is no call of any carrier's, and a BadRequest says what is missing."""
    with pytest.raises(errors.BadRequest) as caught:
        CARRIERS[name].read_call(WebhookRequest("GET", "/"))
    assert "from" in str(caught.value).lower()


@each
@some
@given(REQUESTS)
def test_any_event(name: str, request: WebhookRequest) -> None:
    """An event is read, flat and without our key, or the error says what is wrong."""
    asked = WebhookRequest(
        request.method,
        request.path,
        {**request.query, "x-api-key": KEY},
        request.form,
        request.headers,
        request.body,
        request.json,
        request.url,
    )
    with suppress(CallError):
        event = CARRIERS[name].read_event(asked)
        assert isinstance(event, CarrierEvent)
        assert event.name
        assert event.name.isprintable()
        assert len(event.name) <= 100
        assert all(event.call_ids)
        assert event.verdict in ("", "human", "machine", "beep", "silence", "fax", "unknown")
        if event.progress is not None and (outcome := event.progress.outcome) is not None:
            assert event.progress.state is State.OVER
            assert outcome.status
            assert outcome.reason.isprintable()
        for field, value in event.data.items():
            assert isinstance(field, str)
            assert isinstance(value, str)
            assert KEY not in value


@each
@some
@given(REQUESTS, SECRETS, st.floats(0, 2e9))
def test_any_signature(
    name: str, request: WebhookRequest, secrets: dict[str, str], now: float
) -> None:
    """Garbage proves nothing, with whatever secrets; it may be called forged."""
    with suppress(Forged):
        assert CARRIERS[name].verify(request, secrets, now) is False


@each
def test_unsigned(name: str) -> None:
    """Without a signature and without a secret nothing is proven, and nothing is wrong."""
    assert CARRIERS[name].verify(WebhookRequest("POST", "/", url=UPGRADE.url), {}, 0.0) is False


# -- what is answered -------------------------------------------------------------------------


def invitation(carrier: str, text: str) -> Invitation:
    """An invitation in which all that a stranger can choose is `text`."""
    call = IncomingCall(carrier, text, text, text, {"note": text, "CustomField": text}, (text,))
    url = f"{HOST}/v1/talk/{carrier}/ctx/{CONTEXT}"
    return Invitation(CONTEXT, f"wss://{url}", f"https://{url}/event", 123, 456, call)


def skeleton(document: Document) -> Any:
    """What of a document must not depend on what a stranger wrote."""
    kind = document.content_type.partition(";")[0]
    if kind in ("text/xml", "application/xml"):
        root = ElementTree.fromstring(document.body)
        return [(element.tag, sorted(element.attrib)) for element in root.iter()]
    if kind == "application/json":
        return _shape(json.loads(document.body))
    return document.body


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_shape(part) for part in value]
    return type(value)


@each
@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_injection(name: str, hostile: str) -> None:
    """Whatever the caller calls itself, the answer has the shape that it always has."""
    carrier, asked = CARRIERS[name], WebhookRequest("POST", "/")
    usual = carrier.answer(invitation(name, "unknown"), asked)
    assert (usual.status, bool(usual.body)) == (200, True)
    assert CONTEXT.encode() in usual.body
    assert skeleton(carrier.answer(invitation(name, hostile), asked)) == skeleton(usual)


@each
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_apology(name: str, error: type[CallError]) -> None:
    """Every error has a document, in the carrier's form, and hostile words stay words."""
    carrier = CARRIERS[name]
    usual = carrier.apology(error("words"))
    for text in HOSTILE:
        hostile = error(text)
        hostile.spoken = text
        document = carrier.apology(hostile)
        assert document.status == usual.status
        assert skeleton(document) == skeleton(usual)
        for value in document.headers.values():
            assert value.isprintable()
            assert value.isascii()


@each_platform
@pytest.mark.parametrize(
    "error",
    [error for error in ERRORS if error is not errors.ContextNotFound],  # a call has none yet
    ids=lambda error: error.__name__,
)
def test_somebody_is_here(name: str, error: type[CallError]) -> None:
    """A platform is never told that there is no such place, or that we broke."""
    assert CARRIERS[name].apology(error()).status not in (404, 500)


@each_platform
@pytest.mark.parametrize("error", [errors.Unauthenticated, errors.Forged])
def test_strangers(name: str, error: type[CallError]) -> None:
    """Whoever may not call us is not served a call."""
    assert CARRIERS[name].apology(error()).status == 403


# -- media ------------------------------------------------------------------------------------

WORDS = ["connected", "start", "media", "dtmf", "mark", "stop", "error", "playedStream"]
WORDS += ["clear", "websocket:connected", "websocket:dtmf", "MEDIA_START", "DTMF_END"]
PARTS = st.sampled_from(
    [
        *("event", "start", "media", "dtmf", "mark", "stop", "streamSid", "stream_sid", "track"),
        *("stream_id", "streamId", "callSid", "payload", "digit", "name", "chunk", "encoding"),
        *("mediaFormat", "media_format", "sampleRate", "sample_rate", "content-type", "format"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["audio/x-mulaw", "8000", "PCMU", "inbound", "AAAA", "1", *WORDS])
)
OBJECTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=4),
    max_leaves=8,
)
MESSAGES = (
    st.binary(max_size=100)
    | st.builds(
        lambda word, fields: json.dumps({**fields, "event": word}).encode(),
        st.sampled_from(WORDS),
        st.dictionaries(PARTS, OBJECTS, max_size=5),
    )
    | st.builds(
        lambda word, rest: f"{word} {rest}".encode("utf-8", "replace"),
        st.sampled_from(WORDS),
        st.text(max_size=40),
    )
)


def speak(wire: MediaWire) -> None:
    """Have the wire say all it can."""
    frame = bytes(wire.format.frame_bytes)
    messages = [*wire.audio(frame), *wire.mark("a"), *wire.clear(), *wire.audio(frame)]
    with suppress(NotSupported):
        messages += wire.digits("0123456789ABCD*#")
    for payload, binary in [*messages, *wire.hang_up()]:
        assert isinstance(payload, bytes)
        if not binary:
            payload.decode()


@each_with_sockets
@some
@given(st.lists(st.tuples(MESSAGES, st.booleans()), max_size=8))
def test_any_message(name: str, messages: list[tuple[bytes, bool]]) -> None:
    """Whatever comes is understood or a RemoteProtocolError, and the wire goes on speaking."""
    wire = CARRIERS[name].media(UPGRADE, {})
    for message, binary in messages:
        with suppress(RemoteProtocolError):
            for event in wire.received(message, binary):
                assert isinstance(event, tuple)
        speak(wire)


@each_with_sockets
def test_before_the_start(name: str) -> None:
    """To speak to somebody who has said nothing yet is no error."""
    speak(CARRIERS[name].media(UPGRADE, {}))


@each_with_sockets
def test_deep_nesting(name: str) -> None:
    """JSON that nests without an end is malformed, and no end of us."""
    wire = CARRIERS[name].media(UPGRADE, {})
    with suppress(RemoteProtocolError):
        wire.received(b'{"event":' * 100_000, False)


@each_with_sockets
def test_of_its_own(name: str) -> None:
    """Each socket has a wire of its own, with a format that a call can begin with."""
    carrier = CARRIERS[name]
    first, second = carrier.media(UPGRADE, {}), carrier.media(UPGRADE, {})
    assert first is not second
    for wire in (first, second):
        assert wire.format.lead >= 0
        assert math.gcd(wire.format.rate, 1000) == 1000
        assert isinstance(wire.one_frame_a_record, bool)
