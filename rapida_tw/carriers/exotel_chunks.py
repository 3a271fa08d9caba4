"""What goes out on Exotel's media socket: sound in chunks, marks, and the word to forget.

Sound goes in whole multiples of 320 bytes, because Exotel leaves gaps between others, and in 100 ms
at a time: it would rather have 3200 bytes, and forgets only chunks that it has not begun to play.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import NOTHING, Message
from rapida_tw.carriers.messages import encoded
from rapida_tw.carriers.options import one_of

LEAD = 10  # ticks, at least; always two chunks

_UNIT = 320  # bytes
_STRICT = 3_200  # bytes, the documented minimum
_CHUNKS_MS = (20, 40, 60, 80, 100, 200)
_SILENCE = {Encoding.LINEAR16: b"\0", Encoding.MULAW: b"\xff"}
_ENCODINGS = {"auto": None, "pcm16": Encoding.LINEAR16, "mulaw": Encoding.MULAW}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the phone deployment says about the stream."""

    encoding: Encoding | None = None  # None: find out
    chunk_ms: int = 100
    strict_chunks: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Settings:
        """`MisconfiguredAssistant` says what is allowed."""
        return cls(
            _ENCODINGS[one_of(options, "encoding", tuple(_ENCODINGS), "auto")],
            one_of(options, "chunk_ms", _CHUNKS_MS, 100),
            one_of(options, "strict_chunks", (False, True), False),
        )


class Chunks:
    """The outgoing half of one stream, known by its `sid` and `encoding` at `rate` Hz.

    `camel`: keys are in camelCase.
    """

    def __init__(
        self, settings: Settings, sid: str, camel: bool, encoding: Encoding, rate: int
    ) -> None:
        self._gathered = bytearray()
        self._silence = _SILENCE[encoding]
        self._least = _STRICT if settings.strict_chunks else _UNIT
        tick = AudioFormat(encoding, rate)
        self._bytes_a_ms = rate * tick.sample_bytes // 1000
        # Whole ticks, too: as many as fill units, once or several times.
        step = _UNIT // gcd(_UNIT, tick.frame_bytes)
        wanted = max(self._least, settings.chunk_ms * self._bytes_a_ms)
        ticks = -(-wanted // (step * tick.frame_bytes)) * step
        self._size = ticks * tick.frame_bytes
        lead = max(LEAD, 2 * ticks)
        self.format = AudioFormat(encoding, rate, continuous=False, lead=lead, chunk=ticks)
        self._sent = 0  # bytes
        self._count = 0
        stream, number = (
            ("streamSid", "sequenceNumber") if camel else ("stream_sid", "sequence_number")
        )
        self._stream = f'"{stream}":{json.dumps(sid)}'.encode("ascii")
        self._head = b'{"event":"media",%b,"media":{"%b":"' % (self._stream, number.encode())
        self._clear = (Message(b'{"event":"clear",%b}' % self._stream),)

    def audio(self, payload: bytes) -> Sequence[Message]:
        gathered = self._gathered
        gathered += payload
        size = self._size
        if len(gathered) < size:
            return NOTHING
        chunk = bytes(gathered[:size])
        del gathered[:size]
        return (self._media(chunk),)

    def mark(self, name: str) -> Sequence[Message]:
        text = json.dumps(name).encode("ascii")
        mark = Message(b'{"event":"mark",%b,"mark":{"name":%b}}' % (self._stream, text))
        gathered = bytes(self._gathered)
        if not gathered:
            return (mark,)
        self._gathered.clear()
        return (self._media(gathered.ljust(self._allowed(len(gathered)), self._silence)), mark)

    def clear(self) -> Sequence[Message]:
        self._gathered.clear()
        return self._clear

    def _allowed(self, size: int) -> int:
        """The smallest chunk that holds `size` bytes."""
        return max(self._least, -(-size // _UNIT) * _UNIT)

    def _media(self, chunk: bytes) -> Message:
        """Exotel's own samples say that some streams end early without the three numbers."""
        self._count += 1
        numbers = b'%d","chunk":"%d","timestamp":"%d","payload":"' % (
            self._count,
            self._count,
            self._sent // self._bytes_a_ms,
        )
        self._sent += len(chunk)
        return Message(self._head + numbers + encoded(chunk) + b'"}}')
