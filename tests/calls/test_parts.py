"""Parts: opening what an assistant names, and stopping all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.calls.chains import Chains
from rapida_tw.calls.parts import Defaults, LiveParts, Parts, Vendors
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.models.base import ModelProvider
from rapida_tw.models.live import LiveModelProvider
from rapida_tw.pipeline.endpointing import Endpointing
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.speech.base import (
    DetectorProvider,
    Host,
    RecognizerProvider,
    Registry,
    SynthesizerProvider,
)
from rapida_tw.store.records import Assistant, Deployment, VendorChoice
from tests.pipeline.fakes import HeldModel, HeldVoice, LevelDetector, RecordingRecognizer
from tests.pipeline.live_case import HeldLive

ASSISTANT = Assistant(5, 3, "Reception")


class _Provider:
    """Opens the same worker each time, and notes the options."""

    remote = False

    def __init__(self, name: str, worker: Any) -> None:
        self.description = name
        self.options: list[Mapping[str, Any]] = []
        self.stopping: Deferred[None] = succeed(None)
        self._worker = worker

    def open(self, options: Mapping[str, Any], *account: object) -> Any:
        self.options.append(options)
        return self._worker

    def stop(self) -> Deferred[None]:
        return self.stopping


class VendorsTests(SynchronousTestCase):
    """The registries of a process."""

    def setUp(self) -> None:
        host = Host(Clock(), Path())
        self.recognizer, self.voice = RecordingRecognizer(), HeldVoice()
        self.made = {
            "ear": _Provider("ear", self.recognizer),
            "mouth": _Provider("mouth", self.voice),
            "gate": _Provider("gate", LevelDetector()),
            "brain": _Provider("brain", HeldModel()),
            "other": _Provider("other", RecordingRecognizer()),
        }
        self.vendors = Vendors(
            Registry[RecognizerProvider]("rapida_tw.recognizers", host),
            Registry[SynthesizerProvider]("rapida_tw.synthesizers", host),
            Registry[DetectorProvider]("rapida_tw.detectors", host),
            Registry[ModelProvider]("rapida_tw.models", host),
            Defaults("ear", "mouth", "gate", "brain"),
            Chains(Clock()),
        )
        for registry, names in (
            (self.vendors.recognizers, ("ear", "other")),
            (self.vendors.synthesizers, ("mouth",)),
            (self.vendors.detectors, ("gate",)),
            (self.vendors.models, ("brain",)),
        ):
            for name in names:
                registry.add(name, self.made[name])

    def test_defaults(self) -> None:
        """A deployment that names nobody gets the server's choice."""
        parts = self.vendors.open(ASSISTANT, Deployment(5))
        self.assertIs(parts.recognizer, self.recognizer)
        self.assertIs(parts.voice, self.voice)

    def test_named(self) -> None:
        """A named vendor is opened, with its own options."""
        deployment = Deployment(5, stt=VendorChoice("other", options={"model": "x"}))
        self.assertIsNot(self.vendors.open(ASSISTANT, deployment).recognizer, self.recognizer)
        self.assertEqual(self.made["other"].options, [{"model": "x"}])
        self.assertEqual(self.made["ear"].options, [])

    def test_not_installed(self) -> None:
        """An unknown vendor is the assistant's mistake, found before a call."""
        deployment = Deployment(5, tts=VendorChoice("nobody"))
        self.assertRaises(MisconfiguredAssistant, self.vendors.open, ASSISTANT, deployment)

    def test_our_options_are_not_the_vendor_s(self) -> None:
        """`speaker.` options are for the normaliser, not for the voice."""
        options = {"voice": "anna", "speaker.pronunciation.dictionaries": "currency<|||>date"}
        self.vendors.open(ASSISTANT, Deployment(5, tts=VendorChoice(options=options)))
        self.assertEqual(self.made["mouth"].options, [{"voice": "anna"}])

    def test_microphone(self) -> None:
        """Of the options of `vad` the detector gets its own."""
        options = {"microphone.vad.threshold": 0.8, "microphone.barge_in_trigger": "word"}
        parts = self.vendors.open(ASSISTANT, Deployment(5, vad=VendorChoice(options=options)))
        self.assertEqual(self.made["gate"].options, [{"microphone.vad.threshold": 0.8}])
        self.assertFalse(parts.microphone.interrupted_by_sound)

    def test_end_of_speech(self) -> None:
        """Who insists on a recogniser that tells the ends of turns, and has none, is told."""
        deployment = Deployment(5, end_of_speech=VendorChoice("vendor"))
        self.assertRaises(MisconfiguredAssistant, self.vendors.open, ASSISTANT, deployment)
        self.recognizer.turns = True
        self.assertTrue(self.vendors.open(ASSISTANT, deployment).endpointing.by_vendor(True))

    def test_leg(self) -> None:
        """What the voice was told of is remembered, for its bytes are in that format."""
        leg = AudioFormat(Encoding.MULAW)
        self.assertEqual(self.vendors.open(ASSISTANT, Deployment(5), leg=leg).leg, leg)
        self.assertIsNone(self.vendors.open(ASSISTANT, Deployment(5)).leg)

    def test_warm_up(self) -> None:
        """One line for each kind."""
        self.assertEqual(
            self.vendors.warm_up(),
            ["recognizer: ear", "voice: mouth", "detector: gate", "model: brain"],
        )

    def test_stop(self) -> None:
        """All providers are stopped, whatever the first of them answers."""
        self.made["ear"].stopping = fail(VendorFailed("no"))
        self.made["brain"].stopping = Deferred()
        stopping = self.vendors.stop()
        self.assertNoResult(stopping)
        self.made["brain"].stopping.callback(None)
        self.successResultOf(stopping)


