"""The recognisers' shell: each `finish` is answered, soon and once, and no word comes twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.speech.recognizers.answers import Answers, joined
from rapida_tw.speech.recognizers.wire import (
    Event,
    Final,
    Flushed,
    Partial,
    SpeechStarted,
    TurnEnded,
)
from tests.speech.recognizers.shell import ShellCase
from tests.speech.recognizers.stand_in import Told, numbered


class FinishTests(ShellCase):
    def test_asked(self) -> None:
        """The vendor gets all that was heard, then the question."""
        self.start()
        self.recognizer.speech_started()
        self.hear(7)
        self.recognizer.finish()
        self.assertEqual(self.heard(), list(range(7)))
        self.assertEqual(self.net.socket.sent[-1], b"<finalize>")

    def test_final(self) -> None:
        """The final words are the answer; what comes behind them is another utterance's."""
        self.start()
        self.utter()
        self.says("partial hello")
        self.recognizer.finish()
        self.says("final hello you")
        self.wait(1)
        self.assertEqual(self.told.events, [("partial", "hello"), ("final", "hello you")])
        self.assertEqual(self.told.confidences, [0.9])

    def test_flushed(self) -> None:
        """Nothing understandable: the vendor says only that it has told all."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.assertEqual(self.told.events, [])
        self.says("flushed")
        self.assertEqual(self.told.events, [("final", "")])

    def test_empty_final(self) -> None:
        """So is an empty final."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final ")
        self.assertEqual(self.told.events, [("final", "")])

    def test_known_already(self) -> None:
        """When all words were final before, the answer is there at once, and nobody is asked."""
        self.start()
        self.utter()
        self.says("final hello you")
        self.recognizer.finish()
        self.assertEqual(self.told.events, [("final", "hello you"), ("final", "")])
        self.assertEqual(self.net.socket.commands(), ["<hello>"])

    def test_voice_behind_the_final(self) -> None:
        """Words may be missing when the voice went on: the vendor is asked."""
        self.start()
        self.utter()
        self.says("final hello you")
        self.voice(10)
        self.silence(25)
        self.recognizer.finish()
        self.assertEqual(self.told.finals(), ["hello you"])
        self.says("final out there")
        self.assertEqual(self.told.finals(), ["hello you", "out there"])

    def test_noise_behind_the_final(self) -> None:
        """What is much quieter than the voice was, is none."""
        self.start()
        self.utter()
        self.says("final hello you")
        self.hear(25, first=510)
        self.recognizer.finish()
        self.assertEqual(self.told.finals(), ["hello you", ""])

    def test_undecided_vendor(self) -> None:
        """A vendor that cannot be asked is not waited for because of a noise."""
        self.start(asks=False)
        self.utter()
        self.says("final hello you")
        self.voice(10)
        self.recognizer.finish()
        self.assertEqual(self.told.finals(), ["hello you", ""])

    def test_partial_behind_the_final(self) -> None:
        """But it is for words that it has begun to tell."""
        self.start(asks=False)
        self.utter()
        self.says("final hello", "partial you")
        self.recognizer.finish()
        self.assertEqual(self.told.finals(), ["hello"])
        self.says("final you")
        self.assertEqual(self.told.finals(), ["hello", "you"])
        self.assertEqual(self.net.socket.commands(), ["<hello>"])

    def test_too_slow(self) -> None:
        """After `flush_within` the words so far must do, and the final ones are not repeated."""
        self.start()
        self.utter()
        self.says("partial hello yo")
        self.recognizer.finish()
        self.wait(0.48)
        self.assertEqual(self.told.finals(), [])
        self.wait(0.04)
        self.assertEqual(self.told.finals(), ["hello yo"])
        self.says("partial hello you", "final Hello, you.", "flushed")
        self.assertEqual(self.told.finals(), ["hello yo"])
        self.utter()
        self.says("final and again")
        self.assertEqual(self.told.finals(), ["hello yo", "and again"])

    def test_slow_vendor(self) -> None:
        """A vendor that needs longer than a call waits: what is known then must do."""
        self.start(flush_within=1.8)
        self.utter()
        self.says("partial hello yo")
        self.recognizer.finish()
        self.wait(0.98)
        self.assertEqual(self.told.finals(), ["hello yo"])

    def test_slow_vendor_without_words(self) -> None:
        """Where nothing is known, its own time is waited for."""
        self.start(flush_within=1.8)
        self.utter()
        self.recognizer.finish()
        self.wait(1.7)
        self.assertEqual(self.told.finals(), [])
        self.wait(0.12)
        self.assertEqual(self.told.finals(), [""])

    def test_more_than_was_told(self) -> None:
        """Of late final words, those that were not told yet are."""
        self.start()
        self.utter()
        self.says("partial hello you")
        self.recognizer.finish()
        self.wait(0.6)
        self.says("final hello you out there")
        self.assertEqual(self.told.finals(), ["hello you", "out there"])

    def test_nothing_was_told(self) -> None:
        """Words that come late, where none was known in time, are told."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.wait(0.6)
        self.says("final hello you")
        self.assertEqual(self.told.finals(), ["", "hello you"])

    def test_never_final(self) -> None:
        """Words of later are not mistaken for late ones."""
        self.start()
        self.utter()
        self.says("partial hello you")
        self.recognizer.finish()
        self.wait(4)
        self.says("partial and", "final and again")
        self.assertEqual(self.told.finals(), ["hello you", "and again"])

    def test_in_pieces(self) -> None:
        """A vendor that says when it is done is waited for, and its pieces are one answer."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.utter()
        self.recognizer.finish()
        self.says("final two", "partial three", "final three", "flushed")
        self.assertEqual(self.told.events, [("final", "one"), ("final", "two three")])

    def test_pieces_without_an_end(self) -> None:
        """All of its pieces that came in time are the answer, with the words so far."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.utter()
        self.recognizer.finish()
        self.says("final two", "partial three")
        self.wait(0.6)
        self.assertEqual(self.told.finals(), ["one", "two three"])

    def test_each_finish(self) -> None:
        """A turn that was not over after all: both ends are answered."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.recognizer.speech_started()
        self.says("final hello")
        self.voice(10)
        self.recognizer.finish()
        self.says("final you")
        self.assertEqual(self.told.finals(), ["hello", "you"])

    def test_twice(self) -> None:
        """One finish behind the other is not taken for its answer."""
        self.start()
        self.recognizer.speech_started()
        self.voice(20)
        self.recognizer.finish()
        self.recognizer.finish()
        self.assertEqual(self.told.finals(), [])
        self.says("final hello")
        self.assertEqual(self.told.finals(), ["hello"])

    def test_twice_in_pieces(self) -> None:
        """And what was held for the first is not lost."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.voice(10)
        self.silence(20)
        self.recognizer.finish()
        self.says("final two")
        self.recognizer.finish()
        self.says("flushed")
        self.assertEqual(self.told.finals(), ["one", "two"])

    def test_twice_has_its_time(self) -> None:
        """The second has as long as the first had."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.wait(0.3)
        self.recognizer.finish()
        self.wait(0.4)
        self.assertEqual(self.told.finals(), [])
        self.wait(0.12)
        self.assertEqual(self.told.finals(), [""])

    def test_same_words(self) -> None:
        """Words that did not change are told once."""
        self.start()
        self.says("partial hello", "partial hello", "partial ", "partial ")
        self.assertEqual(self.told.events, [("partial", "hello"), ("partial", "")])

    def test_overtaken_words_are_not_heard_again(self) -> None:
        """Another connection does not hear what was answered without being final."""
        self.start()
        self.recognizer.speech_started()
        self.hear(20)
        self.says("partial hello")
        self.recognizer.finish()
        self.wait(0.6)
        self.net.socket.end()
        self.hear(5, first=20)
        self.assertEqual(self.heard(1), [20, 21, 22, 23, 24])

    def test_late_words_are_no_answer(self) -> None:
        """Words that come late do not answer for the next turn."""
        self.start()
        self.utter()
        self.says("partial hello you")
        self.recognizer.finish()
        self.wait(0.6)
        self.utter()
        self.recognizer.finish()
        self.says("final Hello, you.")
        self.assertEqual(self.told.finals(), ["hello you"])
        self.says("final and again")
        self.assertEqual(self.told.finals(), ["hello you", "and again"])

    def test_late_words_in_pieces(self) -> None:
        """Late words may come in pieces, from vendors that tell their end."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.utter()
        self.says("partial two three four")
        self.recognizer.finish()
        self.wait(0.6)
        self.says("final two", "final three", "final four five", "flushed")
        self.assertEqual(self.told.finals(), ["one", "two three four", "five"])

    def test_late_end_is_no_answer(self) -> None:
        """Neither does the end of what came late, from vendors that tell it."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.utter()
        self.says("partial two")
        self.recognizer.finish()
        self.wait(0.6)
        self.utter()
        self.recognizer.finish()
        self.says("final two|flushed")
        self.assertEqual(self.told.finals(), ["one", "two"])
        self.says("final three|flushed")
        self.assertEqual(self.told.finals(), ["one", "two", "three"])

    def test_end_that_never_came(self) -> None:
        """Who did not say it within three seconds will not say it."""
        self.start()
        self.utter()
        self.recognizer.finish()
        self.says("final one|flushed")
        self.utter()
        self.recognizer.finish()
        self.wait(4)
        self.utter()
        self.recognizer.finish()
        self.says("final three|flushed")
        self.assertEqual(self.told.finals(), ["one", "", "three"])

    def test_without_a_connection(self) -> None:
        """It is answered in time, whether there is a vendor or not."""
        self.start()
        self.utter()
        self.says("partial hello")
        self.net.outcomes = [None]
        self.net.socket.end()
        self.recognizer.finish()
        self.wait(0.6)
        self.assertEqual(self.told.finals(), ["hello"])

    def test_after_a_drop(self) -> None:
        """Another connection hears the turn again, and is asked behind it."""
        self.start()
        self.recognizer.speech_started()
        self.hear(20)
        self.says("partial hello")
        self.recognizer.finish()
        self.net.socket.end()
        self.wait(0.1)
        self.assertEqual(self.heard(), list(range(20)))
        self.assertEqual(self.net.socket.sent[-1], b"<finalize>")
        self.says("final hello you")
        self.assertEqual(self.told.finals(), ["hello you"])

    def test_after_a_failure(self) -> None:
        """Who fails owes an answer first, and answers without words from then on."""
        self.start()
        self.utter()
        self.says("partial hello")
        self.recognizer.finish()
        self.says("never again")
        self.recognizer.finish()
        self.assertEqual(
            self.told.events[1:], [("final", "hello"), ("failed", "Plain: again"), ("final", "")]
        )

    def test_before_the_start(self) -> None:
        """Nobody is there to be answered."""
        self.recognizer.prepare()
        self.recognizer.speech_started()
        self.recognizer.hear(numbered(1))
        self.recognizer.finish()


