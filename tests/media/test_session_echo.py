"""For how long what the caller's side sends may be our own voice."""

from __future__ import annotations

import numpy as np

from rapida_tw.audio.format import FRAME, AudioFormat
from rapida_tw.media.session import ECHO_WITHIN
from tests.media.case import LEADING, SLIN16, Sessions, Setting
from tests.media.frames import frames


class EchoTests(Sessions):
    """From the first frame that is sent until a second after the last was heard."""

    def echoes(self, setting: Setting, ticks: int) -> list[bool]:
        told = []
        for _ in range(ticks):
            setting.ticks(1, caller=np.zeros(FRAME, np.int16).tobytes())
            told.append(setting.session.echoes())
        return told

    def test_silence(self) -> None:
        """Silence of ours makes no echo, not at the beginning of a call either."""
        self.assertNotIn(True, self.echoes(self.setting(), 60))

    def test_while_speaking(self) -> None:
        """All the time, and a second longer; a pause is no exception."""
        setting = self.setting()
        setting.playout.write(frames(20))
        self.assertNotIn(False, self.echoes(setting, 10))
        setting.playout.pause()
        self.assertEqual(sum(self.echoes(setting, 100)), ECHO_WITHIN - 1)

    def sounding(self, format: AudioFormat, count: int) -> int:
        setting = self.setting(format)
        setting.playout.write(frames(count))
        return sum(self.echoes(setting, 200))

    def test_ahead(self) -> None:
        """What was sent ahead sounds as late as what was not."""
        for count in (3, 40):
            ahead, alone = self.sounding(LEADING, count), self.sounding(SLIN16, count)
            self.assertIn(ahead - alone, (0, 1))

    def test_forgotten(self) -> None:
        """What the far side was made to forget does not sound."""
        setting = self.setting(LEADING)
        setting.playout.write(frames(40))
        self.echoes(setting, 10)
        setting.playout.clear()
        self.assertIn(sum(self.echoes(setting, 100)), (ECHO_WITHIN - 1, ECHO_WITHIN))
