"""The messages of a Twilio stream, both ways."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import Audio, Digit, MarkHeard, Started, Stopped
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.twilio_media import TwilioMedia
from rapida_tw.errors import REMOTE_HANGUP, NotSupported, RemoteProtocolError
from tests.carriers.asking import get, stream

SID = "MZ00000000000000000000000000000001"
CALL = "CA00000000000000000000000000000001"
CONNECTED, START, MEDIA, DTMF, MARK, STOP = stream("twilio")
FRAME = bytes(range(160))


def started() -> TwilioMedia:
    wire = TwilioMedia()
    wire.received(START, False)
    return wire


def changed(message: bytes, place: str, **fields: Any) -> bytes:
    """`message` with fields of its object `place` replaced, or left out where they are None."""
    value = json.loads(message)
    target = value[place] if place else value
    target.update(fields)
    for name in [name for name in target if target[name] is None]:
        del target[name]
    return json.dumps(value).encode()


def sent(wire_messages: Any) -> list[Any]:
    assert not any(message.binary for message in wire_messages)
    return [json.loads(message.payload) for message in wire_messages]


# -- from Twilio ------------------------------------------------------------------------------


def test_format() -> None:
    """µ-law of 8 kHz; Twilio wants no silence, and holds 100 ms that it can forget."""
    wire = TWILIO.media(get("wss://voice.example.com/"), {})
    assert wire.format == AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=5)
    assert not wire.one_frame_a_record


def test_whole_stream() -> None:
    """One message of each kind, as Twilio documents them."""
    wire = TwilioMedia()
    wire.received(CONNECTED, False)
    assert wire.received(START, False) == (Started(CALL),)
    wire.mark("turn-3")
    events = [event for line in (MEDIA, DTMF, MARK, STOP) for event in wire.received(line, False)]
    assert events == [Audio(FRAME), Digit("1"), MarkHeard("turn-3"), Stopped(REMOTE_HANGUP)]


def test_nothing_said() -> None:
    """`connected`, what is unknown, and the assistant's own track say nothing."""
    wire = TwilioMedia()
    assert not wire.received(CONNECTED, False)
    wire.received(START, False)
    for message in (
        CONNECTED,
        b'{"event":"heartbeat","streamSid":3}',
        changed(MEDIA, "media", track="outbound"),
        changed(MEDIA, "media", payload=""),
        changed(DTMF, "dtmf", track="outbound_track"),
    ):
        assert not wire.received(message, False), message


@pytest.mark.parametrize("track", ["inbound", "inbound_track", None])
def test_track(track: str | None) -> None:
    """Twilio calls the caller's track by two names."""
    wire = started()
    assert wire.received(changed(MEDIA, "media", track=track), False) == (Audio(FRAME),)
    assert wire.received(changed(DTMF, "dtmf", track=track), False) == (Digit("1"),)


@pytest.mark.parametrize("size", [1, 159, 161, 1600])
def test_any_size(size: int) -> None:
    """Frames may bunch: whatever comes is audio."""
    payload = base64.b64encode(bytes(size)).decode()
    assert started().received(changed(MEDIA, "media", payload=payload), False) == (
        Audio(bytes(size)),
    )


def test_sample_rate_as_text() -> None:
    """Numbers of Twilio are mostly texts."""
    media_format = {"encoding": "audio/x-mulaw", "sampleRate": "8000", "channels": "1"}
    message = changed(START, "start", mediaFormat=media_format)
    assert TwilioMedia().received(message, False) == (Started(CALL),)


def test_before_the_start() -> None:
    """Whatever is of a stream needs the start before it."""
    for message in (MEDIA, DTMF, MARK, STOP):
        with pytest.raises(RemoteProtocolError, match="before the start"):
            TwilioMedia().received(message, False)


def test_second_start() -> None:
    """A stream starts once."""
    with pytest.raises(RemoteProtocolError, match="second start"):
        started().received(START, False)


MALFORMED_STARTS = {
    "no sid": changed(START, "start", streamSid=None),
    "empty sid": changed(START, "start", streamSid=""),
    "long sid": changed(changed(START, "start", streamSid="M" * 200), "", streamSid="M" * 200),
    "long call": changed(START, "start", callSid="C" * 200),
    "two sids": changed(START, "", streamSid="MZ2"),
    "no format": changed(START, "start", mediaFormat=None),
    "linear": changed(START, "start", mediaFormat={"encoding": "audio/x-l16"}),
    "16 kHz": changed(
        START, "start", mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 16000}
    ),
    "stereo": changed(
        START,
        "start",
        mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 2},
    ),
    "no object": b'{"event":"start","start":[]}',
}


@pytest.mark.parametrize("name", MALFORMED_STARTS)
def test_malformed_start(name: str) -> None:
    """A stream that we would not understand does not begin, and may yet begin rightly."""
    wire = TwilioMedia()
    with pytest.raises(RemoteProtocolError):
        wire.received(MALFORMED_STARTS[name], False)
    assert wire.audio(FRAME) == ()
    assert wire.received(START, False)


