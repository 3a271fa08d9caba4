"""AssemblyAI's Universal-Streaming, version 3: whole turns, by a model that hears their ends."""

from __future__ import annotations

import json
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
    flag,
    number,
    parse,
    parts,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.vocabulary import vocabulary
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    RecognizerWire,
    SpeechStarted,
    TurnEnded,
    VocabularyWire,
)

_BASE = "wss://streaming.assemblyai.com"
_VERSION = "2025-05-12"
_RATE = 16_000
_SHORTEST = _RATE * 50 // 1000 * 2  # bytes of a message; a shorter one ends the session (3007)
_PLAIN_FAMILY = "universal-streaming"  # the others write punctuation without being asked
_STEERED = ("u3-", "universal-3")  # these can be told a language

# What it closes with, where its words may be missing; the client of its own says so.
_MEANINGS: Mapping[int, str] = {
    1008: "the key is wrong, or the account may not",
    3005: "server error",
    3006: "it does not understand a message or an option",
    3007: "audio came too fast, or in pieces of a wrong length",
    3008: "the session has lasted as long as it may",
    3009: "too many sessions at once",
}
_FOREVER = frozenset((1008, 3006, 4000, 4001, 4002, 4003, 4100, 4101))

_FORCE = written({"type": "ForceEndpoint"})
_TERMINATE = written({"type": "Terminate"})


@dataclass(frozen=True, slots=True)
class AssemblyAIOptions:
    """`model` "": by the language; `language` "": found out. `endpointing`: ms of silence after
    words that sound like an end, 0: the model's own; `threshold`: how sure of the end it must be
    then, 0..1.

    `punctuate`: wait for the written form of each turn, up to 200 ms more. `prompt`: what the call
    is about; Universal-3 only.
    """

    language: str = "en-US"
    model: str = ""
    endpointing: int = 0
    threshold: float | None = None
    keyword: tuple[str, ...] = ()
    punctuate: bool = False
    prompt: str = ""

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 0, 10_000)
        if self.threshold is not None:
            within("threshold", self.threshold, 0, 1)


# Its guide "Keyterms prompting".
_MOST_TERMS = 100
_LONGEST_TERM = 50  # characters
_TOGETHER = _MOST_TERMS * _LONGEST_TERM


class AssemblyAIWire:
    """One session."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = True
    turns = True
    flush_within = 1.0
    keep_alive_every = 0.0
    catch_up = 2.0

    def __init__(self, options: AssemblyAIOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._model = options.model or _model_for(options.language)
        self._waits = options.punctuate and self._model.startswith(_PLAIN_FAMILY)
        self._asked = False  # for the end of the turn
        self._terms: Sequence[str] = options.keyword
        self._over = -1.0  # the latest turn that was told to its end

    def expect(self, phrases: Sequence[str]) -> Sequence[Frame]:
        self._terms = vocabulary(
            self._options.keyword, phrases, _MOST_TERMS, _LONGEST_TERM, _TOGETHER
        )
        return (written({"type": "UpdateConfiguration", "keyterms_prompt": self._terms}),)

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        plain = self._model.startswith(_PLAIN_FAMILY)
        query: dict[str, Any] = {
            "speech_model": self._model,
            "sample_rate": _RATE,
            "encoding": "pcm_s16le",
            "format_turns": self._waits if plain else None,
            "end_of_turn_confidence_threshold": options.threshold,
            "min_turn_silence": options.endpointing or None,
            "keyterms_prompt": json.dumps(self._terms) if self._terms else None,
            "prompt": options.prompt,
        }
        language = _short(options.language)
        if language and self._model.startswith(_STEERED):
            query["language_codes"] = json.dumps([language])
        headers = {"Authorization": self._key, "AssemblyAI-Version": _VERSION}
        return succeed(Request(socket_url(self._base, "/v3/ws", query), headers=headers))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload.ljust(_SHORTEST, b"\0"), binary=True)

    def finalize(self) -> Sequence[Frame]:
        self._asked = True
        return (_FORCE,)

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return (_TERMINATE,)  # what is open is paid for, audio or not

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _READERS.get(text(fields, "type"))
        if read is None and "error" in fields:
            read = AssemblyAIWire._error
        return () if read is None else read(self, fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        meaning = _MEANINGS.get(code, f"it closed the connection ({code})")
        return Complaint(reason(reason_told or meaning), retryable=code not in _FOREVER)

    # -- what it says --------------------------------------------------------------------------

    def _begin(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Ready(),)

    def _started(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (SpeechStarted(),)

    def _turn(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        order = number(fields, "turn_order")
        if order <= self._over:
            return ()  # the same once more, in its other form
        words = parts(fields, "words")
        # `transcript` lacks the words that may still change.
        said = " ".join(text(word, "text") for word in words) or text(fields, "transcript")
        if not flag(fields, "end_of_turn"):
            return (Partial(said),)
        if self._waits and not flag(fields, "turn_is_formatted"):
            return (Partial(said),)
        self._over = order
        said = text(fields, "transcript") or said
        asked, self._asked = self._asked, False
        told: list[Event] = [Final(said, confidence(words))] if said else [Partial("")]
        # An end that was asked for says nothing about the caller.
        return (*told, Flushed() if asked else TurnEnded())

    def _error(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        code = int(number(fields, "error_code"))
        told = text(fields, "error") or _MEANINGS.get(code, f"error {code}")
        return (Complaint(reason(told), retryable=code not in _FOREVER),)

    def _warning(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Complaint(reason(text(fields, "warning")), fatal=False),)


def _model_for(language: str) -> str:
    return f"{_PLAIN_FAMILY}-{'english' if _short(language) == 'en' else 'multilingual'}"


def _short(language: str) -> str:
    """Without its region; "" where it is to be found out."""
    short = language.lower().replace("_", "-").split("-")[0]
    return "" if short in ("auto", "multi") else short


_READERS: Mapping[str, Callable[[AssemblyAIWire, Mapping[str, Any]], Sequence[Event]]] = {
    "Begin": AssemblyAIWire._begin,
    "SpeechStarted": AssemblyAIWire._started,
    "Turn": AssemblyAIWire._turn,
    "Error": AssemblyAIWire._error,
    "Warning": AssemblyAIWire._warning,
}


class AssemblyAIRecognizerProvider(SocketRecognizerProvider[AssemblyAIOptions]):
    vendor = "AssemblyAI"
    description = "AssemblyAI Universal-Streaming: English and five more languages, tells turns"
    options = AssemblyAIOptions

    def wire(self, options: AssemblyAIOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        return lambda: AssemblyAIWire(options, base, key)


_conforms: type[VocabularyWire] = AssemblyAIWire
