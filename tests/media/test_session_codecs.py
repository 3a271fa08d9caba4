"""MediaSession with codecs that remember, and with L16: each frame, in its order, once."""

from __future__ import annotations

import numpy as np

from rapida_tw.audio import opus
from rapida_tw.audio.format import FRAME, RATE, SILENCE, AudioFormat, Encoding, Samples
from rapida_tw.media.codecs import codec_for
from tests.audio.signals import decibels, noise, tone_and_rest
from tests.media.case import Sessions, Setting, tone

G722 = AudioFormat(Encoding.G722, RATE)
OPUS = AudioFormat(Encoding.OPUS, RATE)
WIDE = AudioFormat(Encoding.L16, RATE)
NARROW = AudioFormat(Encoding.L16, 8_000)
STATEFUL = [G722, *([OPUS] if opus.available() else [])]


class StatefulTests(Sessions):
    """G.722 and Opus."""

    def formats(self) -> list[AudioFormat]:
        return STATEFUL

    def test_said(self) -> None:
        """Silence, speech and silence again go through one encoder, frame by frame."""
        for format in self.formats():
            with self.subTest(format.encoding):
                setting = self.setting(format)
                sound = noise(30 * FRAME)
                setting.ticks(5)
                setting.playout.write(sound)
                setting.playout.finish()
                setting.ticks(40)
                encode = codec_for(format.encoding).encode
                frames = [SILENCE] * 5 + [*sound.reshape(-1, FRAME)] + [SILENCE] * 10
                self.assertEqual(setting.leg.sent, [encode(frame) for frame in frames])

    def test_heard(self) -> None:
        """What came before decides what a packet means, also where many calls are read at once."""
        for format in self.formats():
            with self.subTest(format.encoding):
                codec = codec_for(format.encoding)
                sound = noise(20 * FRAME)
                payloads = [codec.encode(sound[at : at + FRAME]) for at in range(0, 6400, FRAME)]
                setting = self.setting(format)
                setting.beat.gathering.open = True
                for payload in payloads:
                    setting.session.audio_received(payload)
                self.assertEqual(len(setting.ears.frames), len(payloads))
                decode = codec_for(format.encoding).decode
                expected = np.concatenate([decode(payload) for payload in payloads])
                np.testing.assert_array_equal(setting.ears.samples, expected)

    def test_calls_are_apart(self) -> None:
        """Two calls at once are heard as each alone."""
        for format in self.formats():
            with self.subTest(format.encoding):
                alone, one, other = (self.setting(format) for _ in range(3))
                codec = codec_for(format.encoding)
                for seed in range(10):
                    payload = codec.encode(noise(FRAME, seed=seed))
                    for setting in (alone, one):
                        setting.session.audio_received(payload)
                    other.session.audio_received(codec_for(format.encoding).encode(noise(FRAME)))
                np.testing.assert_array_equal(alone.ears.samples, one.ears.samples)

    def test_other_bytes_are_not_sent(self) -> None:
        """A voice that was told of such a leg, and gives bytes, is encoded all the same."""
        for format in self.formats():
            with self.subTest(format.encoding):
                setting = Setting(format, told=format)
                sound = noise(10 * FRAME)
                setting.playout.begin("Hello.")
                setting.playout.write(sound, b"\x55" * 1600)
                setting.playout.finish()
                setting.ticks(10)
                encode = codec_for(format.encoding).encode
                self.assertEqual(setting.leg.sent, [encode(f) for f in sound.reshape(-1, FRAME)])

    def test_change(self) -> None:
        """From µ-law to G.722 and back, both directions start anew."""
        setting = self.setting(AudioFormat(Encoding.MULAW))
        setting.ticks(1)
        setting.session.format_changed(G722)
        setting.ticks(1)
        setting.session.audio_received(codec_for(Encoding.G722).encode(noise(FRAME)))
        self.assertEqual(len(setting.ears.frames), 1)
        setting.session.format_changed(AudioFormat(Encoding.MULAW))
        setting.ticks(1)
        expected = [b"\xff" * 160, codec_for(Encoding.G722).encode(SILENCE), b"\xff" * 160]
        self.assertEqual(setting.leg.sent, expected)

    def test_packets_of_another_length(self) -> None:
        """10, 30 and 40 ms of G.722 are heard in frames of 20 ms."""
        payload = codec_for(Encoding.G722).encode(noise(60 * FRAME))
        for size in (80, 240, 320):
            setting = self.setting(G722)
            for at in range(0, len(payload), size):
                setting.session.audio_received(payload[at : at + size])
            self.assertEqual(len(setting.ears.frames), 60)


class LinearTests(Sessions):
    """L16: no memory, but the other order of bytes."""

    def test_heard_and_said(self) -> None:
        """At both rates a tone keeps its pitch, each way."""
        for format in (WIDE, NARROW):
            with self.subTest(format.rate):
                setting = self.setting(format)
                payload = tone(1.0, format.rate).astype(">i2").tobytes()
                for at in range(0, len(payload), format.frame_bytes):
                    setting.session.audio_received(payload[at : at + format.frame_bytes])
                self.assertEqual(len(setting.ears.frames), 50)
                self.clean(setting.ears.samples[FRAME:], RATE)
                setting.playout.write(tone(1.0))
                setting.ticks(50)
                sent = np.frombuffer(b"".join(setting.leg.sent), ">i2").astype(np.int16)
                self.assertEqual({len(one) for one in setting.leg.sent}, {format.frame_bytes})
                self.clean(sent[format.rate // 50 :], format.rate)

    def test_gathered(self) -> None:
        """Many calls' frames are decoded together, as each would be alone."""
        payloads = [noise(160, seed=seed).astype(">i2").tobytes() for seed in range(8)]
        alone = self.setting(NARROW)
        together = [self.setting(NARROW) for _ in range(6)]
        for setting in together[1:]:  # on one beat
            setting.session._clock = together[0].beat
        for payload in payloads:
            alone.session.audio_received(payload)
            gathering = together[0].beat.gathering
            gathering.open = True
            for setting in together:
                setting.session.audio_received(payload)
            gathering.open = False
            gathering.flush()
        for setting in together:
            np.testing.assert_array_equal(setting.ears.samples, alone.ears.samples)

    def clean(self, sound: Samples, rate: int) -> None:
        level, rest = tone_and_rest(sound, 400, rate)
        self.assertGreater(decibels(level / rest), 40)
