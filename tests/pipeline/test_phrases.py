from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import VendorFailed
from rapida_tw.pipeline.phrases import LONGEST, Phrases, Splitter

NO_BREAKS = (
    "Pi is 3.14 or so.",
    "That is $5.50 each.",
    "Ask Dr. Smith or Mrs. Jones.",
    "Bring fruit, e.g. apples, i.e. the red ones.",
    "Read https://example.com/a.html?x=1.5 first.",
    "We open at 7:30 and close at 19:05 sharp.",
    "Well... maybe later.",
    "Well… maybe later.",
    "Open until 7 p.m. on Mondays.",
    "Take the No. 5 bus.",
    "Cats, dogs, etc. are welcome.",
    "It was J. R. Smith of the U.S. embassy.",
    "1. Pizza with cheese.",
    "He lives at St. Mary Street.",
    "Come on Nov. 21 please.",
    "Write to first.last@example.com today.",
)
BREAKS = {
    "Hello there. How are you?": ["Hello there.", "How are you?"],
    "Wait! Really? Yes.": ["Wait!", "Really?", "Yes."],
    'He said "no." Then he left.': ['He said "no."', "Then he left."],
    "We close at 7 p.m. See you.": ["We close at 7 p.m.", "See you."],
    "No. We are closed.": ["No.", "We are closed."],
    "Fruit etc. Anything else?": ["Fruit etc.", "Anything else?"],
    "So do I. Do you?": ["So do I.", "Do you?"],
    "Well... Maybe.": ["Well...", "Maybe."],
    "Pizza\nPasta\n\nSalad": ["Pizza", "Pasta", "Salad"],
    "**Bold.** Not bold.": ["**Bold.**", "Not bold."],
    "It is 5. Not 6.": ["It is 5.", "Not 6."],
    "Menu:\n1. Pizza\n2. Pasta": ["Menu:", "1. Pizza", "2. Pasta"],
}


def split(text: str, step: int = 10_000) -> list[str]:
    """The phrases of a text that comes in deltas of `step` characters."""
    splitter = Splitter()
    phrases: list[str] = []
    for at in range(0, len(text), step):
        phrases += splitter.feed(text[at : at + step])
    return [*phrases, *splitter.finish()]


