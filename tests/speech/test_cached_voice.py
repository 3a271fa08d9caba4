"""CachedVoice: what is said in every call is there before it is asked for."""

from __future__ import annotations

import numpy as np
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding, Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.speech.base import Pieces, Synthesizer, VoiceSink, Word
from rapida_tw.speech.cached_voice import CachedVoice, Speaker, VoiceCache, cached

GREETING = "Hello, this is Acme."
SPEAKER = Speaker("acme", "1", '{"voice": "slt"}', AudioFormat(Encoding.MULAW, 8000))
GONE = VendorFailed("the socket is gone")


class _Vendor:
    """A voice that does as told; it minds being asked for two phrases at once."""

    def __init__(self) -> None:
        self.prepared = self.stopped = 0
        self.starting: Deferred[None] = Deferred(lambda _: self.told.append("start cancelled"))
        self.told: list[str] = []
        self.saying: Deferred[None] | None = None
        self._sink: VoiceSink

    def prepare(self) -> None:
        self.prepared += 1

    def start(self) -> Deferred[None]:
        self.told.append("start")
        return self.starting

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        assert self.saying is None, f"{phrase!r} while another phrase is being said"
        self.told.append(phrase)
        self._sink = sink
        self.saying = Deferred(lambda _: self.told.append("cancelled"))
        return self.saying.addBoth(self._said)

    def _said(self, result: Failure | None) -> Failure | None:
        self.saying = None
        return result

    def piece(self, *numbers: int, payload: bytes = b"") -> None:
        self._sink.write(np.array(numbers, np.int16), payload)

    def word(self, text: str) -> None:
        self._sink.timed([Word(text, 0.0, 0.5)])

    def done(self, *numbers: int) -> None:
        if numbers:
            self.piece(*numbers)
        assert self.saying is not None
        self.saying.callback(None)

    def fails(self) -> None:
        assert self.saying is not None
        self.saying.errback(GONE)

    def stop(self) -> Deferred[None]:
        self.stopped += 1
        return succeed(None)


_conforms: type[Synthesizer] = _Vendor


def heard(sound: Pieces) -> list[int]:
    return [int(number) for samples in sound.samples for number in samples]


class _Case(SynchronousTestCase):
    """One process's cache, and calls with it."""

    def setUp(self) -> None:
        self.cache = VoiceCache()
        self.vendor, self.voice = self.call()
        self.sound = Pieces()

    def call(self, speaker: Speaker = SPEAKER) -> tuple[_Vendor, CachedVoice]:
        vendor = _Vendor()
        return vendor, CachedVoice(vendor, speaker, self.cache, [GREETING])

    def tearDown(self) -> None:
        self.assertEqual(self.cache.making, {})

    def started(self, vendor: _Vendor, voice: CachedVoice) -> None:
        starting = voice.start()
        vendor.starting.callback(None)
        self.successResultOf(starting)

    def warmed(self) -> None:
        """The greeting is kept, by a call that is over."""
        vendor, voice = self.call()
        warming = voice.warm(GREETING)
        vendor.starting.callback(None)
        vendor.done(1, 2, 3)
        self.successResultOf(warming)
        voice.stop()


