"""OpenAI's Realtime API (GA, over a WebSocket), and servers that speak like it.

Documents: "Realtime API reference", client and server events. Phones need no resampling: it takes
and gives G.711. The names that events had in the beta are read as well.
"""

from __future__ import annotations

import json
from binascii import Error as BadBase64
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.live import Briefing, LiveModelProvider
from rapida_tw.models.live_provider import SocketLiveProvider
from rapida_tw.models.live_wire import (
    Audio,
    Complaint,
    Event,
    Interrupted,
    LiveWire,
    Ready,
    ReplyBegan,
    ReplyOver,
    Send,
    SpeechStarted,
    SpeechStopped,
    Spoken,
    TurnHeard,
    TurnTaken,
    Usage,
    Wanted,
    Words,
)
from rapida_tw.models.openai_asking import BUSY, Asking
from rapida_tw.models.openai_session import (
    FORMATS,
    OpenAIRealtimeOptions,
    format_for,
    items,
    session,
    tool_result,
)
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    encoded,
    number,
    parse,
    part,
    parts,
    reason,
    socket_url,
    text,
    written,
)

VENDOR: Final = "OpenAI"
USUAL: Final = "wss://api.openai.com/v1"

_NOTHING: Final[Sequence[Event]] = ()
# What events were called in the beta.
_BETA: Final = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
}
# Errors that say what we know, or what has settled itself.
_HARMLESS: Final = frozenset((BUSY, "response_cancel_not_active"))
_HOPELESS: Final = ("insufficient_quota", "invalid_api_key", "model_not_found", "billing")
_EXPIRED: Final = "session_expired"
_POLICY: Final = 1008  # of close codes
_WORD_FOR_WORD: Final = "Say the following, word for word, and nothing before or after it:\n\n{}"


