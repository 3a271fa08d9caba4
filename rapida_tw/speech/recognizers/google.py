"""Google Speech-to-Text v2: `google.cloud.speech.v2.Speech/StreamingRecognize`, by gRPC.

A stream lasts five minutes at the most, so after four it is replaced as soon as an utterance is
over; where nobody has said a word by then, Google ends it in a silence. What was not final is heard
again by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from twisted.internet.defer import Deferred

from rapida_tw.account import GOOGLE_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.net.google_token import GoogleKey, GoogleTokens, google_key
from rapida_tw.options import within
from rapida_tw.speech.base import Host
from rapida_tw.speech.messages import reason
from rapida_tw.speech.recognizers import google_speech_pb2 as speech
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Partial,
    RecognizerWire,
    SpeechStarted,
)
from rapida_tw.speech.recognizers.wire import Final as FinalWords

_VENDOR: Final = "Google"
_METHOD: Final = "/google.cloud.speech.v2.Speech/StreamingRecognize"
_GLOBAL: Final = "global"
_RENEWED_AFTER: Final = 240.0  # seconds of audio; the limit is 300
_AT_ONCE_AFTER: Final = 290.0  # also within an utterance
_KEEP_ALIVE: Final = 5.0  # seconds; after ten without audio it ends the stream
_SPEECH = speech.StreamingRecognizeResponse
_DECODING = speech.ExplicitDecodingConfig
_FEATURES = speech.StreamingRecognitionFeatures
_ENCODINGS: Final = {
    "linear16": (Encoding.LINEAR16, _DECODING.LINEAR16),
    "mulaw": (Encoding.MULAW, _DECODING.MULAW),
    "alaw": (Encoding.ALAW, _DECODING.ALAW),
}
_SENSITIVITIES: Final = {
    "": _FEATURES.ENDPOINTING_SENSITIVITY_UNSPECIFIED,
    "standard": _FEATURES.ENDPOINTING_SENSITIVITY_STANDARD,
    "short": _FEATURES.ENDPOINTING_SENSITIVITY_SHORT,
    "supershort": _FEATURES.ENDPOINTING_SENSITIVITY_SUPERSHORT,
}
_FOREVER: Final = frozenset((400, 401, 403, 404, 501))
_SILENCE: Final = {Encoding.LINEAR16: b"\0\0", Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5"}


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """`language`: one or more, separated by commas; `region`: where it is computed.

    `keyword`: words worth boosting, as `word` or `word:boost` (0..20). `vad_events`: its detector
    may begin a turn. `endpointing_sensitivity`: standard, short or supershort; "" leaves it to the
    model. `threshold`: words of less confidence (0..1) are not understood.
    """

    model: str = "long"
    language: tuple[str, ...] = ("en-US",)
    region: str = _GLOBAL
    punctuate: bool = True
    profanity_filter: bool = False
    vad_events: bool = False
    endpointing_sensitivity: str = ""
    keyword: tuple[str, ...] = ()
    threshold: float = 0.0
    audio_encoding: str = "linear16"
    audio_sample_rate: int = 16_000

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must not be empty")
        if not 1 <= len(self.language) <= 3:
            raise ValueError("language must be one to three")
        if not self.region.replace("-", "").isalnum():  # a part of the host's name
            raise ValueError("region must be one of Google's: global, eu or us-central1, for one")
        within("threshold", self.threshold, 0, 1)
        if self.audio_encoding not in _ENCODINGS:
            raise ValueError(f"audio_encoding must be one of {', '.join(_ENCODINGS)}")
        if self.audio_sample_rate not in (8_000, 16_000):
            raise ValueError("audio_sample_rate must be 8000 or 16000")
        if self.endpointing_sensitivity not in _SENSITIVITIES:
            raise ValueError("endpointing_sensitivity must be standard, short or supershort")
        for word in self.keyword:
            _boost(word)

    def config(self) -> speech.StreamingRecognitionConfig:
        """As the first message has it."""
        _, encoding = _ENCODINGS[self.audio_encoding]
        config = speech.RecognitionConfig(
            explicit_decoding_config=_DECODING(
                encoding=encoding,
                sample_rate_hertz=self.audio_sample_rate,
                audio_channel_count=1,
            ),
            model=self.model,
            language_codes=self.language,
            features=speech.RecognitionFeatures(
                enable_automatic_punctuation=self.punctuate,
                profanity_filter=self.profanity_filter,
            ),
        )
        if self.keyword:
            phrases = speech.PhraseSet()
            for word in self.keyword:
                phrases.phrases.add(value=word.partition(":")[0], boost=_boost(word))
            config.adaptation.phrase_sets.add(inline_phrase_set=phrases)
        features = _FEATURES(
            interim_results=True,
            enable_voice_activity_events=self.vad_events,
            endpointing_sensitivity=_SENSITIVITIES[self.endpointing_sensitivity],
        )
        return speech.StreamingRecognitionConfig(config=config, streaming_features=features)


def _boost(word: str) -> float:
    text = word.partition(":")[2]
    try:
        boost = float(text or 0)
    except ValueError:
        raise ValueError(f"keyword {word!r}: the boost must be a number") from None
    within("keyword's boost", boost, 0, 20)
    return boost


class GoogleWire:
    """One stream."""

    gather = 100
    greets = False
    turns = False
    flush_within = 1.5  # its own pause is shorter than ours and this
    keep_alive_every = _KEEP_ALIVE
    catch_up = 2.0

    def __init__(
        self, options: GoogleOptions, base: str, key: GoogleKey, tokens: GoogleTokens
    ) -> None:
        self.encoding, _ = _ENCODINGS[options.audio_encoding]
        self.rate = options.audio_sample_rate
        self._options = options
        self._base = base
        self._key = key
        self._tokens = tokens
        self._a_second = self.rate * len(_SILENCE[self.encoding])
        self._sent = 0  # bytes

    def address(self, net: Net) -> Deferred[Request]:
        url = self._base + _METHOD
        return self._tokens.headers(self._key).addCallback(lambda told: Request(url, headers=told))

    def hello(self) -> Sequence[Frame]:
        place = f"projects/{self._key.project}/locations/{self._options.region}"
        first = speech.StreamingRecognizeRequest(
            recognizer=f"{place}/recognizers/_", streaming_config=self._options.config()
        )
        return (Frame(first.SerializeToString(), binary=True),)

    def audio(self, payload: bytes) -> Frame:
        self._sent += len(payload)
        message = speech.StreamingRecognizeRequest(audio=payload)
        return Frame(message.SerializeToString(), binary=True)

    def finalize(self) -> Sequence[Frame]:
        return ()

    def keep_alive(self) -> Sequence[Frame]:
        silence = _SILENCE[self.encoding] * (self.rate * self.gather // 1000)
        return (self.audio(silence),)

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        try:
            message = _SPEECH.FromString(payload)
        except DecodeError:
            raise RemoteProtocolError("no message of Google's") from None
        events: list[Event] = []
        begins = message.speech_event_type == _SPEECH.SPEECH_ACTIVITY_BEGIN
        if begins and self._options.vad_events:
            events.append(SpeechStarted())
        # A stable beginning and an end that may still change come as two results.
        interim = [_best(result).transcript for result in message.results if not result.is_final]
        finals = [_best(result) for result in message.results if result.is_final]
        events += map(self._final, finals)
        if interim:
            events.append(Partial(_plain("".join(interim))))
        return self._renewed(events, bool(finals) and not interim)

    def _final(self, best: speech.SpeechRecognitionAlternative) -> Event:
        words = _plain(best.transcript)
        sure = min(max(best.confidence, 0.0), 1.0) or 1.0  # 0: it does not say
        if not words or sure < self._options.threshold:
            return Partial("")
        return FinalWords(words, sure)

    def _renewed(self, events: list[Event], between: bool) -> Sequence[Event]:
        """`between`: nothing that was said waits for its end."""
        age = self._sent / self._a_second
        if age > (_RENEWED_AFTER if between else _AT_ONCE_AFTER):
            events.append(Complaint(f"the stream is {age:.0f} s old"))
        return events

    def closed(self, code: int, reason_told: str) -> Complaint:
        return Complaint(
            reason(reason_told or f"it ended the stream ({code})"), retryable=code not in _FOREVER
        )


def _best(
    result: speech.StreamingRecognitionResult,
) -> speech.SpeechRecognitionAlternative:
    alternatives = result.alternatives
    return alternatives[0] if alternatives else speech.SpeechRecognitionAlternative()


def _plain(text: str) -> str:
    return " ".join(text.split())


class GoogleRecognizerProvider(SocketRecognizerProvider[GoogleOptions]):
    vendor = _VENDOR
    description = "Google Speech-to-Text v2: streaming, 125 languages and dialects"
    credential_fields: Mapping[str, str] = GOOGLE_FIELDS
    options = GoogleOptions

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._tokens = GoogleTokens(host.net, host.clock, host.now)

    def wire(self, options: GoogleOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = google_key(account)
        if not key.project:
            raise MisconfiguredAssistant(f"{account.vendor or _VENDOR} needs a project_id")
        region = "" if options.region == _GLOBAL else f"{options.region}-"
        base = account.base_url(f"https://{region}speech.googleapis.com")
        return lambda: GoogleWire(options, base, key, self._tokens)


_conforms: type[RecognizerWire] = GoogleWire