class LiveTests(SynchronousTestCase):
    """Assistants whose model hears and speaks by itself."""

    def setUp(self) -> None:
        host = Host(Clock(), Path())
        self.model, self.voice = HeldLive(), HeldVoice()
        self.live, self.mouth = _Provider("live", self.model), _Provider("mouth", self.voice)
        lives = Registry[LiveModelProvider]("rapida_tw.live_models", host)
        lives.add("live", self.live)
        self.vendors = Vendors(
            Registry[RecognizerProvider]("rapida_tw.recognizers", host),
            Registry[SynthesizerProvider]("rapida_tw.synthesizers", host),
            Registry[DetectorProvider]("rapida_tw.detectors", host),
            Registry[ModelProvider]("rapida_tw.models", host),
            Defaults("none", "none", "none", "none"),
            Chains(Clock()),
            lives,
        )
        self.vendors.synthesizers.add("mouth", self.mouth)

    def open(self, deployment: Deployment, **choice: Any) -> LiveParts:
        assistant = replace(ASSISTANT, model=VendorChoice("live", **choice))
        parts = self.vendors.open(assistant, deployment)
        assert isinstance(parts, LiveParts)
        return parts

    def test_nothing_else(self) -> None:
        """Neither a recogniser nor a voice nor another model is opened."""
        parts = self.open(Deployment(5), options={"voice": "marin"})
        self.assertIs(parts.model, self.model)
        self.assertIsNone(parts.voice)
        self.assertEqual(self.live.options, [{"voice": "marin"}])

    def test_other_voice(self) -> None:
        """A voice that the deployment names is there for when the model's is lost."""
        self.assertIs(self.open(Deployment(5, tts=VendorChoice("mouth"))).voice, self.voice)

    def test_no_fallbacks(self) -> None:
        """Nobody can follow a model that is half of a dialogue: who wants that is told."""
        with self.assertRaises(MisconfiguredAssistant):
            self.open(Deployment(5), fallbacks=(VendorChoice("brain"),))

    def test_parts(self) -> None:
        """They are prepared and stopped like others."""
        parts = self.open(Deployment(5, tts=VendorChoice("mouth")))
        parts.prepare(Experience())
        self.assertEqual([ok for ok, _ in self.successResultOf(parts.stop())], [True, True])

    def test_stop(self) -> None:
        """Their providers are stopped with the server."""
        self.live.stopping = Deferred()
        stopping = self.vendors.stop()
        self.assertNoResult(stopping)
        self.live.stopping.callback(None)
        self.successResultOf(stopping)


class PartsTests(SynchronousTestCase):
    """The parts of one call."""

    def test_stop(self) -> None:
        """A part that raises or fails keeps no other from being stopped, and is not logged."""
        recognizer, voice, model = RecordingRecognizer(), HeldVoice(), HeldModel()
        voice.stop = lambda: 1 / 0  # type: ignore[method-assign, return-value, assignment]
        model.stop = lambda: fail(VendorFailed("no"))  # type: ignore[method-assign]
        parts = Parts(LevelDetector(), recognizer, voice, model, Endpointing(), Normaliser())
        self.assertEqual([ok for ok, _ in self.successResultOf(parts.stop())], [True, False, False])