class OpenAIRealtimeWire:
    """One session. It does not go on in another one: that is told the dialogue anew."""

    gather = 60
    handle = ""

    def __init__(
        self, options: OpenAIRealtimeOptions, key: str, base: str, leg: AudioFormat | None = None
    ) -> None:
        self.encoding, self.rate, self._format = FORMATS[format_for(options, leg)]
        self.spoken = self.encoding
        self._options = options
        self._key = key
        self._base = base
        self._briefing: Briefing | None = None
        self._dialogue: Callable[[], Sequence[Message]] = tuple
        self._created = self._ready = False
        self._asking = Asking()
        self._calls: dict[str, ToolCall] = {}  # of the response under way, by their ids
        self._unheard: list[str] = []  # items to be deleted when the response is over

    # -- to the vendor ----------------------------------------------------------------------------

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, "/realtime", {"model": self._options.name})
        host = urlsplit(url).hostname or ""
        azure = host.endswith(".azure.com")
        headers = {"api-key": self._key} if azure else {"Authorization": f"Bearer {self._key}"}
        return succeed(Request(url, headers=headers))

    def hello(
        self, briefing: Briefing, dialogue: Callable[[], Sequence[Message]]
    ) -> Sequence[Frame]:
        self._briefing, self._dialogue = briefing, dialogue
        return (session(self._options, self._format, briefing),) if self._created else ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(b'{"type":"input_audio_buffer.append","audio":"' + encoded(payload) + b'"}')

    def text(self, text: str) -> Sequence[Frame]:
        return (*items(Message("user", text)), *self._asking.ask({}))

    def say(self, text: str, first: bool) -> Sequence[Frame]:
        instructions = _WORD_FOR_WORD.format(text)
        return self._asking.ask({"instructions": instructions, "tool_choice": "none"}, first)

    def go_on(self) -> Sequence[Frame]:
        return self._asking.ask({})

    def cancel(self) -> Sequence[Frame]:
        return self._asking.give_up()

    def truncate(self, item: str, played_ms: int) -> Sequence[Frame]:
        if played_ms > 0:
            return (
                written(
                    {
                        "type": "conversation.item.truncate",
                        "item_id": item,
                        "content_index": 0,
                        "audio_end_ms": played_ms,
                    }
                ),
            )
        # An item without any sound cannot be truncated, and none can be deleted while it is made.
        self._unheard.append(item)
        return () if self._asking.active else self._delete_unheard()

    def _delete_unheard(self) -> Sequence[Frame]:
        items, self._unheard = self._unheard, []
        return [written({"type": "conversation.item.delete", "item_id": item}) for item in items]

    def answer_tools(self, answers: Sequence[tuple[ToolCall, str]], reply: bool) -> Sequence[Frame]:
        results = [tool_result(call.id, result) for call, result in answers]
        return (*results, *(self._asking.ask({}) if reply else ()))

    # -- from the vendor --------------------------------------------------------------------------

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        kind = text(fields, "type")
        read = _EVENTS.get(_BETA.get(kind, kind))
        return _NOTHING if read is None else read(self, fields)

    def _session_created(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._created = True
        if self._briefing is None:
            return ()
        return (Send((session(self._options, self._format, self._briefing),)),)

    def _session_updated(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if self._ready:
            return ()
        self._ready = True
        told = [frame for message in self._dialogue() for frame in items(message)]
        return (Send(told), Ready()) if told else (Ready(),)

    def _speech_started(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._asking.broken_off()
        return (SpeechStarted(),)

    def _speech_stopped(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (SpeechStopped(),)

    def _committed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        turn = text(fields, "item_id")
        if not self._options.transcription:
            return (TurnTaken(turn), TurnHeard(turn, ""))
        return (TurnTaken(turn),)

    def _transcribed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (TurnHeard(text(fields, "item_id"), text(fields, "transcript").strip()),)

    def _response_created(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._calls.clear()
        cancel = self._asking.created(part(fields, "response"))
        return (Send(cancel),) if cancel else (ReplyBegan(),)

    def _audio_delta(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if self._asking.unwanted(text(fields, "response_id")):
            return ()
        try:
            sound = a2b_base64(text(fields, "delta"), strict_mode=True)
        except (BadBase64, ValueError):
            raise RemoteProtocolError("audio that is no base64") from None
        return (Audio(text(fields, "item_id"), sound, self.rate),)

    def _audio_done(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if self._asking.unwanted(text(fields, "response_id")):
            return ()
        return (Spoken(text(fields, "item_id")),)

    def _words_delta(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if self._asking.unwanted(text(fields, "response_id")):
            return ()
        return (Words(text(fields, "item_id"), text(fields, "delta")),)

    def _item_done(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        if not self._asking.unwanted(text(fields, "response_id")):
            self._collect(part(fields, "item"))
        return ()

    def _collect(self, item: Mapping[str, Any]) -> None:
        if text(item, "type") != "function_call":
            return
        try:
            arguments = json.loads(text(item, "arguments") or "{}")
        except (ValueError, RecursionError):
            arguments = {}  # the tool says what is missing, and the model hears it
        call = ToolCall(
            text(item, "call_id"),
            text(item, "name"),
            arguments if isinstance(arguments, dict) else {},
        )
        self._calls.setdefault(call.id, call)

    def _response_done(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        response = part(fields, "response")
        wanted = self._asking.done(response)
        events: list[Event] = [Usage(_tokens(part(response, "usage")))]
        if wanted:
            for item in parts(response, "output"):
                self._collect(item)
            events += self._outcome(response)
        self._calls.clear()
        frames = (*self._delete_unheard(), *self._asking.go_on())
        return [*events, Send(frames)] if frames else events

    def _outcome(self, response: Mapping[str, Any]) -> Sequence[Event]:
        status = text(response, "status")
        details = part(response, "status_details")
        if status == "failed":
            error = part(details, "error")
            why = reason(VENDOR, text(error, "code"), text(error, "message"))
            if any(word in text(error, "code") for word in _HOPELESS):
                return (Complaint(why, retryable=False),)
            return (ReplyOver(why),)
        if status == "cancelled" and text(details, "reason") == "turn_detected":
            return (Interrupted(),)
        if self._calls:
            return (Wanted(tuple(self._calls.values())), ReplyOver())
        return (ReplyOver(),)

    def _error(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        error = part(fields, "error")
        code, kind = text(error, "code"), text(error, "type")
        why = reason(VENDOR, code or kind, text(error, "message"))
        if self._asking.refused(text(error, "event_id"), code == BUSY):
            if code == BUSY:
                frames = self._asking.go_on()
                return (Send(frames),) if frames else ()
            return (ReplyOver(why),)
        if code in _HARMLESS:
            return ()
        if code == _EXPIRED:
            return (Complaint(why),)
        hopeless = any(word in f"{kind} {code}" for word in _HOPELESS)
        if self._ready and not hopeless:
            return (Complaint(why, fatal=False),)
        return (Complaint(why, retryable=kind == "server_error" and not hopeless),)

    def closed(self, code: int, reason_given: str) -> Complaint:
        hopeless = any(word in reason_given for word in (*_HOPELESS, "invalid_request_error"))
        why = reason(VENDOR, f"it closed the connection ({code})", reason_given)
        return Complaint(why, retryable=code != _POLICY and not hopeless)


def _tokens(usage: Mapping[str, Any]) -> Mapping[str, int]:
    return {
        "input": int(number(usage, "input_tokens")),
        "output": int(number(usage, "output_tokens")),
        "cached": int(number(part(usage, "input_token_details"), "cached_tokens")),
    }


_EVENTS: Final[Mapping[str, Callable[[OpenAIRealtimeWire, Mapping[str, Any]], Sequence[Event]]]] = {
    "session.created": OpenAIRealtimeWire._session_created,
    "session.updated": OpenAIRealtimeWire._session_updated,
    "input_audio_buffer.speech_started": OpenAIRealtimeWire._speech_started,
    "input_audio_buffer.speech_stopped": OpenAIRealtimeWire._speech_stopped,
    "input_audio_buffer.committed": OpenAIRealtimeWire._committed,
    "conversation.item.input_audio_transcription.completed": OpenAIRealtimeWire._transcribed,
    "conversation.item.input_audio_transcription.failed": OpenAIRealtimeWire._transcribed,
    "response.created": OpenAIRealtimeWire._response_created,
    "response.output_audio.delta": OpenAIRealtimeWire._audio_delta,
    "response.output_audio.done": OpenAIRealtimeWire._audio_done,
    "response.output_audio_transcript.delta": OpenAIRealtimeWire._words_delta,
    "response.output_item.done": OpenAIRealtimeWire._item_done,
    "response.done": OpenAIRealtimeWire._response_done,
    "error": OpenAIRealtimeWire._error,
}


class OpenAIRealtimeProvider(SocketLiveProvider[OpenAIRealtimeOptions]):
    """`openai-realtime`."""

    vendor = VENDOR
    description = "OpenAI Realtime: speech to speech, G.711 both ways"
    options = OpenAIRealtimeOptions
    tells_speech = True

    def wire(
        self, options: OpenAIRealtimeOptions, account: Account, leg: AudioFormat | None
    ) -> Callable[[str], LiveWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(USUAL)
        return lambda handle: OpenAIRealtimeWire(options, key, base, leg)


_conforms: type[LiveModelProvider] = OpenAIRealtimeProvider
