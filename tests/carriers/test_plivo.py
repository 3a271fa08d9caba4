"""Plivo: webhooks, signature and stream."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from xml.etree.ElementTree import canonicalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo import plivoxml
from plivo.utils.signature_v3 import construct_get_url, construct_post_url, get_signature_v3

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import (
    Audio,
    Digit,
    IncomingCall,
    MarkHeard,
    Started,
    Stopped,
    WebhookRequest,
)
from rapida_tw.carriers.plivo import PLIVO, PlivoMedia
from rapida_tw.errors import (
    REMOTE_HANGUP,
    BadRequest,
    Forged,
    RemoteProtocolError,
    Unauthenticated,
    Unavailable,
)
from tests.carriers.asking import (
    CONTEXT,
    DATA,
    HOSTILE,
    get,
    invitation,
    parsed,
    post,
    post_json,
    shape,
    stream,
)

CALL = "https://voice.example.com/v1/talk/plivo/call/123456789"
UUID = "0b5a9b4e-0000-4000-8000-000000000001"
STREAM = "5e5f4a1c-0000-4000-8000-00000000000a"
ASKED = {
    "CallUUID": UUID,
    "From": "15550100001",
    "To": "15550100002",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "Event": "StartApp",
}
TOKEN = "plivo-test-token"
SECRETS = {"auth_id": "MA1", "auth_token": TOKEN}
NONCE = "12345678901234567890"
START, MEDIA, DTMF, PLAYED, CLEARED = stream("plivo")
FRAME = bytes(range(160))


# -- webhooks ---------------------------------------------------------------------------------


def test_call() -> None:
    """The answer URL's form; numbers are as Plivo writes them, without a plus."""
    call = PLIVO.read_call(post(CALL, {**ASKED, "ALegUUID": UUID}))
    assert call == IncomingCall(
        "plivo", "15550100001", "15550100002", UUID, media=PlivoMedia.format
    )


def test_other_leg() -> None:
    """Events may speak of the call by its leg."""
    call = PLIVO.read_call(post(CALL, {**ASKED, "ALegUUID": "leg"}))
    assert (call.provider_call_id, call.aliases) == (UUID, ("leg",))


def test_withheld() -> None:
    """A caller without a number."""
    assert PLIVO.read_call(post(CALL, {**ASKED, "From": "anonymous"})).caller == ""


def test_no_call() -> None:
    """Without a caller, or told of the end where no hangup URL is set."""
    for fields in ({}, {**ASKED, "Event": "Hangup", "CallStatus": "completed"}):
        with pytest.raises(BadRequest):
            PLIVO.read_call(post(CALL, fields))


def test_answer() -> None:
    """The XML as Plivo's library writes it."""
    given = invitation(carrier="plivo")
    theirs = plivoxml.ResponseElement()
    theirs.add(
        plivoxml.StreamElement(
            given.media_url,
            bidirectional=True,
            keepCallAlive=True,
            audioTrack="inbound",
            contentType="audio/x-mulaw;rate=8000",
            streamTimeout=86400,
            statusCallbackUrl=given.event_url,
            statusCallbackMethod="POST",
        )
    )
    theirs.add(plivoxml.HangupElement())
    document = PLIVO.answer(given, post(CALL, ASKED))
    assert document.content_type == "text/xml"
    assert document.body == (DATA / "plivo" / "answer.xml").read_bytes().strip()
    ours = canonicalize(document.body.decode())
    assert ours == canonicalize(theirs.to_string(pretty=False))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_injection(hostile: str) -> None:
    """Neither a caller nor a sentence changes the document."""
    assert shape(PLIVO.answer(invitation(hostile, hostile), post(CALL, ASKED))) == [
        "Response",
        "Stream",
        "Hangup",
    ]
    error = Unavailable()
    error.spoken = hostile
    assert shape(PLIVO.apology(error)) == ["Response", "Speak", "Hangup"]


