"""MediaSession on hold: nothing is sent, heard, recorded or missed, and then all goes on."""

from __future__ import annotations

import numpy as np

from rapida_tw.audio.format import FRAME, RATE, TICK, TICKS_PER_SECOND, AudioFormat, Encoding
from rapida_tw.audio.resample import resample_all
from rapida_tw.media.codecs import codec_for
from tests.audio.signals import noise
from tests.media.case import LEADING, SLIN8, ULAW, Sessions, Tape, tone

SPEECH = tone(TICK).tobytes()


class HoldTests(Sessions):
    def test_nothing_is_sent(self) -> None:
        """Neither what is to be said nor silence; what waits is said afterwards, whole."""
        setting = self.setting()
        sound = noise(10 * FRAME)
        setting.playout.write(sound)
        setting.ticks(4)
        setting.session.hold_changed(True)
        setting.ticks(500)
        self.assertEqual(len(setting.leg.sent), 4)
        setting.session.hold_changed(False)
        setting.ticks(7)
        said = b"".join(setting.leg.sent)
        self.assertEqual(said, sound.tobytes() + bytes(640))

    def test_nothing_is_heard(self) -> None:
        """Music is not, and silence is not fed; afterwards both are heard as ever."""
        setting = self.setting()
        setting.ticks(2, caller=SPEECH)
        setting.session.hold_changed(True)
        setting.ticks(500, caller=SPEECH)
        setting.ticks(500)
        setting.session.audio_lost(1.0)
        setting.session.audio_paused(1.0)
        self.assertEqual(len(setting.ears.frames), 2)
        setting.session.hold_changed(False)
        setting.ticks(2, caller=SPEECH)
        setting.ticks(10)
        self.assertEqual(len(setting.ears.frames), 2 + 2 + 6)  # four ticks before it is silence

    def test_nobody_is_missed(self) -> None:
        """An hour on hold without a packet is not an end; half a minute after it is."""
        setting = self.setting()
        setting.session.hold_changed(True)
        setting.ticks(3600 * TICKS_PER_SECOND // 20)
        setting.session.hold_changed(False)
        setting.ticks(30 * TICKS_PER_SECOND)
        self.assertEqual(setting.ends, [])
        setting.ticks(1)
        self.assertEqual(len(setting.ends), 1)

    def test_recording(self) -> None:
        """Nothing of the hold is on tape, and what comes after it is where it belongs."""
        setting = self.setting()
        setting.session.recorder = tape = Tape()
        setting.playout.write(noise(5 * FRAME))
        setting.ticks(2, caller=SPEECH)
        setting.session.hold_changed(True)
        setting.ticks(100, caller=SPEECH)
        setting.session.hold_changed(False)
        setting.ticks(2, caller=SPEECH)
        self.assertEqual([tick for tick, _ in tape.caller], [0, 1, 102, 103])
        self.assertEqual([tick for tick, _ in tape.assistant], [1, 2, 103, 104])

    def test_told(self) -> None:
        """The call is told, once each time."""
        setting = self.setting()
        for held in (False, True, True, False, False, True):
            setting.session.hold_changed(held)
        self.assertEqual(setting.events.holds, [True, False, True])

    def test_after_the_end(self) -> None:
        """A call that is over is not put on hold."""
        setting = self.setting()
        setting.session.close()
        setting.session.hold_changed(True)
        self.assertEqual(setting.events.holds, [])

    def test_the_pause_was_the_hold(self) -> None:
        """The gap in the far side's time stamps is not filled up."""
        setting = self.setting()
        setting.session.hold_changed(True)
        setting.ticks(500)
        setting.session.hold_changed(False)
        setting.ticks(1)
        setting.session.audio_paused(10.0)
        setting.session.audio_received(SPEECH)
        self.assertLess(len(setting.ears.frames), 8)

    def test_no_echo(self) -> None:
        """What is lost right after the hold does not repeat what was said before it."""
        setting = self.setting()
        setting.session.audio_received(SPEECH)
        setting.session.audio_received(SPEECH[:FRAME])
        setting.session.hold_changed(True)
        setting.session.hold_changed(False)
        setting.session.audio_lost(2 * TICK)
        self.assertEqual(len(setting.ears.frames), 3)
        self.assertFalse(np.concatenate(setting.ears.frames[1:]).any())

    def test_read_before(self) -> None:
        """What was read in the same moment, before the hold, is heard before it."""
        setting = self.setting(ULAW)
        gathering = setting.beat.gathering
        gathering.open = True
        setting.session.audio_received(bytes(160))
        setting.session.hold_changed(True)
        setting.session.audio_received(bytes(160))
        gathering.open = False
        gathering.flush()
        self.assertEqual(len(setting.ears.frames), 1)

    def test_another_codec(self) -> None:
        """A hold whose end brings another codec: from the first packet on it is spoken."""
        setting = self.setting(SLIN8)
        setting.session.hold_changed(True)
        setting.session.format_changed(AudioFormat(Encoding.G722, RATE))
        setting.ticks(3)
        setting.session.hold_changed(False)
        sound = noise(FRAME)
        setting.playout.write(sound)
        setting.ticks(1)
        self.assertEqual(setting.leg.sent, [codec_for(Encoding.G722).encode(sound)])

    def test_prepared(self) -> None:
        """Where frames are converted several at once, none is lost and none is said twice."""
        setting = self.setting(SLIN8)
        sound = tone(1.0)
        setting.playout.write(sound)
        setting.ticks(13)
        setting.session.hold_changed(True)
        setting.ticks(50)
        setting.session.hold_changed(False)
        setting.ticks(36)
        said = np.frombuffer(b"".join(setting.leg.sent), "<i2")
        expected = resample_all(sound, RATE, 8000)
        # The filter begins anew after the hold: from there on, what came before is not in it.
        for first, last in ((0, 13), (14, 49)):
            part = slice(first * 160 + 40, last * 160 - 40)
            difference = said[part.start + 14 : part.stop + 14].astype(int) - expected[part]
            self.assertLess(np.abs(difference).max(), 3)

    def test_nothing_of_before(self) -> None:
        """What was cut off leaves no tail in the first frame after it."""
        setting = self.setting(SLIN8)
        setting.playout.write(noise(5 * FRAME))
        setting.ticks(4)
        setting.session.hold_changed(True)
        setting.playout.clear()
        setting.session.hold_changed(False)
        setting.ticks(1)
        self.assertEqual(setting.leg.sent[-1], bytes(320))

    def test_with_a_lead(self) -> None:
        """A far side that buffers is not asked for what it played meanwhile, and is filled anew."""
        setting = self.setting(LEADING)
        setting.playout.write(noise(50 * FRAME))
        setting.ticks(10)
        sent = len(setting.leg.sent)
        setting.session.hold_changed(True)
        setting.ticks(100)
        self.assertEqual(len(setting.leg.sent), sent)
        setting.session.hold_changed(False)
        setting.ticks(60)
        self.assertEqual(len(setting.leg.sent), 50)
