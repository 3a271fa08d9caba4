"""What a recognition worker is told and answers: framed messages over its pipes, without I/O.

A message is kind (1 byte), call (4), length of the payload (4), payload; numbers big-endian. The
calls are numbered by the parent. Each AUDIO is answered by one HEARD or PARTIAL, which is how the
parent knows how much is still waiting; each END by one FINAL.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from rapida_tw.errors import RemoteProtocolError

_HEAD = struct.Struct("!BII")
_SCORE = struct.Struct("!d")
_LONGEST = 1 << 20  # bytes of payload: a grammar is a few thousand, audio 1600


class Kind(IntEnum):
    """What a message is about."""

    # to the worker
    GRAMMAR = 1  # JSGF, UTF-8; "" for the built-in commands; holds from the next START on
    START = 2  # an utterance begins
    AUDIO = 3  # int16, little-endian, 8 kHz
    END = 4  # the utterance is over: answer
    CLOSE = 5  # the call is over: forget it
    # from the worker
    READY = 16  # models are loaded
    HEARD = 17  # one AUDIO was taken; nothing new to say
    PARTIAL = 18  # one AUDIO was taken; the words so far, UTF-8
    FINAL = 19  # score (8 bytes) and the words of the utterance, "" when there are none
    WARNING = 20  # a sentence for the log


@dataclass(frozen=True, slots=True)
class Message:
    """One message of either direction."""

    kind: Kind
    call: int
    payload: bytes = b""

    def encode(self) -> bytes:
        return _HEAD.pack(self.kind, self.call, len(self.payload)) + self.payload

    @property
    def text(self) -> str:
        """Of GRAMMAR, PARTIAL and WARNING."""
        return self.payload.decode("utf-8", "replace")

    @property
    def words(self) -> tuple[str, float]:
        """Words and score of a FINAL; `RemoteProtocolError` when cut short."""
        if len(self.payload) < _SCORE.size:
            raise RemoteProtocolError("a result without a score")
        (score,) = _SCORE.unpack_from(self.payload)
        return self.payload[_SCORE.size :].decode("utf-8", "replace"), score


def final(call: int, text: str, score: float) -> Message:
    """The answer to an END."""
    return Message(Kind.FINAL, call, _SCORE.pack(score) + text.encode())


class Decoder:
    """Turns received bytes into messages, keeping only the unfinished tail."""

    def __init__(self) -> None:
        self._tail = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield each message that `data` completes; `RemoteProtocolError` on anything else."""
        self._tail += data
        while len(self._tail) >= _HEAD.size:
            kind, call, length = _HEAD.unpack_from(self._tail)
            if kind not in _KINDS or length > _LONGEST:
                raise RemoteProtocolError(f"not a message: kind {kind}, {length} bytes")
            end = _HEAD.size + length
            if len(self._tail) < end:
                return
            payload = bytes(self._tail[_HEAD.size : end])
            del self._tail[:end]
            yield Message(Kind(kind), call, payload)


_KINDS = frozenset(Kind)
