"""A voice's own bytes: on the wire as they were made, and what happens where there are none."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, RATE, AudioFormat, Encoding, Samples
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.audio.resample import Resampler
from rapida_tw.media.straight import joined
from tests.media.case import LEADING, SLIN8, SLIN16, ULAW, Setting, Tape, tone

# Legs without silence between, so that what was sent is what was said.
PHONE = AudioFormat(Encoding.MULAW, continuous=False)
CARRIER = AudioFormat(Encoding.MULAW, continuous=False, lead=5)


def made(count: int, seed: int = 1, size: int = 1) -> bytes:
    """A vendor's sound of so many samples of `size` bytes: any bytes, no two frames alike."""
    return np.random.default_rng(seed).integers(0, 256, count * size, np.uint8).tobytes()


def cut(payload: bytes, sizes: list[int]) -> list[bytes]:
    """In pieces of these sizes, the last one what is left."""
    pieces = []
    for size in sizes:
        pieces.append(payload[:size])
        payload = payload[size:]
    return [piece for piece in (*pieces, payload) if piece]


class _Case(SynchronousTestCase):
    """A call whose voice speaks µ-law of 8 kHz."""

    format = PHONE

    def setUp(self) -> None:
        self.setting = Setting(self.format, PHONE)
        self.playout, self.ticks = self.setting.playout, self.setting.ticks
        self.decode = MULAW.decode
        self.addCleanup(self.setting.session.close)

    def say(self, pieces: list[bytes], upto: int | None = None) -> None:
        """One phrase as a voice gives it; from piece number `upto` on without its bytes."""
        self.playout.begin("any words")
        resampler = Resampler(self.format.rate, RATE)
        for number, piece in enumerate(pieces):
            own = upto is None or number < upto
            self.playout.write(resampler(self.decode(piece)), piece if own else b"")
        self.playout.finish()

    @property
    def sent(self) -> bytes:
        return b"".join(self.setting.leg.sent)


class WholeTests(_Case):
    """Phrases that have all their bytes."""

    @given(st.lists(st.integers(1, 700), max_size=8), st.integers(1, 2000))
    def test_any_pieces(self, sizes: list[int], length: int) -> None:
        """However the vendor cuts its sound, its bytes are sent, then silence to the frame."""
        self.setUp()
        payload = made(length)
        self.say(cut(payload, sizes))
        self.ticks(20)
        self.assertEqual(self.sent, payload + b"\xff" * (-length % 160))

    def test_phrases(self) -> None:
        """Each phrase ends with its own silence, and is sent a frame a beat."""
        for seed in (1, 2):
            self.say([made(400, seed)])
        self.ticks(4)
        self.assertEqual(len(self.setting.leg.sent), 4)
        self.ticks(4)
        self.assertEqual(self.sent, made(400, 1) + b"\xff" * 80 + made(400, 2) + b"\xff" * 80)

    def test_every_law(self) -> None:
        """Silence is that of the leg's encoding; half a sample at the end is none."""
        for encoding, silence in ((Encoding.ALAW, b"\xd5"), (Encoding.LINEAR16, b"\0")):
            format = AudioFormat(encoding, continuous=False)
            setting = Setting(format, format)
            payload = made(100, size=format.sample_bytes)
            setting.playout.begin("any words")
            odd = b"x" if encoding is Encoding.LINEAR16 else b""
            setting.playout.write(np.ones(200, np.int16), payload + odd)
            setting.playout.finish()
            setting.ticks(2)
            filled = payload.ljust(format.frame_bytes, silence)
            self.assertEqual(setting.leg.sent, [filled], encoding)

    def test_samples_are_seen(self) -> None:
        """The recorder is given the samples, frame by frame, of what is sent."""
        self.setting.session.recorder = tape = Tape()
        payload = made(480)
        self.say([payload])
        self.ticks(5)
        heard = np.concatenate([frame for _, frame in tape.assistant])
        np.testing.assert_array_equal(heard, Resampler(8_000, RATE)(MULAW.decode(payload)))
        self.assertEqual(self.setting.session.spoken, 3)

    def test_pause(self) -> None:
        """After a pause it goes on with the next byte."""
        payload = made(1600)
        self.say([payload])
        self.ticks(4)
        self.playout.pause()
        self.ticks(3)
        self.assertEqual(len(self.sent), 640)
        self.playout.resume()
        self.ticks(10)
        self.assertEqual(self.sent, payload)

    def test_clear(self) -> None:
        """Of what was dropped nothing is sent, nor are its bytes taken for the next phrase's."""
        self.say([made(1600)])
        self.ticks(4)
        self.playout.begin("half of a phrase")
        self.playout.write(np.zeros(100, np.int16), made(50, 9))
        self.playout.clear()
        self.say([made(480, 2)])
        self.ticks(5)
        self.assertEqual(self.sent, made(1600)[:640] + made(480, 2))
        self.assertEqual(len(self.playout.payloads), 1)  # of the frame that was sent last

    def test_bytes_before_samples(self) -> None:
        """A resampler may hold back samples whose bytes have come, or be a frame ahead of them."""
        payload = made(800)
        samples = Resampler(8_000, RATE)(MULAW.decode(payload))
        for shift in (-100, -1, 0, 1, 100, 320):
            self.setUp()
            self.playout.begin("any words")
            self.playout.write(samples[: 640 + shift], payload[:320])
            self.ticks(1)
            self.playout.write(samples[640 + shift :], payload[320:])
            self.playout.finish()
            self.ticks(10)
            self.assertEqual(self.sent, payload, shift)


