"""Asterisk's side of a chan_websocket call (its documentation, "WebSocket Channel"; version 22.10).

Binary messages are audio in the channel's codec, text is control: JSON or plain words. Asterisk
cuts what it gets into its own frames, queues them and plays one every 20 ms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rapida_tw.audio.g711 import ALAW, MULAW, Law
from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect
from rapida_tw.sim.phone import Ending, Reason

XOFF, XON, FULL = 900, 800, 1_000  # frames in the queue
LONGEST_COMMAND = 128  # bytes; longer text is ignored
_LONGEST_MESSAGE = 65_531  # bytes: with its header it must fit in 65 535
_FRAME = "f"  # the mark behind each frame
_MARK, _STOP = "m", "s"  # in front of the server's own


@dataclass(frozen=True, slots=True)
class Codec:
    """`c(name)` in the dial string."""

    name: str
    rate: int  # Hz
    law: Law | None = None  # None: linear, 16 bit, little-endian

    @property
    def frame_bytes(self) -> int:
        return self.rate // 50 * (1 if self.law else 2)

    def encode(self, audio: bytes) -> bytes:
        """From int16, little-endian."""
        if self.law is None:
            return audio
        return self.law.encode(np.frombuffer(audio, "<i2").astype(np.int16, copy=False))

    def decode(self, payload: bytes) -> bytes:
        """To int16, little-endian."""
        return payload if self.law is None else self.law.decode(payload).astype("<i2").tobytes()


CODECS = {
    codec.name: codec
    for codec in (
        Codec("ulaw", 8_000, MULAW),
        Codec("alaw", 8_000, ALAW),
        Codec("slin", 8_000),
        Codec("slin16", 16_000),
    )
}


class ChanWebSocketMedia:
    """One channel. `plain`: control in plain text, `variables`: what JSON's MEDIA_START tells.

    `early`: frames of the caller's that overtake MEDIA_START, as on a busy 22.7.
    """

    playing = Playing(echoes_on_clear=False, capacity=2 * FULL / 50)
    fragmented = False  # until 22.10 the call ends; from then on the audio is lost
    longest = _LONGEST_MESSAGE

    def __init__(
        self,
        codec: str = "ulaw",
        *,
        plain: bool = False,
        variables: Mapping[str, str] | None = None,
        channel_id: str = "1795196486.2",
        early: int = 0,
    ) -> None:
        self.codec = CODECS[codec]
        self.rate = self.codec.rate
        self.thrown = 0  # bytes that were no whole frame
        self.dropped = 0  # messages, because the queue was full
        self.clears = 0
        self._plain = plain
        self._variables = dict(variables or {})
        self._channel_id = channel_id
        self._early = early
        self._started = False
        self._paused_sender = False  # MEDIA_XOFF was sent
        self._wants_drained = False
        self._bulk = False  # between START_ and STOP_MEDIA_BUFFERING
        self._rest = b""  # in bulk: less than a frame

    # -- from the phone ---------------------------------------------------------------------------

    def opened(self, desk: Desk) -> None:
        if not self._early:
            self._start(desk)

    def audio(self, desk: Desk, payload: bytes) -> None:
        desk.say(self.codec.encode(payload), media=True)
        if not self._started:
            self._early -= 1
            if self._early <= 0:
                self._start(desk)

    def digit(self, desk: Desk, digit: str) -> None:
        self._tell(desk, "DTMF_END", digit=digit, channel_id=self._channel_id)

    def hung_up(self, desk: Desk) -> None:
        """The close says it."""

    def _start(self, desk: Desk) -> None:
        self._started = True
        about: dict[str, Any] = {
            "connection_id": "rapida",
            "channel": "WebSocket/rapida/0x7f5f9c00a990",
            "channel_id": self._channel_id,
            "format": self.codec.name,
            "optimal_frame_size": self.codec.frame_bytes,
            "ptime": 20,
        }
        if not self._plain:
            about["channel_variables"] = {
                "MEDIA_WEBSOCKET_CONNECTION_ID": "rapida",
                "MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE": str(self.codec.frame_bytes),
                **self._variables,
            }
        self._tell(desk, "MEDIA_START", **about)

    # -- audio from the server --------------------------------------------------------------------

    def binary(self, desk: Desk, message: bytes) -> None:
        size = self.codec.frame_bytes
        if self._waiting(desk) >= FULL:
            self.dropped += 1
            desk.complain("a full queue")
            return
        if self._bulk:
            message = self._rest + message
        whole = len(message) - len(message) % size
        if self._bulk:
            self._rest = message[whole:]
        elif whole < len(message):
            self.thrown += len(message) - whole
            desk.complain("a message that is not of whole frames")
        for start in range(0, whole, size):
            desk.buffer.write(self.codec.decode(message[start : start + size]))
            desk.buffer.mark(_FRAME)
        if self._waiting(desk) >= XOFF and not self._paused_sender:
            self._paused_sender = True
            self._tell(desk, "MEDIA_XOFF")

    def reached(self, desk: Desk, name: str) -> None:
        kind, about = name[:1], name[1:]
        if kind == _MARK:
            self._tell(desk, "MEDIA_MARK_PROCESSED", correlation_id=about)
        elif kind == _STOP:
            self._tell(desk, "MEDIA_BUFFERING_COMPLETED", correlation_id=about)
        if self._paused_sender and self._waiting(desk) < XON:
            self._paused_sender = False
            self._tell(desk, "MEDIA_XON")
        if self._wants_drained and not self._waiting(desk):
            self._wants_drained = False
            self._tell(desk, "QUEUE_DRAINED")

    @staticmethod
    def _waiting(desk: Desk) -> int:
        return round(desk.buffer.seconds * 50)  # frames

    # -- commands from the server -----------------------------------------------------------------

    def text(self, desk: Desk, message: str) -> None:
        if len(message.encode()) > LONGEST_COMMAND:
            desk.complain(f"a text message of more than {LONGEST_COMMAND} bytes")
            return
        if self._plain:
            word, _, about = message.strip().partition(" ")
        else:
            try:
                fields = json.loads(message)
            except (ValueError, RecursionError):
                self._tell(desk, "ERROR", error_text="Unable to parse JSON command")
                desk.complain("text that is no JSON")
                return
            if not isinstance(fields, dict):
                fields = {}
            word, about = str(fields.get("command")), str(fields.get("correlation_id", ""))
        command = _COMMANDS.get(word)
        if command is None:
            desk.complain(f"unknown command {word[:40]!r}")
        else:
            command(self, desk, about)

    def _answer(self, desk: Desk, about: str) -> None:
        """The channel is up already, without the option n."""

    def _hang_up(self, desk: Desk, about: str) -> None:
        desk.end(Ending(Reason.SERVER_HUNG_UP))

    def _start_bulk(self, desk: Desk, about: str) -> None:
        self._bulk = True

    def _stop_bulk(self, desk: Desk, about: str) -> None:
        rest, self._rest = self._rest, b""
        self._bulk = False
        desk.buffer.write(self.codec.decode(rest))
        desk.buffer.mark(_STOP + about)

    def _mark(self, desk: Desk, about: str) -> None:
        desk.buffer.mark(_MARK + about)

    def _report(self, desk: Desk, about: str) -> None:
        self._wants_drained = True
        self.reached(desk, "")  # the queue may be empty already

    def _flush(self, desk: Desk, about: str) -> None:
        self.clears += 1
        self._bulk = False
        self._rest = b""
        desk.buffer.clear()
        self.reached(desk, "")

    def _pause(self, desk: Desk, about: str) -> None:
        desk.buffer.paused = True

    def _continue(self, desk: Desk, about: str) -> None:
        desk.buffer.paused = False

    def _status(self, desk: Desk, about: str) -> None:
        self._tell(
            desk,
            "STATUS",
            channel_id=self._channel_id,
            queue_length=self._waiting(desk),
            xon_level=XON,
            xoff_level=XOFF,
            queue_full=self._paused_sender,
            bulk_media=self._bulk,
            media_paused=desk.buffer.paused,
        )

    # -- spelling ---------------------------------------------------------------------------------

    def _tell(self, desk: Desk, event: str, **fields: Any) -> None:
        if not self._plain:
            desk.say(json.dumps({"event": event, "channel_id": self._channel_id, **fields}))
        elif "correlation_id" in fields:
            desk.say(f"{event} {fields['correlation_id']}".rstrip())
        else:
            if "error_text" in fields:
                fields = {"channel_id": self._channel_id, **fields}
            told = (f"{name}:{_plain(value)}" for name, value in fields.items())
            desk.say(" ".join((event, *told)))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_Command = Callable[[ChanWebSocketMedia, Desk, str], None]
_COMMANDS: dict[str, _Command] = {
    "ANSWER": ChanWebSocketMedia._answer,
    "HANGUP": ChanWebSocketMedia._hang_up,
    "START_MEDIA_BUFFERING": ChanWebSocketMedia._start_bulk,
    "STOP_MEDIA_BUFFERING": ChanWebSocketMedia._stop_bulk,
    "MARK_MEDIA": ChanWebSocketMedia._mark,
    "REPORT_QUEUE_DRAINED": ChanWebSocketMedia._report,
    "FLUSH_MEDIA": ChanWebSocketMedia._flush,
    "PAUSE_MEDIA": ChanWebSocketMedia._pause,
    "CONTINUE_MEDIA": ChanWebSocketMedia._continue,
    "GET_STATUS": ChanWebSocketMedia._status,
}

_conforms: type[Dialect] = ChanWebSocketMedia
