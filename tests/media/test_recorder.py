from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import SILENCE
from rapida_tw.media.recorder import Recorder
from rapida_tw.media.session import Tap
from rapida_tw.media.tracks import Batch

_conforms: type[Tap] = Recorder


class Gathering(SynchronousTestCase):
    def setUp(self) -> None:
        self.batches: list[Batch] = []
        self.recorder = Recorder(100, self.batches.append)

    def ticks(self) -> list[tuple[int, int, int, bool]]:
        return [(b.tick, len(b.caller), len(b.assistant), b.last) for b in self.batches]

    def test_once_a_second(self) -> None:
        """A batch a second, with all that came since the one before."""
        for tick in range(100, 201):
            self.recorder.caller_frame(tick, SILENCE)
            if tick % 2:
                self.recorder.assistant_frame(tick, SILENCE)
        self.assertEqual(self.ticks(), [(150, 51, 25, False), (200, 50, 25, False)])

    def test_assistant_alone(self) -> None:
        """The assistant's frames keep it going while the caller's phone sends nothing."""
        for tick in range(100, 151):
            self.recorder.assistant_frame(tick, SILENCE)
        self.assertEqual(self.ticks(), [(150, 0, 51, False)])

    def test_close(self) -> None:
        """Closing hands over the rest, once; later frames are nobody's."""
        self.recorder.caller_frame(101, SILENCE)
        self.recorder.close(103)
        self.recorder.close(104)
        self.recorder.caller_frame(400, SILENCE)
        self.assertEqual(self.ticks(), [(103, 1, 0, True)])

    def test_cleared(self) -> None:
        """That frames were not heard is told between those before and those after."""
        for tick in (100, 101):
            self.recorder.assistant_frame(tick, SILENCE)
        self.recorder.assistant_cleared(101)
        self.recorder.assistant_frame(103, SILENCE)
        self.recorder.close(104)
        told = [(tick, frame is None) for tick, frame in self.batches[0].assistant]
        self.assertEqual(told, [(100, False), (101, False), (101, True), (103, False)])

    def test_batches_are_independent(self) -> None:
        """What was handed over does not grow while the thread reads it."""
        self.recorder.caller_frame(150, SILENCE)
        self.recorder.caller_frame(151, SILENCE)
        self.assertEqual(len(self.batches[0].caller), 1)
