"""The ledger of words, by the times that a voice tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import TICKS_PER_SECOND
from rapida_tw.media.playout import Playout
from tests.media.frames import beat, frames

TEXT = "Well, that is $5 for two of them."
SPOKEN = "Well, that is five dollars for two of them."
# Slow at first, then quick: nothing that an even share would find.
TIMES = (
    *(("Well", 0.0, 1.0), ("that", 1.2, 1.4), ("is", 1.4, 1.5), ("five", 1.5, 1.7)),
    *(("dollars", 1.7, 2.0), ("for", 2.0, 2.1), ("two", 2.1, 2.3), ("of", 2.3, 2.4)),
    ("them", 2.4, 2.8),
)
LENGTH = 3 * TICKS_PER_SECOND  # frames: 200 ms of silence behind the last word


class TimedTests(SynchronousTestCase):
    """A phrase of 3 s whose words' times are known."""

    def setUp(self) -> None:
        self.playout = Playout()
        self.playout.begin(TEXT, 7, SPOKEN)

    def say(self, count: int = LENGTH, complete: bool = True) -> None:
        self.playout.write(frames(count))
        self.playout.finish(complete)

    def heard(self, seconds: float) -> str:
        """The words after so much of it was heard; the call is over then."""
        for _ in range(round(seconds * TICKS_PER_SECOND)):
            beat(self.playout)
        self.playout.played()
        return self.playout.clear().get(7, "")

    def test_each_word(self) -> None:
        """A word is heard when it has been spoken to its end, and not a frame sooner."""
        for seconds, said in (
            (0.98, ""),
            (1.0, "Well,"),
            (1.38, "Well,"),
            (1.4, "Well, that"),
            (1.5, "Well, that is"),
            (1.98, "Well, that is"),
            (2.0, "Well, that is $5"),
            (2.78, "Well, that is $5 for two of"),
            (2.8, TEXT),
        ):
            with self.subTest(seconds):
                self.setUp()
                self.playout.timed(TIMES)
                self.say()
                self.assertEqual(self.heard(seconds), said)

    def test_when_they_come(self) -> None:
        """Before or after the samples, at once or one by one: it makes no difference."""
        for before in range(len(TIMES) + 1):
            self.setUp()
            for word in TIMES[:before]:
                self.playout.timed([word])
            self.playout.write(frames(100))
            self.playout.timed(TIMES[before:])
            self.playout.write(frames(LENGTH - 100, first=101))
            self.playout.finish()
            self.assertEqual(self.heard(1.4), "Well, that", before)

    def test_not_yet(self) -> None:
        """Behind the last word that is known, what follows is taken to be spoken evenly."""
        self.playout.timed(TIMES[:2])
        self.say()
        self.assertEqual(self.heard(2.5), "Well, that is $5 for")

    def test_not_yet_written(self) -> None:
        """While the voice has not finished, it is estimated by what speech takes."""
        self.playout.timed(TIMES[:2])
        self.playout.write(frames(80))
        self.assertEqual(self.heard(1.6), "Well, that is")

    def test_cut_off(self) -> None:
        """A phrase that the voice has not spoken whole was not heard whole."""
        self.playout.timed(TIMES[:4])
        self.say(75, complete=False)
        self.playout.begin("Sorry.", 8)
        self.say(10)
        for _ in range(85):
            beat(self.playout)
        self.playout.played()
        self.assertEqual(self.playout.clear(), {7: "Well, that is", 8: "Sorry."})

    def test_each_phrase(self) -> None:
        """Times count from the beginning of their phrase."""
        self.playout.timed(TIMES)
        self.say()
        self.playout.begin("Anything else?", 7)
        self.playout.timed([("Anything", 0.0, 0.2), ("else", 0.2, 0.9)])
        self.say(50)
        self.assertEqual(self.heard(3.2), f"{TEXT} Anything")

    def test_marks_as_words(self) -> None:
        """Voices that tell marks apart, or with the word, or not at all, are heard alike."""
        for words in ("Yes, it's so.", "Yes , it's so .", "Yes its so"):
            self.setUp()
            self.playout.begin("Yes, it's so.", 7)
            timed = [(word, n / 10, n / 10 + 0.1) for n, word in enumerate(words.split())]
            self.playout.timed(timed)
            self.say(60)
            self.assertEqual(self.heard(0.14), "Yes,")

    def test_own_words(self) -> None:
        """A voice that says it in words of its own, more or fewer: the last one ends it."""
        for words in (
            ("oui", "bien sur"),
            ("of course it is so you know and more than that", "yes"),
        ):
            self.setUp()
            self.playout.begin("one two", 7)
            self.playout.timed([(words[0], 0.0, 0.5), (words[1], 0.5, 1.0)])
            self.say(60)
            self.assertEqual(self.heard(1.0), "one two")

    def test_nothing_told(self) -> None:
        """Times of nothing, or before any phrase, are none."""
        Playout().timed(TIMES)
        self.playout.timed([("", 0.0, 3.0), ("?!", 0.0, 3.0)])
        self.say()
        self.assertEqual(self.heard(1.4), "Well, that is")

    @given(
        st.text(),
        st.lists(st.tuples(st.text(), st.floats(), st.floats()), max_size=8),
        st.integers(0, 20),
        st.booleans(),
        st.integers(0, 30),
    )
    def test_any(
        self,
        text: str,
        words: list[tuple[str, float, float]],
        count: int,
        complete: bool,
        beats: int,
    ) -> None:
        """Whatever a vendor tells, what was heard is a beginning of the text in whole words."""
        playout = Playout()
        playout.begin(text, 7)
        playout.timed(words)
        playout.write(frames(count))
        playout.finish(complete)
        for _ in range(beats):
            beat(playout)
        said = playout.clear().get(7, "")
        self.assertTrue(text.strip().startswith(said.strip()))
        self.assertEqual(said.split(), text.split()[: len(said.split())])


class GrowingTests(SynchronousTestCase):
    """Phrases whose words come while they are spoken, as a live model's do."""

    def setUp(self) -> None:
        self.playout = Playout()
        self.playout.begin("One", 1)
        self.playout.write(frames(20))
        self.playout.finish()
        self.playout.begin("", 2)
        self.playout.write(frames(30))

    def play(self, count: int) -> None:
        for _ in range(count):
            beat(self.playout)
        self.playout.played()

    def test_words(self) -> None:
        """Words are added to the part they are of, whichever is spoken now."""
        self.playout.add_words(2, "Three four")
        self.playout.add_words(1, " two.")
        self.playout.add_words(2, " five.")
        self.playout.add_words(9, "nobody")
        self.playout.finish()
        self.play(50)
        self.assertEqual(self.playout.heard(), {1: "One two.", 2: "Three four five."})

    def test_frames(self) -> None:
        """How long a part was heard is counted in frames, of all that there are of it."""
        self.assertEqual(self.playout.heard_of(1), (0, 20))
        self.play(25)
        self.playout.pause()
        self.assertEqual(self.playout.heard_of(1), (20, 20))
        self.assertEqual(self.playout.heard_of(2), (5, 30))
        self.assertEqual(self.playout.heard_of(9), (0, 0))
