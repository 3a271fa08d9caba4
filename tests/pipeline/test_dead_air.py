"""DeadAir: the deadlines of a reply that does not come."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.pipeline.dead_air import TONE_AFTER, DeadAir

TONE = "(tone)"


class _Case(SynchronousTestCase):
    """A reply is owed from the second 100 on; the log is in seconds since then."""

    fillers: tuple[str, ...] = ("one", "two")
    before = 0.0

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100.0)
        self.quiet = True
        self.log: list[tuple[float, str]] = []
        self.dead_air = DeadAir(
            self.clock,
            lambda: self.quiet,
            self.fill,
            lambda: self.note(TONE),
            lambda: self.note("given up"),
            self.fillers,
        )
        self.dead_air.start(self.before)

    def note(self, what: str) -> None:
        self.log.append((self.clock.seconds() - 100.0, what))

    def fill(self, text: str) -> None:
        """By a voice that is there at once."""
        self.note(text)
        self.quiet = False
        self.clock.callLater(5 / 16, setattr, self, "quiet", True)

    def wait(self, seconds: float) -> None:
        self.clock.pump([1 / 16] * round(seconds * 16))

    def times(self, what: str) -> list[float]:
        """When it happened, to the nearest quarter."""
        return [round(at * 4) / 4 for at, name in self.log if name == what]

    def tearDown(self) -> None:
        self.dead_air.stop()
        self.dead_air.stop()
        self.assertEqual([call for call in self.clock.getDelayedCalls() if call.args == ()], [])


class SilenceTests(_Case):
    """Silence in one piece and in several."""

    def test_deadlines(self) -> None:
        """A filler after a moment, others later, then the reply is given up."""
        self.wait(10.25)
        self.assertEqual(self.times("one"), [1.5])
        self.assertEqual(self.times("two"), [4.5, 7.5])
        self.assertEqual(self.times("given up"), [9.75])
        self.assertEqual(self.times(TONE), [])

    def test_sound_starts_anew(self) -> None:
        """A sound (a filler, say) puts the next filler off, but is no part of the reply."""
        self.wait(2.0)
        self.quiet = False
        self.wait(2.0)
        self.quiet = True
        self.wait(2.5)
        self.assertEqual(self.times("two"), [])
        self.wait(0.25)
        self.assertEqual(self.times("two"), [6.75])

    def test_progress(self) -> None:
        """A part of the reply starts everything anew."""
        self.wait(8.0)
        self.dead_air.progressed()
        self.wait(8.75)
        self.assertEqual(self.times("given up"), [])

    def test_tool(self) -> None:
        """A tool's time is not the model's, but the caller's silence goes on."""
        self.wait(1.25)
        self.dead_air.handed_on()
        self.wait(0.3)
        self.assertEqual(self.times("one"), [1.5])
        self.wait(9.25)
        self.assertEqual(self.times("given up"), [])
        self.wait(0.5)
        self.assertEqual(self.times("given up"), [11.25])


class ToneTests(_Case):
    """When the voice that is to fill the silence is what is slow."""

    def fill(self, text: str) -> None:
        """By a voice that says nothing."""
        self.note(text)

    def test_no_voice(self) -> None:
        """A tone, before the silence has lasted for four seconds; the fillers go on being tried."""
        self.wait(4.5)
        self.assertEqual(self.times(TONE), [TONE_AFTER])

    def test_again(self) -> None:
        """It is a sound like others: after it silence begins anew."""
        self.wait(3.55)
        self.assertEqual(self.times(TONE), [3.5])
        self.quiet = False
        self.wait(0.3)
        self.quiet = True
        self.wait(3.5)
        self.assertEqual(self.times(TONE), [3.5, 7.25])
        self.assertEqual(self.times("two"), [6.5])

    def test_next_reply(self) -> None:
        """A reply that follows at once (an apology) is in the same silence."""
        self.wait(2.5)
        self.dead_air.stop()
        self.dead_air.start(1.5, answer=False)
        self.wait(1.1)
        self.assertEqual(self.times(TONE), [3.5])
        self.wait(3.0)
        self.assertEqual([what for _, what in self.log], ["one", TONE])

    def test_interrupted(self) -> None:
        """An answer to who has spoken into the silence: it begins where that voice ended."""
        self.wait(2.5)
        self.dead_air.stop()
        self.dead_air.start(1.0)
        self.wait(2.25)
        self.assertEqual(self.times(TONE), [])
        self.wait(0.25)
        self.assertEqual(self.times(TONE), [5.0])

    def test_later_reply(self) -> None:
        """Between others there was the caller's turn."""
        self.wait(2.5)
        self.dead_air.stop()
        self.wait(5.0)
        self.dead_air.start()
        self.wait(3.25)
        self.assertEqual(self.times(TONE), [])
        self.wait(0.3)
        self.assertEqual(self.times(TONE), [11.0])


class BeforeTests(_Case):
    """The caller has been silent for a while when the reply is owed."""

    before = 1.0

    def fill(self, text: str) -> None:
        self.note(text)

    def test_counts(self) -> None:
        """That is silence like any other: a tone comes so much earlier, a filler not."""
        self.wait(2.6)
        self.assertEqual((self.times("one"), self.times(TONE)), ([1.5], [2.5]))


class LongBeforeTests(BeforeTests):
    """For long."""

    before = 10.0

    def test_counts(self) -> None:
        """Two seconds of it count; the filler comes before the tone."""
        self.wait(1.6)
        self.assertEqual((self.times("one"), self.times(TONE)), ([0.75], [1.5]))


class NoFillerTests(_Case):
    """A deployment without fillers."""

    fillers = ()

    def test_given_up(self) -> None:
        """There are tones, and it gives up all the same."""
        self.wait(9.1)
        self.assertEqual(self.times("given up"), [9.0])
        self.assertEqual(self.times(TONE)[0], 3.5)