class Sentences(SynchronousTestCase):
    def test_not_inside(self) -> None:
        """Full stops that end no sentence."""
        for text in NO_BREAKS:
            self.assertEqual(split(text), [text])

    def test_ends(self) -> None:
        """Ends of sentences, lines and list items."""
        for text, phrases in BREAKS.items():
            self.assertEqual(split(text), phrases)

    def test_any_deltas(self) -> None:
        """How the text is cut into deltas makes no difference."""
        texts = [*NO_BREAKS, *BREAKS, " ".join(NO_BREAKS), " ".join(BREAKS), "so, " * 150]
        for text in texts:
            for step in (1, 2, 3, 7):
                self.assertEqual(split(text, step), split(text), text)

    def test_any_deltas_at_the_bound(self) -> None:
        """Around the longest phrase as well."""
        for count in range(LONGEST - 50, LONGEST + 5):
            for tail in (". Next one.", ", and so on.", " e.g. this.", "... Yes. No."):
                text = "yes " * (count // 4) + "x" * (count % 4) + tail
                self.assertEqual(split(text, 1), split(text))

    @given(st.text(st.sampled_from("aA1 .,!?…\n-—:\"')dr"), max_size=600), st.integers(1, 50))
    def test_any_deltas_of_anything(self, text: str, step: int) -> None:
        """Of strange texts as well."""
        self.assertEqual(split(text, step), split(text))

    @given(st.text(st.sampled_from("aAb1 .,!?\n\t—"), max_size=600))
    def test_nothing_lost(self, text: str) -> None:
        """All words are there in their order, and none has grown together with another."""
        phrases = split(text)
        self.assertEqual("".join("".join(phrases).split()), "".join(text.split()))
        for phrase in phrases:
            self.assertIn(phrase, text)
            self.assertEqual(phrase, phrase.strip())
            self.assertTrue(0 < len(phrase) <= LONGEST + 1)

    def test_spaces_inside(self) -> None:
        """White space within a phrase is left alone; between phrases there is none."""
        self.assertEqual(split("  One  two\tthree. \n\n Four."), ["One  two\tthree.", "Four."])


class Early(SynchronousTestCase):
    def fed(self, text: str) -> list[str]:
        return list(Splitter().feed(text))

    def test_first_at_a_comma(self) -> None:
        """The first phrase may end at a comma when it has four words, later ones not."""
        text = "Thank you very much, we have a table. On Friday at the window, I think, at eight."
        self.assertEqual(
            split(text),
            [
                "Thank you very much,",
                "we have a table.",
                "On Friday at the window, I think, at eight.",
            ],
        )

    def test_as_soon_as_possible(self) -> None:
        """It is there before the sentence is."""
        self.assertEqual(self.fed("Thank you for calling, we are o"), ["Thank you for calling,"])

    def test_not_too_short(self) -> None:
        """Not after a word or two, and not for a single word that follows."""
        for text in ("Yes, we have a table.", "Thank you very much, sir. Bye."):
            self.assertNotIn(",", split(text)[0][-1])

    def test_not_in_a_date(self) -> None:
        """A comma within a date is none."""
        text = "Your table is for November 21, 2026 at seven."
        self.assertEqual(split(text), [text])

    def test_a_sentence_needs_only_its_space(self) -> None:
        """A plain full stop is believed as soon as white space follows."""
        self.assertEqual(self.fed("We are open. "), ["We are open."])
        self.assertEqual(self.fed("We are open."), [])

    def test_too_long(self) -> None:
        """A sentence without end is broken at a clause, else at a space, else anywhere."""
        clauses = split("Yes. " + "and then we go on and on, " * 20)
        self.assertTrue(all(len(p) <= LONGEST and p.endswith("on,") for p in clauses[1:]))
        words = split("word " * 100)
        self.assertEqual({len(phrase) % 5 for phrase in words}, {4})
        self.assertEqual([len(phrase) for phrase in split("x" * 450)], [200, 200, 50])


class Waiting(SynchronousTestCase):
    def setUp(self) -> None:
        self.phrases = Phrases()
        self.got: list[str] = []

    async def take(self) -> None:
        async for phrase in self.phrases:
            self.got.append(phrase)

    def taking(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.take())

    def test_as_they_come(self) -> None:
        """Each phrase is given in the reactor turn of the delta that completes it."""
        done = self.taking()
        self.phrases.text_received("One. Two")
        self.assertEqual(self.got, ["One."])
        self.phrases.text_received(" three. ")
        self.assertEqual(self.got, ["One.", "Two three."])
        self.phrases.text_received("Four")
        self.assertEqual(self.phrases.ended("result"), "result")
        self.assertEqual(self.got, ["One.", "Two three.", "Four"])
        self.successResultOf(done)

    def test_all_before(self) -> None:
        """A model that was quicker than the reader loses nothing."""
        self.phrases.text_received("One. Two.")
        self.phrases.ended(None)
        self.successResultOf(self.taking())
        self.assertEqual(self.got, ["One.", "Two."])

    def test_nothing(self) -> None:
        """A model that says nothing gives no phrases."""
        self.phrases.ended(None)
        self.successResultOf(self.taking())
        self.assertEqual(self.got, [])

    def test_failure(self) -> None:
        """A failure is raised after the phrases that were complete, and handed on."""
        failure = Failure(VendorFailed("gone"))
        self.phrases.text_received("One. Tw")
        self.assertIs(self.phrases.ended(failure), failure)
        self.failureResultOf(self.taking(), VendorFailed)
        self.assertEqual(self.got, ["One."])

    def test_failure_while_waiting(self) -> None:
        """Likewise when somebody waits."""
        done = self.taking()
        self.phrases.ended(Failure(VendorFailed("gone")))
        self.failureResultOf(done, VendorFailed)

    def test_cancel(self) -> None:
        """Cancelling the reader ends its waiting at once; later text is no error."""
        done = self.taking()
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.phrases.text_received("One. Two.")
        self.phrases.ended(None)
        self.phrases.text_received("Three.")
        self.assertEqual(self.got, [])

    def test_full(self) -> None:
        """Twenty waiting phrases ask for a pause, ten left for more."""
        told: list[bool] = []
        self.phrases = Phrases(told.append)
        self.phrases.text_received("Yes. " * 19)
        self.assertEqual((self.phrases.waiting, told), (19, []))
        self.phrases.text_received("Yes. " * 3)
        self.assertEqual((self.phrases.waiting, told), (22, [True]))
        self.taking().addErrback(lambda _: None)
        self.assertEqual((self.phrases.waiting, told), (0, [True, False]))
