"""Cartesia's Ink (its API reference, "Speech-to-Text (Streaming)"): with turns, or finalised by us.

The one tells turns, by a model that hears their ends. The other tells pieces of a text, which have
their spaces in them and may end in the middle of a word, which then waits for the next.
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
    flag,
    number,
    parse,
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
    SpeechStarted,
    TurnEnded,
)

_BASE = "wss://api.cartesia.ai"
_VERSION = "2026-03-01"
_RATE = 16_000
_WHISPER = "ink-whisper"  # the older family: no turns, no keywords
_MOST_KEYWORDS, _LONGEST_KEYWORDS = 100, 1200  # characters of all of them
_SILENCE_MS = 200
_SILENCE = Frame(bytes(_RATE * 2 * _SILENCE_MS // 1000), binary=True)
_PASSING = frozenset((408, 409, 425, 429))  # of statuses below 500
_POLICY = 1008  # of close codes


@dataclass(frozen=True, slots=True)
class CartesiaOptions:
    """`turns`: Ink tells them; without, or with a model that cannot, silence does.

    With turns: `endpointing`, ms (640 to 11200) after which a silence is the end in any case, 0:
    Ink's own; `threshold` (0.05 to 0.5): the less, the surer Ink must be of an end.
    """

    language: str = "en"
    model: str = "ink-2"
    turns: bool = True
    endpointing: int = 0
    threshold: float | None = None
    keyword: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.endpointing:
            within("endpointing", self.endpointing, 640, 11_200)
        if self.threshold is not None:
            within("threshold", self.threshold, 0.05, 0.5)
        if self.keyword and self.model.startswith(_WHISPER):
            raise ValueError(f"keyword: {self.model} takes none")
        if len(self.keyword) > _MOST_KEYWORDS or len("".join(self.keyword)) > _LONGEST_KEYWORDS:
            raise ValueError(
                f"keyword: at most {_MOST_KEYWORDS}, of {_LONGEST_KEYWORDS} characters"
            )


def _request(
    options: CartesiaOptions, base: str, key: str, path: str, more: Mapping[str, Any]
) -> Request:
    query = {
        "model": options.model,
        "encoding": "pcm_s16le",
        "sample_rate": _RATE,
        "keyterm": options.keyword,
        **more,
    }
    headers = {"X-API-Key": key, "Cartesia-Version": _VERSION}
    return Request(socket_url(base, path, query), headers=headers)


def _closed(code: int, told: str) -> Complaint:
    why = told or f"it closed the connection ({code})"
    return Complaint(reason(why), retryable=code != _POLICY)


def _error(fields: Mapping[str, Any]) -> Sequence[Event]:
    status = number(fields, "status_code")
    forever = 400 <= status < 500 and status not in _PASSING
    told = reason(text(fields, "title"), text(fields, "message"))
    return (Complaint(told, retryable=not forever),)


class InkTurnsWire:
    """One connection that tells turns."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = True
    turns = True
    flush_within = 1.2
    # A turn whose silence is not heard does not end.
    keep_alive_every = _SILENCE_MS / 1000
    catch_up = 2.0

    def __init__(self, options: CartesiaOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        more = {
            "turn_end_timeout_ms": options.endpointing or None,
            "turn_end_threshold": options.threshold,
        }
        path = "/stt/turns/websocket"
        return succeed(_request(options, self._base, self._key, path, more))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        return ()

    def keep_alive(self) -> Sequence[Frame]:
        return (_SILENCE,)

    def goodbye(self) -> Sequence[Frame]:
        return (written({"type": "close"}),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _TURNS.get(text(fields, "type"))
        return () if read is None else read(fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        return _closed(code, reason_told)


def _connected(fields: Mapping[str, Any]) -> Sequence[Event]:
    return (Ready(),)


def _started(fields: Mapping[str, Any]) -> Sequence[Event]:
    return (SpeechStarted(),)


def _updated(fields: Mapping[str, Any]) -> Sequence[Event]:
    return (Partial(text(fields, "transcript").strip()),)


def _ended(fields: Mapping[str, Any]) -> Sequence[Event]:
    said = text(fields, "transcript").strip()
    return (Final(said) if said else Partial(""), TurnEnded())


_TURNS: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Event]]] = {
    "connected": _connected,
    "turn.start": _started,
    "turn.update": _updated,
    "turn.eager_end": _updated,
    "turn.end": _ended,
    "error": _error,
}


class InkWire:
    """One connection whose words are finalised by us."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = False
    turns = False
    flush_within = 1.2
    keep_alive_every = 30.0  # it closes after 180
    catch_up = 2.0

    def __init__(self, options: CartesiaOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._said = ""  # final, but perhaps not to the end of its last word
        self._asked = False  # for the words of all that was sent

    def address(self, net: Net) -> Deferred[Request]:
        language = self._options.language.replace("_", "-").split("-")[0].lower()
        more = {"language": language}
        return succeed(_request(self._options, self._base, self._key, "/stt/websocket", more))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        self._asked = True
        return (Frame(b"finalize"),)

    def keep_alive(self) -> Sequence[Frame]:
        return (_SILENCE,)

    def goodbye(self) -> Sequence[Frame]:
        return (Frame(b"close"),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        kind = text(fields, "type")
        if kind == "transcript":
            return self._transcript(fields)
        if kind == "flush_done":
            said, self._said, self._asked = self._said.strip(), "", False
            return (Final(said) if said else Partial(""), Flushed())
        return _error(fields) if kind == "error" else ()

    def closed(self, code: int, reason_told: str) -> Complaint:
        return _closed(code, reason_told)

    def _transcript(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        whole = self._said + text(fields, "text")
        if not flag(fields, "is_final"):
            return (Partial(whole.strip()),)
        self._said = whole
        if self._asked:  # one answer, in which nothing is cut
            return (Partial(whole.strip()),)
        words = whole.split()
        self._said = "" if not words or whole[-1].isspace() else words.pop()
        told = (Final(" ".join(words)),) if words else ()
        return (*told, Partial(self._said))


class CartesiaRecognizerProvider(SocketRecognizerProvider[CartesiaOptions]):
    vendor = "Cartesia"
    description = "Cartesia Ink: streaming, tells turns"
    options = CartesiaOptions

    def wire(self, options: CartesiaOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        if options.turns and not options.model.startswith(_WHISPER):
            return lambda: InkTurnsWire(options, base, key)
        return lambda: InkWire(options, base, key)


_conforms: tuple[type[RecognizerWire], type[RecognizerWire]] = (InkTurnsWire, InkWire)
