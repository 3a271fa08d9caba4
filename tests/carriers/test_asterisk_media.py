"""The messages of chan_websocket: golden ones of Asterisk 22.10, and malformed ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.asterisk import ASTERISK
from rapida_tw.carriers.asterisk_media import (
    EARLY_MESSAGES,
    LEAD,
    LONGEST_AUDIO,
    LONGEST_COMMAND,
    AsteriskMedia,
)
from rapida_tw.carriers.base import (
    Audio,
    Complaint,
    Digit,
    Full,
    MarkHeard,
    MediaEvent,
    Message,
    Started,
    WebhookRequest,
)
from rapida_tw.errors import NotSupported, RemoteProtocolError

UUID = "1e943abd-04e2-4721-8612-8e6d81ad3f72"
JSON_START = (
    b'{"event":"MEDIA_START","connection_id":"rapida","channel":"WebSocket/rapida/0x7f5f9c00a990",'
    b'"channel_id":"1795196486.2","format":"ulaw","optimal_frame_size":160,"ptime":20,'
    b'"channel_variables":{"DIALEDPEERNUMBER":"rapida/c(ulaw)f(json)v(contextId=...)",'
    b'"MEDIA_WEBSOCKET_CONNECTION_ID":"rapida","MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE":"160",'
    b'"RAPIDA_CONTEXT_ID":"1e943abd-04e2-4721-8612-8e6d81ad3f72"}}'
)
PLAIN_START = (
    b"MEDIA_START connection_id:rapida channel:WebSocket/rapida/0x7f2ff8013f30"
    b" channel_id:1795196506.2 format:ulaw optimal_frame_size:160 ptime:20"
)
FRAME = bytes(range(160))


def plain_start(**changes: object) -> bytes:
    fields = {"channel_id": "7.2", "format": "ulaw", "optimal_frame_size": 160, **changes}
    return " ".join(("MEDIA_START", *(f"{name}:{fields[name]}" for name in fields))).encode()


def started(start: bytes, secure: bool = False) -> AsteriskMedia:
    wire = AsteriskMedia(secure=secure)
    wire.received(start, False)
    return wire


def plain() -> AsteriskMedia:
    return started(PLAIN_START)


def texts(messages: Sequence[Message]) -> list[bytes]:
    assert not any(message.binary for message in messages)
    return [message.payload for message in messages]


# -- the start ------------------------------------------------------------------------------------


def test_start_in_json() -> None:
    """The channel and the variable that the dialplan has inherited to it."""
    wire = AsteriskMedia()
    assert wire.received(JSON_START, False) == (Started("1795196486.2", UUID),)


def test_start_in_plain_text() -> None:
    """Plain text has no variables."""
    assert AsteriskMedia().received(PLAIN_START, False) == (Started("1795196506.2", ""),)


def test_oldest_start() -> None:
    """Asterisk 22.6 does not name the channel."""
    start = PLAIN_START.replace(b" channel_id:1795196506.2", b"")
    assert AsteriskMedia().received(start, False) == (Started("", ""),)


@pytest.mark.parametrize("variables", [None, [], "x", {}, {"RAPIDA_CONTEXT_ID": {}}])
def test_start_without_context(variables: object) -> None:
    """Whatever stands for the variables, a stream that names no context does not name one."""
    start = json.loads(JSON_START) | {"channel_variables": variables}
    [event] = AsteriskMedia().received(json.dumps(start).encode(), False)
    assert event == Started("1795196486.2", "")


@pytest.mark.parametrize(
    ("path", "query", "context_id"),
    [
        ("/v1/talk/asterisk/ctx", {"contextId": UUID.upper()}, ""),
        (f"/v1/talk/asterisk/ctx/{UUID}", {}, ""),
        ("/v1/talk/asterisk/ctx", {}, UUID),
        ("/v1/talk/asterisk/ctx", {"contextId": "0" + UUID[1:]}, UUID),
    ],
)
def test_context_of_the_address(path: str, query: dict[str, str], context_id: str) -> None:
    """The start names the context where the address does not, or names another call's."""
    wire = ASTERISK.media(WebhookRequest("GET", path, query), {})
    assert wire.received(JSON_START, False) == (Started("1795196486.2", context_id),)


