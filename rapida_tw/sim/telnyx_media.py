"""Telnyx's side of a media stream ("Media Streaming over WebSockets", bidirectional by RTP mode).

Much like Twilio's, with names in snake_case. What Telnyx does not like it answers with an `error`
event, and goes on.
"""

from __future__ import annotations

import binascii
import json
from typing import Any

import numpy as np

from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.sim import json_messages
from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.json_messages import BadMessage

LAWS = {"PCMU": MULAW, "PCMA": ALAW}
_SHORTEST, _LONGEST = 160, 240_000  # bytes of a chunk: 20 ms to 30 s
_TITLES = {100_002: "unknown_error", 100_003: "malformed_frame", 100_004: "invalid_media"}


class TelnyxMedia:
    """One stream. `jumbled`: each second packet overtakes the one before it, as may happen."""

    rate = 8_000
    playing = Playing(echoes_on_clear=True)  # not documented; as Twilio, which it imitates
    fragmented = True
    longest = 2**20

    def __init__(
        self,
        call_control_id: str,
        stream_id: str,
        caller: str,
        callee: str,
        codec: str = "PCMU",
        jumbled: bool = False,
    ) -> None:
        self.stream_id = stream_id
        self.marks: list[str] = []  # that came back, in this order
        self.clears = 0
        self._call_control_id = call_control_id
        self._numbers = caller, callee
        self._codec = codec
        self._law = LAWS[codec]
        self._jumbled = jumbled
        self._overtaken = ""
        self._sequence = 0
        self._chunk = 0
        self._sent = 0.0  # seconds of audio

    # -- from the phone -----------------------------------------------------------------------

    def opened(self, desk: Desk) -> None:
        desk.say('{"event":"connected","version":"1.0.0"}')
        caller, callee = self._numbers
        start = {
            "user_id": "3e6f995f-85f7-4705-9741-53b116d28237",
            "call_control_id": self._call_control_id,
            "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
            "from": caller,
            "to": callee,
            "client_state": "",
            "media_format": {"encoding": self._codec, "sample_rate": self.rate, "channels": 1},
        }
        self._say(desk, "start", start)

    def audio(self, desk: Desk, payload: bytes) -> None:
        self._sequence += 1
        self._chunk += 1
        law = self._law.encode(np.frombuffer(payload, "<i2").astype(np.int16, copy=False))
        text = binascii.b2a_base64(law, newline=False).decode()
        message = (
            f'{{"event":"media","sequence_number":"{self._sequence}",'
            f'"stream_id":"{self.stream_id}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{round(1000 * self._sent)}",'
            f'"payload":"{text}"}}}}'
        )
        self._sent += desk.interval
        if self._jumbled and not self._overtaken:
            self._overtaken = message
            return
        desk.say(message, media=True)
        if self._overtaken:
            desk.say(self._overtaken, media=True)
            self._overtaken = ""

    def digit(self, desk: Desk, digit: str) -> None:
        self._say(desk, "dtmf", {"digit": digit}, occurred_at="2026-01-02T03:04:05.678Z")

    def reached(self, desk: Desk, name: str) -> None:
        self.marks.append(name)
        self._say(desk, "mark", {"name": name})

    def hung_up(self, desk: Desk) -> None:
        self._say(desk, "stop", {"user_id": "", "call_control_id": self._call_control_id})

    def _say(self, desk: Desk, event: str, fields: dict[str, Any], **more: str) -> None:
        self._sequence += 1
        message = {
            "event": event,
            "sequence_number": str(self._sequence),
            "stream_id": self.stream_id,
            **more,
            event: fields,
        }
        desk.say(json.dumps(message, separators=(",", ":")))

    # -- from the server ----------------------------------------------------------------------

    def binary(self, desk: Desk, message: bytes) -> None:
        self._complain(desk, 100_003, "a binary message")

    def text(self, desk: Desk, message: str) -> None:
        try:
            self._understand(desk, json_messages.read(message))
        except BadMessage as error:
            self._complain(desk, 100_003, str(error))

    def _understand(self, desk: Desk, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "media":
            self._play(desk, message)
        elif event == "mark":
            desk.buffer.mark(json_messages.name(json_messages.part(message, "mark")))
        elif event == "clear":
            self.clears += 1
            desk.buffer.clear()
        else:
            raise json_messages.unknown(event)

    def _play(self, desk: Desk, message: dict[str, Any]) -> None:
        law = json_messages.payload(json_messages.part(message, "media"))
        if not _SHORTEST <= len(law) <= _LONGEST:
            self._complain(desk, 100_004, f"a chunk of {len(law)} bytes")
            return
        desk.buffer.write(self._law.decode(law).astype("<i2", copy=False).tobytes())

    def _complain(self, desk: Desk, code: int, detail: str) -> None:
        payload = {"code": code, "title": _TITLES[code], "detail": detail}
        error = {"event": "error", "stream_id": self.stream_id, "payload": payload}
        desk.say(json.dumps(error, separators=(",", ":")))
        desk.complain(f"{code}: {detail}")


_conforms: type[Dialect] = TelnyxMedia
