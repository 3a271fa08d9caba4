"""Exotel's side of its media WebSocket ("AgentStream", "Voicebot applet"), in three spellings.

All messages are JSON text. Its documents contradict each other about names, numbers and the
encoding, and its customers see all of them: a `Profile` is one consistent way.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapida_tw.sim import json_messages
from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.json_messages import BadMessage, from_mulaw, to_mulaw

CHUNK = 320  # bytes: a message of audio must be a multiple
LARGEST = 100_000  # bytes of a message's audio
SMALLEST = 3_200  # bytes, where the documented minimum is insisted on
MESSAGE_MS = 100  # of the caller's audio in each message
_KEY_MS = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """How one Exotel writes. `numbers` as JSON numbers, not as strings."""

    encoding: str  # as its start message calls it
    bit_rate: str
    rate: int = 8_000  # Hz
    mulaw: bool = False
    camel: bool = False
    numbers: bool = False


PCM_8K = Profile("base64", "128kbps")  # Exotel's reference
MULAW_8K = Profile("mulaw", "64kbps", mulaw=True, camel=True)  # the newer samples
PCM_16K = Profile("raw", "256kbps", rate=16_000, numbers=True)


class ExotelMedia:
    """One call's. `told` are the ids and numbers of the start message, in snake case."""

    playing = Playing(echoes_on_clear=False, finishes_message=True)
    fragmented = True
    longest = 2 * LARGEST  # in base64

    def __init__(
        self,
        profile: Profile,
        told: Mapping[str, str],
        parameters: Mapping[str, str],
        *,
        strict: bool = False,
    ) -> None:
        self.rate = profile.rate
        self._profile = profile
        self._told = told
        self._parameters = parameters
        self._smallest = SMALLEST if strict else 1
        self.stream_sid = told["stream_sid"]
        self.clears = 0
        self._sequence = 0
        self._chunks = 0
        self._gathered = bytearray()  # of the message that is not full yet
        self._message_bytes = profile.rate * MESSAGE_MS // 1000 * 2

    # -- to the server ----------------------------------------------------------------------------

    def opened(self, desk: Desk) -> None:
        desk.say(json.dumps({"event": "connected"}))
        profile = self._profile
        start: dict[str, Any] = {self._name(name): value for name, value in self._told.items()}
        start[self._name("custom_parameters")] = dict(self._parameters)
        start[self._name("media_format")] = {
            "encoding": profile.encoding,
            self._name("sample_rate"): self._number(profile.rate),
            self._name("bit_rate"): profile.bit_rate,
        }
        self._say(desk, "start", start)

    def audio(self, desk: Desk, payload: bytes) -> None:
        self._gathered += payload
        if len(self._gathered) < self._message_bytes:
            return
        sound, self._gathered = bytes(self._gathered), bytearray()
        self._chunks += 1
        media = {
            "chunk": self._number(self._chunks),
            "timestamp": self._number((self._chunks - 1) * MESSAGE_MS),
            "payload": to_mulaw(sound) if self._profile.mulaw else b64encode(sound).decode(),
        }
        self._say(desk, "media", media, media=True)

    def digit(self, desk: Desk, digit: str) -> None:
        self._say(desk, "dtmf", {"digit": digit, "duration": self._number(_KEY_MS)})

    def hung_up(self, desk: Desk) -> None:
        ids = {name: self._told[name] for name in ("call_sid", "account_sid")}
        fields = {self._name(name): value for name, value in ids.items()}
        self._say(desk, "stop", {**fields, "reason": "callended"})

    def reached(self, desk: Desk, name: str) -> None:
        self._say(desk, "mark", {"name": name})

    # -- from the server --------------------------------------------------------------------------

    def binary(self, desk: Desk, message: bytes) -> None:
        desk.complain("a binary message")

    def text(self, desk: Desk, message: str) -> None:
        try:
            self._understand(desk, json_messages.read(message))
        except BadMessage as error:
            desk.complain(str(error))

    def _understand(self, desk: Desk, message: dict[str, Any]) -> None:
        event = message["event"]
        if event not in ("media", "mark", "clear"):
            raise json_messages.unknown(event)
        # Either spelling is read, whichever is written.
        if message.get("stream_sid", message.get("streamSid")) != self.stream_sid:
            raise BadMessage(f"{event} without this stream's stream_sid")
        if event == "media":
            self._heard(desk, json_messages.payload(json_messages.part(message, "media")))
        elif event == "mark":
            desk.buffer.mark(json_messages.name(json_messages.part(message, "mark")))
        else:
            self.clears += 1
            desk.buffer.clear()

    def _heard(self, desk: Desk, sound: bytes) -> None:
        size = len(sound)
        if size % CHUNK or not self._smallest <= size <= LARGEST:
            raise BadMessage(f"{size} bytes of audio")
        if not desk.buffer.write(from_mulaw(sound) if self._profile.mulaw else sound):
            raise BadMessage("media for which there is no room")

    # -- spelling ---------------------------------------------------------------------------------

    def _say(
        self, desk: Desk, event: str, fields: Mapping[str, Any], *, media: bool = False
    ) -> None:
        self._sequence += 1
        message = {
            "event": event,
            self._name("sequence_number"): self._number(self._sequence),
            self._name("stream_sid"): self.stream_sid,
            event: fields,
        }
        desk.say(json.dumps(message), media)

    def _name(self, name: str) -> str:
        if not self._profile.camel:
            return name
        first, *rest = name.split("_")
        return first + "".join(word.capitalize() for word in rest)

    def _number(self, number: int) -> int | str:
        return number if self._profile.numbers else str(number)


_conforms: type[Dialect] = ExotelMedia
