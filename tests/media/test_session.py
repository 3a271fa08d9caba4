"""MediaSession: a leg's bytes to frames and back, and the ends that silence brings."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import FRAME, RATE, AudioFormat, Encoding, ticks
from rapida_tw.audio.resample import resample_all
from rapida_tw.errors import (
    FAR_END_STALLED,
    INTERNAL_ERROR,
    MEDIA_TIMEOUT,
    REMOTE_HANGUP,
)
from rapida_tw.media.session import SILENT_AFTER, STALLED_AFTER
from rapida_tw.wire.audiosocket import RATES
from tests.media.case import LEADING, SLIN8, SLIN16, ULAW, Sessions, Tape, tone
from tests.media.frames import frames


class HeardTests(Sessions):
    """From the leg's bytes to frames, in the turn in which they arrive."""

    def test_at_once(self) -> None:
        """A frame is heard before `audio_received` returns."""
        setting = self.setting()
        samples = tone(0.02)
        setting.session.audio_received(samples.tobytes())
        np.testing.assert_array_equal(setting.ears.frames, [samples])

    @given(st.lists(st.integers(0, 3 * FRAME), max_size=12))
    def test_any_size(self, sizes: list[int]) -> None:
        """However the leg cuts its audio, the same samples are heard in whole frames."""
        setting = self.setting()
        samples = tone(1.0)
        at = 0
        for size in sizes:
            setting.session.audio_received(samples[at : at + size].tobytes())
            at += size
        whole = min(at, len(samples)) // FRAME * FRAME
        np.testing.assert_array_equal(setting.ears.samples, samples[:whole])
        for frame in setting.ears.frames:
            self.assertEqual((frame.shape, frame.dtype), ((FRAME,), np.dtype(np.int16)))

    def test_every_rate(self) -> None:
        """Each rate of AudioSocket is heard in its length and at its pitch, and is answered."""
        for rate in RATES.values():
            with self.subTest(rate):
                setting = self.setting(AudioFormat(rate=rate))
                size = setting.leg.format.frame_bytes
                payload = tone(1.0, rate).astype("<i2").tobytes()
                for at in range(0, len(payload), size):
                    setting.session.audio_received(payload[at : at + size])
                self.assertEqual(len(setting.ears.frames), 50)
                spectrum = np.abs(np.fft.rfft(setting.ears.samples.astype(float)))
                self.assertEqual(int(np.argmax(spectrum)), 400)
                setting.playout.write(tone(1.0))
                setting.ticks(45)
                self.assertEqual({len(sent) for sent in setting.leg.sent}, {size})

    def test_odd_frames(self) -> None:
        """10 and 30 ms packets, of 8 kHz and of µ-law, become frames of 20 ms."""
        for format in (SLIN8, ULAW):
            for milliseconds in (10, 30, 25, 1, 500):
                with self.subTest((format.encoding, milliseconds)):
                    setting = self.setting(format)
                    size = format.rate * milliseconds // 1000 * format.sample_bytes
                    count = 3000 // milliseconds
                    for _ in range(count):
                        setting.session.audio_received(bytes(size))
                    self.assertEqual(len(setting.ears.frames), 150)

    def test_empty(self) -> None:
        """A payload without samples is a sign of life, and nothing else."""
        setting = self.setting(SLIN8)
        setting.session.audio_received(b"")
        self.assertEqual(setting.ears.frames, [])

    def test_format_changes(self) -> None:
        """From one packet to the next both directions change; what was kept is not lost."""
        setting = self.setting(SLIN16)
        setting.session.audio_received(bytes(FRAME))  # half a frame
        setting.session.format_changed(SLIN8)
        setting.leg.sent.clear()
        setting.session.audio_received(bytes(160))  # the other half
        self.assertEqual(len(setting.ears.frames), 1)
        setting.ticks(1)
        self.assertEqual([len(sent) for sent in setting.leg.sent], [320])
        setting.session.format_changed(ULAW)
        setting.ticks(1)
        self.assertEqual(setting.leg.sent[-1], b"\xff" * 160)

    def test_digit(self) -> None:
        """A digit is passed on, until the end."""
        setting = self.setting()
        setting.session.digit_received("5")
        setting.session.close()
        setting.session.digit_received("6")
        self.assertEqual(setting.events.digits, ["5"])

    def test_recorded(self) -> None:
        """The tape has both sides, each with the tick of the moment."""
        setting = self.setting()
        setting.session.recorder = tape = Tape()
        setting.playout.write(tone(0.04))
        setting.ticks(5, caller=bytes(640))
        self.assertEqual([tick for tick, _ in tape.caller], [0, 1, 2, 3, 4])
        self.assertEqual([tick for tick, _ in tape.assistant], [1, 2])
        np.testing.assert_array_equal(tape.assistant[0][1], tone(0.02))


