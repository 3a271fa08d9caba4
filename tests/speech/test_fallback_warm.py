"""VoiceChain of CachedVoices: the greeting is there before the call, whoever can speak it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from rapida_tw.errors import VendorFailed
from rapida_tw.roster import failures
from rapida_tw.speech.base import Pieces, Synthesizer
from rapida_tw.speech.cached_voice import CachedVoice, Speaker, VoiceCache
from rapida_tw.speech.fallback_voice import VoiceChain
from tests.speech.voice_chain_case import GONE, VoiceChainCase

GREETING = "Hello, this is Acme."


class WarmTests(VoiceChainCase):
    """The phone rings."""

    def setUp(self) -> None:
        self.cache = VoiceCache()
        super().setUp()

    def begin(self) -> None:
        """The call is only announced."""

    def opener(self, name: str) -> Callable[[], Synthesizer]:
        opened = super().opener(name)
        return lambda: CachedVoice(opened(), Speaker(name), self.cache)

    def warm(self, chain: VoiceChain | None = None) -> Deferred[None]:
        return (chain or self.chain).warm(GREETING)

    def test_warm(self) -> None:
        """The first speaks it; the call begins at once and hears it, without the vendor."""
        warming = self.warm()
        self.the("a").done()
        self.successResultOf(warming)
        self.successResultOf(self.chain.start())
        self.successResultOf(self.say(GREETING))
        self.assertEqual(len(self.heard), 4)
        self.assertEqual((self.the("a").said, self.the("a").started), ([GREETING], 1))

    def test_cannot(self) -> None:
        """The first cannot: the second has spoken it before the call is there."""
        before = failures.value("tts", "a")
        warming = self.warm()
        self.the("a").fails()
        self.the("b").done()
        self.successResultOf(warming)
        self.assertEqual(failures.value("tts", "a"), before + 1)
        self.successResultOf(self.chain.start())
        self.successResultOf(self.say(GREETING))
        self.assertEqual(self.heard, ["b0", "b1", "b2", "b3"])

    def test_nobody(self) -> None:
        """None can: the call tries all again."""
        warming = self.warm()
        for name in "abc":
            self.the(name).fails()
        self.successResultOf(warming)
        self.successResultOf(self.chain.start())
        saying = self.say(GREETING)
        self.the("a").done()
        self.successResultOf(saying)

    def test_fails_in_the_call(self) -> None:
        """The call has begun while it is being spoken: the phrase itself goes to the next one."""
        before = failures.value("tts", "a")
        warming = self.warm()
        self.successResultOf(self.chain.start())
        saying = self.say(GREETING)
        self.the("a").speak(2)
        self.the("a").fails()
        self.successResultOf(warming)
        self.assertEqual(self.the("b").said, ["is Acme."])
        self.the("b").done()
        self.successResultOf(saying)
        self.assertEqual(self.heard, ["a0", "a1", "b0", "b1"])
        self.assertEqual(failures.value("tts", "a"), before + 1)

    def test_two_texts(self) -> None:
        """Several are spoken one after the other; that the first one failed is one failure."""
        before = failures.value("tts", "a")
        warming = [self.chain.warm(GREETING), self.chain.warm("One moment.")]
        self.the("a").fails()
        for _ in warming:
            self.the("b").done()
        for one in warming:
            self.successResultOf(one)
        self.assertEqual(failures.value("tts", "a"), before + 1)

    def test_keep(self) -> None:
        """What is said in every call is kept by whoever says it."""
        self.chain.keep([GREETING])
        self.successResultOf(self.chain.start())
        self.chain.keep(["Sorry."])
        for text in (GREETING, "Sorry.", "At nine."):
            saying = self.say(text)
            self.the("a").done()
            self.successResultOf(saying)
        again = self.another()
        self.successResultOf(again.start())
        for text in (GREETING, "Sorry."):
            self.successResultOf(again.say(text, Pieces()))
        self.assertFalse((Speaker("a"), "At nine.") in self.cache.phrases)
        again.stop()

    def test_kept_proves_nothing(self) -> None:
        """A greeting that is kept does not make a vendor well."""
        warming = self.warm()
        self.the("a").done()
        self.successResultOf(warming)
        saying = self.say("At nine.")
        self.the("a").fails(VendorFailed("the key is wrong", 401, retryable=False))
        self.the("b").done()
        self.successResultOf(saying)
        self.clock.advance(300)
        trying = self.another()
        self.successResultOf(trying.start())
        self.successResultOf(trying.say(GREETING, Pieces()))
        third = self.another()
        self.successResultOf(third.start())
        self.assertEqual((len(self.opened["a"]), len(self.opened["b"])), (2, 2))
        trying.stop()
        third.stop()

    def test_the_call_never_comes(self) -> None:
        """Nothing is left, and nobody else begins."""
        warming = self.warm()
        self.chain.stop()
        self.successResultOf(warming)
        self.assertEqual(self.opened["b"], [])

    def test_not_reached(self) -> None:
        """The vendor cannot be reached, which is told when the greeting has been heard."""
        warming = self.warm()
        self.the("a").done()
        self.successResultOf(warming)
        self.starting = Deferred
        chain = self.another()
        chain.keep([GREETING])
        self.successResultOf(chain.start())
        self.successResultOf(chain.say(GREETING, Pieces()))
        saying = chain.say("At nine.", self.sound)
        self.starting = lambda: succeed(None)
        self.the("a").starting.errback(GONE)
        self.the("b").done()
        self.successResultOf(saying)
        self.assertEqual(self.heard, ["b0", "b1"])
        chain.stop()
