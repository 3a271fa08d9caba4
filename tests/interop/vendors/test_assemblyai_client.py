"""AssemblyAI's own client understands our fake of its service."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

streaming = pytest.importorskip(
    "assemblyai.streaming.v3", reason="the package assemblyai is not installed"
)

KEY = "assemblyai-key-of-a-test"
WITHIN = 20.0  # seconds


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("assemblyai", script=["book a table", "for two"], key=KEY) as number:
        yield number


class Client:
    """Events, each by its kind."""

    def __init__(self, port: int, key: str = KEY, **parameters: Any) -> None:
        options = streaming.StreamingClientOptions(
            api_host=f"ws://127.0.0.1:{port}", api_key=key, connect_timeout=WITHIN
        )
        self.events: Queue[tuple[str, Any]] = Queue()
        self.client = streaming.StreamingClient(options)
        for kind in streaming.StreamingEvents:
            self.client.on(kind, lambda _, told, kind=kind: self.events.put((kind.name, told)))
        self.client.connect(
            streaming.StreamingParameters(
                **{
                    "sample_rate": RATE,
                    "speech_model": "universal-streaming-english",
                    "format_turns": True,
                    **parameters,
                }
            )
        )

    def speak(self, seconds: float, pause: float = 0.5) -> None:
        for piece in pieces(spoken(seconds) + silence(pause)):
            self.client.stream(piece)

    def next(self) -> tuple[str, Any]:
        return self.events.get(timeout=WITHIN)


def test_turns(port: int) -> None:
    """It hears words grow, both forms of a turn's end, and the end of the session."""
    client = Client(port)
    assert client.next()[0] == "Begin"
    client.speak(0.9)
    turns = [client.next()[1] for _ in range(5)]
    assert [turn.transcript for turn in turns] == [
        *("", "book", "book a"),
        *("book a table", "book a table."),
    ]
    assert [turn.end_of_turn for turn in turns] == [False, False, False, True, True]
    assert [turn.turn_is_formatted for turn in turns] == [False] * 4 + [True]
    client.speak(0.6, 0.0)
    assert client.next()[1].turn_order == client.next()[1].turn_order == 1
    client.client.force_endpoint()
    assert client.next()[1].end_of_turn
    assert client.next()[1].transcript == "for two."
    client.client.disconnect(terminate=True)
    kind, told = client.next()
    assert kind == "Termination"
    assert told.audio_duration_seconds == 2


@pytest.mark.parametrize(
    ("wrong", "code"), [({"key": "another"}, 1008), ({"sample_rate": 100}, 3006)]
)
def test_refused(port: int, wrong: dict[str, Any], code: int) -> None:
    """It is told why, in the way its own server tells it."""
    client = Client(port, **wrong)
    kind, told = client.next()
    assert kind == "Error"
    assert told.code == code
    client.client.disconnect()