class KeptTests(_Case):
    """What is in the cache."""

    def test_said_once(self) -> None:
        """A phrase worth keeping is asked of the vendor once, and given whole from then on."""
        self.started(self.vendor, self.voice)
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.word("Hello")
        self.vendor.piece(1, 2, payload=b"ab")
        self.assertEqual(heard(self.sound), [1, 2])
        self.vendor.piece(3, payload=b"c")
        self.vendor.done(4)
        self.successResultOf(saying)
        before = cached.value("acme")
        _, voice = self.call()
        again = Pieces()
        self.successResultOf(voice.say(GREETING, again))
        self.assertEqual([list(samples) for samples in again.samples], [[1, 2, 3], [4]])
        self.assertEqual(again.payloads, [b"abc", b""])
        self.assertEqual(again.words, [Word("Hello", 0.0, 0.5)])
        self.assertEqual(cached.value("acme"), before + 1)
        self.assertFalse(again.samples[0].flags.writeable)

    def test_not_worth_it(self) -> None:
        """What the model says is not kept."""
        self.started(self.vendor, self.voice)
        for _ in range(2):
            saying = self.voice.say("At nine.", self.sound)
            self.vendor.done(1)
            self.successResultOf(saying)
        self.assertEqual(self.vendor.told, ["start", "At nine.", "At nine."])
        self.assertFalse(self.voice.kept("At nine."))

    def test_worth_it_later(self) -> None:
        """What is worth keeping may be told later."""
        self.voice.keep(["One moment."])
        self.started(self.vendor, self.voice)
        saying = self.voice.say("One moment.", self.sound)
        self.vendor.done(1)
        self.successResultOf(saying)
        self.assertTrue(self.voice.kept("One moment."))

    def test_whose(self) -> None:
        """Another vendor, account, option or format is another voice."""
        self.warmed()
        others = (
            SPEAKER._replace(vendor="other"),
            SPEAKER._replace(account="2"),
            SPEAKER._replace(settings='{"voice": "rms"}'),
            SPEAKER._replace(leg=AudioFormat(Encoding.ALAW, 8000)),
        )
        self.assertTrue(self.voice.kept(GREETING))
        for speaker in others:
            self.assertFalse(self.call(speaker)[1].kept(GREETING), speaker)

    def test_half_a_phrase(self) -> None:
        """What was cut off, by a failure or by the caller, is not kept."""
        self.started(self.vendor, self.voice)
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.piece(1)
        self.vendor.fails()
        self.failureResultOf(saying, VendorFailed)
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.piece(1)
        saying.cancel()
        self.failureResultOf(saying, CancelledError)
        self.assertEqual(self.vendor.told[-1], "cancelled")
        self.assertFalse(self.voice.kept(GREETING))

    def test_stubborn(self) -> None:
        """Nor when the vendor takes its cancellation for an end."""
        self.started(self.vendor, self.voice)
        self.vendor.say = lambda *_: Deferred(lambda d: d.callback(None))  # type: ignore[method-assign]
        saying = self.voice.say(GREETING, self.sound)
        saying.cancel()
        self.failureResultOf(saying, CancelledError)
        warming = self.voice.fetch(GREETING)
        warming.cancel()
        self.failureResultOf(warming, CancelledError)
        self.assertFalse(self.voice.kept(GREETING))

    def test_bounded(self) -> None:
        """The cache counts samples, bytes and words."""
        self.cache = VoiceCache(most=1000)
        vendor, voice = self.call()
        self.started(vendor, voice)
        saying = voice.say(GREETING, self.sound)
        vendor.piece(*range(100), payload=bytes(50))
        vendor.word("Hello")
        vendor.done()
        self.successResultOf(saying)
        self.assertEqual(self.cache.phrases.size, 400)


class StartTests(_Case):
    """The greeting does not wait for the vendor."""

    def test_at_once(self) -> None:
        """With the greeting kept the voice is ready, while the vendor is still being reached."""
        self.warmed()
        self.voice.prepare()
        self.successResultOf(self.voice.start())
        self.successResultOf(self.voice.say(GREETING, self.sound))
        self.assertEqual(heard(self.sound), [1, 2, 3])
        self.assertEqual((self.vendor.prepared, self.vendor.told), (1, ["start"]))

    def test_needs_the_vendor(self) -> None:
        """What is not kept waits for the connection, and is then said."""
        self.warmed()
        self.successResultOf(self.voice.start())
        saying = self.voice.say("At nine.", self.sound)
        self.assertEqual(self.vendor.told, ["start"])
        self.vendor.starting.callback(None)
        self.vendor.done(7)
        self.successResultOf(saying)
        self.assertEqual(heard(self.sound), [7])

    def test_no_vendor(self) -> None:
        """That it cannot be reached is told by the first phrase that needs it, and by the next."""
        self.warmed()
        self.successResultOf(self.voice.start())
        self.vendor.starting.errback(GONE)
        self.successResultOf(self.voice.say(GREETING, self.sound))
        for _ in range(2):
            self.failureResultOf(self.voice.say("At nine.", self.sound), VendorFailed)

    def test_nothing_kept(self) -> None:
        """Without the greeting the start is the vendor's own."""
        starting = self.voice.start()
        self.assertNoResult(starting)
        self.vendor.starting.errback(GONE)
        self.failureResultOf(starting, VendorFailed)

    def test_given_up(self) -> None:
        """Who waits no longer leaves the connection to those who do; the end does not."""
        warming = self.voice.warm(GREETING)
        starting = self.voice.start()
        starting.cancel()
        self.failureResultOf(starting, CancelledError)
        self.assertEqual(self.vendor.told, ["start"])
        self.successResultOf(self.voice.stop())
        self.successResultOf(warming)
        self.assertEqual(self.vendor.told, ["start", "start cancelled"])
        self.assertEqual(self.vendor.stopped, 1)