def test_apology() -> None:
    """Plivo's verbs: Speak, and Hangup to reject."""
    spoken, refused = PLIVO.apology(Unavailable()), PLIVO.apology(Unauthenticated())
    assert (spoken.status, parsed(spoken)[0].text) == (200, Unavailable.spoken)
    assert (refused.status, shape(refused)) == (403, ["Response", "Hangup"])
    assert PLIVO.apology(BadRequest()).status == 422


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("status.completed", {"Event": "Hangup", "CallStatus": "completed"}),
        ("status.ringing", {"Event": "Ring", "CallStatus": "ringing"}),
        ("stream.started", {"Event": "StartStream", "CallStatus": "in-progress"}),
        ("stream.stopped", {"Event": "StopStream"}),
        ("stream.degraded", {"Event": "DegradedStream"}),
        ("machine.true", {"Event": "MachineDetection", "Machine": "true"}),
        ("recording.completed", {"RecordUrl": "https://media.example.com/1"}),
        ("callback", {"Event": "Callback"}),
    ],
)
def test_event(name: str, fields: dict[str, str]) -> None:
    """The call's life, its stream and the rest."""
    told = PLIVO.read_event(post(f"{CALL}?x-api-key=k", {**fields, "CallUUID": UUID}))
    assert (told.name, told.call_ids) == (name, (UUID,))
    assert told.data == {**fields, "CallUUID": UUID}


def test_no_event() -> None:
    """Nothing that could be understood."""
    with pytest.raises(BadRequest):
        PLIVO.read_event(post(CALL, {"CallUUID": UUID}))


# -- the signature ----------------------------------------------------------------------------


def verify(request: WebhookRequest, signature: str, nonce: str = NONCE) -> bool:
    headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce}
    signed = WebhookRequest(
        request.method,
        request.path,
        request.query,
        request.form,
        {**request.headers, **headers},
        request.body,
        url=request.url,
    )
    return PLIVO.verify(signed, SECRETS, 0.0)


def library(text: Any) -> str:
    signature: bytes = get_signature_v3(TOKEN.encode(), bytes(text).decode(), NONCE.encode())
    return signature.decode()


VECTORS = {
    "POST": (post(CALL, ASKED), "vB51cdaBA2pBuYVVPjxXAZhYQFEeAdtRKFd1+bi9Nfo="),
    "POST with a query": (
        post(f"{CALL}?x-api-key=k&a=1", ASKED),
        "PCePj7vs9esXDsa9yNf0K2uxVoH3M3XaWlQv1MbSaYY=",
    ),
    "GET": (
        get(
            f"{CALL}?x-api-key=k&a=1&"
            + "&".join(f"{name}={value}" for name, value in ASKED.items())
        ),
        "NewPjzMOLFVV1QSXPfsdv4fkS3y8r/24cDCN2nU43kQ=",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    """What Plivo's library computes, alone and among several."""
    request, signature = VECTORS[name]
    assert verify(request, signature)
    assert verify(request, f"c29tZXRoaW5n, {signature}")


texts = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(texts.filter(bool), st.lists(texts, min_size=1, max_size=3), max_size=5))
@pytest.mark.parametrize("query", ["", "?x-api-key=k&b=&a=1&a=0"])
def test_library_signs_forms(query: str, fields: dict[str, list[str]]) -> None:
    """Any form, with what is repeated, below any query."""
    url = CALL + query
    pairs = [(name, value) for name, values in fields.items() for value in values]
    assert verify(post(url, pairs), library(construct_post_url(url, fields)))


@pytest.mark.parametrize("url", [CALL, f"{CALL}?b=2&a=1&a=0&c="])
def test_library_signs_gets(url: str) -> None:
    """With a query, sorted, and without."""
    assert verify(get(url), library(construct_get_url(url, {})))


def test_form_of_a_get() -> None:
    """Its fields count as the query's, and the query's own stand before them."""
    url, form = f"{CALL}?a=1", {"a": "2", "b": "3"}
    asked = post(url, form)
    request = WebhookRequest("GET", "/", headers=asked.headers, body=asked.body, url=url)
    assert verify(request, library(construct_get_url(url, dict(form))))


def test_other_body() -> None:
    """What is no form is not covered, however right the rest."""
    signature = library(construct_post_url(CALL, {}))
    assert verify(post(CALL, {}), signature)
    with pytest.raises(Forged, match="body"):
        verify(post_json(CALL, b"{}"), signature)


@pytest.mark.parametrize("scheme", ["wss", "https"])
def test_socket(scheme: str) -> None:
    """A socket's address may be signed as what it is, or as Plivo's own server library sees it."""
    address = f"voice.example.com/v1/talk/plivo/ctx/{CONTEXT}"
    signature = library(construct_get_url(f"{scheme}://{address}", {}))
    assert verify(get(f"wss://{address}"), signature)


@pytest.mark.parametrize(
    "request_",
    [
        post(CALL, {**ASKED, "From": "15550100009"}),
        post(f"{CALL}?a=1", ASKED),
        get(CALL),
        post(CALL, [("a", str(number)) for number in range(1000)]),
    ],
)
def test_forged(request_: WebhookRequest) -> None:
    """A signature of something else."""
    with pytest.raises(Forged):
        verify(request_, VECTORS["POST"][1])


def test_other_nonce() -> None:
    """The nonce is part of what is signed."""
    with pytest.raises(Forged):
        verify(*VECTORS["POST"], nonce="1")


def test_nothing_proven() -> None:
    """Unsigned, or nothing to check it with."""
    assert verify(VECTORS["POST"][0], "") is False
    signed = get(CALL, x_plivo_signature_v3="x")
    assert PLIVO.verify(signed, {}, 0.0) is False


# -- the stream -------------------------------------------------------------------------------


def started() -> PlivoMedia:
    wire = PlivoMedia()
    wire.received(START, False)
    return wire


def sent(messages: Any) -> list[Any]:
    assert not any(message.binary for message in messages)
    return [json.loads(message.payload) for message in messages]


def test_whole_stream() -> None:
    """One message of each kind, as Plivo documents them."""
    wire = PLIVO.media(get("wss://voice.example.com/"), {})
    assert wire.format == AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=5)
    assert wire.received(START, False) == (Started(UUID),)
    wire.mark("cp-3")
    events = [one for line in (MEDIA, DTMF, PLAYED, CLEARED) for one in wire.received(line, False)]
    assert events == [Audio(FRAME), Digit("5"), MarkHeard("cp-3")]