class LeadTests(_Case):
    """A carrier that buffers, and forgets what it is told to forget."""

    format = CARRIER

    def test_taken_back(self) -> None:
        """What was not heard before a pause is sent again, byte by byte."""
        payload = made(160 * 40)
        self.say([payload])
        self.ticks(10)  # 15 frames sent; 10 played, or being played
        self.playout.pause()
        self.ticks(3)
        self.playout.resume()
        self.ticks(40)
        self.assertEqual(self.sent, payload[: 160 * 15] + payload[160 * 10 :])

    def test_kept(self) -> None:
        """Bytes are kept no longer than they can be asked for again."""
        self.say([made(160 * 200)])
        self.ticks(150)
        self.assertLess(len(self.playout.payloads), 200 - 150 + 5 + 50 + 5)


class WithoutTests(_Case):
    """Where there are no bytes, or not of the right kind."""

    def converted(self, format: AudioFormat, told: AudioFormat | None) -> bool:
        """Whether what a voice says with bytes of `told` goes out as if it had none."""
        said = tone(0.2)
        sent = []
        for payload in (made(1600), b""):
            setting = Setting(format, told)
            setting.playout.begin("any words")
            setting.playout.write(said, payload)
            setting.playout.finish()
            setting.ticks(12)
            sent.append(setting.leg.sent)
        return sent[0] == sent[1]

    def test_other_format(self) -> None:
        """Bytes of a format that is not the leg's, or that nobody was told of, are ignored."""
        for format in (SLIN8, SLIN16, LEADING, AudioFormat(Encoding.ALAW)):
            self.assertTrue(self.converted(format, ULAW), format)
        self.assertTrue(self.converted(ULAW, None))
        self.assertFalse(self.converted(ULAW, PHONE))  # what else a leg can makes no difference

    def test_format_changes(self) -> None:
        """What waits in the old format is converted; the next phrase in the old one may be sent."""
        self.say([made(1600)])
        self.ticks(3)
        self.setting.session.format_changed(AudioFormat(Encoding.ALAW, continuous=False))
        self.ticks(2)
        self.assertEqual(self.sent[:480], made(1600)[:480])
        expected = Resampler(RATE, 8_000)
        samples = Resampler(8_000, RATE)(MULAW.decode(made(1600)))
        self.assertEqual(self.sent[480:640], ALAW.encode(expected(samples[960:1280])))
        self.setting.session.format_changed(PHONE)
        self.playout.clear()
        self.say([made(480, 2)])
        self.ticks(4)
        self.assertEqual(self.sent[800:], made(480, 2))

    def test_lost(self) -> None:
        """A phrase that loses its bytes goes on in its samples, from the first whole frame on."""
        voice = MULAW.encode(tone(1.0, 8_000))
        for upto in range(1, 5):
            self.setUp()
            self.say(cut(voice, [1000] * 7), upto)
            self.ticks(60)
            own = upto * 1000 // 160 * 160
            self.assertEqual(self.sent[:own], voice[:own])
            self.assertEqual(len(self.sent), 8000)
            # The filters delay what follows by some samples: by how many, is found out.
            sent, wanted = self.heard(self.sent[own:]), self.heard(voice[own:])
            errors = [np.abs(sent[80 + lag : 3000] - wanted[80 : 3000 - lag]) for lag in range(60)]
            error = min(int(one.max()) for one in errors)
            self.assertLess(error, 600)

    def test_seam(self) -> None:
        """There is no step in the sound where its bytes end, nor where it pauses in their midst."""
        for frequency in (190.0, 210.0, 333.0):
            voice = MULAW.encode(tone(1.0, 8_000, frequency))
            steepest = np.abs(np.diff(self.heard(voice))).max() + 600  # µ-law's own, and the fade
            for act in ("lost", "paused"):
                self.format = ULAW
                self.setUp()
                self.say(cut(voice, [1000] * 7), 3 if act == "lost" else None)
                self.ticks(18)
                self.playout.pause() if act == "paused" else None
                self.ticks(10)
                steps = np.abs(np.diff(self.heard(self.sent)))
                self.assertLess(steps.max(), steepest, (act, frequency))

    def test_phrase_without(self) -> None:
        """A phrase of another voice in between is converted; those around it are not."""
        first, last = made(480, 1), made(480, 3)
        self.say([first])
        self.say([made(1600, 2)], upto=0)
        self.say([last])
        self.ticks(20)
        self.assertEqual((self.sent[:480], self.sent[-480:]), (first, last))
        self.assertEqual(len(self.sent), 480 + 1600 + 480)

    def test_nothing_is_left_of_it(self) -> None:
        """What was converted beforehand is not said later, when bytes have taken its place."""
        said = tone(0.3)
        self.say([made(160, 2)], upto=0)
        self.say([made(1600)])
        self.ticks(20)
        before = len(self.sent)
        self.playout.begin("more words")
        self.playout.write(said)
        self.ticks(20)
        self.assertEqual(self.sent[before:], MULAW.encode(Resampler(RATE, 8_000)(said)))

    def test_too_far_behind(self) -> None:
        """Bytes that are more than a frame behind the samples are of another sound: they go."""
        self.playout.begin("any words")
        self.playout.write(np.zeros(5 * FRAME, np.int16), made(320))
        self.ticks(5)
        self.assertEqual(self.setting.leg.sent, [b"\xff" * 160] * 5)

    def test_unfinished_phrase(self) -> None:
        """A phrase that begins in the middle of a frame is converted, as its beginning must be."""
        self.playout.begin("not finished")
        self.playout.write(np.zeros(100, np.int16), made(50, 9))
        self.playout.begin("any words")
        self.playout.write(np.zeros(FRAME, np.int16), made(160))
        self.playout.finish()
        self.ticks(3)
        self.assertEqual(self.setting.leg.sent, [b"\xff" * 160] * 2)

    def heard(self, payload: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return MULAW.decode(payload).astype(np.int64)


class JoinedTests(SynchronousTestCase):
    """One sound behind another."""

    def check(self, sound: Samples, step: int) -> Samples:
        result = joined(sound, step, 8_000)
        self.assertEqual((result.shape, result.dtype), (sound.shape, np.dtype(np.int16)))
        return result

    def test_fades(self) -> None:
        """It begins where the other ended, and after 5 ms it is itself."""
        result = self.check(np.zeros(160, np.int16), 4100)
        self.assertEqual(result[:3].tolist(), [4000, 3900, 3800])
        self.assertEqual(result[39:42].tolist(), [100, 0, 0])

    def test_loud(self) -> None:
        """What is too loud for a sample is cut, not wrapped."""
        result = self.check(np.full(160, 30_000, np.int16), 60_000)
        self.assertEqual(int(result.max()), 32_767)
        self.assertEqual(int(self.check(np.full(9, -30_000, np.int16), -60_000).min()), -32_768)

    def test_no_step(self) -> None:
        """Without a step nothing is changed, nor is nothing."""
        sound = np.arange(160, dtype=np.int16)
        self.assertIs(joined(sound, 0, 8_000), sound)
        self.check(np.zeros(0, np.int16), 100)
