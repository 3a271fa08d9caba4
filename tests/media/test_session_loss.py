"""MediaSession: lost audio, pauses and signs of life; the time line that they leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rapida_tw.audio import opus
from rapida_tw.audio.concealment import Concealment
from rapida_tw.audio.format import FRAME, RATE, TICK, TICKS_PER_SECOND, AudioFormat, Encoding
from rapida_tw.errors import MEDIA_TIMEOUT
from rapida_tw.media.codecs import codec_for
from rapida_tw.media.session import SILENT_AFTER
from tests.audio.signals import noise
from tests.media.case import SLIN8, SLIN16, ULAW, Sessions, Setting, Tape

LEVEL = np.full(FRAME, 8000, np.int16)
SPEECH = LEVEL.tobytes()
PATIENT = 30 * TICKS_PER_SECOND


class LostTests(Sessions):
    """Packets that never came."""

    def test_concealed(self) -> None:
        """The latest frame is heard again, fading; what comes next is faded in."""
        setting = self.setting()
        sound = noise(2 * FRAME)
        setting.session.audio_received(sound[:FRAME].tobytes())
        setting.session.audio_lost(2 * TICK)
        setting.session.audio_received(sound[FRAME:].tobytes())
        gap = Concealment(sound[:FRAME])
        expected = (sound[:FRAME], gap.take(2 * FRAME), gap.into(sound[FRAME:]))
        np.testing.assert_array_equal(setting.ears.samples, np.concatenate(expected))

    def test_over(self) -> None:
        """After the first frame that has come, nothing is changed any more."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        setting.session.audio_lost(TICK)
        setting.ticks(3, caller=noise(FRAME).tobytes())
        for frame in setting.ears.frames[3:]:
            np.testing.assert_array_equal(frame, noise(FRAME))

    def test_two_reports_of_a_gap(self) -> None:
        """A gap that is told piece by piece fades as a whole does."""
        whole, pieces = self.setting(), self.setting()
        for setting, losses in ((whole, (0.06,)), (pieces, (0.02, 0.03, 0.01))):
            setting.session.audio_received(SPEECH)
            for seconds in losses:
                setting.session.audio_lost(seconds)
        np.testing.assert_array_equal(whole.ears.samples, pieces.ears.samples)
        self.assertEqual(len(whole.ears.frames), 4)

    def test_any_packet(self) -> None:
        """Of 10 and 30 ms packets too, nothing of the time line is lost; at any rate."""
        for format in (SLIN16, SLIN8, ULAW):
            for milliseconds in (10, 30):
                with self.subTest((format, milliseconds)):
                    setting = self.setting(format)
                    size = format.rate * milliseconds // 1000 * format.sample_bytes
                    for number in range(600 // milliseconds):
                        if number % 5 == 3:
                            setting.session.audio_lost(milliseconds / 1000)
                        else:
                            setting.session.audio_received(bytes(size))
                    self.assertEqual(len(setting.ears.frames), 30)

    def test_half_a_frame_before(self) -> None:
        """What waited for its other half is a part of what is repeated."""
        setting = self.setting()
        setting.session.audio_received(bytes(2 * FRAME))
        setting.session.audio_received(SPEECH[:FRAME])
        setting.session.audio_lost(TICK)
        # 10 ms of the sound, then it backwards.
        self.assertEqual(set(setting.ears.frames[1].tolist()), {8000})

    def test_recorded(self) -> None:
        """The tape has what was heard."""
        setting = self.setting()
        setting.session.recorder = tape = Tape()
        setting.session.audio_received(SPEECH)
        setting.session.audio_lost(2 * TICK)
        self.assertEqual(len(tape.caller), 3)

    def test_silence_was_heard_meanwhile(self) -> None:
        """What the clock has filled is not filled again, and silence is not followed by an echo."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        setting.ticks(20)
        setting.session.audio_lost(20 * TICK)
        self.assertEqual(len(setting.ears.frames), 21)
        self.assertFalse(np.concatenate(setting.ears.frames[1:]).any())

    def test_before_anything(self) -> None:
        """When the first packets are lost, there is nothing to repeat."""
        setting = self.setting()
        setting.session.audio_lost(3 * TICK)
        self.assertEqual(len(setting.ears.frames), 3)
        self.assertFalse(setting.ears.samples.any())

    def test_order_in_a_reading(self) -> None:
        """Where many calls are read at once, the gap is behind what came before it."""
        setting = self.setting(ULAW)
        gathering = setting.beat.gathering
        gathering.open = True
        payload = codec_for(Encoding.MULAW).encode(noise(160))
        setting.session.audio_received(payload)
        setting.session.audio_lost(TICK)
        setting.session.audio_received(payload)
        setting.session.audio_received(payload)
        gathering.open = False
        gathering.flush()
        self.assertEqual(len(setting.ears.frames), 4)
        np.testing.assert_array_equal(
            setting.ears.frames[1][:240], setting.ears.frames[0][::-1][:240]
        )

    def test_faded_in_a_reading(self) -> None:
        """What comes after a gap is faded in, also where it could be decoded with others."""
        one, *others = (self.setting(ULAW) for _ in range(8))
        for setting in others:
            setting.session._clock = one.beat
        payload = codec_for(Encoding.MULAW).encode(noise(160))
        for setting in (one, *others):
            setting.session.audio_received(payload)
        one.beat.gathering.open = True
        one.session.audio_lost(TICK)
        for setting in (one, *others):
            setting.session.audio_received(payload)
        one.beat.gathering.open = False
        one.beat.gathering.flush()
        before, gap = one.ears.frames[0], one.ears.frames[1]
        np.testing.assert_array_equal(gap, Concealment(before).take(FRAME))
        faded = others[0].ears.frames[1].astype(int) - one.ears.frames[2]
        self.assertTrue(faded[:80].any())
        self.assertFalse(faded[80:].any())

    def test_opus(self) -> None:
        """Opus has its own way: the gap comes with the next packet."""
        if not opus.available():
            self.skipTest("no libopus")
        setting = self.setting(AudioFormat(Encoding.OPUS, RATE))
        codec, decoder = codec_for(Encoding.OPUS), opus.Decoder()
        payloads = [codec.encode(frame) for frame in noise(10 * FRAME).reshape(-1, FRAME)]
        expected = []
        for number, payload in enumerate(payloads):
            if number == 5:
                setting.session.audio_lost(TICK)
                decoder.lost(FRAME)
                self.assertEqual(len(setting.ears.frames), 5)
                continue
            setting.session.audio_received(payload)
            expected.append(decoder.decode(payload))
        self.assertEqual(len(setting.ears.frames), 10)
        np.testing.assert_array_equal(setting.ears.samples, np.concatenate(expected))


class PausedTests(Sessions):
    """Silence that was not sent."""

    def test_rest_of_a_pause(self) -> None:
        """What the clock has not fed of it by now is heard before the next audio."""
        for ticks in (1, SILENT_AFTER, SILENT_AFTER + 1, 40):
            with self.subTest(ticks):
                setting = self.setting()
                setting.session.audio_received(SPEECH)
                setting.ticks(ticks)
                setting.session.audio_paused(ticks * TICK)
                setting.session.audio_received(SPEECH)
                self.assertEqual(len(setting.ears.frames), ticks + 2)
                self.assertFalse(np.concatenate(setting.ears.frames[1:-1]).any())

    def test_never_ahead(self) -> None:
        """Of a pause that nobody had to wait for, a tenth of a second is believed."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        setting.session.audio_paused(3600.0)
        self.assertEqual(len(setting.ears.frames), 1 + SILENT_AFTER)
        setting.session.audio_lost(3600.0)
        self.assertEqual(len(setting.ears.frames), 1 + 2 * SILENT_AFTER)

    def test_told_often(self) -> None:
        """Comfort noise five times a second, for a minute: a minute is heard."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        for _ in range(300):
            setting.ticks(10)
            setting.session.audio_paused(0.2)
            setting.session.alive()
        self.assertEqual(len(setting.ears.frames), 1 + 3000)
        self.assertEqual(setting.ends, [])

    def test_not_recorded(self) -> None:
        """The recording keeps its time by itself."""
        setting = self.setting()
        setting.session.recorder = tape = Tape()
        setting.session.audio_received(SPEECH)
        setting.ticks(4)
        setting.session.audio_paused(4 * TICK)
        setting.session.audio_received(SPEECH)
        self.assertEqual([tick for tick, _ in tape.caller], [0, 4])

    def test_nothing_to_repeat(self) -> None:
        """What is lost after a pause is silent."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        setting.session.audio_paused(TICK)
        setting.session.audio_lost(TICK)
        self.assertFalse(setting.ears.frames[-1].any())

    def test_after_the_end(self) -> None:
        """A closed session hears nothing."""
        setting = self.setting()
        setting.session.close()
        setting.session.audio_lost(0.1)
        setting.session.audio_paused(0.1)
        setting.session.alive()
        self.assertEqual(setting.ears.frames, [])

    def test_end_in_a_pause(self) -> None:
        """When a frame of silence ends the call, the others are not heard."""
        setting = self.setting()
        setting.ears.act = setting.session.close
        setting.session.audio_paused(0.1)
        self.assertEqual(len(setting.ears.frames), 1)


class AliveTests(Sessions):
    """How long a far side may be silent."""

    def test_alive(self) -> None:
        """A sign of life begins the half minute anew, and silence is heard all the time."""
        setting = self.setting()
        for _ in range(4):
            setting.ticks(PATIENT - 50)
            setting.session.alive()
        self.assertEqual(setting.ends, [])
        self.assertEqual(len(setting.ears.frames), 4 * (PATIENT - 50) - SILENT_AFTER)
        setting.ticks(PATIENT)
        self.assertEqual(setting.ends, [])
        setting.ticks(1)
        self.assertEqual(setting.ends, [MEDIA_TIMEOUT.reason])

    def test_of_another_pause(self) -> None:
        """What was alive in an earlier pause counts no more in the next one."""
        setting = self.setting()
        setting.ticks(PATIENT - 50)
        setting.session.alive()
        setting.session.audio_received(SPEECH)
        setting.ticks(PATIENT)
        self.assertEqual(setting.ends, [])
        setting.ticks(1)
        self.assertEqual(setting.ends, [MEDIA_TIMEOUT.reason])

    def test_patience(self) -> None:
        """The leg's format says how long, also when it changes in mid-call."""
        setting = Setting(replace(SLIN8, patience=5.0))
        setting.ticks(250)
        self.assertEqual(setting.ends, [])
        setting.session.format_changed(replace(ULAW, patience=6.0))
        setting.ticks(50)
        self.assertEqual(setting.ends, [])
        setting.ticks(1)
        self.assertEqual(setting.ends, [MEDIA_TIMEOUT.reason])

    def test_for_ever(self) -> None:
        """0 is no end at all."""
        setting = Setting(replace(SLIN8, patience=0.0))
        setting.ticks(3 * PATIENT)
        self.assertEqual(setting.ends, [])
