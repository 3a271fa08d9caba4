"""A wire of OpenAI's Realtime API, and what is said to it and by it."""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.models.live_wire import Event, Ready
from rapida_tw.models.openai_realtime import OpenAIRealtimeWire
from rapida_tw.models.openai_session import OpenAIRealtimeOptions
from tests.models.live_case import HELLO

BASE = "wss://api.openai.com/v1"


def wire(**options: Any) -> OpenAIRealtimeWire:
    leg = options.pop("leg", None)
    return OpenAIRealtimeWire(OpenAIRealtimeOptions(**options), "a-key", BASE, leg)


def told(one: OpenAIRealtimeWire, kind: str, **fields: Any) -> list[Event]:
    message = json.dumps({"type": kind, "event_id": "e", **fields}).encode()
    return list(one.received(message, False))


def sent(frames: Any) -> list[dict[str, Any]]:
    """Frames, read again."""
    return [json.loads(frame.payload) for frame in frames]


def ready(**options: Any) -> OpenAIRealtimeWire:
    """A wire whose session is set up."""
    one = wire(**options)
    told(one, "session.created")
    one.hello(HELLO, tuple)
    assert told(one, "session.updated") == [Ready()]
    return one


def begin(one: OpenAIRealtimeWire, name: str = "r1", tag: str = "") -> list[Event]:
    """A response begins; with a tag it is one that was asked for."""
    metadata = {"asked": tag} if tag else None
    return told(one, "response.created", response={"id": name, "metadata": metadata})


def end(one: OpenAIRealtimeWire, name: str = "r1", status: str = "completed", **more: Any) -> Any:
    return told(one, "response.done", response={"id": name, "status": status, **more})
