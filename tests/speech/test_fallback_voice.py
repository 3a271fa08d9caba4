"""VoiceChain: a voice fails, and the caller hears each word once all the same."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, succeed

from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.roster import Member, fallbacks
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Pieces, Synthesizer
from rapida_tw.speech.fallback_voice import SOUND_WITHIN, START_WITHIN, VoiceChain
from tests.speech.voice_chain_case import GONE, PHRASE, VoiceChainCase


class PhraseTests(VoiceChainCase):
    """A phrase in the course of which something fails."""

    def test_nothing_fails(self) -> None:
        """The first says all, in its own bytes."""
        self.the("a").payload = b"x"
        saying = self.say()
        self.the("a").done()
        self.successResultOf(saying)
        self.assertEqual(self.heard, ["a0", "a1", "a2", "a3", "a4", "a5"])
        self.assertEqual(self.sound.payloads, [b"x"] * 6)
        self.assertEqual(" ".join(word.text for word in self.sound.words), PHRASE)
        self.assertEqual(self.opened["b"], [])

    def test_before_the_first_sound(self) -> None:
        """The whole phrase is the next one's, its bytes too."""
        saying = self.say()
        self.the("a").fails()
        self.assertEqual(self.the("b").said, [PHRASE])
        self.the("b").payload = b"x"
        self.the("b").done()
        self.successResultOf(saying)
        self.assertEqual(self.sound.payloads, [b"x"] * 6)

    def test_in_mid_phrase(self) -> None:
        """After the third word the next one goes on with the fourth; each is heard once."""
        saying = self.say()
        self.the("a").payload = b"x"
        self.the("a").speak(3)
        self.the("a").fails()
        self.assertEqual(self.the("b").said, ["nine, every day."])
        self.the("b").payload = b"y"
        self.the("b").done()
        self.successResultOf(saying)
        self.assertEqual(self.heard, ["a0", "a1", "a2", "b0", "b1", "b2"])
        self.assertEqual(self.sound.payloads, [b"x"] * 3 + [b""] * 3)
        self.assertEqual(" ".join(word.text for word in self.sound.words), PHRASE)
        self.assertEqual([word.start for word in self.sound.words], [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])

    def test_twice(self) -> None:
        """The next one fails too: the third goes on where that one was."""
        saying = self.say()
        self.the("a").speak(2)
        self.the("a").fails()
        self.the("b").speak(2)
        self.the("b").fails()
        self.assertEqual(self.the("c").said, ["every day."])
        self.the("c").done()
        self.successResultOf(saying)
        self.assertEqual([word.end for word in self.sound.words], [0.5, 1.0, 1.5, 2.0, 2.5, 3.0])

    def test_without_times(self) -> None:
        """Without the times of words, what was heard is guessed by how fast the voice speaks."""
        saying = self.say("one two three four")  # seven letters a second
        self.the("a").tells_words = False
        self.the("a").done()
        self.successResultOf(saying)
        saying = self.say("four words more than that one had")
        self.the("a").speak(3)
        self.the("a").fails()
        self.assertEqual(self.the("b").said, ["than that one had"])
        saying.cancel()
        self.failureResultOf(saying, CancelledError)

    def test_all_was_said(self) -> None:
        """It fails when only the end is missing: nothing is said twice."""
        saying = self.say()
        self.the("a").speak()
        self.the("a").fails()
        self.successResultOf(saying)
        self.assertEqual(self.opened["b"], [])
        self.say("And more.")
        self.assertEqual(self.the("b").said, ["And more."])
        self.the("b").done()

    def test_late_sound(self) -> None:
        """What the former gives after its failure is not heard."""
        saying = self.say()
        self.the("a").fails()
        self.the("a").speak()
        self.assertEqual((self.heard, self.sound.words), ([], []))
        self.the("b").done()
        self.successResultOf(saying)

    def test_no_sound(self) -> None:
        """One that says it has spoken, and gave nothing, has failed."""
        saying = self.say()
        saying_nothing = self.the("a").saying
        assert saying_nothing is not None
        saying_nothing.callback(None)
        self.assertEqual(self.the("b").said, [PHRASE])
        self.the("b").done()
        self.successResultOf(saying)

    def test_nothing_to_say(self) -> None:
        """Of a dash nobody expects a sound."""
        saying = self.say("—")
        saying_nothing = self.the("a").saying
        assert saying_nothing is not None
        saying_nothing.callback(None)
        self.successResultOf(saying)

    def test_all_fail(self) -> None:
        """The phrase fails with all reasons; the next one tries all again."""
        for _ in range(2):
            saying = self.say()
            for name in "abc":
                self.the(name).fails(VendorFailed(f"{name} is down"))
            failure = self.failureResultOf(saying, VendorFailed)
            self.assertIn("a: a is down; b: b is down; c: c is down", failure.getErrorMessage())
        self.assertEqual([len(opened) for opened in self.opened.values()], [2, 2, 2])

    def test_sticky(self) -> None:
        """Who has helped out goes on speaking, and is not replaced when the first is well."""
        before = fallbacks.value("tts", "a", "b")
        saying = self.say()
        self.the("a").fails()
        self.the("b").done()
        self.successResultOf(saying)
        self.clock.advance(3600)
        for _ in range(2):
            saying = self.say()
            self.the("b").done()
            self.successResultOf(saying)
        self.assertEqual(len(self.opened["a"]), 1)
        self.assertEqual((self.the("a").stopped, self.the("b").started), (1, 1))
        self.assertEqual(fallbacks.value("tts", "a", "b"), before + 1)

    def test_next_call(self) -> None:
        """Another call begins with the healthy one."""
        saying = self.say()
        self.the("a").fails()
        self.the("b").done()
        self.successResultOf(saying)
        other = self.another()
        self.successResultOf(other.start())
        self.assertEqual([len(opened) for opened in self.opened.values()], [1, 2, 0])
        other.stop()

    def test_well_again(self) -> None:
        """A phrase that it has said proves that it is well."""
        saying = self.say()
        self.the("a").fails()
        self.clock.advance(60)
        other = self.another()
        self.successResultOf(other.start())
        said = other.say(PHRASE, Pieces())
        self.the("a").done()
        self.successResultOf(said)
        third = self.another()
        self.successResultOf(third.start())
        self.assertEqual(len(self.opened["a"]), 3)
        other.stop()
        third.stop()
        saying.cancel()
        self.failureResultOf(saying, CancelledError)

    def test_interrupted(self) -> None:
        """An interruption stops whoever speaks, and is nobody's failure."""
        saying = self.say()
        self.the("a").speak(1)
        saying.cancel()
        self.failureResultOf(saying, CancelledError)
        self.assertEqual(self.the("a").cancelled, 1)
        self.the("a").speak(1)
        self.assertEqual(self.heard, ["a0"])
        self.assertEqual(self.opened["b"], [])

    def test_stubborn(self) -> None:
        """Also when the voice takes its cancellation for an end, or for a failure."""
        for outcome in (lambda d: d.callback(None), lambda d: d.errback(GONE)):
            self.the("a").say = lambda *_, how=outcome: Deferred(how)  # type: ignore[method-assign]
            saying = self.say()
            saying.cancel()
            self.failureResultOf(saying, CancelledError)
        self.assertEqual(self.opened["b"], [])

    def test_stopped(self) -> None:
        """The call ends in mid-phrase: nobody else begins."""
        saying = self.say()
        self.chain.stop()
        self.failureResultOf(saying, CancelledError)
        self.assertEqual(self.opened["b"], [])