class SpokenTests(Sessions):
    """From the playout to the leg, on the beat."""

    def test_silence(self) -> None:
        """A continuous leg gets a frame in each tick, silence from the first on."""
        setting = self.setting(SLIN8)
        setting.ticks(10)
        self.assertEqual(setting.leg.sent, [bytes(320)] * 10)

    def test_silence_of_its_law(self) -> None:
        """Silence is silent in the leg's own encoding."""
        for encoding, silence in ((Encoding.MULAW, 0xFF), (Encoding.ALAW, 0xD5)):
            setting = self.setting(AudioFormat(encoding))
            setting.ticks(1)
            self.assertEqual(setting.leg.sent, [bytes((silence,)) * 160])

    def test_no_silence(self) -> None:
        """A leg that is not continuous gets only what is said."""
        setting = self.setting(LEADING)
        setting.ticks(3)
        self.assertEqual(setting.leg.sent, [])

    def test_paced(self) -> None:
        """What is said leaves a frame a tick, bit by bit as it was written."""
        setting = self.setting()
        setting.playout.write(tone(0.2))
        for count in range(1, 11):
            setting.ticks(1)
            self.assertEqual(len(setting.leg.sent), count)
        sent = np.frombuffer(b"".join(setting.leg.sent), "<i2")
        np.testing.assert_array_equal(sent, tone(0.2))
        self.assertEqual(setting.session.spoken, 10)

    def test_no_click(self) -> None:
        """The filter's tail is let out into the first silence; then the silence is digital."""
        setting = self.setting(SLIN8)
        setting.playout.write(tone(0.1))
        setting.ticks(8)
        self.assertNotEqual(setting.leg.sent[5], bytes(320))
        self.assertEqual(setting.leg.sent[6:], [bytes(320)] * 2)
        sent = np.frombuffer(b"".join(setting.leg.sent), "<i2").astype(int)
        wanted = resample_all(tone(0.1), RATE, 8000).astype(int)
        delay = len(sent) - len(wanted) - np.argmax(np.correlate(sent, wanted, "valid")[::-1])
        self.assertLess(np.abs(sent[delay : delay + len(wanted)] - wanted).max(), 3)

    def test_lead(self) -> None:
        """A far side with a buffer is given its lead once; then a frame a tick."""
        setting = self.setting(LEADING)
        setting.playout.write(tone(0.4))
        sent = []
        for _ in range(20):
            before = len(setting.leg.sent)
            setting.ticks(1)
            sent.append(len(setting.leg.sent) - before)
        self.assertEqual(sent, [6] + [1] * 14 + [0] * 5)

    def test_lead_is_said_again(self) -> None:
        """What such a far side was given too early, and forgets at a pause, is sent again."""
        setting = self.setting(LEADING)
        setting.playout.write(frames(20))
        setting.ticks(2)
        setting.playout.pause()
        setting.ticks(1)
        setting.playout.resume()
        setting.ticks(1)
        sent = [int(np.frombuffer(payload, "<i2")[0]) for payload in setting.leg.sent]
        self.assertEqual(sent, [1, 2, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7, 8])

    def test_next_sound(self) -> None:
        """Who asks is told when the next frame of the voice is sent, once; unless forgotten."""
        setting = self.setting()
        told: list[int] = []
        setting.session.at_next_sound(lambda: told.append(len(setting.leg.sent)))
        setting.ticks(3)
        self.assertEqual(told, [])
        setting.playout.write(tone(0.06))
        setting.ticks(3)
        self.assertEqual(told, [3])
        setting.session.at_next_sound(lambda: told.append(-1))
        setting.session.at_next_sound(None)
        setting.playout.write(tone(0.06))
        setting.ticks(3)
        self.assertEqual(told, [3])


class SilentCallerTests(Sessions):
    """When nothing comes from the caller's side."""

    def test_heard_as_silence(self) -> None:
        """After a tenth of a second without audio, each tick is heard as silence."""
        setting = self.setting()
        setting.ticks(SILENT_AFTER)
        self.assertEqual(setting.ears.frames, [])
        setting.ticks(10)
        self.assertEqual(len(setting.ears.frames), 10)
        self.assertFalse(setting.ears.samples.any())

    def test_speaking_on(self) -> None:
        """Audio that comes again ends the silence."""
        setting = self.setting()
        setting.ticks(SILENT_AFTER + 1)
        setting.ticks(20, caller=tone(0.02).tobytes())
        self.assertEqual(len(setting.ears.frames), 21)

    def test_gone(self) -> None:
        """After half a minute the call ends, once, as the carrier's failure."""
        setting = self.setting()
        setting.ticks(ticks(setting.leg.format.patience))
        self.assertEqual(setting.ends, [])
        setting.ticks(2)
        self.assertEqual(setting.ends, [MEDIA_TIMEOUT.reason])
        self.assertEqual(setting.clock.getDelayedCalls(), [])

    def test_we_stood_still(self) -> None:
        """When our own process stood still, or the wall clock was set, nobody was silent."""
        setting = self.setting()
        setting.ticks(1, caller=bytes(640))
        setting.clock.advance(3600.0)
        setting.ticks(1, caller=bytes(640))
        self.assertEqual(setting.ends, [])
        # The tick before the stall and those that were made up for: one too many without audio.
        self.assertLessEqual(len(setting.ears.frames), 3)