MALFORMED = {
    "no JSON": b"{",
    "no object": b"[]",
    "not UTF-8": b'{"event":"\xff"}',
    "UTF-16": '{"event":"connected"}'.encode("utf-16"),
    "no event": b"{}",
    "event of a list": b'{"event":[]}',
    "another stream": changed(MEDIA, "", streamSid="MZ2"),
    "no stream": changed(MEDIA, "", streamSid=None),
    "no payload": changed(MEDIA, "media", payload=None),
    "payload of a number": changed(MEDIA, "media", payload=5),
    "payload of rubbish": changed(MEDIA, "media", payload="*" * 216),
    "payload cut off": changed(MEDIA, "media", payload="AAA"),
    "payload in words": changed(MEDIA, "media", payload="äöü"),
    "media of a text": changed(MEDIA, "", media="x"),
    "two digits": changed(DTMF, "dtmf", digit="12"),
    "no digit": changed(DTMF, "dtmf", digit=None),
    "another key": changed(DTMF, "dtmf", digit="x"),
    "mark without object": changed(MARK, "", mark=None),
    "stop of another stream": changed(STOP, "", streamSid="MZ2"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    """Each is an error, and the stream goes on after it."""
    wire = started()
    with pytest.raises(RemoteProtocolError):
        wire.received(MALFORMED[name], False)
    assert wire.received(MEDIA, False) == (Audio(FRAME),)


def test_binary() -> None:
    """Twilio sends text only."""
    with pytest.raises(RemoteProtocolError):
        started().received(MEDIA, True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
messages = st.binary() | st.builds(
    lambda event, fields: json.dumps({**fields, "event": event, "streamSid": SID}).encode(),
    st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"]) | json_values,
    st.dictionaries(
        st.sampled_from(["start", "media", "dtmf", "mark", "stop"]),
        st.dictionaries(
            st.sampled_from(["streamSid", "mediaFormat", "track", "payload", "digit", "name"]),
            json_values,
        )
        | json_values,
    ),
)


@given(st.lists(st.tuples(messages, st.booleans()), max_size=5), st.booleans())
def test_nothing_else_is_raised(received: list[tuple[bytes, bool]], begun: bool) -> None:
    """Whatever comes, it is understood or a RemoteProtocolError."""
    wire = started() if begun else TwilioMedia()
    for message, binary in received:
        with suppress(RemoteProtocolError):
            wire.received(message, binary)


# -- to Twilio --------------------------------------------------------------------------------


def test_audio() -> None:
    """Raw µ-law in base64, with the stream's id."""
    assert sent(started().audio(FRAME)) == [
        {
            "event": "media",
            "streamSid": SID,
            "media": {"payload": json.loads(MEDIA)["media"]["payload"]},
        }
    ]


def test_commands() -> None:
    """Mark and clear need the stream's id, too."""
    wire = started()
    assert sent(wire.mark("turn-4")) == [
        {"event": "mark", "streamSid": SID, "mark": {"name": "turn-4"}}
    ]
    assert sent(wire.clear()) == [{"event": "clear", "streamSid": SID}]
    assert wire.hang_up() == ()


def test_hostile_names() -> None:
    """Neither an id of Twilio's nor a mark of ours breaks out of its JSON."""
    hostile = '"},"event":"stop","x":"\n\\ü'
    wire = TwilioMedia()
    wire.received(changed(changed(START, "start", streamSid=hostile), "", streamSid=hostile), False)
    assert sent(wire.audio(FRAME))[0]["streamSid"] == hostile
    assert sent(wire.clear()) == [{"event": "clear", "streamSid": hostile}]
    assert sent(wire.mark(hostile))[0]["mark"] == {"name": hostile}


def test_silent_before_the_start() -> None:
    """Without a stream's id nothing can be said; nothing is raised either."""
    wire = TwilioMedia()
    for messages in (wire.audio(FRAME), wire.mark("a"), wire.clear(), wire.hang_up()):
        assert messages == ()


def test_digits() -> None:
    """A stream carries none outwards."""
    with pytest.raises(NotSupported):
        started().digits("1")


# -- marks ------------------------------------------------------------------------------------


def echo(wire: TwilioMedia, name: str) -> Any:
    return wire.received(changed(MARK, "mark", name=name), False)


def test_mark_cleared() -> None:
    """Twilio echoes at once what it was told to forget: that was not heard."""
    wire = started()
    wire.mark("a")
    wire.mark("b")
    assert echo(wire, "a") == (MarkHeard("a"),)
    wire.clear()
    wire.mark("c")
    assert not echo(wire, "b")
    assert echo(wire, "c") == (MarkHeard("c"),)


def test_mark_of_nobody() -> None:
    """An echo of what was never sent, or for a second time, says nothing."""
    wire = started()
    wire.mark("a")
    echo(wire, "a")
    for name in ("a", "b", ""):
        assert not echo(wire, name)


def test_marks_are_bounded() -> None:
    """A far side that answers none does not make us grow; the newest count."""
    wire = started()
    for number in range(1000):
        wire.mark(str(number))
    for number in (936, 999):
        assert echo(wire, str(number)) == (MarkHeard(str(number)),)
    for number in (0, 935):
        assert not echo(wire, str(number))