@pytest.mark.parametrize(
    ("name", "encoding", "rate", "size"),
    [
        ("ulaw", Encoding.MULAW, 8_000, 160),
        ("alaw", Encoding.ALAW, 8_000, 160),
        ("slin", Encoding.LINEAR16, 8_000, 320),
        ("slin12", Encoding.LINEAR16, 12_000, 480),
        ("slin16", Encoding.LINEAR16, 16_000, 640),
        ("slin24", Encoding.LINEAR16, 24_000, 960),
        ("slin32", Encoding.LINEAR16, 32_000, 1280),
        ("slin44", Encoding.LINEAR16, 44_100, 1764),
        ("slin48", Encoding.LINEAR16, 48_000, 1920),
        ("slin96", Encoding.LINEAR16, 96_000, 3840),
        ("slin192", Encoding.LINEAR16, 192_000, 7680),
    ],
)
def test_formats(name: str, encoding: Encoding, rate: int, size: int) -> None:
    """Each codec's samples, in frames of 20 ms; Asterisk queues some and plays no silence."""
    wire = started(plain_start(format=name, optimal_frame_size=size))
    assert wire.format == AudioFormat(encoding, rate, continuous=False, lead=LEAD)
    assert wire.format.frame_bytes == size


@pytest.mark.parametrize("name", ["opus", "g722", "g729", "", "ULAW"])
def test_other_codecs(name: str) -> None:
    """The error says what to write into the dialplan."""
    with pytest.raises(RemoteProtocolError, match=r"c\(ulaw\).*c\(slin16\)"):
        started(plain_start(format=name))


def test_second_start() -> None:
    """A stream starts once."""
    with pytest.raises(RemoteProtocolError, match="second"):
        plain().received(PLAIN_START, False)


@pytest.mark.parametrize("size", ["0", "-160", "160.5", "x", "9" * 5000, str(LONGEST_AUDIO + 2)])
def test_impossible_frames(size: str) -> None:
    """A frame's size is a number of bytes that can be sent."""
    with pytest.raises(RemoteProtocolError, match="frames"):
        started(plain_start(optimal_frame_size=size))


def test_half_samples() -> None:
    """Frames consist of whole samples."""
    with pytest.raises(RemoteProtocolError, match="frames"):
        started(plain_start(format="slin", optimal_frame_size=321))


# -- from Asterisk --------------------------------------------------------------------------------


def test_audio() -> None:
    """Binary messages are audio."""
    assert plain().received(FRAME, True) == (Audio(FRAME),)
    assert plain().received(b"", True) == ()


def test_early_audio() -> None:
    """What overtakes the start is heard behind it, in order."""
    wire = AsteriskMedia()
    assert wire.received(b"a", True) == wire.received(b"b", True) == ()
    assert wire.received(PLAIN_START, False)[1:] == (Audio(b"a"), Audio(b"b"))
    assert wire.received(b"c", True) == (Audio(b"c"),)


def test_much_early_audio() -> None:
    """Only the latest half second is kept."""
    wire = AsteriskMedia()
    for number in range(EARLY_MESSAGES + 10):
        wire.received(bytes((number,)), True)
    heard = wire.received(PLAIN_START, False)[1:]
    assert heard == tuple(Audio(bytes((10 + number,))) for number in range(EARLY_MESSAGES))


def test_early_audio_torn() -> None:
    """Early messages that cannot be of the codec which is named afterwards are left out."""
    wire = AsteriskMedia()
    for payload in (b"abc", b"", b"abcd"):
        wire.received(payload, True)
    start = plain_start(format="slin", optimal_frame_size=320)
    assert wire.received(start, False)[1:] == (Audio(b"abcd"),)


@pytest.mark.parametrize("size", [3, LONGEST_AUDIO + 2])
def test_no_audio(size: int) -> None:
    """Half a sample, or seconds at once: not from a telephone."""
    wire = started(plain_start(format="slin", optimal_frame_size=320))
    with pytest.raises(RemoteProtocolError, match=str(size)):
        wire.received(bytes(size), True)