class FullTests(Sessions):
    """When the far side takes no more."""

    def test_nothing_is_sent(self) -> None:
        """A full far side is sent nothing; the words wait, and go on when it takes audio again."""
        setting = self.setting()
        setting.playout.write(tone(0.2))
        setting.ticks(2, caller=bytes(640))
        setting.session.far_end_full(True)
        setting.ticks(20, caller=bytes(640))
        self.assertEqual(len(setting.leg.sent), 2)
        setting.session.far_end_full(False)
        setting.ticks(8, caller=bytes(640))
        np.testing.assert_array_equal(np.frombuffer(b"".join(setting.leg.sent), "<i2"), tone(0.2))

    def test_caller_is_heard(self) -> None:
        """The caller is heard meanwhile."""
        setting = self.setting()
        setting.session.far_end_full(True)
        setting.ticks(5, caller=bytes(640))
        self.assertEqual(len(setting.ears.frames), 5)

    def test_stalled(self) -> None:
        """After five seconds the call ends, once, as the carrier's failure."""
        setting = self.setting()
        setting.session.far_end_full(True)
        setting.ticks(STALLED_AFTER, caller=bytes(640))
        self.assertEqual(setting.ends, [])
        setting.ticks(5, caller=bytes(640))
        self.assertEqual(setting.ends, [FAR_END_STALLED.reason])

    def test_told_twice(self) -> None:
        """Being told again that it is full does not begin the five seconds anew."""
        setting = self.setting()
        for _ in range(6):
            setting.session.far_end_full(True)
            setting.ticks(STALLED_AFTER // 5, caller=bytes(640))
        self.assertEqual(setting.ends, [FAR_END_STALLED.reason])

    def test_not_for_long(self) -> None:
        """Times of being full are not added up."""
        setting = self.setting()
        for _ in range(6):
            setting.session.far_end_full(True)
            setting.ticks(STALLED_AFTER // 5, caller=bytes(640))
            setting.session.far_end_full(False)
        self.assertEqual(setting.ends, [])

    def test_we_stood_still(self) -> None:
        """Standing still ourselves is not held against the far side."""
        setting = self.setting()
        setting.ticks(1, caller=bytes(640))
        setting.session.far_end_full(True)
        setting.clock.advance(20.0)
        self.assertEqual(setting.ends, [])


class EndTests(Sessions):
    """Every way out, and nothing behind it."""

    def test_leg_ended(self) -> None:
        """The leg's end is told once, and the session is off the beat."""
        setting = self.setting()
        setting.session.leg_ended(REMOTE_HANGUP)
        setting.session.leg_ended(MEDIA_TIMEOUT)
        setting.session.failed()
        self.assertEqual(setting.ends, [REMOTE_HANGUP.reason])
        self.assertEqual(setting.clock.getDelayedCalls(), [])

    def test_closed(self) -> None:
        """After `close`, which may come twice, nothing is heard, said or told."""
        setting = self.setting()
        setting.playout.write(tone(1.0))
        setting.session.close()
        setting.session.close()
        setting.session.audio_received(bytes(640))
        setting.session.far_end_full(True)
        setting.session.leg_ended(REMOTE_HANGUP)
        setting.ticks(10)
        self.assertEqual((setting.leg.sent, setting.ears.frames, setting.ends), ([], [], []))

    def test_closed_by_what_was_heard(self) -> None:
        """When what is heard ends the call, the rest of that packet is not heard any more."""
        setting = self.setting()
        setting.ears.act = setting.session.close
        setting.session.audio_received(bytes(640 * 5))
        self.assertEqual(len(setting.ears.frames), 1)

    def test_closed_by_silence(self) -> None:
        """When a silent tick ends the call, nothing is sent in that tick."""
        setting = self.setting()
        setting.ears.act = setting.session.close
        setting.ticks(SILENT_AFTER + 3)
        self.assertEqual(len(setting.leg.sent), SILENT_AFTER)

    def test_closed_when_all_is_said(self) -> None:
        """When the last frame's end ends the call, nothing is sent in that tick."""
        setting = self.setting()
        setting.playout.write(tone(0.06))
        setting.playout.drained().addCallback(lambda _: setting.session.close())
        setting.ticks(10)
        self.assertEqual(len(setting.leg.sent), 3)

    def test_failed(self) -> None:
        """An error while the silence is heard ends this call, as our own fault."""
        setting = self.setting()

        def broken() -> None:
            raise RuntimeError("a detector's bug")

        setting.ears.act = broken
        setting.ticks(SILENT_AFTER + 2)
        self.assertEqual(setting.ends, [INTERNAL_ERROR.reason])
        self.assertEqual(len(setting.beat), 0)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
