"""Vonage's media socket, message by message."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import Audio, Digit, MarkHeard, MediaEvent, Message, Started
from rapida_tw.carriers.vonage_media import VonageMedia
from rapida_tw.errors import NotSupported, RemoteProtocolError

# As in "WebSockets": the NCCO's headers stand beside the event.
CONNECTED = (
    b'{"event":"websocket:connected","content-type":"audio/l16;rate=16000",'
    b'"assistant_id":"123","client_number":"15550100001"}'
)


def told(media: VonageMedia, text: bytes | str) -> Sequence[MediaEvent]:
    return media.received(text.encode() if isinstance(text, str) else text, False)


def connected(content_type: str = "audio/l16;rate=16000") -> VonageMedia:
    media = VonageMedia(8_000)
    told(media, json.dumps({"event": "websocket:connected", "content-type": content_type}))
    return media


class StartTests(SynchronousTestCase):
    def test_connected(self) -> None:
        """The first message starts the stream, at the rate that it tells."""
        media = VonageMedia(8_000)
        self.assertEqual(told(media, CONNECTED), (Started(),))
        expected = AudioFormat(Encoding.LINEAR16, 16_000, continuous=False, lead=10)
        self.assertEqual(media.format, expected)

    def test_rates(self) -> None:
        """Ticks of 320, 640 and 960 bytes."""
        for content_type, size in (
            ("audio/l16;rate=8000", 320),
            ("AUDIO/L16; rate=16000", 640),
            (" audio/l16 ; rate = 24000 ", 960),
        ):
            self.assertEqual(connected(content_type).format.frame_bytes, size)

    def test_untold(self) -> None:
        """Without a content type it is what the NCCO asked for."""
        media = VonageMedia(24_000)
        told(media, '{"event":"websocket:connected"}')
        self.assertEqual(media.format.rate, 24_000)

    def test_other_content(self) -> None:
        """Sound that would come out as noise is refused."""
        for content_type in ("audio/l16;rate=44100", "audio/opus", "audio/l16", "audio/l16;rate=x"):
            self.assertRaises(RemoteProtocolError, connected, content_type)

    def test_twice(self) -> None:
        """A stream starts once."""
        self.assertRaises(RemoteProtocolError, told, connected(), CONNECTED)

    def test_sound_first(self) -> None:
        """A second of sound may come too early, and is lost; then it is not Vonage."""
        media = VonageMedia(16_000)
        for _ in range(50):
            self.assertEqual(media.received(bytes(640), True), ())
        self.assertRaises(RemoteProtocolError, media.received, bytes(640), True)

    def test_text_first(self) -> None:
        """Nothing else is said before the start."""
        media = VonageMedia(16_000)
        self.assertRaises(RemoteProtocolError, told, media, '{"event":"websocket:cleared"}')


class ReceivedTests(SynchronousTestCase):
    def test_sound(self) -> None:
        """Binary messages are the sound, of any whole number of samples, without a copy."""
        media = connected()
        for size in (640, 2, 1282):
            sound = bytes(size)
            (event,) = media.received(sound, True)
            self.assertIsInstance(event, Audio)
            self.assertIs(event[0], sound)
        self.assertEqual(media.received(b"", True), ())

    def test_half_a_sample(self) -> None:
        """An odd number of bytes would turn all that follows into noise."""
        self.assertRaises(RemoteProtocolError, connected().received, bytes(639), True)

    def test_digits(self) -> None:
        """A key is told once, in either spelling."""
        for fields in (
            '"digit":"5","duration":260',
            '"digit":5',
            '"dtmf":{"digit":"5"}',
            '"digit":"5","dtmf":{"digit":"5"}',
        ):
            events = told(connected(), f'{{"event":"websocket:dtmf",{fields}}}')
            self.assertEqual(events, (Digit("5"),), fields)

    def test_no_digit(self) -> None:
        """What is no key is none."""
        for fields in ('"digit":"55"', '"digit":""', '"dtmf":"5"', '"digit":null'):
            text = f'{{"event":"websocket:dtmf",{fields}}}'
            self.assertRaises(RemoteProtocolError, told, connected(), text)

    def test_other(self) -> None:
        """What is not for us, or not yet invented, is passed over."""
        for text in (
            '{"event":"websocket:cleared"}',
            '{"event":"websocket:notify","payload":{"name":"x"}}',
            '{"event":"websocket:notify","payload":"x"}',
            '{"event":"websocket:sparkles"}',
            "{}",
        ):
            self.assertEqual(told(connected(), text), (), text)

    def test_no_json(self) -> None:
        """Text is a JSON object."""
        for text in (b"", b"[]", b"hello", b'{"event":', b"\xff{}", b"[" * 5_000):
            self.assertRaises(RemoteProtocolError, told, connected(), text)

    @given(st.lists(st.tuples(st.binary(), st.booleans())))
    def test_anything(self, messages: list[tuple[bytes, bool]]) -> None:
        """Whatever comes, nothing but RemoteProtocolError is raised."""
        for media in (VonageMedia(16_000), connected()):
            for message, binary in messages:
                with contextlib.suppress(RemoteProtocolError):
                    media.received(message, binary)

    JSON = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("id", "digit")), inner),
        max_leaves=5,
    )
    EVENTS = st.sampled_from(("connected", "dtmf", "notify", "cleared")).map("websocket:".__add__)

    @given(
        st.fixed_dictionaries(
            {"event": EVENTS | JSON},
            optional=dict.fromkeys(("content-type", "digit", "dtmf", "payload"), JSON),
        )
    )
    def test_any_json(self, message: dict[str, Any]) -> None:
        """The same for objects that have the right names."""
        for media in (VonageMedia(16_000), connected()):
            with contextlib.suppress(RemoteProtocolError):
                told(media, json.dumps(message))


class SentTests(SynchronousTestCase):
    def test_tick(self) -> None:
        """A tick is one binary message: at any other size Vonage stops listening."""
        tick = bytes(range(160)) * 4
        self.assertEqual(connected().audio(tick), (Message(tick, True),))

    def test_mark(self) -> None:
        """A mark goes out as notify and comes back as one."""
        media = connected()
        sent = media.mark("2.175")
        self.assertEqual(sent, (Message(b'{"action":"notify","payload":{"id":"2.175"}}'),))
        back = '{"event":"websocket:notify","payload":{"id":"2.175"}}'
        self.assertEqual(told(media, back), (MarkHeard("2.175"),))
        self.assertEqual(told(media, back), ())

    def test_clear(self) -> None:
        """Of what was cleared nothing has been heard, even if the mark does come back."""
        media = connected()
        media.mark("1.25")
        self.assertEqual(media.clear(), (Message(b'{"action":"clear"}'),))
        self.assertEqual(told(media, '{"event":"websocket:notify","payload":{"id":"1.25"}}'), ())

    def test_injection(self) -> None:
        """A name cannot become another action."""
        (message,) = connected().mark('"},"action":"clear')
        self.assertEqual(json.loads(message.payload)["action"], "notify")

    def test_cannot(self) -> None:
        """Digits need the REST API; the end needs no words."""
        self.assertRaises(NotSupported, connected().digits, "1")
        self.assertEqual(connected().hang_up(), ())
