"""Twilio's side of a media stream ("Media Streams - WebSocket Messages").

Bidirectional, µ-law at 8 kHz. Twilio plays what it is sent from a buffer, echoes marks when it
gets to them, and all of them at once when it is told to clear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rapida_tw.sim import json_messages
from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.json_messages import BadMessage


class TwilioMedia:
    """One stream. `start_after`: seconds of the phone's audio until it starts, and that is lost."""

    rate = 8_000
    playing = Playing(echoes_on_clear=True)
    fragmented = True
    longest = 2**20  # not documented; a minute and a half of audio in base64 is enough

    def __init__(
        self,
        account_sid: str,
        call_sid: str,
        stream_sid: str,
        parameters: Mapping[str, str],
        start_after: float = 0.0,
    ) -> None:
        self.stream_sid = stream_sid
        self.marks: list[str] = []  # echoed, in this order
        self.clears = 0
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._parameters = dict(parameters)
        self._start_after = start_after
        self._waited = 0.0
        self._started = False
        self._sequence = 0  # of the messages behind `connected`
        self._chunk = 0
        self._sent = 0.0  # seconds of audio

    # -- from the phone -----------------------------------------------------------------------

    def opened(self, desk: Desk) -> None:
        desk.say('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        if not self._start_after:
            self._start(desk)

    def _start(self, desk: Desk) -> None:
        self._started = True
        start = {
            "accountSid": self._account_sid,
            "streamSid": self.stream_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        self._say(desk, "start", start)

    def audio(self, desk: Desk, payload: bytes) -> None:
        if not self._started:
            self._waited += desk.interval
            if self._waited >= self._start_after:
                self._start(desk)
            return
        self._sequence += 1
        self._chunk += 1
        # Written out: this is nearly all that a call says.
        desk.say(
            f'{{"event":"media","sequenceNumber":"{self._sequence}",'
            f'"streamSid":"{self.stream_sid}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{round(1000 * self._sent)}",'
            f'"payload":"{json_messages.to_mulaw(payload)}"}}}}',
            media=True,
        )
        self._sent += desk.interval

    def digit(self, desk: Desk, digit: str) -> None:
        if self._started:
            self._say(desk, "dtmf", {"track": "inbound_track", "digit": digit})

    def reached(self, desk: Desk, name: str) -> None:
        self.marks.append(name)
        self._say(desk, "mark", {"name": name})

    def hung_up(self, desk: Desk) -> None:
        if self._started:
            self._say(desk, "stop", {"accountSid": self._account_sid, "callSid": self._call_sid})

    def _say(self, desk: Desk, event: str, fields: Mapping[str, Any]) -> None:
        self._sequence += 1
        message = {
            "event": event,
            "sequenceNumber": str(self._sequence),
            "streamSid": self.stream_sid,
            event: fields,
        }
        desk.say(json.dumps(message, separators=(",", ":")))

    # -- from the server ----------------------------------------------------------------------

    def binary(self, desk: Desk, message: bytes) -> None:
        desk.complain("31950: a binary message")

    def text(self, desk: Desk, message: str) -> None:
        try:
            self._understand(desk, json_messages.read(message))
        except BadMessage as error:
            desk.complain(f"31951: {error}")

    def _understand(self, desk: Desk, message: dict[str, Any]) -> None:
        event = message["event"]
        if event not in ("media", "mark", "clear"):
            raise json_messages.unknown(event)
        if not self._started:
            raise BadMessage(f"{event} before the start")
        if message.get("streamSid") != self.stream_sid:
            raise BadMessage(f"{event} without this stream's streamSid")
        if event == "media":
            law = json_messages.payload(json_messages.part(message, "media"))
            if not desk.buffer.write(json_messages.from_mulaw(law)):
                raise BadMessage("media for which there is no room")
        elif event == "mark":
            desk.buffer.mark(json_messages.name(json_messages.part(message, "mark")))
        else:
            self.clears += 1
            desk.buffer.clear()


_conforms: type[Dialect] = TwilioMedia
