"""MediaSession and a far side that buffers: kept ahead, asked by marks, emptied, recorded."""

from __future__ import annotations

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import FRAME, TICK, AudioFormat, Encoding
from rapida_tw.media.clock import CATCH_UP, MediaClock
from rapida_tw.media.playout import Playout
from rapida_tw.media.session import STALLED_AFTER, MediaSession
from tests.media.case import LEADING, Ears, Events, Tape
from tests.media.far_side import FarSide
from tests.media.frames import frames


class _Call(SynchronousTestCase):
    """A session with its far side; `now` is the tick of the latest beat."""

    format = LEADING

    def setUp(self) -> None:
        self.clock = Clock()
        self.beat = MediaClock(self.clock)
        self.playout, self.events, self.tape = Playout(), Events(), Tape()
        self.far = FarSide(self.format)
        self.session = MediaSession(self.far, self.beat, self.playout, Ears(), self.events)
        self.session.recorder = self.tape
        self.far.told = self.session.mark_heard
        self.clock.advance(0.001)  # between two beats, where sums of floats decide nothing

    def tearDown(self) -> None:
        self.session.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ticks(self, count: int) -> list[int]:
        """Let ticks pass; how many frames the far side has after each."""
        depths = []
        for _ in range(count):
            self.far.play()
            self.session.audio_received(bytes(2 * FRAME))
            self.clock.advance(TICK)
            depths.append(self.far.depth)
        return depths

    def stand_still(self, count: int) -> None:
        """The far side plays on, our process does nothing."""
        for _ in range(count):
            self.far.play()
        self.clock.advance(count * TICK)

    def recorded(self) -> dict[int, int]:
        """Tick → frame, as the tracks place them."""
        found: dict[int, int] = {}
        place = 0
        cleared = list(self.tape.cleared)
        for tick, frame in self.tape.assistant:
            while cleared and len(found) and int(frame[0]) <= max(found.values()):
                cut = cleared.pop(0)
                found = {at: one for at, one in found.items() if at < cut}
                place = min(place, cut)
            place = max(place, tick)
            found[place] = int(frame[0])
            place += 1
        return {at: one for at, one in found.items() if not cleared or at < cleared[0]}


class DepthTests(_Call):
    """How much is sent ahead."""

    def test_filled_at_once(self) -> None:
        """The lead goes out in the first beat, then a frame a beat; at the end it is used up."""
        self.playout.write(frames(9))
        self.assertEqual(self.ticks(10), [6, 6, 6, 6, 5, 4, 3, 2, 1, 0])
        self.assertEqual(self.far.heard, [*range(1, 10)])

    def test_filled_again(self) -> None:
        """A voice that was too slow for a while fills the lead again, no more."""
        for pause in range(1, 12):
            self.playout.write(frames(8))
            self.ticks(2 + pause)
            self.playout.write(frames(20))
            self.assertEqual(self.ticks(1), [6])
            self.ticks(40)
            self.assertEqual(self.far.deepest, 6)

    def test_stall(self) -> None:
        """After a stall of ours, made up for or jumped over, it is filled once, and not deeper."""
        for stall in (2, CATCH_UP, CATCH_UP + 1, 7, 8, 30):
            self.playout.write(frames(100))
            self.ticks(5)
            self.stand_still(stall)
            self.assertEqual((self.far.depth, self.far.deepest), (6, 6), stall)
            self.assertEqual(set(self.ticks(10)), {6})
            self.playout.clear()
            self.ticks(10)

    def test_slow_beats(self) -> None:
        """Beats that come late and in pairs do not make it deeper."""
        self.playout.write(frames(200))
        for late in (1, 2, 3, 1, 5, 2, 9, 4) * 3:
            self.stand_still(late)
        self.assertLessEqual(self.far.deepest, 6)
        self.assertEqual(self.far.heard[:20], [*range(1, 21)])

    def test_late_beats(self) -> None:
        """A beat that is late by less than a tick sends a frame, as one in time: not two, not none.

        Also where it is late across the end of a tick, as those of the last sub-beats are.
        """
        others = [MediaSession(self.far, self.beat, Playout(), Ears(), self.events) for _ in "12"]
        self.addCleanup(lambda: [one.close() for one in others])
        last = Playout()
        far = FarSide(self.format)
        session = MediaSession(far, self.beat, last, Ears(), self.events)
        self.addCleanup(session.close)
        last.write(frames(200))
        self.clock.advance(2 * TICK)
        sent = []
        for _ in range(20):
            for step in (0.9 * TICK, 1.1 * TICK):
                before = last.spoken
                session.audio_received(bytes(2 * FRAME))
                self.clock.advance(step)
                sent.append(last.spoken - before)
        self.assertEqual(set(sent), {1})

    def test_full(self) -> None:
        """What stands in front of a full far side is not taken for played."""
        self.playout.write(frames(40))
        self.ticks(3)
        self.session.far_end_full(True)
        at = self.playout.position
        self.clock.advance(TICK * 20)
        self.assertEqual(self.playout.position, at)
        self.session.far_end_full(False)
        self.assertEqual(self.ticks(1), [6])

    def test_stalled(self) -> None:
        """A far side that stays full ends the call, as without a buffer."""
        self.session.far_end_full(True)
        for _ in range(STALLED_AFTER + 1):
            self.clock.advance(TICK)
        self.assertEqual(len(self.events.ends), 1)

    def test_silence_on_top(self) -> None:
        """A leg that wants silence gets it when it has nothing to play, or it would be ever later.

        So the next utterance is heard as soon as the first.
        """
        self.session.format_changed(AudioFormat(rate=16_000, lead=5))
        self.assertEqual(self.ticks(5), [1] * 5)
        for _ in range(3):
            self.playout.write(frames(3))
            self.assertEqual(self.ticks(6), [3, 2, 1, 1, 1, 1])
        for stall in (2, CATCH_UP, 30):
            self.stand_still(stall)
            self.assertEqual(self.far.depth, 1)