class TimeTests(VoiceChainCase):
    """Voices that let the caller wait."""

    def test_no_sound_in_time(self) -> None:
        """Without a sound in time the next one is asked, and the former told to stop."""
        saying = self.say()
        self.clock.advance(SOUND_WITHIN - 0.1)
        self.assertEqual(self.opened["b"], [])
        self.clock.advance(0.1)
        self.assertEqual((self.the("a").cancelled, self.the("b").said), (1, [PHRASE]))
        self.the("b").done()
        self.successResultOf(saying)

    def test_falls_silent(self) -> None:
        """In mid-phrase it is silent: it has that long from when what it gave was heard."""
        saying = self.say()
        self.clock.advance(1.0)
        self.the("a").speak(2)
        self.clock.pump([0.1] * 29)
        self.assertEqual(self.opened["b"], [])
        self.clock.advance(0.1)
        self.assertEqual(self.the("b").said, ["at nine, every day."])
        self.the("b").done()
        self.successResultOf(saying)

    def test_goes_on(self) -> None:
        """As long as there is more to hear in time, nobody minds."""
        saying = self.say()
        for _ in range(6):
            self.clock.advance(SOUND_WITHIN - 0.1)
            self.the("a").speak(1)
        self.the("a").done()
        self.successResultOf(saying)

    def test_the_last(self) -> None:
        """Who is the last has all the time; a first one that was only slow is asked once more."""
        saying = self.say()
        self.clock.advance(SOUND_WITHIN)
        self.the("b").fails()
        self.the("c").fails()
        self.assertEqual(len(self.opened["a"]), 2)
        self.clock.advance(10 * SOUND_WITHIN)
        self.the("a").done()
        self.successResultOf(saying)
        self.assertEqual(len(self.heard), 6)

    def test_alone(self) -> None:
        """A chain of one waits as the voice itself does."""
        self.chain.stop()
        self.chain = self.another("a")
        self.begin()
        saying = self.say()
        self.clock.advance(10 * SOUND_WITHIN)
        self.the("a").done()
        self.successResultOf(saying)

    def test_connecting_takes_time(self) -> None:
        """The time of the next one's connection counts, too."""
        self.starting = Deferred
        saying = self.say()
        self.the("a").fails()
        self.assertEqual(self.the("b").said, [])
        self.clock.advance(SOUND_WITHIN)
        self.the("c").starting.callback(None)
        self.assertEqual(self.the("c").said, [PHRASE])
        self.the("c").done()
        self.successResultOf(saying)


