"""Exotel's media socket: what comes, in both spellings, and how it starts."""

from __future__ import annotations

import contextlib
import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import Audio, Digit, MarkHeard, MediaEvent, Started, Stopped
from rapida_tw.carriers.exotel_chunks import Settings
from rapida_tw.carriers.exotel_media import ExotelMedia
from rapida_tw.errors import REMOTE_HANGUP, RemoteProtocolError

DATA = Path(__file__).parents[1] / "data" / "exotel"
SNAKE, CAMEL, RAW = (
    (DATA / f"start-{name}.json").read_bytes() for name in ("snake", "camel", "raw")
)


def start(**media_format: Any) -> bytes:
    """A start with that `media_format`."""
    return json.dumps(
        {"event": "start", "stream_sid": "S1", "start": {"media_format": media_format}}
    ).encode()


SILENT = start(encoding="base64", sample_rate="8000")  # about its encoding
STARTED_BY_DEFAULT = Started("", "", "slin at 8000 Hz by default")


def sound(payload: bytes, timestamp: int | str | None = None) -> bytes:
    media = {"chunk": "2", "payload": b64encode(payload).decode()}
    if timestamp is not None:
        media["timestamp"] = str(timestamp)
    return json.dumps({"event": "media", "stream_sid": "S1", "media": media}).encode()


def media(*messages: bytes, rate: int = 8_000, **options: Any) -> ExotelMedia:
    wire = ExotelMedia(Settings.read(options), rate)
    for message in messages:
        wire.received(message, False)
    return wire


def told(wire: ExotelMedia, *messages: bytes) -> Sequence[MediaEvent]:
    return [event for message in messages for event in wire.received(message, False)]


class StartTests(SynchronousTestCase):
    def test_announced(self) -> None:
        """The three profiles that were seen, with what the log is told of them."""
        slin, mulaw = Encoding.LINEAR16, Encoding.MULAW
        for message, encoding, rate, chunk, detail in (
            (SNAKE, slin, 8_000, 5, "slin at 8000 Hz by its bit rate '128kbps'"),
            (CAMEL, mulaw, 8_000, 6, "ulaw at 8000 Hz by its encoding 'mulaw'"),
            (RAW, slin, 16_000, 5, "slin at 16000 Hz by its encoding 'raw'"),
        ):
            wire = media(b'{"event":"connected"}')
            self.assertEqual(told(wire, message), [Started("C1", "", detail)])
            expected = AudioFormat(encoding, rate, False, lead=2 * chunk, chunk=chunk)
            self.assertEqual(wire.format, expected)

    def test_option(self) -> None:
        """The deployment knows better than any message."""
        for option, encoding in (("pcm16", Encoding.LINEAR16), ("mulaw", Encoding.MULAW)):
            wire = media(CAMEL, encoding=option)
            self.assertEqual(wire.format.encoding, encoding)

    def test_rate(self) -> None:
        """By the start, with or without a unit, else by the address."""
        for fields, rate in (
            ({"sample_rate": "8000Hz"}, 8_000),
            ({"sample_rate": 16000}, 16_000),
            ({"sampleRate": "24000"}, 24_000),
            ({}, 16_000),
            ({"sample_rate": ""}, 16_000),
        ):
            wire = media(start(encoding="raw", **fields), rate=16_000)
            self.assertEqual(wire.format.rate, rate, fields)

    def test_no_format(self) -> None:
        """A start that tells nothing at all is measured at the address's rate."""
        bare = b'{"event":"start","stream_sid":"S1","start":{}}'
        wire = media(bare, sound(bytes(3200), 0), sound(bytes(3200), 100), rate=16_000)
        told(wire, sound(bytes(3200), 200))
        expected = AudioFormat(Encoding.LINEAR16, 16_000, continuous=False, lead=10, chunk=5)
        self.assertEqual(wire.format, expected)

    def test_refused(self) -> None:
        """A start that nothing can be made of."""
        for message in (
            b'{"event":"start"}',
            b'{"event":"start","start":{}}',
            b'{"event":"start","stream_sid":"","start":{}}',
            b'{"event":"start","stream_sid":"%s","start":{}}' % (b"S" * 257),
            start(sample_rate=44100),
        ):
            self.assertRaises(RemoteProtocolError, media, message)

    def test_twice(self) -> None:
        """A stream starts once."""
        self.assertRaises(RemoteProtocolError, media, SNAKE, SNAKE)

    def test_sound_first(self) -> None:
        """There is no sound before the start."""
        self.assertRaises(RemoteProtocolError, media, sound(bytes(320)))


