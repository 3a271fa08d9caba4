"""The Gemini Live API, by API key.

Document: "Live API - WebSockets API reference". Messages of the server are JSON in binary frames,
and one may say several things at once. It knows itself what the caller cannot have heard of a reply
that was interrupted; sessions go on in other connections, by a handle.
"""

from __future__ import annotations

import json
from binascii import Error as BadBase64
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.gemini_session import GeminiLiveOptions, history, setup, version
from rapida_tw.models.live import Briefing, LiveModelProvider
from rapida_tw.models.live_provider import SocketLiveProvider
from rapida_tw.models.live_wire import (
    Audio,
    Complaint,
    Event,
    Interrupted,
    Leaving,
    LiveWire,
    Ready,
    ReplyBegan,
    ReplyOver,
    Send,
    Spoken,
    TurnHeard,
    TurnTaken,
    Usage,
    Wanted,
    Withdrawn,
    Words,
)
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    encoded,
    flag,
    number,
    parse,
    part,
    parts,
    reason,
    socket_url,
    text,
    written,
)

VENDOR: Final = "Gemini"
USUAL: Final = "wss://generativelanguage.googleapis.com"
PATH: Final = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

_SPOKEN_RATE: Final = 24_000  # Hz, where a piece of audio does not say
_SOON: Final = 10.0  # seconds, where goAway does not say
_HOPELESS: Final = ("api key", "quota", "billing", "permission")
_REFUSALS: Final = (1007, 1008)  # close codes: a bad setup; key, model or policy
_WORD_FOR_WORD: Final = "Say the following, word for word, and nothing before or after it:\n\n{}"
_GO_ON: Final = "(The connection was lost for a moment. Please go on.)"


