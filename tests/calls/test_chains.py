"""One vendor, or several as one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.chains import Chains, Keeping
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import ModelProvider
from rapida_tw.models.fallback import ModelChain
from rapida_tw.speech.base import Host, Pieces, RecognizerProvider, Registry, SynthesizerProvider
from rapida_tw.speech.cached_voice import CachedVoice
from rapida_tw.speech.fallback import RecognizerChain
from rapida_tw.speech.fallback_voice import VoiceChain
from rapida_tw.speech.scripted import ScriptedSynthesizer
from rapida_tw.store.records import VendorChoice
from tests.pipeline.fakes import HeldModel, RecordingRecognizer


class Vendor:
    """A provider of any kind, which notes what it was opened with."""

    def __init__(self, make: Any, remote: bool = False) -> None:
        self.description = "a vendor"
        self.remote = remote
        self.opened: list[tuple[Mapping[str, Any], Account]] = []
        self._make = make

    def open(self, options: Mapping[str, Any], account: Account = NOBODY, *leg: object) -> Any:
        if "bad" in options:
            raise MisconfiguredAssistant("no such option")
        self.opened.append((options, account))
        return self._make()

    def stop(self) -> Deferred[None]:
        return succeed(None)


class ChainsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.chains = Chains(self.clock)
        host = Host(self.clock, Path())
        self.hears = Registry[RecognizerProvider]("rapida_tw.recognizers", host)
        self.speaks = Registry[SynthesizerProvider]("rapida_tw.synthesizers", host)
        self.thinks = Registry[ModelProvider]("rapida_tw.models", host)
        self.ear = Vendor(RecordingRecognizer)
        self.mouth = Vendor(lambda: ScriptedSynthesizer(self.clock), remote=True)
        self.hum = Vendor(lambda: ScriptedSynthesizer(self.clock))
        self.brain = Vendor(HeldModel)
        for name in ("ear", "other"):
            self.hears.add(name, self.ear)
        self.speaks.add("mouth", self.mouth)  # type: ignore[arg-type]
        self.speaks.add("hum", self.hum)  # type: ignore[arg-type]
        self.thinks.add("brain", self.brain)

    def recognizer(self, choice: VendorChoice, accounts: Mapping[int, Account] = {}) -> Any:
        return self.chains.recognizer(choice, "ear", accounts, self.hears)

    def voice(self, choice: VendorChoice, leg: AudioFormat | None = None) -> Any:
        return self.chains.voice(choice, "hum", {}, leg, self.speaks)

    def test_alone(self) -> None:
        """Without a fallback there is no chain."""
        self.assertIsInstance(self.recognizer(VendorChoice()), RecordingRecognizer)
        self.assertEqual(len(self.ear.opened), 1)

    def test_accounts(self) -> None:
        """Each has its own credential and its own options."""
        accounts = {7: Account("x", {"key": "a"}), 8: Account("x", {"key": "b"})}
        spare = VendorChoice("other", 8, {"model": "s"})
        choice = VendorChoice("ear", 7, {"model": "m"}, (spare,))
        self.assertIsInstance(self.recognizer(choice, accounts), RecognizerChain)
        keys = [(options["model"], account["key"]) for options, account in self.ear.opened]
        self.assertEqual(keys, [("m", "a"), ("s", "b")])
        self.assertEqual([account.vendor for _, account in self.ear.opened], ["ear", "other"])

    def test_bad_fallback(self) -> None:
        """A mistake in a fallback is found now, not when it is needed."""
        choice = VendorChoice("ear", fallbacks=(VendorChoice("other", options={"bad": 1}),))
        self.assertRaises(MisconfiguredAssistant, self.recognizer, choice)
        unknown = VendorChoice("ear", fallbacks=(VendorChoice("nobody"),))
        self.assertRaises(MisconfiguredAssistant, self.recognizer, unknown)

    def test_turns(self) -> None:
        """Whether silence ends turns is known before anybody is at work."""
        choice = VendorChoice("ear", fallbacks=(VendorChoice("other"),))
        self.assertFalse(self.recognizer(choice).turns)
        self.patch(RecordingRecognizer, "turns", True)
        self.assertTrue(self.recognizer(choice).turns)

    def test_hot_spare(self) -> None:
        """The chain's own option is not the vendor's."""
        options = {"listen.hot_spare": "true", "model": "m"}
        chain = self.recognizer(VendorChoice("ear", options=options, fallbacks=(VendorChoice(),)))
        chain.prepare()
        self.assertEqual(self.ear.opened[0][0], {"model": "m"})
        self.assertEqual(len(self.ear.opened), 4)  # tried, and then both at once

    def test_kept(self) -> None:
        """What a vendor says in every call is said once; a local voice is fast enough."""
        self.assertIsInstance(self.voice(VendorChoice("mouth")), CachedVoice)
        self.assertIsInstance(self.voice(VendorChoice("hum")), ScriptedSynthesizer)

    def test_kept_for_all_calls(self) -> None:
        """The second call's greeting needs no vendor; another voice's does."""
        first, second = (self.voice(VendorChoice("mouth")) for _ in range(2))
        self.successResultOf(first.warm("Hello."))
        self.assertTrue(second.kept("Hello."))
        self.assertFalse(self.voice(VendorChoice("mouth", options={"a": 1})).kept("Hello."))
        self.assertFalse(self.voice(VendorChoice("mouth"), AudioFormat()).kept("Hello."))

    def test_voices(self) -> None:
        """A chain keeps as its members do."""
        voice = self.voice(VendorChoice("mouth", fallbacks=(VendorChoice("hum"),)))
        self.assertIsInstance(voice, VoiceChain)
        self.assertIsInstance(voice, Keeping)
        self.successResultOf(voice.start())
        sound = Pieces()
        self.successResultOf(voice.say("Hello.", sound))
        self.assertTrue(sound.samples)
        voice.stop()

    def test_our_options(self) -> None:
        """`speaker.` options are for the normaliser, not for the voice."""
        self.voice(VendorChoice("hum", options={"voice": "a", "speaker.language": "en"}))
        self.assertEqual(self.hum.opened[0][0], {"voice": "a"})

    def test_models(self) -> None:
        """The same for those who think."""
        choice = VendorChoice("brain", fallbacks=(VendorChoice("brain"),))
        model = self.chains.model(choice, "brain", {}, self.thinks)
        self.assertIsInstance(model, ModelChain)
        alone = self.chains.model(VendorChoice(), "brain", {}, self.thinks)
        self.assertIsInstance(alone, HeldModel)
