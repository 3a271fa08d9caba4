"""The fakes of live models are as strict as their vendors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, Line, Refusal
from rapida_tw.sim.vendors.conversing import Called, Mind, Said
from rapida_tw.sim.vendors.gemini_live import PATH, GeminiLive
from rapida_tw.sim.vendors.openai_realtime import OpenAIRealtime

KEY = {"authorization": "Bearer openai-key"}
SPEECH = base64.b64encode(b"\x00\x20\x00\xe0" * 12_000).decode()  # a second at 24 kHz


class WrittenLine:
    """A Line that writes down."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[dict[str, Any]] = []
        self.ending: tuple[int, str] | None = None

    def send(self, message: bytes | str | Mapping[str, Any]) -> None:
        self.sent.append(dict(message) if isinstance(message, Mapping) else json.loads(message))

    def send_fragments(self, *pieces: bytes, binary: bool = False) -> None: ...
    def ping(self, payload: bytes = b"") -> None: ...
    def close(self, code: int = 1000, reason: str = "") -> None:
        self.ending = code, reason

    def drop(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Visit:
    """A client's session at a fake."""

    def __init__(self, fake: Any, asked: Asked) -> None:
        self.line = WrittenLine()
        self.session = fake.connect(asked, self.line)
        self.session.opened()

    def say(self, **fields: Any) -> list[dict[str, Any]]:
        """What comes back at once."""
        before = len(self.line.sent)
        self.session.received(json.dumps(fields).encode(), False)
        return self.line.sent[before:]

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        before = len(self.line.sent)
        for _ in range(round(seconds / 0.05)):
            self.line.clock.advance(0.05)
        return self.line.sent[before:]


def openai(**options: Any) -> Visit:
    asked = Asked("GET", "/v1/realtime", {"model": ["gpt-realtime-2.1"]}, KEY)
    return Visit(OpenAIRealtime(**options), asked)


def gemini(setup: Mapping[str, Any] | None = None, **options: Any) -> Visit:
    visit = Visit(GeminiLive(**options), Asked("GET", PATH, {}, {"x-goog-api-key": "gemini-key"}))
    visit.say(setup={"model": "models/gemini-3.8-live", **(setup or {})})
    return visit


# -- OpenAI ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "headers", "status"),
    [
        ("/v1/other", {"model": ["gpt-realtime"]}, KEY, 404),
        ("/v1/realtime", {}, KEY, 400),
        ("/v1/realtime", {"model": ["gpt-realtime"]}, {}, 401),
        ("/v1/realtime", {"model": ["gpt-realtime"]}, {"authorization": "Bearer x"}, 401),
        (
            "/v1/realtime",
            {"model": ["gpt-realtime"]},
            {**KEY, "openai-beta": "realtime=v1"},
            400,
        ),
    ],
)
def test_openai_handshakes(path: str, query: Any, headers: Any, status: int) -> None:
    """Wrong handshakes are refused."""
    refused = OpenAIRealtime().connect(Asked("GET", path, query, headers), WrittenLine())
    assert isinstance(refused, Refusal)
    assert refused.status == status
    json.loads(refused.body)


def test_openai_unknown_model() -> None:
    """A model that there is not is told in the session."""
    visit = Visit(OpenAIRealtime(), Asked("GET", "/v1/realtime", {"model": ["gpt-9"]}, KEY))
    assert visit.line.sent[0]["error"]["code"] == "model_not_found"
    assert visit.line.ending is not None


SESSION = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "nonsense"}, "invalid_value"),
        ({"type": "session.update", "session": {}}, "missing_required_parameter"),
        ({"type": "session.update", "session": {**SESSION, "temperature": 1}}, "unknown_parameter"),
        (
            {"type": "session.update", "session": {**SESSION, "output_modalities": ["a", "b"]}},
            "invalid_value",
        ),
        (
            {"type": "session.update", "session": {**SESSION, "audio": {"output": {"voice": "x"}}}},
            "invalid_value",
        ),
        (
            {
                "type": "session.update",
                "session": {
                    **SESSION,
                    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}},
                },
            },
            "invalid_value",
        ),
        (
            {
                "type": "session.update",
                "session": {
                    **SESSION,
                    "audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": 1}}},
                },
            },
            "unknown_parameter",
        ),
        ({"type": "input_audio_buffer.append", "audio": "%"}, "invalid_value"),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "response.create", "response": {"voice": "x"}}, "unknown_parameter"),
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "x", "output": ""},
            },
            "invalid_tool_call_id",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "output_text", "text": "x"}],
                },
            },
            "invalid_value",
        ),
        ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id"),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "x",
                "content_index": 0,
                "audio_end_ms": 0,
            },
            "item_truncate_invalid_item_id",
        ),
    ],
)
def test_openai_mistakes(fields: dict[str, Any], code: str) -> None:
    """Wrong events are answered with errors, by their ids; the session goes on."""
    visit = openai()
    (error,) = visit.say(**fields, event_id="mine")
    assert error["type"] == "error"
    assert (error["error"]["code"], error["error"]["event_id"]) == (code, "mine")
    assert visit.line.ending is None


def test_openai_one_response() -> None:
    """There is one response at a time, and a voice is for all of them."""
    visit = openai()
    visit.say(type="session.update", session=SESSION)
    visit.say(type="response.create")
    (error,) = visit.say(type="response.create")
    assert error["error"]["code"] == "conversation_already_has_active_response"
    visit.wait(2.0)
    other = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    (error,) = visit.say(type="session.update", session=other)
    assert error["error"]["code"] == "cannot_update_voice"