class TurnTests(ShellCase):
    def test_turn(self) -> None:
        """The end of a turn is told behind its words."""
        self.start(turns=True)
        self.assertTrue(self.recognizer.turns)
        self.says("voice", "partial hello", "final hello you|turn")
        self.assertEqual(
            self.told.events, [("voice",), ("partial", "hello"), ("final", "hello you"), ("turn",)]
        )

    def test_as_an_answer(self) -> None:
        """A turn that was ended by silence is not ended again."""
        self.start(turns=True, asks=False)
        self.utter()
        self.says("partial hello")
        self.recognizer.finish()
        self.says("final hello you|turn")
        self.assertEqual(self.told.events[1:], [("final", "hello you")])

    def test_without_words(self) -> None:
        """The vendor's turn is over without a word: that answers, too."""
        self.start(turns=True, asks=False)
        self.utter()
        self.recognizer.finish()
        self.says("turn")
        self.assertEqual(self.told.events, [("final", "")])

    def test_next_turn(self) -> None:
        """Behind a new voice of the vendor's there are new words."""
        self.start(turns=True)
        self.utter()
        self.says("partial hello you")
        self.recognizer.finish()
        self.wait(0.6)
        self.says("voice", "final and again")
        self.assertEqual(self.told.finals(), ["hello you", "and again"])

    def test_too_late(self) -> None:
        """The end of a turn that was answered without it does not end the next one."""
        self.start(turns=True, asks=False)
        self.utter()
        self.says("partial hello you")
        self.recognizer.finish()
        self.wait(0.6)
        self.recognizer.speech_started()
        self.says("final hello you|turn")
        self.assertEqual(self.told.events[1:], [("final", "hello you")])


