"""OpenAI's own client understands our fake of its Realtime API."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake, pieces, silence, spoken

openai = pytest.importorskip("openai", reason="the package openai is not installed")
pytest.importorskip("websockets", reason="the package websockets is not installed")

KEY = "openai-key-of-a-test"
RATE = 24_000
WITHIN = 20.0  # seconds
ANSWERS = [
    ["hours", "We open at nine."],
    [
        "weather",
        {"say": "One moment.", "calls": [{"name": "weather", "arguments": {"in": "Rome"}}]},
    ],
    ["sunny", "It is sunny."],
]


@pytest.fixture
def port() -> Iterator[int]:
    script = ["what are your hours", "the weather please", "hours"]
    with fake("openai_realtime", script=script, answers=ANSWERS, key=KEY) as number:
        yield number


class Client:
    """A connection whose events are read one by one."""

    def __init__(self, port: int, key: str = KEY, **session: Any) -> None:
        client = openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
        self.manager = client.realtime.connect(model="gpt-realtime-2.1", max_retries=0)
        self.connection = self.manager.enter()
        assert self.next().type == "session.created"
        settings: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": RATE},
                    "transcription": {"model": "gpt-transcribe"},
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                },
                "output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": "marin"},
            },
            **session,
        }
        self.connection.session.update(session=settings)
        updated = self.until("session.updated")[-1]
        assert updated.session.audio.output.voice == "marin"

    def next(self) -> Any:
        return self.connection.recv()

    def until(self, kind: str) -> list[Any]:
        """All events up to one of this kind."""
        events = []
        while not events or events[-1].type != kind:
            events.append(self.next())
            assert events[-1].type != "error", events[-1]
        return events

    def speak(self, seconds: float, pause: float = 0.5) -> None:
        sound = spoken(seconds, RATE) + silence(pause, RATE)
        for piece in pieces(sound, RATE, ms=40):
            self.connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())

    def close(self) -> None:
        self.connection.close()


def test_turn(port: int) -> None:
    """A turn of the caller and its answer, in the order of the documents, with typed events."""
    client = Client(port)
    client.speak(1.2)
    events = client.until("response.done")
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    sound = b"".join(
        base64.b64decode(event.delta)
        for event in events
        if event.type == "response.output_audio.delta"
    )
    assert len(sound) == round(len("We open at nine.") * 0.06 * RATE) * 2
    (done,) = [event for event in events if event.type == "response.output_audio_transcript.done"]
    assert done.transcript == "We open at nine."
    assert events[-1].response.status == "completed"
    assert events[-1].response.usage.input_token_details.cached_tokens == 60
    if "conversation.item.input_audio_transcription.completed" not in kinds:
        events += client.until("conversation.item.input_audio_transcription.completed")
    (heard,) = [
        event
        for event in events
        if event.type == "conversation.item.input_audio_transcription.completed"
    ]
    assert heard.transcript == "what are your hours"
    client.close()


def test_interruption(port: int) -> None:
    """The caller's voice cancels the response; its item can be truncated, not beyond its end."""
    client = Client(port)
    client.speak(1.2)
    (first,) = [e for e in client.until("response.output_audio.delta") if "delta" in e.type][-1:]
    client.speak(0.3, pause=0.0)
    done = client.until("response.done")[-1]
    assert done.response.status in ("cancelled", "completed")
    client.connection.conversation.item.truncate(
        item_id=first.item_id, content_index=0, audio_end_ms=10
    )
    told = client.until("conversation.item.truncated")[-1]
    assert told.audio_end_ms == 10
    client.connection.conversation.item.truncate(
        item_id=first.item_id, content_index=0, audio_end_ms=60_000
    )
    error = next(event for event in iter(client.next, None) if event.type == "error")
    assert "already shorter" in error.error.message
    client.close()


def test_tool(port: int) -> None:
    """A function call has its arguments; its output is answered."""
    tool = {"type": "function", "name": "weather", "description": "", "parameters": {}}
    client = Client(port, tools=[tool])
    client.speak(0.6)
    client.until("response.done")
    client.speak(0.6)
    done = client.until("response.done")[-1]
    (call,) = [item for item in done.response.output if item.type == "function_call"]
    assert (call.name, call.arguments) == ("weather", '{"in": "Rome"}')
    client.connection.conversation.item.create(
        item={"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    )
    client.connection.response.create()
    events = client.until("response.done")
    assert "It is sunny." in [getattr(event, "transcript", "") for event in events]
    client.close()


def test_mistakes(port: int) -> None:
    """Wrong events are answered with errors, which name the event; the session goes on."""
    client = Client(port)
    client.connection.response.cancel(event_id="mine")
    error = client.next()
    assert (error.type, error.error.code) == ("error", "response_cancel_not_active")
    assert error.error.event_id == "mine"
    client.connection.input_audio_buffer.commit()
    assert client.next().error.code == "input_audio_buffer_commit_empty"
    client.connection.response.create()
    client.connection.response.create()
    codes = []
    while "conversation_already_has_active_response" not in codes:
        event = client.next()
        codes += [event.error.code] if event.type == "error" else []
    client.close()


def test_wrong_key(port: int) -> None:
    """A wrong key is refused in the handshake."""
    with pytest.raises(Exception, match="401"):
        Client(port, key="another")
