"""Deepgram Flux: `wss://api.deepgram.com/v2/listen`, whose model hears the ends of turns.

A turn's transcript grows with each message until its EndOfTurn. Flux knows silence only when it is
sent: while the call brings no sound, it gets zeros, or no turn would end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    confidence,
    parse,
    parts,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.vocabulary import vocabulary
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Partial,
    Ready,
    SpeechStarted,
    TurnEnded,
    VocabularyWire,
)
from rapida_tw.speech.recognizers.wire import Final as FinalWords

_PATH: Final = "/v2/listen"
_RATE: Final = 16_000
_SILENCE_MS: Final = 240
_SILENCE: Final = bytes(2 * _RATE * _SILENCE_MS // 1000)
# 1011 is an accident of theirs; what they say was wrong with us stays wrong.
_FOREVER: Final = frozenset((1002, 1003, 1007, 1008))
_OUR_MISTAKES: Final = frozenset(("UNPARSABLE_CLIENT_MESSAGE", "BAD_REQUEST", "INVALID_AUDIO"))


# More than 500 tokens and a stream falls silent. A token is hardly less than two characters.
_MOST_TERMS: Final = 100
_LONGEST_TERM: Final = 100  # characters
_TOGETHER: Final = 900


def keyterms(always: Sequence[str], phrases: Sequence[str]) -> list[str]:
    """What Deepgram takes of them."""
    return vocabulary(always, phrases, _MOST_TERMS, _LONGEST_TERM, _TOGETHER)


class FluxWire:
    """One connection. `query`: what the options say, as the vendor spells it."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 80  # as Deepgram recommends
    greets = True
    turns = True
    flush_within = 0.5
    keep_alive_every = _SILENCE_MS / 1000
    catch_up = 0.0

    def __init__(
        self, query: Mapping[str, Any], base: str, key: str, terms: Sequence[str] = ()
    ) -> None:
        self._query = query
        self._terms = terms
        self._base = base
        self._key = key

    def expect(self, phrases: Sequence[str]) -> Sequence[Frame]:
        terms = keyterms(self._terms, phrases)
        self._query = {**self._query, "keyterm": tuple(terms)}
        return (written({"type": "Configure", "keyterms": terms}),)

    def address(self, net: Net) -> Deferred[Request]:
        query = {**self._query, "encoding": "linear16", "sample_rate": _RATE}
        headers = {"Authorization": f"Token {self._key}"}
        return succeed(Request(socket_url(self._base, _PATH, query), headers=headers))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        return (written({"type": "ForceEndTurn"}),)

    def keep_alive(self) -> Sequence[Frame]:
        return (Frame(_SILENCE, binary=True),)

    def goodbye(self) -> Sequence[Frame]:
        return (written({"type": "CloseStream"}),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        message = parse(payload, binary)
        read = _READERS.get(text(message, "type"))
        return () if read is None else read(message)

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code not in _FOREVER)


def _connected(message: Mapping[str, Any]) -> Sequence[Event]:
    return (Ready(),)


def _turn(message: Mapping[str, Any]) -> Sequence[Event]:
    event, said = text(message, "event"), text(message, "transcript")
    if event == "StartOfTurn":
        return (SpeechStarted(), Partial(said))
    if event != "EndOfTurn":
        return (Partial(said),)
    if not said:
        return (Partial(""), TurnEnded())
    return (FinalWords(said, confidence(parts(message, "words"))), TurnEnded())


def _error(message: Mapping[str, Any]) -> Sequence[Event]:
    code = text(message, "code")
    told = reason(code, text(message, "description"))
    return (Complaint(told, retryable=code not in _OUR_MISTAKES),)


def _warning(message: Mapping[str, Any]) -> Sequence[Event]:
    told = reason(text(message, "code"), text(message, "description"))
    return (Complaint(told, fatal=False),)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Sequence[Event]]]] = {
    "Connected": _connected,
    "TurnInfo": _turn,
    "Error": _error,
    "Warning": _warning,
    "ConfigureFailure": _warning,
}

_conforms: type[VocabularyWire] = FluxWire
