"""Frames that are converted several at once: what is sent is what one by one would be sent."""

from __future__ import annotations

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE, TICK, AudioFormat, Encoding, Samples
from rapida_tw.audio.g711 import MULAW
from rapida_tw.audio.resample import Resampler
from rapida_tw.errors import End
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.playout import Playout
from rapida_tw.media.session import MediaSession


class Tape:
    """A leg that keeps what it is sent, and whoever else a session needs."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.sent: list[bytes] = []

    def send_audio(self, payload: bytes) -> None:
        self.sent.append(payload)

    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def send_digits(self, digits: str) -> None: ...
    def hang_up(self, end: object = None) -> None: ...
    def hold_changed(self, held: bool) -> None: ...
    def hear(self, frame: Samples) -> None: ...
    def digit_received(self, digit: str) -> None: ...
    def leg_ended(self, end: End) -> None: ...


def speech(frames: int, seed: int) -> Samples:
    return np.random.default_rng(seed).normal(0, 4000, frames * FRAME).astype(np.int16)


def one_by_one(samples: Samples) -> list[bytes]:
    resample = Resampler(RATE, 8_000)
    return [MULAW.encode(resample(frame)) for frame in samples.reshape(-1, FRAME)]


class PreparedTests(SynchronousTestCase):
    """A µ-law leg at 8 kHz that carries no silence."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.tape = Tape(AudioFormat(Encoding.MULAW, 8_000, continuous=False))
        self.playout = Playout()
        beat = MediaClock(self.clock)
        self.session = MediaSession(self.tape, beat, self.playout, self.tape, self.tape)
        self.addCleanup(self.session.close)

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(TICK)

    def test_utterance(self) -> None:
        """Of every length: whole batches, a rest of less, a voice that comes in pieces."""
        for frames in (1, 9, 10, 11, 25, 40):
            self.setUp()
            said = speech(frames, frames)
            self.playout.write(said[: 3 * FRAME])
            self.ticks(2)
            self.playout.write(said[3 * FRAME :])
            self.ticks(frames)
            self.assertEqual(self.tape.sent, one_by_one(said), frames)

    def test_pause(self) -> None:
        """What was prepared before a pause is said after it."""
        said = speech(40, 1)
        self.playout.write(said)
        self.ticks(13)
        self.playout.pause()
        self.ticks(5)
        self.playout.resume()
        self.ticks(40)
        self.assertEqual(self.tape.sent, one_by_one(said))

    def test_clear(self) -> None:
        """What was prepared of a dropped utterance is never said, nor heard in the next one."""
        said, then = speech(40, 1), speech(30, 2)
        self.playout.write(said)
        self.ticks(13)
        self.playout.clear()
        self.playout.write(then)
        self.ticks(40)
        self.assertEqual(self.tape.sent[:13], one_by_one(said)[:13])
        self.assertEqual(self.tape.sent[13:], one_by_one(then))

    def test_other_format(self) -> None:
        """A leg whose format changes is sent nothing in the old one any more."""
        self.playout.write(speech(40, 1))
        self.ticks(13)
        self.session.format_changed(AudioFormat(Encoding.LINEAR16, 24_000, continuous=False))
        self.ticks(5)
        self.assertEqual([len(one) for one in self.tape.sent], [160] * 13 + [960] * 5)

    def test_continuous(self) -> None:
        """On a leg that carries silence a pause is silent, whatever is prepared."""
        self.session.close()
        self.tape.format = AudioFormat(Encoding.MULAW, 8_000)
        self.session = MediaSession(
            self.tape, MediaClock(self.clock), self.playout, self.tape, self.tape
        )
        self.playout.write(speech(40, 1))
        self.ticks(13)
        self.playout.pause()
        self.ticks(2)
        self.assertEqual(self.tape.sent[13:], [b"\xff" * 160] * 2)
