"""Plivo's side of an audio stream ("Audio Streaming", bidirectional).

Much like Twilio's: other names, numbers as numbers, no `connected`, checkpoints for marks. L16 is
little-endian here.
"""

from __future__ import annotations

import binascii
import json
from typing import Any

from rapida_tw.sim import json_messages
from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.json_messages import BadMessage

_EPOCH_MS = 1_778_597_597_091  # of the first packet's timestamp


class PlivoMedia:
    """One stream. `encoding`: audio/x-mulaw or audio/x-l16; `headers`: its extra headers."""

    # Whether checkpoints come back on a clear is not documented: the more awkward is assumed.
    playing = Playing(echoes_on_clear=False)
    fragmented = True
    longest = 2**20

    def __init__(
        self,
        call_uuid: str,
        stream_id: str,
        encoding: str = "audio/x-mulaw",
        rate: int = 8_000,
        headers: str = "{}",
    ) -> None:
        self.rate = rate
        self.stream_id = stream_id
        self.played: list[str] = []  # checkpoints, in this order
        self.clears = 0
        self.digits = ""  # that the server sent to the caller
        self._call_uuid = call_uuid
        self._encoding = encoding
        self._headers = headers
        self._sequence = 0
        self._chunk = 0
        self._sent = 0.0  # seconds of audio

    # -- from the phone -----------------------------------------------------------------------

    def opened(self, desk: Desk) -> None:
        start = {
            "callId": self._call_uuid,
            "streamId": self.stream_id,
            "accountId": "10000000",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": self._encoding, "sampleRate": self.rate},
        }
        self._say(
            desk,
            event="start",
            sequenceNumber=self._sequence,
            start=start,
            extra_headers=self._headers,
        )
        self._sequence = 1

    def audio(self, desk: Desk, payload: bytes) -> None:
        self._sequence += 1
        self._chunk += 1
        mulaw = self._encoding == "audio/x-mulaw"
        text = json_messages.to_mulaw(payload) if mulaw else _base64(payload)
        desk.say(
            f'{{"event":"media","sequenceNumber":{self._sequence},'
            f'"streamId":"{self.stream_id}","media":{{"track":"inbound",'
            f'"timestamp":"{self._timestamp}","chunk":{self._chunk},"payload":"{text}"}}}}',
            media=True,
        )
        self._sent += desk.interval

    def digit(self, desk: Desk, digit: str) -> None:
        self._sequence += 1
        fields = {"track": "inbound", "digit": digit, "timestamp": self._timestamp}
        self._say(
            desk,
            event="dtmf",
            sequenceNumber=self._sequence,
            streamId=self.stream_id,
            dtmf=fields,
        )

    def reached(self, desk: Desk, name: str) -> None:
        self.played.append(name)
        self._say(desk, event="playedStream", streamId=self.stream_id, name=name)

    def hung_up(self, desk: Desk) -> None:
        """No stop is documented: the socket is closed."""

    @property
    def _timestamp(self) -> str:
        return str(_EPOCH_MS + round(1000 * self._sent))

    @staticmethod
    def _say(desk: Desk, **message: Any) -> None:
        desk.say(json.dumps(message, separators=(",", ":")))

    # -- from the server ----------------------------------------------------------------------

    def binary(self, desk: Desk, message: bytes) -> None:
        desk.complain("a binary message")

    def text(self, desk: Desk, message: str) -> None:
        try:
            self._understand(desk, json_messages.read(message))
        except BadMessage as error:
            desk.complain(str(error))

    def _understand(self, desk: Desk, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "playAudio":
            if not desk.buffer.write(self._audio(json_messages.part(message, "media"))):
                raise BadMessage("audio for which there is no room")
        elif event == "checkpoint":
            self._check_stream(message)
            desk.buffer.mark(json_messages.name(message))
        elif event == "clearAudio":
            self._check_stream(message)
            self.clears += 1
            desk.buffer.clear()
            self._say(desk, event="clearedAudio", streamId=self.stream_id)
        elif event == "sendDTMF":
            self._send_digits(message.get("dtmf"))
        else:
            raise json_messages.unknown(event)

    def _audio(self, media: dict[str, Any]) -> bytes:
        sent = media.get("contentType"), media.get("sampleRate")
        if sent != (self._encoding, self.rate):
            raise BadMessage(f"audio of {sent} in a stream of {(self._encoding, self.rate)}")
        audio = json_messages.payload(media)
        if self._encoding == "audio/x-mulaw":
            return json_messages.from_mulaw(audio)
        if len(audio) % 2:
            raise BadMessage("half a sample")
        return audio

    def _check_stream(self, message: dict[str, Any]) -> None:
        if message.get("streamId") != self.stream_id:
            raise BadMessage(f"{message['event']} without this stream's streamId")

    def _send_digits(self, digits: object) -> None:
        if not isinstance(digits, str) or not set(digits) <= set("0123456789ABCD*#"):
            raise BadMessage("sendDTMF without digits")
        self.digits += digits


def _base64(audio: bytes) -> str:
    return binascii.b2a_base64(audio, newline=False).decode()


_conforms: type[Dialect] = PlivoMedia