EVENTS = st.one_of(
    st.builds(Partial, st.sampled_from(["", "a", "a b", "c"])),
    st.builds(Final, st.sampled_from(["", "a", "a b"])),
    st.sampled_from([Flushed(), SpeechStarted(), TurnEnded()]),
    st.sampled_from(["finish", "cue", "loud", "overdue", "drop", "wait"]),
)


class AnyOrderTests(SynchronousTestCase):
    @given(st.lists(EVENTS, max_size=25), st.booleans())
    def test_answered(self, events: list[Event | str], asks: bool) -> None:
        """Whatever comes in whatever order, each finish is answered when it is overdue."""
        told, now = Told(), [0.0]
        answers = Answers(told, lambda: now[0], lambda: None)
        for event in [*events, "overdue"]:
            if event == "finish":
                before = len(told.finals())
                if answers.finish(asks):
                    self.assertTrue(answers.finishing)
                    answers.overdue()
                self.assertEqual(len(told.finals()), before + 1)
            elif event == "cue":
                answers.speech_started()
            elif event == "loud":
                answers.loud()
            elif event == "overdue":
                answers.overdue()
            elif event == "drop":
                answers.disconnected(truncated=True)
            elif event == "wait":
                now[0] += 1.0
            elif not isinstance(event, str):
                answers.told(event)
        self.assertFalse(answers.finishing)


@pytest.mark.parametrize(
    ("before", "after", "both"),
    [
        ("", "", ""),
        ("one", "", "one"),
        ("", "one", "one"),
        ("one two", "Two, three", "one Two, three"),
        ("one two", "three", "one two three"),
        ("one two", "one two three", "one two three"),
        ("two two", "two two two", "two two two"),
    ],
)
def test_joined(before: str, after: str, both: str) -> None:
    """The second text may begin with the first one's end."""
    assert joined(before, after) == both