def event(name: str, **fields: object) -> bytes:
    return json.dumps({"event": name, "channel_id": "7.2", **fields}).encode()


@pytest.mark.parametrize(
    ("message", "events"),
    [
        (b"DTMF_END digit:1 channel_id:7.2", (Digit("1"),)),
        (b"DTMF_END digit:#", (Digit("#"),)),
        (event("DTMF_END", digit="d"), (Digit("D"),)),
        (b"MEDIA_XOFF", (Full(True),)),
        (b"MEDIA_XON\n", (Full(False),)),
        (event("MEDIA_XOFF"), (Full(True),)),
        (event("MEDIA_XON"), (Full(False),)),
        (b"MEDIA_MARK_PROCESSED 2.175", (MarkHeard("2.175"),)),
        (b"MEDIA_MARK_PROCESSED", (MarkHeard(""),)),
        (event("MEDIA_MARK_PROCESSED", correlation_id="2.175"), (MarkHeard("2.175"),)),
        (
            b"ERROR channel_id:7.2 error_text:FLUSH_MEDIA not supported in passthrough mode\n",
            (Complaint("FLUSH_MEDIA not supported in passthrough mode"),),
        ),
        (
            event("ERROR", error_text="Unable to parse JSON command"),
            (Complaint("Unable to parse JSON command"),),
        ),
        (b"ERROR", (Complaint("an ERROR without a text"),)),
        (b"QUEUE_DRAINED", ()),
        (event("QUEUE_DRAINED"), ()),
        (b"MEDIA_BUFFERING_COMPLETED utt-1", ()),
        (event("MEDIA_BUFFERING_COMPLETED", correlation_id=""), ()),
        (b"STATUS channel_id:7.2 queue_length:101 xon_level:800 queue_full:false", ()),
        (event("STATUS", queue_length=101, queue_full=False), ()),
        (b"SOMETHING_NEW with:fields", ()),
        (event("SOMETHING_NEW", more=[1, 2]), ()),
        (b"{}", ()),
    ],
)
def test_events(message: bytes, events: Sequence[MediaEvent]) -> None:
    """Each of Asterisk's words in both forms; those of tomorrow are ignored."""
    assert tuple(plain().received(message, False)) == tuple(events)


@pytest.mark.parametrize(
    "message",
    [
        b"DTMF_END",
        b"DTMF_END digit:12",
        b"DTMF_END digit:f",
        event("DTMF_END"),
        event("DTMF_END", digit=None),
        b"{",
        b'{"event":',
        b"MEDIA_XOFF \xff",
    ],
)
def test_malformed(message: bytes) -> None:
    """What makes no sense is an error of the far side."""
    with pytest.raises(RemoteProtocolError):
        plain().received(message, False)


def test_long_complaint() -> None:
    """What Asterisk complains of stays a line in the log."""
    [complaint] = plain().received(b"ERROR error_text:" + b"x\n" * 1000, False)
    assert isinstance(complaint, Complaint)
    assert len(complaint.text) == 200
    assert "\n" not in complaint.text


# -- to Asterisk ----------------------------------------------------------------------------------


def test_commands_in_json() -> None:
    """A call that speaks JSON is answered in JSON."""
    wire = started(JSON_START)
    assert texts(wire.clear()) == [b'{"command":"FLUSH_MEDIA"}']
    assert texts(wire.hang_up()) == [b'{"command":"HANGUP"}']
    assert texts(wire.mark("2.175")) == [b'{"command":"MARK_MEDIA","correlation_id":"2.175"}']


def test_commands_in_plain_text() -> None:
    """A call that speaks plain text is answered in plain text."""
    wire = plain()
    assert texts(wire.clear()) == [b"FLUSH_MEDIA"]
    assert texts(wire.hang_up()) == [b"HANGUP"]
    assert texts(wire.mark("2.175")) == [b"MARK_MEDIA 2.175"]


