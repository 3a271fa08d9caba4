"""A recording as a file to download: stereo as it is on disk, or one of its two tracks.

Every file here is virtual: a header of our own, then samples that are read, and for one track
picked out, piece by piece. So a call that is still being recorded can be listened to: the file is
as long as it was when it was asked for. All functions block: they are for threads.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapida_tw.errors import NotFound

STEREO, USER, ASSISTANT = "stereo", "user", "assistant"
TRACKS = (STEREO, USER, ASSISTANT)  # left is the user

_HEADER = 44  # bytes, as audio/wav.py writes it: "RIFF", "fmt " of 16 bytes, "data"
_SAMPLE = 2  # bytes
_FRAME = 2 * _SAMPLE
_LARGEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class TrackFile:
    """The bytes that a client gets. `stamp` changes when they do."""

    path: Path
    track: str
    header: bytes
    frames: int
    stamp: str

    @property
    def size(self) -> int:
        return _HEADER + self.frames * self._step

    @property
    def _step(self) -> int:
        return _FRAME if self.track == STEREO else _SAMPLE

    def read(self, start: int, end: int) -> bytes:
        """Bytes `start` to before `end`, or fewer if the file on disk has shrunk; `OSError`."""
        head = self.header[start:end]
        first, last = max(0, start - _HEADER), max(0, end - _HEADER)
        if last <= first:
            return head
        # Whole frames around what is asked for, cut to it afterwards.
        begin, stop = first // self._step, -(-last // self._step)
        with self.path.open("rb") as file:
            file.seek(_HEADER + begin * _FRAME)
            data = file.read((stop - begin) * _FRAME)
        if self.track != STEREO:
            whole = np.frombuffer(data, "<i2", len(data) // _FRAME * 2)
            data = whole[TRACKS.index(self.track) - 1 :: 2].tobytes()
        skipped = begin * self._step
        return head + data[first - skipped : last - skipped]


def open_track(path: Path, track: str) -> TrackFile:
    """`NotFound` when there is no recording at `path`, or one that was not written by us."""
    try:
        with path.open("rb") as file:
            header = bytearray(file.read(_HEADER))
        status = path.stat()
    except OSError as error:
        raise NotFound(f"the recording cannot be read: {error.strerror}") from None
    if len(header) < _HEADER or header[:4] != b"RIFF" or header[36:40] != b"data":
        raise NotFound("the recording is not a WAV file of ours")
    frames = (status.st_size - _HEADER) // _FRAME
    file_ = TrackFile(path, track, b"", frames, f'"{status.st_mtime_ns:x}-{frames:x}-{track}"')
    return TrackFile(path, track, _header(header, file_), frames, file_.stamp)


def _header(header: bytearray, file: TrackFile) -> bytes:
    """The header on disk, with the sizes of `file`, and one channel if it has only one."""
    data = file.size - _HEADER
    struct.pack_into("<I", header, 4, min(data + _HEADER - 8, _LARGEST))
    struct.pack_into("<I", header, 40, min(data, _LARGEST))
    if file.track != STEREO:
        (rate,) = struct.unpack_from("<I", header, 24)
        struct.pack_into("<H", header, 22, 1)
        struct.pack_into("<IH", header, 28, rate * _SAMPLE, _SAMPLE)
    return bytes(header)
