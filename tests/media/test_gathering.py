"""Frames that are decoded together: what is heard is what one by one would be heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding, Samples
from rapida_tw.errors import End
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.gathering import FEW
from rapida_tw.media.playout import Playout
from rapida_tw.media.session import MediaSession

ULAW = AudioFormat(Encoding.MULAW, 8_000)
SLIN = AudioFormat(Encoding.LINEAR16, 8_000)
WIDE = AudioFormat(Encoding.LINEAR16, 24_000)
SAME = AudioFormat(Encoding.LINEAR16, 16_000)


class Call:
    """A leg and all that a session tells; `act` is done at each frame."""

    def __init__(self, format: AudioFormat, beat: MediaClock) -> None:
        self.format = format
        self.frames: list[Samples] = []
        self.ends: list[End] = []
        self.act: Callable[[], None] = lambda: None
        self.session = MediaSession(self, beat, Playout(), self, self)

    def hear(self, frame: Samples) -> None:
        self.frames.append(frame.copy())
        self.act()

    def leg_ended(self, end: End) -> None:
        self.ends.append(end)

    def send_audio(self, payload: bytes) -> None: ...
    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def send_digits(self, digits: str) -> None: ...
    def hang_up(self, end: object = None) -> None: ...
    def hold_changed(self, held: bool) -> None: ...
    def digit_received(self, digit: str) -> None: ...


class GatheringTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.random = np.random.default_rng(3)
        self.clock = Clock()
        self.beat = MediaClock(self.clock)
        self.calls: list[Call] = []
        self.addCleanup(lambda: [call.session.close() for call in self.calls])

    def call(self, format: AudioFormat) -> Call:
        self.calls.append(Call(format, self.beat))
        return self.calls[-1]

    def payload(self, format: AudioFormat, size: int = 0) -> bytes:
        return self.random.integers(0, 256, size or format.frame_bytes, np.uint8).tobytes()

    def read(self, *arrivals: tuple[Call, bytes]) -> None:
        """One reading, in which so much has come."""

        def read() -> None:
            for call, payload in arrivals:
                call.session.audio_received(payload)

        self.beat._read_now(read)

    def alone(self, format: AudioFormat, *payloads: bytes) -> list[Samples]:
        """What is heard of them when each is heard on its arrival."""
        call = Call(format, MediaClock(Clock()))
        for payload in payloads:
            call.session.audio_received(payload)
        call.session.close()
        return call.frames

    def assert_heard(self, call: Call, *payloads: bytes) -> None:
        np.testing.assert_array_equal(call.frames, self.alone(call.format, *payloads))

    def test_many(self) -> None:
        """Many calls of four formats, in reading after reading, with a stranger in between."""
        calls = [self.call(format) for format in (ULAW, SLIN, WIDE, SAME) * (FEW + 1)]
        said: list[list[bytes]] = [[] for _ in calls]
        for turn in range(4):
            arrivals = []
            for call, payloads in zip(calls, said, strict=True):
                payloads.append(self.payload(call.format))
                arrivals.append((call, payloads[-1]))
            if turn == 2:  # on arrival
                for call, payload in arrivals:
                    call.session.audio_received(payload)
            else:
                self.read(*arrivals)
        for call, payloads in zip(calls, said, strict=True):
            self.assertEqual(len(call.frames), 4)
            self.assert_heard(call, *payloads)

    def test_few(self) -> None:
        """So few that each is decoded alone."""
        calls = [self.call(ULAW) for _ in range(FEW - 1)]
        payload = self.payload(ULAW)
        self.read(*[(call, payload) for call in calls])
        for call in calls:
            self.assert_heard(call, payload)

    def test_two_of_one(self) -> None:
        """Of a call with two frames in one reading, both are heard, in their order."""
        calls = [self.call(ULAW) for _ in range(FEW)]
        first, second = self.payload(ULAW), self.payload(ULAW)
        self.read(*[(call, first) for call in calls], (calls[1], second))
        self.assert_heard(calls[1], first, second)
        self.assert_heard(calls[0], first)

    def test_after_a_stall(self) -> None:
        """So it is when all bring several."""
        calls = [self.call(ULAW) for _ in range(FEW + 1)]
        payloads = [self.payload(ULAW) for _ in range(7)]
        self.read(*[(call, payload) for call in calls for payload in payloads])
        for call in calls:
            self.assert_heard(call, *payloads)

    def test_one_of_them(self) -> None:
        """One call's frames can be heard before the others', in their order and once."""
        calls = [self.call(ULAW) for _ in range(FEW + 1)]
        payloads = [self.payload(ULAW) for _ in range(3)]
        early: list[int] = []

        def read() -> None:
            for call in calls:
                for payload in payloads:
                    call.session.audio_received(payload)
            self.beat.gathering.hear(calls[2].session)
            early.extend(len(call.frames) for call in calls)

        self.beat._read_now(read)
        self.assertEqual(early, [0, 0, 3, 0, 0])
        for call in calls:
            self.assert_heard(call, *payloads)

    def test_odd_sizes(self) -> None:
        """What is no frame, and what follows it, is heard as without a gathering."""
        for size in (302, 962):  # a part of a frame is left over, or a part of a block alone
            calls = [self.call(WIDE) for _ in range(FEW + 1)]
            payloads = [self.payload(WIDE), self.payload(WIDE, size), self.payload(WIDE)]
            for payload in payloads:
                self.read(*[(call, payload) for call in calls])
            self.assert_heard(calls[0], *payloads)

    def test_odd_size_behind_a_frame(self) -> None:
        """What is no frame does not overtake a frame of the same call and reading."""
        for size in (80, 161, 320):
            calls = [self.call(ULAW) for _ in range(FEW + 1)]
            payloads = [self.payload(ULAW), self.payload(ULAW, size), self.payload(ULAW)]
            self.read(*[(call, payload) for call in calls for payload in payloads])
            for call in calls:
                self.assert_heard(call, *payloads)

    def test_isolation(self) -> None:
        """A call that fails on its frame ends; its neighbours hear theirs."""
        for count in (FEW - 1, FEW + 1):
            calls = [self.call(ULAW) for _ in range(count)]
            calls[1].act = lambda: [][0]
            payload = self.payload(ULAW)
            self.read(*[(call, payload) for call in calls])
            self.assertEqual([end.reason for end in calls[1].ends], ["internal_error"])
            for call in (calls[0], calls[-1]):
                self.assert_heard(call, payload)
            self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)

    def test_ended_meanwhile(self) -> None:
        """A call that has ended since its frame came hears nothing more."""
        calls = [self.call(ULAW) for _ in range(FEW + 1)]
        calls[0].act = calls[1].session.close
        self.read(*[(call, self.payload(ULAW)) for call in calls])
        self.assertEqual([len(call.frames) for call in calls[:3]], [1, 0, 1])

    def test_other_format(self) -> None:
        """A format that changes within a reading is that of what comes after."""
        calls = [self.call(ULAW) for _ in range(FEW + 1)]
        before, after = self.payload(ULAW), self.payload(WIDE)

        def read() -> None:
            for call in calls:
                call.session.audio_received(before)
            calls[0].session.format_changed(WIDE)
            calls[0].session.audio_received(after)

        self.beat._read_now(read)
        self.assert_heard(calls[1], before)
        np.testing.assert_array_equal(calls[0].frames[:1], self.alone(ULAW, before))
        np.testing.assert_array_equal(calls[0].frames[1:], self.alone(WIDE, after))

    def test_reading_fails(self) -> None:
        """What had come before a reading failed is heard."""
        calls = [self.call(ULAW) for _ in range(FEW)]
        payload = self.payload(ULAW)

        def read() -> None:
            for call in calls:
                call.session.audio_received(payload)
            raise ZeroDivisionError

        self.beat._read_now(read)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assert_heard(calls[0], payload)