class WarmTests(_Case):
    """Spoken while the phone rings."""

    def test_warm(self) -> None:
        """The vendor is reached and speaks; the call finds the greeting there."""
        warming = self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        self.vendor.done(1, 2)
        self.successResultOf(warming)
        self.successResultOf(self.voice.start())
        self.successResultOf(self.voice.say(GREETING, self.sound))
        self.assertEqual(heard(self.sound), [1, 2])
        self.assertEqual(self.vendor.told, ["start", GREETING])
        self.successResultOf(self.voice.warm(GREETING))
        self.assertEqual(self.vendor.told, ["start", GREETING])

    def test_two_calls(self) -> None:
        """Two calls want the same at the same moment: the vendor is asked once."""
        vendor, voice = self.call()
        warming = [self.voice.warm(GREETING), voice.warm(GREETING)]
        self.vendor.starting.callback(None)
        self.assertNoResult(warming[1])
        self.vendor.done(1)
        for one in warming:
            self.successResultOf(one)
        self.assertEqual(vendor.told, [])

    def test_other_call_fails(self) -> None:
        """The call that was waited for fails or ends: this one asks for itself."""
        for goes in (self.vendor.fails, self.voice.stop):
            self.voice.warm(GREETING)
            if not self.vendor.starting.called:
                self.vendor.starting.callback(None)
            vendor, voice = self.call()
            warming = voice.warm(GREETING)
            self.assertEqual(vendor.told, [])
            goes()
            self.assertEqual(vendor.told, ["start"])
            voice.stop()
            self.successResultOf(warming)

    def test_fails(self) -> None:
        """What goes wrong beforehand spoils nothing; who asks for it is told."""
        warming = self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        self.vendor.fails()
        self.successResultOf(warming)
        fetching = self.voice.fetch(GREETING)
        self.vendor.fails()
        self.failureResultOf(fetching, VendorFailed)

    def test_bug(self) -> None:
        """A voice with a mistake of its own is logged, and is not there."""
        self.vendor.say = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
        warming = self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        self.successResultOf(warming)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertFalse(self.voice.kept(GREETING))

    def test_answered_meanwhile(self) -> None:
        """The call is answered while its greeting is being spoken: heard from its beginning."""
        self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        self.vendor.word("Hello")
        self.vendor.piece(1, 2, payload=b"ab")
        self.successResultOf(self.voice.start())
        saying = self.voice.say(GREETING, self.sound)
        self.assertEqual(heard(self.sound), [1, 2])
        self.vendor.word("this")
        self.vendor.done(3)
        self.successResultOf(saying)
        self.assertEqual(heard(self.sound), [1, 2, 3])
        self.assertEqual(self.sound.payloads, [b"ab", b""])
        self.assertEqual([word.text for word in self.sound.words], ["Hello", "this"])
        self.assertEqual(self.vendor.told, ["start", GREETING])

    def test_interrupted(self) -> None:
        """A greeting that is cut off while it is being made is heard no more, and made whole."""
        self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.piece(1)
        saying.cancel()
        self.failureResultOf(saying, CancelledError)
        self.vendor.done(2)
        self.assertEqual(heard(self.sound), [1])
        self.assertTrue(self.voice.kept(GREETING))

    def test_fails_meanwhile(self) -> None:
        """The greeting fails while it is heard: as if the voice had failed."""
        self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.fails()
        self.failureResultOf(saying, VendorFailed)

    def test_in_turn(self) -> None:
        """Several are spoken one after the other."""
        texts = [GREETING, "One moment.", "Sorry."]
        warming = [self.voice.warm(text) for text in texts]
        self.vendor.starting.callback(None)
        for number, one in enumerate(warming):
            self.assertNoResult(one)
            self.vendor.done(number)
            self.successResultOf(one)
        self.assertEqual(self.vendor.told, ["start", *texts])

    def test_gives_way(self) -> None:
        """What is to be heard now goes before what may be heard later."""
        warming = [self.voice.warm(text) for text in ("One moment.", "Sorry.")]
        self.vendor.starting.callback(None)
        saying = self.voice.say("At nine.", self.sound)
        self.assertEqual(self.vendor.told, ["start", "One moment.", "cancelled", "At nine."])
        for one in warming:
            self.successResultOf(one)
        later = self.voice.warm("Sorry.")
        self.vendor.done(1)
        self.successResultOf(saying)
        self.vendor.done(2)
        self.successResultOf(later)

    def test_stopped(self) -> None:
        """The call never comes: nothing is left."""
        warming = self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        self.successResultOf(self.voice.stop())
        self.successResultOf(warming)
        self.assertEqual(self.vendor.told[-1], "cancelled")

    def test_bad_sink(self) -> None:
        """A sink that leaves while it is written to does not disturb what is being made."""
        self.voice.warm(GREETING)
        self.vendor.starting.callback(None)
        leaving: list[Deferred[None]] = []

        class Leaving(Pieces):
            def write(self, samples: Samples, payload: bytes = b"") -> None:
                leaving[0].cancel()

        leaving.append(self.voice.say(GREETING, Leaving()))
        saying = self.voice.say(GREETING, self.sound)
        self.vendor.done(5)
        self.failureResultOf(leaving[0], CancelledError)
        self.successResultOf(saying)
        self.assertEqual(heard(self.sound), [5])
