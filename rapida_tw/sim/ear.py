"""The ear of a simulated caller: what was heard and when, and when there was sound in it."""

from __future__ import annotations

import wave
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapida_tw.audio.format import Samples
from rapida_tw.audio.resample import resample_all

# Peak of a packet that counts as sound: -41 dBFS. A line's hiss stays far below, a voice above.
LOUD = 300
# Shorter pauses belong to the sentence; between two answers there is more.
PAUSE = 0.3  # seconds
# A jitter buffer waits this long for a late packet before it plays silence instead.
_PATIENCE = 0.06  # seconds


@dataclass(slots=True)
class Interval:
    """Sound without a pause of 0.3 s or more, in seconds since the line came up."""

    start: float
    end: float

    @property
    def lasting(self) -> float:
        return self.end - self.start


def first_loud(samples: Samples) -> int:
    """Index of the first sample above the threshold; the length where none is."""
    loud = np.flatnonzero((samples > LOUD) | (samples < -LOUD))
    return int(loud[0]) if len(loud) else len(samples)


def last_loud(samples: Samples) -> int:
    """Index behind the last sample above the threshold; 0 where none is."""
    loud = np.flatnonzero((samples > LOUD) | (samples < -LOUD))
    return int(loud[-1]) + 1 if len(loud) else 0


class Ear:
    """Keeps packets with their arrival times and finds the sound in them.

    `keep` False forgets the audio itself: for a thousand calls at once.
    """

    def __init__(self, keep: bool = True) -> None:
        self.intervals: list[Interval] = []
        self.arrivals = array("d")  # seconds, one a packet
        self._keep = keep
        self._packets: list[tuple[bytes, int]] = []
        self._silences: dict[int, bytes] = {}

    @property
    def heard_until(self) -> float:
        """When the latest sound ended (to the packet); 0.0 before any."""
        return self.intervals[-1].end if self.intervals else 0.0

    def hear(self, payload: bytes, rate: int, now: float) -> bool:
        """Take one packet (int16, little-endian); True when a new interval of sound begins."""
        self.arrivals.append(now)
        silence = self._silences.get(len(payload))
        if silence is None:
            silence = self._silences[len(payload)] = bytes(len(payload))
        if payload == silence:
            if self._keep:
                self._packets.append((silence, rate))
            return False
        if self._keep:
            self._packets.append((payload, rate))
        samples = np.frombuffer(payload, "<i2")
        if samples.max() <= LOUD and samples.min() >= -LOUD:
            return False
        end = now + len(samples) / rate
        if self.intervals and now - self.intervals[-1].end < PAUSE:
            self.intervals[-1].end = end
            return False
        self.intervals.append(Interval(now + first_loud(samples) / rate, end))
        return True

    def samples(self, rate: int) -> Samples:
        """All that was heard as a phone would have played it: int16[n] at `rate`.

        Packets follow each other; a gap longer than a jitter buffer bears is silence. What came
        in a burst is played one after the other, as late as that makes it.
        """
        pieces: list[Samples] = []
        played = 0.0
        for arrival, (payload, packet_rate) in zip(self.arrivals, self._packets, strict=False):
            if arrival > played + _PATIENCE:
                pieces.append(np.zeros(round((arrival - played) * rate), np.int16))
                played = arrival
            heard = np.frombuffer(payload, "<i2").astype(np.int16)
            pieces.append(resample_all(heard, packet_rate, rate))
            played += len(heard) / packet_rate
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def save(self, path: Path, rate: int = 8_000) -> None:
        """Write what was heard to a mono WAV file; lets `OSError` through."""
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(self.samples(rate).astype("<i2").tobytes())
