"""RecognizerChain: a recogniser fails, and the caller's turn is understood once all the same."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.audio.format import Samples
from rapida_tw.expect import Expectation
from rapida_tw.roster import Member
from rapida_tw.speech.base import Recognizer
from rapida_tw.speech.fallback import RecognizerChain
from rapida_tw.speech.recollection import REPLAYED
from tests.speech.chain_case import GONE, ChainCase


class PlainTests(ChainCase):
    """Nothing fails."""

    def test_the_first(self) -> None:
        """The first hears everything and is believed; nobody else is opened."""
        self.start()
        self.chain.expect(Expectation(digits=4))
        self.hear(2)
        self.chain.speech_started()
        self.sink("a").speech_started()
        self.sink("a").partial("hel")
        self.chain.finish()
        self.sink("a").final("hello", 0.9)
        self.assertEqual(self.the("a").noted, ["0", "1", "started", "finish"])
        self.assertEqual(self.the("a").expected, [Expectation(digits=4)])
        self.assertEqual(self.told.partials, ["hel"])
        self.assertEqual(self.told.finals, [("hello", 0.9)])
        self.assertEqual(self.told.cues, ["voice"])
        self.assertEqual((self.opened["b"], self.opened["c"]), ([], []))

    def test_prepare(self) -> None:
        """The one that will begin connects before the call is there, and is the one started."""
        self.chain.prepare()
        self.assertEqual(self.prepared, ["a"])
        self.start()
        self.assertEqual(len(self.opened["a"]), 1)

    def test_only_prepared(self) -> None:
        """The call never came."""
        self.chain.prepare()

    def test_turns(self) -> None:
        """Whether silence or the recogniser ends turns is said by the one that counts."""
        self.assertFalse(self.chain.turns)
        self.start()
        self.assertFalse(self.chain.turns)
        plain = self.opener("b")

        def telling() -> Recognizer:
            one = plain()
            one.turns = True
            return one

        self.chain.stop()
        members = [Member[Recognizer]("a", self.opener("a")), Member[Recognizer]("b", telling)]
        self.chain = RecognizerChain(members, self.sickness, self.clock)
        self.start()
        self.drop("a")
        self.assertTrue(self.chain.turns)
        self.sink("b").turn_ended()
        self.assertEqual(self.told.cues, ["ended"])

    def test_turn_ended(self) -> None:
        """A turn that the recogniser has ended is over for whoever follows it."""
        self.start()
        self.chain.speech_started()
        self.hear(5)
        self.sink("a").turn_ended()
        self.drop("a")
        self.assertEqual(self.the("b").cues, [])


class DropTests(ChainCase):
    """One fails in mid-call."""

    def test_in_mid_sentence(self) -> None:
        """The next one is given what was said so far, cue included, and the turn is told once."""
        self.start()
        self.chain.expect(Expectation(digits=4))
        self.hear(200)
        self.chain.speech_started()
        self.hear(50)
        self.sink("a").partial("I want a")
        self.drop("a")
        noted = self.the("b").noted
        self.assertEqual(self.frames("b"), list(range(150, 250)))
        self.assertEqual(noted[50:52], ["started", "200"])
        self.assertEqual(self.the("b").expected, [Expectation(digits=4)])
        self.hear(30)
        self.sink("b").partial("want a table")  # it has heard it all, and is believed
        self.chain.finish()
        self.sink("b").final("I want a table.", 0.8)
        self.assertEqual(self.told.partials, ["I want a", "want a table"])
        self.assertEqual(self.told.finals, [("I want a table.", 0.8)])
        self.assertEqual(self.the("a").noted[-1], "stop")

    def test_two_seconds(self) -> None:
        """A longer sentence: two seconds are heard again, the words before them are kept."""
        self.start()
        self.chain.speech_started()
        self.hear(250)
        self.sink("a").partial("please I want to book a table for")
        self.drop("a")
        self.assertEqual(len(self.frames("b")), REPLAYED)
        self.assertEqual(self.the("b").noted[0], "started")
        self.sink("b").partial("book a table for two")
        self.sink("b").final("a table for two people", 0.9)
        self.sink("b").partial("thank")
        self.assertEqual(self.told.partials[1:], ["please I want to book a table for two", "thank"])
        self.assertEqual(self.told.texts, ["please I want to book a table for two people"])

    def test_since_the_last_final(self) -> None:
        """What was told as final is not heard again, but for what may have begun meanwhile."""
        self.start()
        self.chain.speech_started()
        self.hear(80)
        self.sink("a").final("I am here.", 0.9)
        self.hear(10)
        self.drop("a")
        self.assertEqual(self.frames("b"), list(range(65, 90)))
        self.assertEqual(self.the("b").noted[0], "started")

    def test_between_turns(self) -> None:
        """When nobody speaks, there is no cue, and no answer is owed."""
        self.start()
        self.chain.speech_started()
        self.hear(20)
        self.chain.finish()
        self.sink("a").final("yes", 0.9)
        self.hear(150)
        self.drop("a")
        self.assertEqual(self.the("b").cues, [])

    def test_answer_owed(self) -> None:
        """A `finish` that was not answered is asked again."""
        self.start()
        self.chain.speech_started()
        self.hear(40)
        self.chain.finish()
        self.hear(3)
        self.drop("a")
        self.assertEqual(self.the("b").noted[-1], "finish")
        self.sink("b").final("yes", 0.9)
        self.assertEqual(self.told.texts, ["yes"])
        self.hear(1)
        self.assertEqual(self.the("b").cues, ["started", "finish"])

    def test_goes_on(self) -> None:
        """Who speaks on after `finish` is in the same turn, and owed nothing."""
        self.start()
        self.chain.speech_started()
        self.hear(40)
        self.chain.finish()
        self.hear(5)
        self.chain.speech_started()
        self.hear(5)
        self.drop("a")
        noted = self.the("b").noted
        self.assertEqual(self.the("b").cues, ["started"])
        self.assertEqual(noted[:2], ["started", "0"])

    def test_not_understood(self) -> None:
        """What the former had understood counts when the next one understands nothing."""
        self.start()
        self.chain.speech_started()
        self.hear(30)
        self.sink("a").partial("yes please")
        self.chain.finish()
        self.drop("a")
        self.sink("b").final("", 0.0)
        self.clock.advance(0)
        self.assertEqual(self.told.finals, [("yes please", 0.5)])

    def test_final_before(self) -> None:
        """What was told as final is not what the next one was left with."""
        self.start()
        self.chain.speech_started()
        self.sink("a").partial("yes")
        self.sink("a").final("yes", 0.9)
        self.drop("a")
        self.chain.finish()
        self.sink("b").final("", 0.0)
        self.clock.advance(0)
        self.assertEqual(self.told.texts, ["yes", ""])

    def test_share(self) -> None:
        """With no word in common, the time of the turn says which words are kept."""
        self.start()
        self.hear(300)
        self.chain.speech_started()
        self.hear(110)
        self.sink("a").partial("one two three four")
        self.drop("a")
        self.sink("b").partial("zwei drei")
        self.assertEqual(self.told.partials[-1], "one zwei drei")

    def test_in_the_replay(self) -> None:
        """One that fails while it is given the past is given no more of it."""
        self.start()
        self.hear(5)
        opened = self.opener("b")
        given: list[Samples] = []

        def hear(frame: Samples) -> None:
            given.append(frame)
            self.drop("b")

        def failing() -> Recognizer:
            one = opened()
            one.hear = hear  # type: ignore[method-assign]
            return one

        self.chain.stop()
        members = [Member[Recognizer](name, self.opener(name)) for name in "ac"]
        members.insert(1, Member("b", failing))
        self.chain = RecognizerChain(members, self.sickness, self.clock)
        self.start()
        self.hear(3)
        self.drop("a")
        self.assertEqual((len(given), len(self.frames("c"))), (1, 3))

    def test_in_a_frame(self) -> None:
        """One that fails while it is given a frame: the next one has that frame, once."""
        self.start()
        self.hear(3)
        self.the("a").hear = lambda frame: self.drop("a")  # type: ignore[method-assign]
        self.hear(2)
        self.assertEqual(self.frames("b"), [0, 1, 2, 3, 4])

    def test_answers_and_fails(self) -> None:
        """Who fails may answer first, with what there is: the next one is asked all the same."""
        self.start()
        for answer, confidence in (("", 0.0), ("I want", 0.5)):
            name = "a" if not answer else "b"
            self.chain.speech_started()
            self.hear(30)
            self.chain.finish()
            self.sink(name).final(answer, confidence)
            self.drop(name)
        self.sink("c").final("I want a table", 0.9)
        self.assertEqual(self.told.texts, ["I want a table"])

    def test_poor_answer(self) -> None:
        """An answer with little in it is told all the same, before whatever comes after it."""
        self.start()
        nexts: list[Callable[[], object]] = [
            lambda: self.clock.advance(0),
            lambda: self.sink("a").partial("more"),
            lambda: self.sink("a").final("more", 0.9),
            lambda: self.sink("a").speech_started(),
            lambda: self.sink("a").turn_ended(),
            self.chain.speech_started,
            self.chain.finish,
        ]
        for number, happens in enumerate(nexts):
            self.chain.speech_started()
            self.chain.finish()
            self.sink("a").final(str(number), 0.2)
            self.assertNotIn((str(number), 0.2), self.told.finals)
            happens()
            self.assertIn((str(number), 0.2), self.told.finals)
            self.chain.finish()
            self.sink("a").final("over", 0.9)

    def test_stopped_before(self) -> None:
        """The call ends before a poor answer is told: it is told to nobody."""
        self.start()
        self.chain.finish()
        self.sink("a").final("", 0.0)

    def test_words_of_the_last_turn(self) -> None:
        """Words of a turn that was never answered are not those of the next."""
        self.start()
        self.chain.speech_started()
        self.sink("a").partial("yes")
        self.chain.finish()
        self.hear(100)
        self.chain.speech_started()
        self.drop("a")
        self.chain.finish()
        self.sink("b").final("", 0.0)
        self.clock.advance(0)
        self.assertEqual(self.told.texts, [""])

    def test_fails_twice(self) -> None:
        """What it says after its failure, a second one too, is not heard."""
        self.start()
        old = self.sink("a")
        self.drop("a")
        old.failed(GONE)
        old.final("too late", 1.0)
        self.assertEqual(len(self.opened["b"]), 1)
        self.assertEqual((self.told.texts, self.opened["c"]), ([], []))

    def test_all(self) -> None:
        """When the last has failed the call is told, once, with all names."""
        self.start()
        for name in "abc":
            self.drop(name)
        self.assertEqual(
            self.told.failures,
            [
                "no recogniser is left: a: the socket is gone; b: the socket is gone;"
                " c: the socket is gone"
            ],
        )
        self.hear(300)
        self.chain.finish()

    def test_back_to_the_first(self) -> None:
        """A word understood meanwhile: who failed long ago may have another try."""
        self.start()
        self.drop("a")
        self.sink("b").final("hello", 1.0)
        self.drop("b")
        self.sink("c").final("hello", 1.0)
        self.drop("c")
        self.assertEqual(len(self.opened["a"]), 2)
        self.assertEqual(self.told.failures, [])