def test_commands() -> None:
    """Audio carries its format, checkpoints and clears the stream's id."""
    wire = started()
    assert sent(wire.audio(FRAME)) == [
        {
            "event": "playAudio",
            "media": {
                "contentType": "audio/x-mulaw",
                "sampleRate": 8000,
                "payload": b64encode(FRAME).decode(),
            },
        }
    ]
    assert sent(wire.mark("a")) == [{"event": "checkpoint", "streamId": STREAM, "name": "a"}]
    assert sent(wire.clear()) == [{"event": "clearAudio", "streamId": STREAM}]
    assert sent(wire.digits("12#")) == [{"event": "sendDTMF", "dtmf": "12#"}]
    assert wire.hang_up() == ()


def test_checkpoints() -> None:
    """One whose audio was cleared was not heard; playedStream may lack the stream's id."""
    wire = started()
    wire.mark("a")
    wire.clear()
    wire.mark("b")
    assert not wire.received(b'{"event":"playedStream","name":"a"}', False)
    assert wire.received(b'{"event":"playedStream","name":"b"}', False) == (MarkHeard("b"),)


def test_stop() -> None:
    """Documented nowhere, and sent now and then."""
    assert started().received(b'{"event":"stop"}', False) == (Stopped(REMOTE_HANGUP),)


@pytest.mark.parametrize(
    "message",
    [
        *(MEDIA, DTMF, PLAYED),
        START.replace(b'"audio/x-mulaw"', b'"audio/x-l16"'),
        START.replace(b"8000}", b"16000}"),
        START.replace(STREAM.encode(), b""),
        START.replace(STREAM.encode(), b"5" * 200),
        b'{"event":"start"}',
    ],
)
def test_no_start(message: bytes) -> None:
    """What is no start, or not one of what was asked for."""
    with pytest.raises(RemoteProtocolError):
        PlivoMedia().received(message, False)


@pytest.mark.parametrize(
    "message",
    [
        START,
        MEDIA.replace(STREAM.encode(), b"another"),
        MEDIA.replace(b"AAEC", b"****"),
        DTMF.replace(b'"5"', b'"55"'),
        b'{"event":null}',
        b"[]",
        b"\xff",
    ],
)
def test_malformed(message: bytes) -> None:
    """Each is an error, and the stream goes on after it."""
    wire = started()
    with pytest.raises(RemoteProtocolError):
        wire.received(message, False)
    assert wire.received(MEDIA, False) == (Audio(FRAME),)


def test_outbound() -> None:
    """The assistant's own voice is not heard."""
    assert not started().received(MEDIA.replace(b'"inbound"', b'"outbound"'), False)
