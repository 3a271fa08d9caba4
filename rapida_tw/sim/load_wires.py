"""How the load generator speaks on each kind of socket: packets made beforehand, frames counted.

Less faithful than the farm's fakes and much faster: every call sends the same packets, and of what
the server sends only audio is looked at, and marks, which are given back.
"""

from __future__ import annotations

import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from rapida_tw.audio.format import Samples
from rapida_tw.audio.g711 import MULAW
from rapida_tw.sim.audiosocket import AUDIO, CONTEXT, packet
from rapida_tw.sim.handshake import Handshake, Refused
from rapida_tw.sim.websocket import BINARY, TEXT, frame

_STREAM = "MZ00000000000000000000000000000001"
_MASK = 0x37FA213D  # not 0, which a server could find easier than a real one
_LONGEST_ANSWER = 4_096  # bytes

Heard = Callable[[bytes], None]


class LoadWire(Protocol):
    """One kind of socket; it keeps nothing of a call. 20 ms a packet."""

    rate: int  # Hz
    continuous: bool  # the server sends silence, too

    def open(self, sock: socket.socket, context: UUID) -> None:
        """Say whose call it is; may block for the answer. `OSError` where it is refused."""

    def packets(self, sound: Samples) -> list[bytes]:
        """What is sent for int16[n, rate / 50]: bytes of the wire for each row."""

    def take(self, data: bytes, heard: Heard) -> tuple[bytes, bytes]:
        """Give each audio payload in `data` to `heard`; the unfinished rest, and what to answer."""

    def samples(self, payload: bytes) -> Samples:
        """A payload as int16[n] at `rate`."""


class AudioSocketWire:
    """Asterisk's AudioSocket at 8 kHz."""

    rate = 8_000
    continuous = True

    def open(self, sock: socket.socket, context: UUID) -> None:
        sock.sendall(packet(CONTEXT, context.bytes))

    def packets(self, sound: Samples) -> list[bytes]:
        return [packet(AUDIO, row.astype("<i2").tobytes()) for row in sound]

    def take(self, data: bytes, heard: Heard) -> tuple[bytes, bytes]:
        start, size = 0, len(data)
        while size - start >= 3:
            end = start + 3 + (data[start + 1] << 8 | data[start + 2])
            if end > size:
                break
            if data[start] == AUDIO:
                heard(data[start + 3 : end])
            start = end
        return data[start:], b""

    def samples(self, payload: bytes) -> Samples:
        return np.frombuffer(payload, "<i2", len(payload) // 2)


class TwilioWire:
    """Twilio's Media Streams: JSON, base64, µ-law. `path` with {context}."""

    rate = 8_000
    continuous = False

    def __init__(self, path: str = "/v1/talk/twilio/ctx/{context}") -> None:
        self._path = path

    def open(self, sock: socket.socket, context: UUID) -> None:
        _upgrade(sock, self._path.format(context=context))
        start = {
            "accountSid": "AC1",
            "streamSid": _STREAM,
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        connected = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        started = {"event": "start", "sequenceNumber": "1", "streamSid": _STREAM, "start": start}
        sock.sendall(_text(connected) + _text(started))

    def packets(self, sound: Samples) -> list[bytes]:
        return [self._media(number, row) for number, row in enumerate(sound, 2)]

    @staticmethod
    def _media(number: int, row: Samples) -> bytes:
        media = {
            "track": "inbound",
            "chunk": str(number - 1),
            "timestamp": str(20 * number),
            "payload": b64encode(MULAW.encode(row)).decode(),
        }
        message = {"event": "media", "sequenceNumber": str(number), "streamSid": _STREAM}
        return _text({**message, "media": media})

    def take(self, data: bytes, heard: Heard) -> tuple[bytes, bytes]:
        answer = b""

        def message(opcode: int, payload: bytes) -> None:
            nonlocal answer
            if b'"media"' in payload[:40]:
                heard(payload)
            elif b'"mark"' in payload[:40]:
                answer += frame(TEXT, payload, mask=_MASK)

        return _messages(data, message), answer

    def samples(self, payload: bytes) -> Samples:
        return MULAW.decode(b64decode(json.loads(payload)["media"]["payload"]))


class VonageWire:
    """Vonage's sockets: binary L16 at 16 kHz. `path` with {context}."""

    rate = 16_000
    continuous = False

    def __init__(self, path: str = "/v1/talk/vonage/ctx/{context}") -> None:
        self._path = path

    def open(self, sock: socket.socket, context: UUID) -> None:
        _upgrade(sock, self._path.format(context=context))
        connected = {"event": "websocket:connected", "content-type": "audio/l16;rate=16000"}
        sock.sendall(_text(connected))

    def packets(self, sound: Samples) -> list[bytes]:
        return [frame(BINARY, row.astype("<i2").tobytes(), mask=_MASK) for row in sound]

    def take(self, data: bytes, heard: Heard) -> tuple[bytes, bytes]:
        answer = b""

        def message(opcode: int, payload: bytes) -> None:
            nonlocal answer
            if opcode == BINARY:
                heard(payload)
            elif b'"notify"' in payload[:40]:
                echoed = {"event": "websocket:notify", "payload": json.loads(payload)["payload"]}
                answer += _text(echoed)

        return _messages(data, message), answer

    def samples(self, payload: bytes) -> Samples:
        return np.frombuffer(payload, "<i2", len(payload) // 2)


def _text(value: Any) -> bytes:
    return frame(TEXT, json.dumps(value, separators=(",", ":")).encode(), mask=_MASK)


def _upgrade(sock: socket.socket, path: str) -> None:
    handshake = Handshake("127.0.0.1", path)
    sock.sendall(handshake.request())
    received = b""
    while (answer := handshake.read(received)) is None:
        data = sock.recv(_LONGEST_ANSWER)
        if not data:
            raise ConnectionRefusedError("the server closed within the handshake")
        received += data
    if isinstance(answer, Refused):
        raise ConnectionRefusedError(f"no upgrade: {answer.status} {answer.why}")


def _messages(data: bytes, message: Callable[[int, bytes], None]) -> bytes:
    """Each whole frame of the server's; the rest. Not checked: the farm's fakes do that."""
    start, size = 0, len(data)
    while size - start >= 2:
        length, begin = data[start + 1], start + 2
        if length == 126:
            if size - start < 4:
                break
            length, begin = data[start + 2] << 8 | data[start + 3], start + 4
        end = begin + length
        if end > size:
            break
        message(data[start] & 0x0F, data[begin:end])
        start = end
    return data[start:]


AUDIOSOCKET = "audiosocket"
_WEBSOCKETS: dict[str, Callable[..., LoadWire]] = {"twilio": TwilioWire, "vonage": VonageWire}
SIP = "sip"  # by load_rtp.py: it has no connections
TRANSPORTS = (AUDIOSOCKET, *_WEBSOCKETS, SIP)


def wire(transport: str, path: str = "") -> LoadWire:
    """The wire of a transport's name; `path` for a server that is not ours."""
    if transport == AUDIOSOCKET:
        return AudioSocketWire()
    if transport not in _WEBSOCKETS:
        raise ValueError(f"no load for {transport!r}: {', '.join(TRANSPORTS)}")
    return _WEBSOCKETS[transport](path) if path else _WEBSOCKETS[transport]()
