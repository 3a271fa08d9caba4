"""Soniox's realtime recogniser (its API reference, "WebSocket API").

It tells tokens, parts of words with their spaces in them. Those that are final come once; the
others come again with each message, as they are by then. Two tokens are marks: `<end>`, where a
turn has ended, and `<fin>`, behind all that was asked for.
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
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    RecognizerWire,
    TurnEnded,
)

_BASE = "wss://stt-rt.soniox.com"
_RATE = 16_000
_FINALIZE = written({"type": "finalize"})
_KEEP_ALIVE = written({"type": "keepalive"})
_END_OF_AUDIO = Frame(b"")
_TURN_ENDED, _FINALIZED = "<end>", "<fin>"
_PASSING = frozenset((408, 409, 425, 429))  # of error codes below 500, which are HTTP's
_POLICY = 1008  # of close codes


@dataclass(frozen=True, slots=True)
class SonioxOptions:
    """`turns`: Soniox tells them, by a model that hears their ends; without, silence does.

    `endpointing`: ms (500 to 3000) after which a silence is the end of a turn in any case, 0:
    Soniox's own. `prompt`: what the call is about. `language` "": found by Soniox.
    """

    language: str = "en"
    model: str = "stt-rt-v5"
    turns: bool = False
    endpointing: int = 0
    keyword: tuple[str, ...] = ()
    prompt: str = ""

    def __post_init__(self) -> None:
        if self.endpointing:
            within("endpointing", self.endpointing, 500, 3000)
            if not self.turns:
                raise ValueError("endpointing is of turns, which are off")


class SonioxWire:
    """One session."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = False
    flush_within = 1.0
    keep_alive_every = 10.0
    catch_up = 1.5

    def __init__(self, options: SonioxOptions, base: str, key: str) -> None:
        self.turns = options.turns
        self._options = options
        self._base = base
        self._key = key
        self._final: list[Mapping[str, Any]] = []  # tokens that were not told as final
        self._asked = 0  # of them, those that there were when it was asked for all; 0: answered

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, "/transcribe-websocket", {})
        return succeed(Request(url, headers={"Authorization": f"Bearer {self._key}"}))

    def hello(self) -> Sequence[Frame]:
        options = self._options
        config: dict[str, Any] = {
            "model": options.model,
            "audio_format": "pcm_s16le",
            "sample_rate": _RATE,
            "num_channels": 1,
            "enable_endpoint_detection": options.turns,
        }
        if options.language:
            config["language_hints"] = [options.language.replace("_", "-").split("-")[0].lower()]
        if options.endpointing:
            config["max_endpoint_delay_ms"] = options.endpointing
        context: dict[str, Any] = {}
        if options.prompt:
            context["text"] = options.prompt
        if options.keyword:
            context["terms"] = list(options.keyword)
        if context:
            config["context"] = context
        return (written(config),)

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        # Who was not answered the last time has made do with these.
        del self._final[: self._asked]
        self._asked = len(self._final)
        return (_FINALIZE,)

    def keep_alive(self) -> Sequence[Frame]:
        return (_KEEP_ALIVE,)

    def goodbye(self) -> Sequence[Frame]:
        return (_END_OF_AUDIO,)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        told = self._tokens(parts(fields, "tokens"))
        code = int(number(fields, "error_code"))
        if code or text(fields, "error_message"):
            forever = 400 <= code < 500 and code not in _PASSING
            why = reason(text(fields, "error_message") or f"error {code}")
            told.append(Complaint(why, retryable=not forever))
        return told

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code != _POLICY)

    def _tokens(self, tokens: Sequence[Mapping[str, Any]]) -> list[Event]:
        told: list[Event] = []
        open_tokens = []
        for token in tokens:
            said = text(token, "text")
            if said == _FINALIZED:
                told += (self._utterance(), Flushed())
            elif said == _TURN_ENDED:
                told += (self._utterance(), TurnEnded())
            elif flag(token, "is_final"):
                self._final.append(token)
            else:
                open_tokens.append(token)
        if self._final or open_tokens:
            told.append(Partial(_joined([*self._final, *open_tokens])))
        return told

    def _utterance(self) -> Event:
        final, self._final, self._asked = self._final, [], 0
        said = _joined(final)
        return Final(said, confidence(final)) if said else Partial("")


def _joined(tokens: Sequence[Mapping[str, Any]]) -> str:
    return "".join(text(token, "text") for token in tokens).strip()


class SonioxRecognizerProvider(SocketRecognizerProvider[SonioxOptions]):
    vendor = "Soniox"
    description = "Soniox: streaming, 60 languages"
    options = SonioxOptions

    def wire(self, options: SonioxOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        return lambda: SonioxWire(options, base, key)


_conforms: type[RecognizerWire] = SonioxWire
