"""MaybeWav: sound that may begin with a RIFF/WAVE header, taken off while it streams in.

"Multimedia Programming Interface and Data Specifications 1.0", WAVE; RFC 2361 for the tags. Servers
that do not know the length beforehand write one that is 0 or very large.
"""

from __future__ import annotations

import struct
from typing import Final

from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.speech.voices.wire import BodyReader

_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")  # tag, channels, rate, bytes a second, block, bits
_TAGS: Final = {
    (1, 16): Encoding.LINEAR16,
    (6, 8): Encoding.ALAW,
    (7, 8): Encoding.MULAW,
}
_EXTENSIBLE: Final = 0xFFFE  # the tag is the first of the sub-format, 24 bytes on
_UNKNOWN: Final = 0x7FFF0000  # bytes of sound: from here on it is nobody's length
_LONGEST: Final = 65_536  # bytes of header

# What vendors send instead of what they were asked for.
_OTHERS: Final = {b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC"}


class MaybeWav:
    """A BodyReader; without a header the sound is of `encoding` and `rate`."""

    def __init__(self, encoding: Encoding, rate: int) -> None:
        self.encoding = encoding
        self.rate = rate
        self._head: bytearray | None = bytearray()  # until the sound begins
        self._left: int | None = None  # bytes of sound; None: all that comes

    def feed(self, data: bytes) -> bytes:
        """The sound in it; RemoteProtocolError where that is in a form which is none of ours."""
        if self._head is None:
            return self._sound(data)
        self._head += data
        if len(self._head) < _CHUNK.size + 4:
            return b""
        return self._begun(bytes(self._head))

    def finish(self) -> bytes:
        head, self._head = self._head, None
        if head and head.startswith(b"RIFF"):
            raise RemoteProtocolError("a WAV that ends before its sound")
        return bytes(head or b"")

    def _begun(self, head: bytes) -> bytes:
        if not head.startswith(b"RIFF"):
            for magic, name in _OTHERS.items():
                if head.startswith(magic):
                    raise RemoteProtocolError(f"{name} where plain sound is due")
            self._head = None
            return head
        if head[8:12] != b"WAVE":
            raise RemoteProtocolError("RIFF, but no WAVE")
        place, known = 12, False
        while len(head) >= place + _CHUNK.size:
            name, size = _CHUNK.unpack_from(head, place)
            place += _CHUNK.size
            if name == b"data":
                if not known:
                    raise RemoteProtocolError("a WAV whose sound comes before its format")
                self._head = None
                self._left = size if 0 < size < _UNKNOWN else None
                return self._sound(head[place:])
            if place + size > _LONGEST:
                raise RemoteProtocolError("a WAV header that does not end")
            if name == b"fmt " and len(head) >= place + size:
                self._read_format(head[place : place + size])
                known = True
            place += size + size % 2
        return b""

    def _read_format(self, chunk: bytes) -> None:
        if len(chunk) < _FORMAT.size:
            raise RemoteProtocolError("a WAV format that is too short")
        tag, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
        if tag == _EXTENSIBLE and len(chunk) >= 26:
            tag = int.from_bytes(chunk[24:26], "little")
        encoding = _TAGS.get((tag, bits))
        if encoding is None or channels != 1 or not rate:
            told = f"tag {tag}, {bits} bits, {channels} channels, {rate} Hz"
            raise RemoteProtocolError(f"a WAV of another kind: {told}")
        self.encoding, self.rate = encoding, rate

    def _sound(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        sound = data[: self._left]
        self._left -= len(sound)
        return sound


_conforms: type[BodyReader] = MaybeWav