class MarkTests(_Call):
    """What the far side is asked."""

    def test_asked(self) -> None:
        """Each half a second of what was sent, and when no more is there."""
        self.playout.write(frames(60))
        self.ticks(70)
        self.assertEqual(self.far.asked, ["0.25", "0.50", "0.60"])

    def test_long_lead(self) -> None:
        """Also inside a lead of more than half a second."""
        self.session.format_changed(AudioFormat(rate=16_000, continuous=False, lead=60))
        self.playout.write(frames(100))
        self.ticks(1)
        self.assertEqual(self.far.asked, ["0.25", "0.50"])

    def test_silence_is_not_asked_about(self) -> None:
        """Nobody waits to hear silence."""
        self.session.format_changed(AudioFormat(rate=16_000, lead=5))
        self.ticks(60)
        self.assertEqual(self.far.asked, [])

    def test_told(self) -> None:
        """The reply is over when the last mark has come."""
        self.far.late = 9
        self.playout.write(frames(10))
        over = self.playout.drained()
        self.ticks(19)
        self.assertNoResult(over)
        self.ticks(1)
        self.successResultOf(over)

    def test_told_at_once(self) -> None:
        """A far side that answers while it is being asked does no harm."""
        self.far.mark = self.session.mark_heard  # type: ignore[method-assign]
        self.playout.write(frames(80))
        over = self.playout.drained()
        self.ticks(90)
        self.successResultOf(over)
        self.assertEqual(self.far.heard, [*range(1, 81)])

    def test_after_the_end(self) -> None:
        """A mark of a call that is over is nobody's."""
        self.playout.write(frames(10))
        over = self.playout.drained()
        self.ticks(2)
        self.session.close()
        self.session.mark_heard("0.10")
        self.assertNoResult(over)
        self.playout.clear()

    def test_end_in_the_beat(self) -> None:
        """When the end of what is said ends the call, nothing is sent in that beat."""
        self.session.format_changed(AudioFormat(rate=16_000, lead=5))
        self.playout.write(frames(3))

        def end(_: None) -> None:
            self.playout.write(frames(3))
            self.session.close()

        self.playout.drained().addCallback(end)
        self.ticks(10)
        self.assertEqual(self.far.heard, [1, 2, 3])