class GeminiLiveWire:
    """One connection, of a session that may have had others."""

    gather = 40
    encoding = Encoding.LINEAR16
    spoken = Encoding.LINEAR16

    def __init__(
        self,
        options: GeminiLiveOptions,
        key: str,
        base: str,
        handle: str = "",
        leg: AudioFormat | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        """`numbers`: of the items and turns of a call, shared by its connections."""
        # It resamples what is not 16 kHz; there is nothing above 4 kHz in most calls.
        self.rate = 8_000 if leg is not None and leg.rate == 8_000 else 16_000
        self._before_audio = (
            f'{{"realtimeInput":{{"audio":{{"mimeType":"audio/pcm;rate={self.rate}","data":"'
        ).encode("ascii")
        self.handle = handle
        self._options = options
        self._key = key
        self._base = base
        self._version = version(options.name)
        self._dialogue: Callable[[], Sequence[Message]] | None = None
        self._ready = False
        self._numbers = count(1) if numbers is None else numbers
        self._replying = False
        self._discarding = False  # the reply under way was cancelled: it is on until its end
        self._ending = False  # it was interrupted: its end is still to be told
        self._item = ""  # of the reply, until its sound is complete
        self._turn = ""  # of the caller, until its words are complete
        self._heard: list[str] = []

    # -- to the vendor ----------------------------------------------------------------------------

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, PATH, {})
        return succeed(Request(url, headers={"x-goog-api-key": self._key}))

    def hello(
        self, briefing: Briefing, dialogue: Callable[[], Sequence[Message]]
    ) -> Sequence[Frame]:
        told = not self.handle and bool(dialogue())
        self._dialogue = dialogue if told else None
        return (setup(self._options, briefing, self.handle, told),)

    def audio(self, payload: bytes) -> Frame:
        return Frame(self._before_audio + encoded(payload) + b'"}}}')

    def text(self, text: str) -> Sequence[Frame]:
        # Models between these take text only like a voice.
        if (3, 0) <= self._version < (3, 8):
            return (written({"realtimeInput": {"text": text}}),)
        turns = [{"role": "user", "parts": [{"text": text}]}]
        return (written({"clientContent": {"turns": turns, "turnComplete": True}}),)

    def say(self, text: str, first: bool) -> Sequence[Frame]:
        return self.text(_WORD_FOR_WORD.format(text))

    def go_on(self) -> Sequence[Frame]:
        return self.text(_GO_ON)

    def cancel(self) -> Sequence[Frame]:
        """There is no message for it; the next text or voice of the caller's breaks it off."""
        self._discarding = self._discarding or self._replying
        self._replying, self._item = False, ""
        return ()

    def truncate(self, item: str, played_ms: int) -> Sequence[Frame]:
        return ()  # it keeps account itself

    def answer_tools(self, answers: Sequence[tuple[ToolCall, str]], reply: bool) -> Sequence[Frame]:
        results = [
            {"id": call.id, "name": call.name, "response": _object(result)}
            for call, result in answers
        ]
        return (written({"toolResponse": {"functionResponses": results}}),)

    # -- from the vendor --------------------------------------------------------------------------

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload)  # binary or not
        events: list[Event] = []
        for name, read in _PARTS:
            if name in fields:
                events += read(self, part(fields, name))
        return events

    def _set_up(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._ready = True
        if self._dialogue is None:
            return (Ready(),)
        return (Send((history(self._dialogue(), self._version),)), Ready())

    def _resumable(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        # While it is not, the handle before is better than none.
        if flag(fields, "resumable"):
            self.handle = text(fields, "newHandle") or self.handle
        return ()

    def _going(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        left = text(fields, "timeLeft").removesuffix("s")
        try:
            seconds = float(left)
        except ValueError:
            seconds = _SOON
        return (Leaving(min(max(seconds, 0.0), 60.0) if seconds == seconds else _SOON),)

    def _withdrawn(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        ids = fields.get("ids")
        return (Withdrawn(tuple(map(str, ids))),) if isinstance(ids, list) else ()

    def _content(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        events: list[Event] = []
        if flag(fields, "interrupted"):
            events += self._interrupted()
        events += self._listen(part(fields, "inputTranscription"))
        if not (self._discarding or self._ending):
            for one in parts(part(fields, "modelTurn"), "parts"):
                events += self._sound(one)
            if words := text(part(fields, "outputTranscription"), "text"):
                events += (*self._begin(), Words(self._current(), words))
            if flag(fields, "generationComplete"):
                events += (*self._finish_item(), *self._finish_turn())
        if flag(fields, "turnComplete"):
            events += self._complete(text(fields, "interactionStatus") == "IN_PROGRESS")
        return events

    def _interrupted(self) -> Sequence[Event]:
        self._ending = True
        if self._discarding:  # by ourselves
            self._discarding = False
            return ()
        self._replying, self._item = False, ""
        return (*self._finish_turn(), Interrupted())

    def _listen(self, heard: Mapping[str, Any]) -> Sequence[Event]:
        events: list[Event] = []
        if words := text(heard, "text"):
            if not self._turn:
                self._turn = f"turn-{next(self._numbers)}"
                events.append(TurnTaken(self._turn))
            self._heard.append(words)
        if flag(heard, "finished"):
            events += self._finish_turn()
        return events

    def _finish_turn(self) -> Sequence[Event]:
        if not self._turn:
            return ()
        turn, self._turn = self._turn, ""
        words, self._heard = "".join(self._heard).strip(), []
        return (TurnHeard(turn, words),)

    def _begin(self) -> Sequence[Event]:
        if self._replying:
            return ()
        self._replying = True
        return (ReplyBegan(),)

    def _current(self) -> str:
        if not self._item:
            self._item = f"item-{next(self._numbers)}"
        return self._item

    def _sound(self, one: Mapping[str, Any]) -> Sequence[Event]:
        inline = part(one, "inlineData")
        kind = text(inline, "mimeType")
        if not kind.startswith("audio/pcm"):
            return ()  # a thought, or whatever will be invented
        rate = kind.partition("rate=")[2].partition(";")[0].strip()
        try:
            sound = a2b_base64(text(inline, "data"), strict_mode=True)
            hertz = int(rate) if rate else _SPOKEN_RATE
        except (BadBase64, ValueError):
            raise RemoteProtocolError("audio that is no base64, or of no rate") from None
        return (*self._begin(), Audio(self._current(), sound, hertz))

    def _finish_item(self) -> Sequence[Event]:
        if not self._item:
            return ()
        item, self._item = self._item, ""
        return (Spoken(item),)

    def _complete(self, goes_on: bool) -> Sequence[Event]:
        if self._ending or self._discarding:
            self._ending = self._discarding = False
            return ()
        finished = (*self._finish_item(), *self._finish_turn())
        if goes_on:
            return finished
        self._replying = False
        return (*finished, ReplyOver())

    def _tools(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if self._discarding or self._ending:
            return ()
        calls = []
        for one in parts(fields, "functionCalls"):
            calls.append(ToolCall(text(one, "id"), text(one, "name"), part(one, "args")))
        return (*self._begin(), Wanted(tuple(calls))) if calls else ()

    def _used(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        def total(*names: str) -> int:
            return int(sum(number(fields, name) for name in names))

        return (
            Usage(
                {
                    "input": total("promptTokenCount", "toolUsePromptTokenCount"),
                    "output": total("responseTokenCount", "thoughtsTokenCount"),
                    "cached": total("cachedContentTokenCount"),
                }
            ),
        )

    def closed(self, code: int, reason_given: str) -> Complaint:
        why = reason(VENDOR, f"it closed the connection ({code})", reason_given)
        refused = code in _REFUSALS and not self._ready
        hopeless = any(word in reason_given.lower() for word in _HOPELESS)
        return Complaint(why, retryable=not (refused or hopeless))


def _object(result: str) -> Mapping[str, Any]:
    """A tool's JSON as the object that the API wants."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        value = result
    return value if isinstance(value, dict) else {"output": value}


# In this order: tools and tokens come before the end of their reply.
_PARTS: Final[
    Sequence[tuple[str, Callable[[GeminiLiveWire, Mapping[str, Any]], Sequence[Event]]]]
] = (
    ("setupComplete", GeminiLiveWire._set_up),
    ("sessionResumptionUpdate", GeminiLiveWire._resumable),
    ("toolCallCancellation", GeminiLiveWire._withdrawn),
    ("toolCall", GeminiLiveWire._tools),
    ("usageMetadata", GeminiLiveWire._used),
    ("serverContent", GeminiLiveWire._content),
    ("goAway", GeminiLiveWire._going),
)


class GeminiLiveProvider(SocketLiveProvider[GeminiLiveOptions]):
    """`gemini-live`."""

    vendor = VENDOR
    description = "Gemini Live: speech to speech, many languages"
    options = GeminiLiveOptions
    tells_speech = False

    def wire(
        self, options: GeminiLiveOptions, account: Account, leg: AudioFormat | None
    ) -> Callable[[str], LiveWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(USUAL)
        numbers = count(1)
        return lambda handle: GeminiLiveWire(options, key, base, handle, leg, numbers)


_conforms: type[LiveModelProvider] = GeminiLiveProvider