def test_openai_truncation() -> None:
    """Only an assistant's sound can be truncated, and only within its length."""
    visit = openai(otherwise="One two three four.")
    visit.say(type="session.update", session=SESSION)
    visit.say(type="response.create")
    visit.wait(2.0)
    (item,) = [name for name, (role, _) in visit.session._items.items() if role == "assistant"]
    truncate = {"type": "conversation.item.truncate", "item_id": item, "content_index": 0}
    (told,) = visit.say(**truncate, audio_end_ms=570)
    assert told["type"] == "conversation.item.truncated"
    assert visit.session.dialogue == [("assistant", "One two")]
    (error,) = visit.say(**truncate, audio_end_ms=99_999)
    assert "already shorter than 99999ms" in error["error"]["message"]


def test_openai_turn() -> None:
    """A voice is heard, interrupts, and is answered; its words come late."""
    visit = openai(script=["hello"], answers=[["hello", "Hi."]])
    visit.say(type="session.update", session=SESSION)
    visit.say(type="response.create")
    visit.wait(0.1)
    kinds = [event["type"] for event in visit.say(type="input_audio_buffer.append", audio=SPEECH)]
    assert kinds[0] == "input_audio_buffer.speech_started"
    assert "response.done" in kinds
    silence = base64.b64encode(bytes(48_000)).decode()
    kinds = [event["type"] for event in visit.say(type="input_audio_buffer.append", audio=silence)]
    assert kinds[0] == "input_audio_buffer.speech_stopped"
    assert "response.created" in kinds
    assert visit.session.dialogue[-1] == ("user", "hello")


def test_openai_expires() -> None:
    """A session has an end."""
    visit = openai(lasts=10.0)
    (error,) = visit.wait(10.1)
    assert error["error"]["code"] == "session_expired"
    assert visit.line.ending is not None


# -- Gemini ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "code"),
    [
        ({"model": "gpt-realtime"}, 1008),
        ({"model": "gemini-3.8-live"}, 1008),
        ({"nonsense": 1}, 1007),
        ({"generationConfig": {"responseModalities": ["TEXT"]}}, 1007),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, 1007),
        (
            {
                "tools": [
                    {"functionDeclarations": [{"name": "a", "parameters": {"type": "object"}}]}
                ]
            },
            1007,
        ),
        ({"sessionResumption": {"handle": "of-nobody"}}, 1008),
    ],
)
def test_gemini_setups(setup: dict[str, Any], code: int) -> None:
    """A wrong setup closes the connection, and says why in the 123 bytes there are."""
    visit = gemini(setup)
    assert visit.line.ending is not None
    assert visit.line.ending[0] == code
    assert 0 < len(visit.line.ending[1]) <= 123


@pytest.mark.parametrize(
    "fields",
    [
        {"clientContent": {"turns": [{"role": "assistant", "parts": [{"text": "x"}]}]}},
        {"realtimeInput": {"audio": {"mimeType": "audio/opus", "data": ""}}},
        {"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": "AAA="}, "text": "x"}},
        {"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": "AA=="}}},
        {"realtimeInput": {"activityStart": {}}},
        {"toolResponse": {"functionResponses": [{"id": "x", "name": "a", "response": {}}]}},
        {"toolResponse": {"functionResponses": [{"id": "x", "name": "a", "response": "no"}]}},
        {"setup": {"model": "models/gemini-3.8-live"}},
        {"clientContent": {}, "realtimeInput": {}},
    ],
)
def test_gemini_mistakes(fields: dict[str, Any]) -> None:
    """A wrong message closes the connection."""
    visit = gemini()
    assert visit.line.ending is None
    visit.say(**fields)
    assert visit.line.ending is not None
    assert visit.line.ending[0] == 1007


def test_gemini_generations() -> None:
    """Content in mid-session is not for the models between 3.0 and 3.8."""
    said = {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": True}
    visit = gemini({"model": "models/gemini-3.1-flash-live-preview"})
    visit.say(clientContent=said)
    assert visit.line.ending is not None
    visit = gemini({"model": "models/gemini-3.1-flash-live-preview"})
    visit.say(realtimeInput={"text": "hi"})
    assert visit.line.ending is None


def test_gemini_snake_case() -> None:
    """Names may be written the other way."""
    visit = gemini({"generation_config": {"response_modalities": ["AUDIO"]}})
    visit.say(client_content={"turns": [{"parts": [{"text": "hi"}]}], "turn_complete": True})
    assert visit.line.ending is None
    assert visit.session.memory.dialogue == [("user", "hi")]


def test_gemini_waits_for_the_sound() -> None:
    """A turn is complete when it has been heard, not when it was given."""
    visit = gemini(otherwise="One two three four.")
    visit.say(clientContent={"turns": [{"parts": [{"text": "hi"}]}], "turnComplete": True})
    told = [next(iter(one.get("serverContent", one))) for one in visit.wait(1.0)]
    assert told[-1] == "generationComplete"
    told = [next(iter(one.get("serverContent", one))) for one in visit.wait(1.0)]
    assert "turnComplete" in told


# -- what is answered -----------------------------------------------------------------------------


def test_mind() -> None:
    """Answers are found by a word; prompts to say something are followed."""
    calls = {"say": "Wait.", "calls": [{"name": "a", "arguments": {"x": 1}}]}
    mind = Mind([["hours", "At nine."], ["tool", calls]], "Pardon?")
    assert mind.answer("your hours please") == Said("At nine.")
    assert mind.answer("a tool") == Said("Wait.", (Called("a", {"x": 1}),))
    assert mind.answer("Say this, word for word:\n\nHello.") == Said("Hello.")
    assert mind.answer("hm") == Said("Pardon?")
    assert mind.heard[0] == "your hours please"


_conforms: type[Line] = WrittenLine
