"""Gathering: frames that were read in one go are decoded and resampled together.

Open while the beat reads the sockets of many calls. Frames of one format are then kept until the
reading is over, a few milliseconds at most, and become samples by a handful of numpy's calls
instead of a handful each.
"""

from __future__ import annotations

from typing import Protocol

from twisted.logger import Logger

from rapida_tw.audio.format import RATE, AudioFormat, Encoding, Samples
from rapida_tw.audio.resample import Chorus, Resampler
from rapida_tw.media.codecs import CODECS

FEW = 4  # frames: so few are not worth it


class Member(Protocol):
    """A session whose frames may be gathered."""

    format: AudioFormat
    to_samples: Resampler

    def payload_arrived(self, payload: bytes) -> None:
        """One frame, to be decoded alone."""

    def frame_arrived(self, frame: Samples) -> None:
        """One frame, int16[320]."""

    def failed(self) -> None:
        """One of these has raised."""


class _Group:
    """Frames of one format that wait: the first of each member, the second of each, and so on."""

    def __init__(self, format: AudioFormat) -> None:
        self.rounds: list[dict[Member, bytes]] = []
        self._size = format.frame_bytes // format.sample_bytes
        self._decode = CODECS[format.encoding].decode
        self._chorus = Chorus(format.rate, RATE, self._size)

    def add(self, member: Member, payload: bytes) -> None:
        """Into the first round in which there is none of `member`."""
        for waiting in self.rounds:
            if member not in waiting:
                waiting[member] = payload
                return
        self.rounds.append({member: payload})

    def samples(self, waiting: dict[Member, bytes]) -> Samples:
        """int16[n, 320] of all that have waited."""
        sound = self._decode(b"".join(waiting.values())).reshape(-1, self._size)
        return self._chorus([member.to_samples for member in waiting], sound)


class Gathering:
    """What of one reading waits to be heard. What a session raises ends that session alone."""

    _log = Logger()

    def __init__(self) -> None:
        self._groups: dict[tuple[Encoding, int], _Group | None] = {}
        self.open = False

    def add(self, member: Member, payload: bytes, whole: bool) -> None:
        """Audio of `member` has come: if it is a `whole` frame it is heard at `flush`, else now."""
        format = member.format
        key = (format.encoding, format.rate)
        if key not in self._groups:
            self._groups[key] = _group(format)
        group = self._groups[key]
        if group is not None and whole and member.to_samples.aligned:
            group.add(member, payload)
            return
        if group is not None and group.rounds and member in group.rounds[0]:
            self.flush()  # what came before it is heard before it
        member.payload_arrived(payload)

    def flush(self) -> None:
        """All that waits is heard; of each member in the order of its coming."""
        for group in self._groups.values():
            if group is not None and group.rounds:
                rounds, group.rounds = group.rounds, []
                for waiting in rounds:
                    self._hear(group, waiting)

    def hear(self, member: Member) -> None:
        """What waits of `member` is heard, before something that is not audio."""
        for group in self._groups.values():
            for waiting in group.rounds if group is not None else ():
                payload = waiting.pop(member, None)
                if payload is not None:
                    member.payload_arrived(payload)

    def _hear(self, group: _Group, waiting: dict[Member, bytes]) -> None:
        if len(waiting) < FEW:
            for member, payload in waiting.items():
                try:
                    member.payload_arrived(payload)
                except Exception:
                    self._failed(member)
            return
        for member, frame in zip(waiting, group.samples(waiting), strict=True):
            try:
                member.frame_arrived(frame)
            except Exception:
                self._failed(member)

    def _failed(self, member: Member) -> None:
        self._log.failure("{member} failed on a frame", member=member)
        try:
            member.failed()
        except Exception:
            self._log.failure("{member} failed in its end", member=member)


def _group(format: AudioFormat) -> _Group | None:
    """None for a format that gains nothing or cannot."""
    if format.encoding not in CODECS:
        return None  # each stream has a decoder of its own
    try:
        return _Group(format)
    except ValueError:
        return None