class MeasuredTests(SynchronousTestCase):
    """A start that does not tell the encoding."""

    def test_measured(self) -> None:
        """It starts when that is known, and nothing of what came before is lost."""
        for size, name, rest in ((1_600, "slin", "16.0"), (800, "ulaw", "8.0")):
            wire = media()
            self.assertEqual(told(wire, SILENT, sound(b"a" * size, 0), sound(b"b" * size, 100)), [])
            self.assertEqual(
                told(wire, sound(b"c" * size, 200)),
                [
                    Started("", "", f"{name} at 8000 Hz by {rest} bytes a ms"),
                    *(Audio(letter * size) for letter in (b"a", b"b", b"c")),
                ],
            )
            self.assertEqual(told(wire, sound(b"d" * size, 300)), [Audio(b"d" * size)])

    def test_nothing_to_measure(self) -> None:
        """Ten messages without a time, and it is PCM16."""
        wire = media(SILENT)
        self.assertEqual(told(wire, *[sound(bytes(800))] * 9), [])
        events = told(wire, sound(bytes(800)))
        self.assertEqual(events, [STARTED_BY_DEFAULT, *[Audio(bytes(800))] * 10])

    def test_half_samples(self) -> None:
        """What turns out to be no whole samples is left out."""
        wire = media(SILENT, sound(bytes(801)), *[sound(bytes(800))] * 8)
        self.assertEqual(len(told(wire, sound(bytes(800)))), 1 + 9)

    def test_digit(self) -> None:
        """A key pressed meanwhile is told in its turn."""
        wire = media(SILENT, sound(bytes(1600), 0), b'{"event":"dtmf","digit":"5"}')
        events = told(wire, sound(bytes(1600), 100), sound(bytes(1600), 200))
        self.assertEqual([type(event) for event in events], [Started, Audio, Digit, Audio, Audio])

    def test_bounded(self) -> None:
        """Keys alone decide nothing, and not many of them are kept."""
        wire = media(SILENT, *[b'{"event":"dtmf","digit":"5"}'] * 50)
        self.assertRaises(RemoteProtocolError, told, wire, b'{"event":"dtmf","digit":"5"}')

    def test_stopped(self) -> None:
        """A call that is over before it is clear was a call."""
        wire = media(SILENT, sound(bytes(1600), 0))
        events = told(wire, b'{"event":"stop","stop":{"reason":"callended"}}')
        expected = [STARTED_BY_DEFAULT, Audio(bytes(1600)), Stopped(REMOTE_HANGUP)]
        self.assertEqual(events, expected)

    def test_nothing_sent(self) -> None:
        """Until then nobody knows how to say anything."""
        wire = media(SILENT)
        self.assertEqual([*wire.audio(bytes(320)), *wire.mark("0.1"), *wire.clear()], [])