class StartTests(VoiceChainCase):
    """Before the first phrase."""

    def begin(self) -> None:
        self.starting = Deferred

    def test_refused(self) -> None:
        """A key that is refused: the second is started, and says the first phrase."""
        starting = self.chain.start()
        self.the("a").starting.errback(VendorFailed("the key is wrong", 401, retryable=False))
        self.the("b").starting.callback(None)
        self.successResultOf(starting)
        saying = self.say()
        self.the("b").done()
        self.successResultOf(saying)

    def test_too_slow(self) -> None:
        """The caller does not wait for a start where another one can be asked."""
        starting = self.chain.start()
        self.clock.advance(START_WITHIN)
        self.the("b").starting.callback(None)
        self.successResultOf(starting)

    def test_slow_and_broken(self) -> None:
        """A first one that was only slow is started once more, when the others are broken."""
        starting = self.chain.start()
        self.clock.advance(START_WITHIN)
        self.the("b").starting.errback(GONE)
        self.the("c").starting.errback(GONE)
        self.clock.advance(10 * START_WITHIN)
        self.the("a").starting.callback(None)
        self.successResultOf(starting)

    def test_nobody(self) -> None:
        """None can be started."""
        starting = self.chain.start()
        for name in "abc":
            self.the(name).starting.errback(GONE)
        failure = self.failureResultOf(starting, VendorFailed)
        self.assertIn("no voice is left: a: ", failure.getErrorMessage())

    def test_given_up(self) -> None:
        """Who waits no longer, or ends the call, leaves nothing behind."""
        starting = self.chain.start()
        starting.cancel()
        self.failureResultOf(starting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.chain.stop()
        self.chain = self.another()
        starting = self.chain.start()
        self.chain.stop()
        self.failureResultOf(starting, CancelledError)
        self.assertEqual(self.opened["b"], [])

    def test_prepare(self) -> None:
        """The one that will begin is prepared, and it is the one started."""
        self.chain.prepare()
        self.assertEqual(self.the("a").prepared, 1)
        starting = self.chain.start()
        self.the("a").starting.callback(None)
        self.successResultOf(starting)
        self.assertEqual(len(self.opened["a"]), 1)

    def test_cannot_be_opened(self) -> None:
        """One that is wrongly configured is passed over, whenever it is found out."""

        def wrong() -> Synthesizer:
            raise MisconfiguredAssistant("no such voice")

        self.starting = lambda: succeed(None)
        first: list[Callable[[VoiceChain], object]] = [
            VoiceChain.prepare,
            VoiceChain.start,
            lambda chain: chain.warm("Hello."),
            lambda chain: chain.say("Hello.", self.sound),
        ]
        for number, comes in enumerate(first, 1):
            members = [Member("x", wrong), Member("b", self.opener("b"))]
            self.chain = VoiceChain(members, Sickness(self.clock.seconds), self.clock)
            outcome = comes(self.chain)
            self.assertEqual(len(self.opened["b"]), number)
            self.chain.stop()
            if isinstance(outcome, Deferred):
                outcome.addErrback(lambda failure: failure.trap(CancelledError))
