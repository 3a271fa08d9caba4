"""Speechmatics' realtime recogniser (its API reference, "Real-Time API").

Words become final one by one, within a delay that is asked for; punctuation comes behind them and
belongs to the word before. So an utterance is put together here, and told at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.messages import (
    confidence,
    parse,
    part,
    parts,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    RecognizerWire,
)

_RATE = 16_000
_SECOND = _RATE * 2  # bytes
_SILENCE = bytes(_SECOND // 10)
_LOCALES = ("en-AU", "en-GB", "en-US")
_LONGEST_DELAY = 1.0  # seconds; the trigger of an utterance's end must be shorter
# Errors that another connection does not change; by their names, and by their close codes.
_FOREVER = frozenset(
    (
        *("not_authorised", "not_allowed", "insufficient_funds", "timelimit_exceeded"),
        *("invalid_message", "invalid_model", "invalid_config", "invalid_audio_type"),
        "protocol_error",
    )
)
_FOREVER_CODES = frozenset((1003, 4001, 4003, 4004, 4006))

_Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SpeechmaticsOptions:
    """`endpointing`: ms of silence (100 to 2000) that end an utterance. `operating_point`: the name
    that `model` had, and still has at servers of one's own.

    `region`: of the host, eu, us or another, where the credential names no server.
    """

    language: str = "en"
    model: str = "enhanced"
    operating_point: str = ""
    region: str = "eu"
    endpointing: int = 500
    keyword: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 100, 2000)
        if not self.region.isalnum():
            raise ValueError("region is a part of the host's name: eu, us or another")


class SpeechmaticsWire:
    """One session."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = True
    turns = False
    flush_within = 1.2
    keep_alive_every = 30.0  # it closes after 180
    catch_up = 2.0

    def __init__(self, options: SpeechmaticsOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._delimiter = " "
        self._final: list[Mapping[str, Any]] = []  # of the utterance under way
        self._sent = 0  # bytes of audio
        self._messages = 0  # of audio
        self._asked = False  # for the end of the utterance

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, "/v2", {})
        return succeed(Request(url, headers={"Authorization": f"Bearer {self._key}"}))

    def hello(self) -> Sequence[Frame]:
        form = {"type": "raw", "encoding": "pcm_s16le", "sample_rate": _RATE}
        start = {
            "message": "StartRecognition",
            "audio_format": form,
            "transcription_config": self._config(),
        }
        return (written(start),)

    def audio(self, payload: bytes) -> Frame:
        self._sent += len(payload)
        self._messages += 1
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        self._asked = True
        return (written({"message": "ForceEndOfUtterance", "timestamp": self._sent / _SECOND}),)

    def keep_alive(self) -> Sequence[Frame]:
        return (self.audio(_SILENCE),)

    def goodbye(self) -> Sequence[Frame]:
        return (written({"message": "EndOfStream", "last_seq_no": self._messages}),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _READERS.get(text(fields, "message"))
        return () if read is None else read(self, fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code not in _FOREVER_CODES)

    def _config(self) -> Mapping[str, Any]:
        options = self._options
        trigger = options.endpointing / 1000
        config: dict[str, Any] = {
            "language": options.language.replace("_", "-").split("-")[0].lower(),
            "enable_partials": True,
            "max_delay": max(_LONGEST_DELAY, trigger + 0.2),
            "max_delay_mode": "flexible",
            "conversation_config": {"end_of_utterance_silence_trigger": trigger},
        }
        if options.operating_point:
            config["operating_point"] = options.operating_point
        else:
            config["model"] = options.model
        if options.language in _LOCALES:
            config["output_locale"] = options.language
        if options.keyword:
            config["additional_vocab"] = [{"content": word} for word in options.keyword]
        return config

    # -- what it says --------------------------------------------------------------------------

    def _started(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        pack = part(fields, "language_pack_info")
        if "word_delimiter" in pack:
            self._delimiter = text(pack, "word_delimiter")
        return (Ready(),)

    def _partial(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Partial(self._put_together([*self._final, *parts(fields, "results")])),)

    def _transcript(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._final += parts(fields, "results")
        return (Partial(self._put_together(self._final)),)

    def _ended(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        said = self._put_together(self._final)
        sure = confidence([_best(one) for one in self._final if one.get("type") == "word"])
        self._final = []
        asked, self._asked = self._asked, False
        told: Event = Final(said, sure) if said else Partial("")
        return (told, Flushed()) if asked else (told,)

    def _error(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        kind = text(fields, "type")
        told = reason(text(fields, "reason") or kind)
        return (Complaint(told, retryable=kind not in _FOREVER),)

    def _warning(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Complaint(reason(text(fields, "reason")), fatal=False),)

    def _put_together(self, results: _Results) -> str:
        whole, joined = "", True
        for result in results:
            attached = text(result, "attaches_to")
            if not joined and attached not in ("previous", "both"):
                whole += self._delimiter
            whole += text(_best(result), "content")
            joined = attached in ("next", "both")
        return whole.strip()


def _best(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(parts(result, "alternatives")), {})


_READERS: Mapping[str, Callable[[SpeechmaticsWire, Mapping[str, Any]], Sequence[Event]]] = {
    "RecognitionStarted": SpeechmaticsWire._started,
    "AddPartialTranscript": SpeechmaticsWire._partial,
    "AddTranscript": SpeechmaticsWire._transcript,
    "EndOfUtterance": SpeechmaticsWire._ended,
    "EndOfTranscript": SpeechmaticsWire._ended,
    "Error": SpeechmaticsWire._error,
    "Warning": SpeechmaticsWire._warning,
}


class SpeechmaticsRecognizerProvider(SocketRecognizerProvider[SpeechmaticsOptions]):
    vendor = "Speechmatics"
    description = "Speechmatics: streaming, 55 languages"
    options = SpeechmaticsOptions

    def wire(self, options: SpeechmaticsOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(f"wss://{options.region}.rt.speechmatics.com")
        return lambda: SpeechmaticsWire(options, base, key)


_conforms: type[RecognizerWire] = SpeechmaticsWire
