"""Parts: opens what one assistant needs on the phone, and says early what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred

from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.accounts import Accounts, account_of
from rapida_tw.calls.chains import Chains, Keeping
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import Model, ModelProvider
from rapida_tw.models.live import LiveModel, LiveModelProvider
from rapida_tw.pipeline.endpointing import Endpointing, EndpointingOptions
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.microphone import Microphone
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.speech.base import (
    DetectorProvider,
    Recognizer,
    RecognizerProvider,
    Registry,
    Synthesizer,
    SynthesizerProvider,
    VoiceDetector,
)
from rapida_tw.store.records import Assistant, Deployment, VendorChoice

_DICTIONARIES = "speaker.pronunciation.dictionaries"
_NO_ACCOUNTS: Accounts = {}


class Described(Protocol):
    """Any provider."""

    description: str


@dataclass(frozen=True, slots=True)
class Defaults:
    """The plug-ins of deployments and assistants that name none."""

    recognizer: str = "local"
    synthesizer: str = "local"
    detector: str = "local"
    model: str = "scripted"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything of one call that is a vendor's; each is stopped with the call.

    `leg`: the format of which the voice was told.
    """

    detector: VoiceDetector
    recognizer: Recognizer
    voice: Synthesizer
    model: Model
    endpointing: Endpointing
    normaliser: Normaliser
    leg: AudioFormat | None = None
    microphone: Microphone = field(default_factory=Microphone)

    def prepare(self, experience: Experience) -> None:
        """The call was announced: connect, and speak beforehand what must not be waited for."""
        self.recognizer.prepare()
        self.voice.prepare()
        self.model.prepare()
        self.keep(experience)
        if isinstance(self.voice, Keeping):
            for text in (experience.greeting, *experience.fillers, experience.error_message):
                if text:
                    self.voice.warm(self.normaliser.spoken(text))

    def keep(self, experience: Experience) -> None:
        """What is said in every call is spoken once by the vendor, and kept for all."""
        if isinstance(self.voice, Keeping):
            self.voice.keep(map(self.normaliser.spoken, filter(None, _said_always(experience))))

    def stop(self) -> Deferred[list[tuple[bool, None]]]:
        """Free all of them; fires when the last is done, whatever the others answered."""
        stopping = [maybeDeferred(part.stop) for part in (self.recognizer, self.voice, self.model)]
        return DeferredList(stopping, consumeErrors=True)


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The same of a call whose model hears and speaks by itself.

    `voice`: the deployment's own, if it names one, for when the model's is lost.
    """

    model: LiveModel
    voice: Synthesizer | None
    normaliser: Normaliser
    leg: AudioFormat | None = None
    microphone: Microphone = field(default_factory=Microphone)

    def prepare(self, experience: Experience) -> None:
        """The call was announced: connect."""
        self.model.prepare()

    def keep(self, experience: Experience) -> None:
        """A model that speaks by itself says nothing twice in the same way."""

    def stop(self) -> Deferred[list[tuple[bool, None]]]:
        """Free all of it; fires when the last is done."""
        parts = (self.model, self.voice)
        stopping = [maybeDeferred(part.stop) for part in parts if part is not None]
        return DeferredList(stopping, consumeErrors=True)


class Vendors:
    """The registries of a process. Among `lives` are the models that hear and speak themselves."""

    def __init__(
        self,
        recognizers: Registry[RecognizerProvider],
        synthesizers: Registry[SynthesizerProvider],
        detectors: Registry[DetectorProvider],
        models: Registry[ModelProvider],
        defaults: Defaults,
        chains: Chains,
        lives: Registry[LiveModelProvider] | None = None,
    ) -> None:
        self.recognizers = recognizers
        self.synthesizers = synthesizers
        self.detectors = detectors
        self.models = models
        self.lives = lives
        self._live_names = frozenset(lives.names() if lives is not None else ())
        self._defaults = defaults
        self._chains = chains

    def open(
        self,
        assistant: Assistant,
        deployment: Deployment,
        accounts: Accounts = _NO_ACCOUNTS,
        leg: AudioFormat | None = None,
    ) -> Parts | LiveParts:
        """The parts of one call; `MisconfiguredAssistant` names what is wrong.

        Opening costs nothing yet; connecting to vendors is what `prepare` and `start` do.
        `leg`: the format in which the assistant's voice will leave, if it is known.
        """
        live = self._live(assistant.model)
        if live is not None:
            return self._open_live(live, assistant, deployment, accounts, leg)
        eos, vad = deployment.end_of_speech, deployment.vad
        endpointing = Endpointing(EndpointingOptions.read(eos.options, eos.provider))
        microphone, detector = Microphone.read(vad.options)
        recognizer = self._recognizer(deployment.stt, accounts)
        endpointing.check(recognizer.turns)
        return Parts(
            self.detectors.get(vad.provider or self._defaults.detector).open(detector),
            recognizer,
            self._voice(deployment.tts, accounts, leg),
            self._model(assistant.model, accounts),
            endpointing,
            Normaliser(_names(deployment.tts.options.get(_DICTIONARIES))),
            leg,
            microphone,
        )

    def model(self, assistant: Assistant, accounts: Accounts = _NO_ACCOUNTS) -> Model:
        """The model alone, for a conversation in writing; `MisconfiguredAssistant`."""
        if self._live(assistant.model) is not None:
            why = "it hears and speaks by itself, and cannot be written to"
            raise MisconfiguredAssistant(f"{assistant.model.provider}: {why}")
        return self._model(assistant.model, accounts)

    def _live(self, choice: VendorChoice) -> LiveModelProvider | None:
        """The provider, where the assistant names a live model."""
        name = choice.provider
        if self.lives is None or not (name in self._live_names or name in self.lives.made()):
            return None
        return self.lives.get(name)

    def _open_live(
        self,
        live: LiveModelProvider,
        assistant: Assistant,
        deployment: Deployment,
        accounts: Accounts,
        leg: AudioFormat | None,
    ) -> LiveParts:
        choice, tts = assistant.model, deployment.tts
        if choice.fallbacks:
            why = "a model that hears and speaks by itself has no fallbacks"
            raise MisconfiguredAssistant(f"{choice.provider}: {why}")
        account = account_of(choice, choice.provider, accounts)
        return LiveParts(
            live.open(choice.options, account, leg),
            self._voice(tts, accounts, leg) if tts.provider else None,
            Normaliser(_names(tts.options.get(_DICTIONARIES))),
            leg,
            Microphone.read(deployment.vad.options)[0],
        )

    def _recognizer(self, choice: VendorChoice, accounts: Accounts) -> Recognizer:
        default = self._defaults.recognizer
        return self._chains.recognizer(choice, default, accounts, self.recognizers)

    def _voice(
        self, choice: VendorChoice, accounts: Accounts, leg: AudioFormat | None
    ) -> Synthesizer:
        default = self._defaults.synthesizer
        return self._chains.voice(choice, default, accounts, leg, self.synthesizers)

    def _model(self, choice: VendorChoice, accounts: Accounts) -> Model:
        return self._chains.model(choice, self._defaults.model, accounts, self.models)

    def warm_up(self) -> list[str]:
        """Make the default providers now, not in the first call; what each one chose."""
        made: dict[str, Described] = {
            "recognizer": self.recognizers.get(self._defaults.recognizer),
            "voice": self.synthesizers.get(self._defaults.synthesizer),
            "detector": self.detectors.get(self._defaults.detector),
            "model": self.models.get(self._defaults.model),
        }
        return [f"{kind}: {provider.description}" for kind, provider in made.items()]

    def stop(self) -> Deferred[list[tuple[bool, None]]]:
        """The server stops."""
        kinds = (self.recognizers, self.synthesizers, self.detectors, self.models, self.lives)
        registries = [registry for registry in kinds if registry is not None]
        providers = [one for registry in registries for one in registry.made().values()]
        return DeferredList([maybeDeferred(one.stop) for one in providers], consumeErrors=True)


def _said_always(experience: Experience) -> Sequence[str]:
    return (
        experience.greeting,
        experience.idle_message,
        experience.error_message,
        experience.unclear_message,
        *experience.fillers,
    )


def _names(value: object) -> Sequence[str] | None:
    """A list of names, or several joined with `<|||>` as Rapida's options have them."""
    if isinstance(value, str):
        return [name for name in value.split("<|||>") if name]
    if isinstance(value, (list, tuple)):
        return [str(name) for name in value]
    return None
