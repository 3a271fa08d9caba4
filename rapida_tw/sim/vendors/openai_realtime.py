"""A fake of OpenAI's Realtime API for speech to speech, over a WebSocket ("Realtime API
reference", and the guide "Realtime conversations").

It finds the caller's turns by the loudness of what it is sent, answers faster than it can be heard,
and is strict about truncation, about one response at a time and about every parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors import openai_realtime_rules as rules
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.conversing import Mind
from rapida_tw.sim.vendors.delivery import Manners
from rapida_tw.sim.vendors.hearing import Began, Ended, Hearing, Script
from rapida_tw.sim.vendors.openai_realtime_response import Response
from rapida_tw.sim.vendors.openai_realtime_rules import Mistake, need

_MODELS = ("gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime")
_BETA = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}


class OpenAIRealtime:
    """`script`: what the caller will say. `sessions`: all so far. `beta`: with the old names.

    `transcribed_after`: seconds from the end of a turn to its words. `lasts`: seconds of a session.
    """

    hosts: tuple[str, ...] = ("api.openai.com",)

    def __init__(
        self,
        script: Sequence[str] = (),
        answers: Iterable[Sequence[Any]] = (),
        key: str = "openai-key",
        otherwise: str = "Pardon?",
        transcribed_after: float = 0.4,
        lasts: float = 3600.0,
        beta: bool = False,
    ) -> None:
        self.script = Script(script)
        self.mind = Mind(answers, otherwise)
        self.manners = Manners(first_after=0.3)
        self.key = key
        self.transcribed_after = transcribed_after
        self.lasts = lasts
        self.beta = beta
        self.sessions: list[OpenAIRealtimeSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, f"Refused with {status}.", "server_error")
        if asked.path != "/v1/realtime":
            return _refusal(404, f"Invalid URL (GET {asked.path})", "")
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return _refusal(401, "Incorrect API key provided.", "invalid_api_key")
        if "openai-beta" in asked.headers:
            return _refusal(400, "The Realtime Beta API is no longer supported.", "beta_api")
        if not asked.one("model"):
            return _refusal(400, "You must provide a model parameter.", "missing_model")
        session = OpenAIRealtimeSession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"error": {"message": "Invalid URL", "type": "invalid_request_error"}})


class OpenAIRealtimeSession:
    """`received_types`: of all events; `errors`: what they were answered with.

    `truncated`: items and ms. `deleted`: items. `dialogue`: roles and texts, as the model knows it.
    """

    def __init__(self, vendor: OpenAIRealtime, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.settings: Mapping[str, Any] = {}
        self.received_types: list[str] = []
        self.errors: list[str] = []
        self.truncated: list[tuple[str, int]] = []
        self.deleted: list[str] = []
        self.line = line
        self.active: Response | None = None
        self.responses: list[Response] = []
        self._vendor = vendor
        self._events = 0
        self._items: dict[str, list[str]] = {}  # role and text, by id
        self._call_ids: set[str] = set()
        self._new: list[str] = []  # texts since the latest response
        self._sound_in = self._sound_out = rules.PCM
        self._hearing = Hearing(vendor.script, "linear16", rules.PCM.rate, 0.5)
        self._detects: Mapping[str, Any] = {"create_response": True, "interrupt_response": True}
        self._turns = 0
        self._number = len(vendor.sessions) + 1  # ids are unique, whatever the session
        self._timers: list[IDelayedCall] = []

    @property
    def dialogue(self) -> list[tuple[str, str]]:
        return [(role, text) for role, text in self._items.values()]

    # -- from the client --------------------------------------------------------------------------

    def opened(self) -> None:
        model = self.asked.one("model")
        if not model.startswith(_MODELS):
            told = f"The model '{model}' does not exist or you do not have access to it."
            self.error(Mistake(told, "model_not_found"))
            self.line.close(1008, "invalid_request_error.model_not_found")
            return
        self._timers.append(self.line.clock.callLater(self._vendor.lasts, self._expire))
        self.tell("session.created", {"session": self._session()})

    def received(self, message: bytes, binary: bool) -> None:
        name = ""
        try:
            fields = rules.event(message, binary)
            name = str(fields.get("event_id") or "")
            kind = fields["type"]
            self.received_types.append(kind)
            read = _EVENTS.get(kind)
            if read is None:
                raise Mistake(f"Invalid value: '{kind}'.", "invalid_value", "type")
            read(self, fields)
        except Mistake as mistake:
            self.error(mistake, name)

    def closed(self, code: int) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        for response in self.responses:
            response.end()

    # -- to the client ----------------------------------------------------------------------------

    def tell(self, kind: str, fields: Mapping[str, Any]) -> None:
        """An event."""
        self._events += 1
        name = _BETA.get(kind, kind) if self._vendor.beta else kind
        self.line.send({"type": name, "event_id": f"event_{self._events}", **fields})

    def error(self, mistake: Mistake, event_id: str = "", kind: str = "") -> None:
        """Something was wrong; the session goes on."""
        self.errors.append(mistake.code or str(mistake))
        error = {
            "type": kind or "invalid_request_error",
            "code": mistake.code or None,
            "message": str(mistake),
            "param": mistake.param or None,
            "event_id": event_id or None,
        }
        self.tell("error", {"error": error})

    def _expire(self) -> None:
        told = "Your session hit the maximum duration of 60 minutes."
        self.error(Mistake(told, "session_expired"))
        self.line.close(1001)

    def _session(self) -> dict[str, Any]:
        model = self.asked.one("model")
        session = {"type": "realtime", "object": "realtime.session", "id": "sess_1"}
        return {**session, "model": model, "output_modalities": ["audio"], **self.settings}

    # -- events of the client ---------------------------------------------------------------------

    def _update(self, fields: Mapping[str, Any]) -> None:
        settings = rules.session(fields)
        sides = settings.get("audio", {})
        before = self.settings.get("audio", {}).get("output", {}).get("voice")
        voice = sides.get("output", {}).get("voice", before)
        if before and voice != before and any(one.given for one in self.responses):
            raise Mistake("Cannot update a conversation's voice.", "cannot_update_voice")
        self.settings = {**self.settings, **settings}
        heard = sides.get("input", {})
        self._sound_in = rules.sound_format(heard.get("format"))
        self._sound_out = rules.sound_format(sides.get("output", {}).get("format"))
        detects = heard.get("turn_detection", self._detects)
        self._detects = detects or {}
        pause = self._detects.get("silence_duration_ms", 500) / 1000 if detects else None
        self._hearing = Hearing(
            self._vendor.script, self._sound_in.encoding, self._sound_in.rate, pause
        )
        self.tell("session.updated", {"session": self._session()})

    def _append(self, fields: Mapping[str, Any]) -> None:
        for heard in self._hearing.hear(rules.audio(fields)):
            if isinstance(heard, Began):
                self._began(heard)
            elif isinstance(heard, Ended):
                self._ended(heard)

    def _commit(self, fields: Mapping[str, Any]) -> None:
        heard = self._hearing.flush()
        if not heard:
            told = "Error committing input audio buffer: buffer too small."
            raise Mistake(told, "input_audio_buffer_commit_empty")
        for one in heard:
            if isinstance(one, Ended):
                self._take_turn(one.text)

    def _clear(self, fields: Mapping[str, Any]) -> None:
        self.tell("input_audio_buffer.cleared", {})

    def _create_item(self, fields: Mapping[str, Any]) -> None:
        item = rules.item(fields, self._call_ids)
        item.setdefault("id", f"item_client_{len(self._items)}")
        texts = [part.get("text", "") for part in item.get("content", ())]
        text = " ".join(texts) or item.get("output", "") or item.get("name", "")
        self._items[item["id"]] = [item.get("role") or item["type"], text]
        if item.get("role") == "user" or item["type"] == "function_call_output":
            self._new.append(text)
        self._tell_item(item)

    def _truncate(self, fields: Mapping[str, Any]) -> None:
        name, until = need(fields, "item_id", str), need(fields, "audio_end_ms", int)
        need(fields, "content_index", int)
        response = next((one for one in self.responses if one.item == name), None)
        if name not in self._items or response is None or not response.given:
            if name in self._items:
                raise Mistake("Only model output audio messages can be truncated")
            raise Mistake(f"Item with item_id not found: {name}", "item_truncate_invalid_item_id")
        length = response.milliseconds
        if not 0 <= until <= length:
            raise Mistake(f"Audio content of {length:.0f}ms is already shorter than {until}ms")
        self.truncated.append((name, until))
        said = response.words[: int(len(response.words) * until / length)]
        self._items[name][1] = " ".join(said)
        told = {"item_id": name, "content_index": 0, "audio_end_ms": until}
        self.tell("conversation.item.truncated", told)

    def _delete(self, fields: Mapping[str, Any]) -> None:
        name = need(fields, "item_id", str)
        if self._items.pop(name, None) is None:
            raise Mistake(f"Item with item_id not found: {name}", "item_delete_invalid_item_id")
        self.deleted.append(name)
        self.tell("conversation.item.deleted", {"item_id": name})

    def _create_response(self, fields: Mapping[str, Any]) -> None:
        settings = rules.response(fields)
        if self.active is not None:
            told = f"Conversation already has an active response in progress: {self.active.id}."
            raise Mistake(told, "conversation_already_has_active_response")
        self._respond(settings)

    def _cancel(self, fields: Mapping[str, Any]) -> None:
        wanted = fields.get("response_id")
        if self.active is None or wanted not in (None, self.active.id):
            told = "Cancellation failed: no active response found"
            raise Mistake(told, "response_cancel_not_active")
        self.active.cancel("client_cancelled")

    # -- turns ------------------------------------------------------------------------------------

    def _began(self, heard: Began) -> None:
        name = f"item_caller_{self._number}_{self._turns + 1}"
        told = {"audio_start_ms": int(1000 * heard.began), "item_id": name}
        self.tell("input_audio_buffer.speech_started", told)
        if self.active is not None and self._detects.get("interrupt_response", True):
            self.active.cancel("turn_detected")

    def _ended(self, heard: Ended) -> None:
        name = f"item_caller_{self._number}_{self._turns + 1}"
        told = {"audio_end_ms": int(1000 * heard.at), "item_id": name}
        self.tell("input_audio_buffer.speech_stopped", told)
        self._take_turn(heard.text)
        if self._detects.get("create_response", True) and self.active is None:
            self._respond({})

    def _take_turn(self, text: str) -> None:
        self._turns += 1
        name = f"item_caller_{self._number}_{self._turns}"
        self.tell("input_audio_buffer.committed", {"item_id": name, "previous_item_id": None})
        self._items[name] = ["user", text]
        self._new.append(text)
        content = [{"type": "input_audio", "transcript": None}]
        fields = {"id": name, "type": "message", "role": "user", "status": "completed"}
        self._tell_item({**fields, "object": "realtime.item", "content": content})
        if self.settings.get("audio", {}).get("input", {}).get("transcription"):
            after = self._vendor.transcribed_after
            self._timers.append(self.line.clock.callLater(after, self._transcribe, name, text))

    def _tell_item(self, item: Mapping[str, Any]) -> None:
        for kind in ("added", "done"):
            fields = {"item": dict(item), "previous_item_id": None}
            self.tell(f"conversation.item.{kind}", fields)

    def _transcribe(self, name: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription."
        place = {"item_id": name, "content_index": 0}
        for number, word in enumerate(text.split()):
            self.tell(f"{kind}delta", {**place, "delta": word if not number else f" {word}"})
        usage = {"type": "duration", "seconds": 1}
        self.tell(f"{kind}completed", {**place, "transcript": text, "usage": usage})

    def _respond(self, settings: Mapping[str, Any]) -> None:
        new, self._new = self._new, []
        said = self._vendor.mind.answer(settings.get("instructions") or " ".join(new))
        self.active = Response(
            self.line.clock,
            f"resp_{self._number}_{len(self.responses) + 1}",
            said,
            self._sound_out,
            self._vendor.manners,
            settings.get("metadata", {}),
            self._of_response,
            self._break,
            self._response_done,
        )
        self.responses.append(self.active)
        self.active.begin()

    def _of_response(self, kind: str, fields: Mapping[str, Any]) -> None:
        item = fields.get("item")
        if item is not None and kind.startswith("response.output_item."):
            text = self.responses[-1].said.text if item["type"] == "message" else item["name"]
            self._items.setdefault(item["id"], [item.get("role") or item["type"], text])
            if item["type"] == "function_call":
                self._call_ids.add(item["call_id"])
        self.tell(kind, fields)

    def _response_done(self, response: Response) -> None:
        if response is self.active:
            self.active = None

    def _break(self, garbage: bytes | None) -> None:
        if garbage is None:
            self.line.drop()
        else:
            self.line.send(garbage.decode())


def _refusal(status: int, message: str, code: str) -> Refusal:
    error = f'{{"error":{{"message":"{message}","type":"invalid_request_error","code":"{code}"}}}}'
    return Refusal(status, error)


_EVENTS: Mapping[str, Callable[[OpenAIRealtimeSession, Mapping[str, Any]], None]] = {
    "session.update": OpenAIRealtimeSession._update,
    "input_audio_buffer.append": OpenAIRealtimeSession._append,
    "input_audio_buffer.commit": OpenAIRealtimeSession._commit,
    "input_audio_buffer.clear": OpenAIRealtimeSession._clear,
    "conversation.item.create": OpenAIRealtimeSession._create_item,
    "conversation.item.truncate": OpenAIRealtimeSession._truncate,
    "conversation.item.delete": OpenAIRealtimeSession._delete,
    "response.create": OpenAIRealtimeSession._create_response,
    "response.cancel": OpenAIRealtimeSession._cancel,
}

_conforms: type[FakeVendor] = OpenAIRealtime