class ClearTests(_Call):
    """When the playout takes back what was sent."""

    def test_interrupted(self) -> None:
        """The far side falls silent after the frame that it plays; talk time counts the heard."""
        self.playout.write(frames(40))
        self.ticks(3)
        self.playout.clear()
        self.ticks(10)
        self.assertEqual((self.far.heard, self.far.clears), ([1, 2, 3], 1))
        self.assertEqual(self.session.spoken, 3)

    def test_dismissed(self) -> None:
        """After a pause it goes on from the first unheard frame, in the recording as well."""
        self.playout.write(frames(40))
        self.ticks(3)
        self.playout.pause()
        self.ticks(20)
        self.playout.resume()
        self.ticks(45)
        self.assertEqual(self.far.heard, [*range(1, 41)])
        self.assertEqual(self.session.spoken, 40)
        places = {frame: tick for tick, frame in self.recorded().items()}
        self.assertEqual([places[one] for one in (1, 2, 3)], [1, 2, 3])
        self.assertEqual([places[one] for one in range(4, 41)], [*range(24, 61)])

    def test_recorded_as_heard(self) -> None:
        """What was cleared is cut at the first frame that the ledger calls unheard."""
        self.playout.write(frames(40))
        self.ticks(30)
        self.assertEqual(self.tape.cleared, [])
        self.playout.clear()
        self.assertEqual(self.tape.cleared, [31])
        self.assertEqual(max(self.recorded().values()), 30)

    def test_late_far_side(self) -> None:
        """By the marks, when these say that less was heard than the beat thinks."""
        self.far.late = 20
        self.playout.write(frames(60))
        self.ticks(41)
        self.assertEqual(self.playout.position, 24)
        self.playout.clear()
        self.assertEqual((self.tape.cleared, self.session.spoken), ([25], 24))

    def test_nothing_to_clear(self) -> None:
        """A far side that has played all is told nothing, nor is one that has heard nothing."""
        self.playout.clear()
        self.playout.write(frames(4))
        self.ticks(6)
        self.playout.pause()
        self.playout.clear()
        self.assertEqual((self.far.clears, self.tape.cleared), (0, []))

    def test_old_marks(self) -> None:
        """Marks that come back from before a clear do not confirm what is said after it."""
        for echoes in (False, True):
            self.far.echoes = echoes
            self.playout.write(frames(6))
            self.ticks(2)
            self.playout.clear()
            self.playout.write(frames(6))
            self.ticks(1)
            self.assertEqual(self.playout.position, 0)
            self.ticks(10)
            self.assertFalse(self.playout.busy)

    def test_gone_leg(self) -> None:
        """A leg that is gone is told nothing; the recording is cut all the same."""
        self.playout.write(frames(40))
        self.ticks(3)
        self.session.close()
        self.playout.clear()
        self.assertEqual((self.far.clears, self.tape.cleared), (0, [4]))


class SoundTests(_Call):
    """What the filter keeps between two frames."""

    format = AudioFormat(Encoding.LINEAR16, rate=8000, continuous=False, lead=5)

    def setUp(self) -> None:
        super().setUp()
        self.sent: list[bytes] = []
        self.far.send_audio = self.sent.append  # type: ignore[method-assign]

    def test_cleared(self) -> None:
        """Nothing of what was cleared is heard in what follows."""
        self.playout.write(np.full(40 * FRAME, 9000, np.int16))
        self.ticks(2)
        self.playout.clear()
        self.playout.write(np.zeros(FRAME, np.int16))
        self.ticks(1)
        self.assertEqual(self.sent[-1], bytes(320))

    def test_next_utterance(self) -> None:
        """Nor the end of one utterance in the beginning of the next, where no silence is sent."""
        self.playout.write(np.full(FRAME, 9000, np.int16))
        self.ticks(3)
        self.playout.write(np.zeros(FRAME, np.int16))
        self.ticks(1)
        self.assertEqual(self.sent[-1], bytes(320))


class NoLeadTests(_Call):
    """A far side without a buffer, such as AudioSocket's."""

    format = AudioFormat(rate=16_000)

    def test_unchanged(self) -> None:
        """It is neither asked nor cleared, and gets a frame in each beat, those made up as well."""
        self.playout.write(frames(40))
        self.ticks(5)
        self.stand_still(CATCH_UP)
        self.playout.pause()
        self.playout.resume()
        self.ticks(5)
        self.playout.clear()
        self.assertEqual((self.far.asked, self.far.clears, self.tape.cleared), ([], 0, []))
        self.assertEqual([int(frame[0]) for _, frame in self.tape.assistant], [*range(1, 16)])
        self.assertEqual(self.session.spoken, 15)
