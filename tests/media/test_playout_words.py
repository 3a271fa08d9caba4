"""What a playout tells of what it played: the words heard, and that room is made or all is said."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.media.playout import HIGH_WATER, LOW_WATER, Playout
from tests.media.frames import beat, frames


class HeardTests(SynchronousTestCase):
    """The words that the caller has heard."""

    def playout(self, text: str, count: int, lead: int = 0) -> Playout:
        playout = Playout()
        playout.set_lead(lead)
        playout.begin(text, 7)
        playout.write(frames(count))
        playout.finish()
        return playout

    def test_all(self) -> None:
        """A phrase is heard when its last frame has been played, not when it was sent."""
        playout = self.playout("One two.", 10)
        for _ in range(10):
            beat(playout)
        self.assertEqual(playout.heard(), {7: "One"})
        playout.played()
        self.assertEqual(playout.heard(), {7: "One two."})

    def test_any_cut(self) -> None:
        """At each cut the words are a beginning of the text, whole words, and never fewer."""
        text = "Twenty-five  people, in\nfour rooms: yes.\tAll of them!"
        words = text.split()
        before = 0
        for cut in range(1, 101):
            playout = self.playout(text, 100)
            for _ in range(cut):
                beat(playout)
            said = playout.clear().get(7, "")
            count = len(said.split())
            self.assertTrue(text.startswith(said), said)
            self.assertEqual(said.split(), words[:count])
            self.assertLessEqual(before, count)
            before = count
        self.assertEqual(before, len(words))

    def test_lines(self) -> None:
        """Words are parted by any white space, not by blanks alone."""
        playout = self.playout("one\ntwo\nthree", 13)
        for _ in range(10):
            beat(playout)
        self.assertEqual(playout.clear(), {7: "one\ntwo"})

    def test_still_being_made(self) -> None:
        """While the voice is writing, what a text takes to say is estimated: not all is heard."""
        playout = Playout()
        playout.begin("one two three four five six seven eight nine ten", 7)
        playout.write(frames(30))
        for _ in range(30):
            beat(playout)
        heard = playout.clear()[7]
        self.assertTrue(heard.startswith("one"))
        self.assertNotIn("seven", heard)

    def test_failed_voice(self) -> None:
        """A phrase of which no sample came was not heard."""
        playout = self.playout("Never said.", 0)
        self.assertEqual(playout.clear(), {})

    def test_parts(self) -> None:
        """Phrases of one message are joined, messages are told apart, the unheard is left out."""
        playout = self.playout("One.", 5)
        for text, part in (("Two.", 7), ("Three.", 8), ("Four.", 9)):
            playout.begin(text, part)
            playout.write(frames(5))
            playout.finish()
        for _ in range(15):
            beat(playout)
        self.assertEqual(playout.clear(), {7: "One. Two.", 8: "Three."})

    def test_lead_is_not_heard(self) -> None:
        """What waits in the far side's buffer has not been heard; a clear drops it."""
        playout = self.playout("One two three four five.", 6, lead=5)
        self.assertEqual(len(beat(playout, 5)), 6)
        self.assertEqual(playout.heard(), {})
        self.assertNotIn("five", playout.clear().get(7, ""))

    def test_paused(self) -> None:
        """A pause alone does not change what was heard by more than the frame being played."""
        playout = self.playout("One two three four five.", 24)
        for _ in range(12):
            beat(playout)
        playout.pause()
        self.assertEqual(playout.heard(), {7: "One two"})
        playout.resume()
        for _ in range(13):
            beat(playout)
        self.assertEqual(playout.heard(), {7: "One two three four five."})


class WaitingTests(SynchronousTestCase):
    """Who waits for room, and who for the end."""

    def full(self) -> Playout:
        playout = Playout()
        playout.write(frames(HIGH_WATER))
        return playout

    def play(self, playout: Playout, count: int) -> None:
        for _ in range(count):
            beat(playout)

    def test_room_at_once(self) -> None:
        """Below the high water mark there is room."""
        playout = Playout()
        playout.write(frames(HIGH_WATER - 1))
        self.assertIsNone(self.successResultOf(playout.room()))

    def test_room_later(self) -> None:
        """A voice that is too far ahead waits until little is left; both of two do."""
        playout = self.full()
        waiting = [playout.room(), playout.room()]
        self.play(playout, HIGH_WATER - LOW_WATER)
        for one in waiting:
            self.assertNoResult(one)
        self.play(playout, 1)
        for one in waiting:
            self.assertIsNone(self.successResultOf(one))

    def test_room_cancelled(self) -> None:
        """Who gives up waiting is not called; who still waits is."""
        playout = self.full()
        first, second = playout.room(), playout.room()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.play(playout, HIGH_WATER)
        self.assertIsNone(self.successResultOf(second))

    def test_room_after_clear(self) -> None:
        """A clear makes room."""
        playout = self.full()
        waiting = playout.room()
        playout.clear()
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_at_once(self) -> None:
        """Nothing to say is said."""
        self.assertIsNone(self.successResultOf(Playout().drained()))

    def test_drained_when_played(self) -> None:
        """Said is what was played, a beat after it was sent; all who wait are told."""
        playout = Playout()
        playout.write(frames(2))
        waiting = [playout.drained(), playout.drained()]
        self.play(playout, 2)
        self.assertNoResult(waiting[0])
        self.play(playout, 1)
        for one in waiting:
            self.assertIsNone(self.successResultOf(one))

    def test_drained_with_lead(self) -> None:
        """With a buffer at the far side that is as many beats as frames, however early sent."""
        playout = Playout()
        playout.set_lead(5)
        playout.write(frames(4))
        waiting = playout.drained()
        for _ in range(4):
            beat(playout, 5)
        self.assertNoResult(waiting)
        beat(playout, 5)
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_waits_for_pause(self) -> None:
        """A paused playout is not drained, however long the pause."""
        playout = Playout()
        playout.write(frames(2))
        waiting = playout.drained()
        playout.pause()
        self.play(playout, 100)
        self.assertNoResult(waiting)
        playout.clear()
        self.assertIsNone(self.successResultOf(waiting))

    def test_drained_cancelled(self) -> None:
        """Who gives up waiting is not called."""
        playout = Playout()
        playout.write(frames(1))
        first, second = playout.drained(), playout.drained()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.play(playout, 2)
        self.assertIsNone(self.successResultOf(second))

    def test_cancelling_each_other(self) -> None:
        """One of two who wait may cancel the other when it is called: one is called, no error."""
        playout = Playout()
        playout.write(frames(1))
        first, second = playout.drained(), playout.drained()
        first.addCallback(lambda _: second.cancel())
        self.play(playout, 2)
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)

    def test_waiting_anew(self) -> None:
        """Who says something more when all was said, waits for that too."""
        playout = Playout()
        playout.write(frames(1))
        again: list[Deferred[None]] = []

        def go_on(_: None) -> None:
            playout.write(frames(1))
            again.append(playout.drained())

        playout.drained().addCallback(go_on)
        self.play(playout, 2)
        self.assertNoResult(again[0])
        self.play(playout, 1)
        self.successResultOf(again[0])