class ReceivedTests(SynchronousTestCase):
    def test_sound(self) -> None:
        """Any whole number of samples."""
        wire = media(SNAKE)
        for size in (1_600, 2, 320):
            self.assertEqual(told(wire, sound(bytes(size))), [Audio(bytes(size))])
        self.assertEqual(told(wire, sound(b"")), [])

    def test_bad_sound(self) -> None:
        """Half a sample, bad base64, none at all."""
        for message in (
            sound(bytes(321)),
            b'{"event":"media","media":{"payload":"%%%="}}',
            b'{"event":"media","media":{"payload":7}}',
            b'{"event":"media","media":{}}',
            b'{"event":"media"}',
        ):
            self.assertRaises(RemoteProtocolError, told, media(SNAKE), message)

    def test_odd_mulaw(self) -> None:
        """A sample of µ-law is a byte."""
        self.assertEqual(told(media(CAMEL), sound(bytes(321))), [Audio(bytes(321))])

    def test_digits(self) -> None:
        """Nested and flat, once."""
        for fields in (
            b'"dtmf":{"digit":"5","duration":"100"}',
            b'"digit":"5"',
            b'"digit":5,"dtmf":{"digit":"5"}',
        ):
            self.assertEqual(told(media(SNAKE), b'{"event":"dtmf",%b}' % fields), [Digit("5")])
        self.assertRaises(RemoteProtocolError, told, media(SNAKE), b'{"event":"dtmf","digit":"x"}')

    def test_marks(self) -> None:
        """A mark comes back once; one that was cleared has not been heard."""
        wire = media(SNAKE)
        wire.mark("1.25")
        back = b'{"event":"mark","stream_sid":"S1","mark":{"name":"%b"}}'
        self.assertEqual(told(wire, back % b"1.25", back % b"1.25"), [MarkHeard("1.25")])
        wire.mark("1.50")
        wire.clear()
        self.assertEqual(told(wire, back % b"1.50", back % b"no.thing"), [])

    def test_stop(self) -> None:
        """Either way it is the caller's side that ends."""
        for fields, detail in (
            (b',"stop":{"reason":"callended"}', ""),
            (b',"stop":{"reason":"stopped"}', "the applet has ended"),
            (b',"stop":{"reason":"throttled"}', "stopped: throttled"),
            (b"", ""),
        ):
            events = told(media(SNAKE), b'{"event":"stop"%b}' % fields)
            self.assertEqual(events, [Stopped(REMOTE_HANGUP.because(detail))])

    def test_another_stream(self) -> None:
        """What names another stream is nobody's, in either spelling."""
        for name in (b"stream_sid", b"streamSid"):
            for what in (b'"stop"', b'"dtmf","digit":"1"', b'"connected"'):
                message = b'{"event":%b,"%b":"S2"}' % (what, name)
                self.assertRaises(RemoteProtocolError, told, media(SNAKE), message)
            own = b'{"event":"dtmf","digit":"1","%b":"S1"}' % name
            self.assertEqual(told(media(SNAKE), own), [Digit("1")])

    def test_other(self) -> None:
        """What tells nothing, or is not yet invented."""
        for event in (b"connected", b"clear", b"closed", b"silence", b"sparkles"):
            self.assertEqual(told(media(SNAKE), b'{"event":"%b"}' % event), [])

    def test_no_message(self) -> None:
        """Text, an object, with an event."""
        for message in (b"", b"[]", b"\xff", b"{}", b'{"event":null}', b'{"event":["media"]}'):
            self.assertRaises(RemoteProtocolError, told, media(SNAKE), message)
        self.assertRaises(RemoteProtocolError, media(SNAKE).received, SNAKE, True)

    PARTS = ("start", "stop", "media", "dtmf", "mark", "digit", "stream_sid", "streamSid")
    FIELDS = ("media_format", "sample_rate", "payload", "timestamp", "name", "digit", "reason")
    LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
    OBJECTS = st.dictionaries(
        st.sampled_from(FIELDS), LEAVES | st.dictionaries(st.sampled_from(FIELDS), LEAVES)
    )
    MESSAGES = st.builds(
        lambda event, rest: {"event": event, **rest},
        st.sampled_from(("start", "media", "dtmf", "mark", "stop")) | LEAVES,
        st.dictionaries(st.sampled_from(PARTS), LEAVES | OBJECTS),
    )

    @given(st.lists(MESSAGES.map(json.dumps).map(str.encode) | st.binary()), st.booleans())
    def test_anything(self, messages: list[bytes], binary: bool) -> None:
        """Whatever comes, nothing but RemoteProtocolError is raised."""
        for wire in (media(), media(SILENT), media(SNAKE)):
            for message in messages:
                with contextlib.suppress(RemoteProtocolError):
                    wire.received(message, binary)