def test_first_text_decides() -> None:
    """The form of the call is that of the first text message, whatever it tells."""
    wire = AsteriskMedia()
    wire.received(event("STATUS"), False)
    wire.received(PLAIN_START, False)
    assert texts(wire.clear()) == [b'{"command":"FLUSH_MEDIA"}']


@pytest.mark.parametrize("name", ["2.175", "\ud800", "é" * 8])
@pytest.mark.parametrize("start", [JSON_START, PLAIN_START])
def test_marks_can_be_read(start: bytes, name: str) -> None:
    """What is sent is text of at most 128 bytes."""
    [message] = started(start).mark(name)
    assert message.payload.decode("utf-8")
    assert len(message.payload) <= LONGEST_COMMAND


@pytest.mark.parametrize("start", [JSON_START, PLAIN_START])
def test_long_mark(start: bytes) -> None:
    """Asterisk would ignore a longer command; so nothing is sent."""
    assert started(start).mark("x" * LONGEST_COMMAND) == ()


@pytest.mark.parametrize(
    ("start", "nudge"), [(PLAIN_START, b"GET_STATUS"), (JSON_START, b'{"command":"GET_STATUS"}')]
)
def test_nudge(start: bytes, nudge: bytes) -> None:
    """Over TLS a command may lie unread until more comes: so something comes."""
    wire = started(start, secure=True)
    for messages in (wire.mark("1.1"), wire.clear(), wire.hang_up()):
        assert texts(messages)[1:] == [nudge]


@pytest.mark.parametrize("flag", [b" passthrough:true", b" unbuffered:true"])
def test_no_queue(flag: bytes) -> None:
    """With the options p or u Asterisk keeps nothing: no lead, no marks, nothing to forget."""
    wire = started(PLAIN_START + flag)
    assert wire.format.lead == 0
    assert wire.mark("1.1") == wire.clear() == ()
    assert started(PLAIN_START + b" passthrough:false unbuffered:false").format.lead == LEAD


def test_nothing_before_the_start() -> None:
    """Before the codec and the form are known, nothing can be said."""
    wire = AsteriskMedia(secure=True)
    assert wire.audio(FRAME) == wire.mark("1.1") == wire.clear() == wire.hang_up() == ()


def test_digits() -> None:
    """There is no command for them."""
    with pytest.raises(NotSupported):
        plain().digits("1")


# -- the carrier, and noise -----------------------------------------------------------------------


@pytest.mark.parametrize(("url", "nudged"), [("wss://host/ctx", True), ("ws://host/ctx", False)])
def test_carrier(url: str, nudged: bool) -> None:
    """The carrier makes the wire, and knows by the public address whether Asterisk uses TLS."""
    wire = ASTERISK.media(WebhookRequest("GET", "/ctx", url=url), {})
    wire.received(PLAIN_START, False)
    assert (len(wire.clear()) == 2) is nudged
    assert wire.one_frame_a_record


words = st.sampled_from(
    "MEDIA_START DTMF_END MEDIA_XOFF MEDIA_XON MEDIA_MARK_PROCESSED ERROR STATUS".split()
)
names = st.sampled_from(
    "event digit format optimal_frame_size channel_variables correlation_id error_text".split()
)
values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(names, values).map(lambda fields: json.dumps(fields).encode())
lines = st.tuples(words, st.text()).map(lambda parts: " ".join(parts).encode("utf-8", "replace"))
noise = st.tuples(st.binary(max_size=400) | objects | lines, st.booleans())


@given(st.lists(noise, max_size=8), st.booleans(), st.integers(0, 8))
def test_noise(messages: list[tuple[bytes, bool]], secure: bool, start: int) -> None:
    """Whatever comes, only `RemoteProtocolError` is raised, and what is sent stays readable."""
    wire = AsteriskMedia(secure=secure)
    messages.insert(start, (JSON_START, False))
    for message, binary in messages:
        with suppress(RemoteProtocolError):
            wire.received(message, binary)
        for sent in (*wire.audio(bytes(wire.format.frame_bytes)), *wire.mark("1.5"), *wire.clear()):
            assert sent.binary or len(sent.payload) <= LONGEST_COMMAND
    wire.hang_up()
