"""A media socket whose stream has begun, but not said what it is: Exotel's, measured."""

from __future__ import annotations

import json
from base64 import b64encode

from twisted.logger import capturedLogs, formatEvent

from rapida_tw.audio.format import Encoding
from rapida_tw.carriers.exotel_chunks import Settings
from rapida_tw.carriers.exotel_media import ExotelMedia
from tests.transports.frames import TEXT, Connection, frame
from tests.transports.test_media_socket import Case

START = b'{"event":"start","stream_sid":"S1","start":{}}'


def sound(timestamp: int) -> bytes:
    """100 ms of µ-law."""
    payload = b64encode(bytes(800)).decode()
    media = {"timestamp": timestamp, "payload": payload}
    return frame(TEXT, json.dumps({"event": "media", "media": media}).encode())


class LateStartTests(Case):
    def exotel(self) -> Connection:
        wire = ExotelMedia(Settings(), 8_000)
        return Connection(
            receiver=lambda clock: self._receiver(clock, wire, False, "claimed"), headers=b""
        )

    def test_measured(self) -> None:
        """The call begins with the format that was found, and hears all that came before."""
        connection = self.exotel()
        connection.feed(frame(TEXT, START), sound(0), sound(100))
        self.assertEqual((self.attached, self.door.waiting), ([], 1))
        connection.feed(sound(200), sound(300))
        self.assertEqual(self.attached, [("claimed", self.leg)])
        self.assertEqual(self.leg.format.encoding, Encoding.MULAW)
        self.assertEqual(self.listener.told, [("audio", 800)] * 4)

    def test_logged(self) -> None:
        """How it was found can be read."""
        with capturedLogs() as logged:
            self.exotel().feed(frame(TEXT, START), sound(0), sound(100), sound(200))
        texts = [formatEvent(event) for event in logged]
        self.assertTrue(any("ulaw at 8000 Hz by 8.0 bytes a ms" in text for text in texts), texts)
