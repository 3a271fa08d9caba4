"""ElevenLabs' own client understands our fake of Scribe."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

realtime = pytest.importorskip(
    "elevenlabs.realtime", reason="the package elevenlabs is not installed"
)

KEY = "elevenlabs-key-of-a-test"
WITHIN = 20.0  # seconds
EVENTS = realtime.RealtimeEvents


@pytest.fixture
def port() -> Iterator[int]:
    with fake("elevenlabs_recognizer", script=["book a table", "for two"], key=KEY) as number:
        yield number


class Client:
    """Events as they come, each with its kind."""

    def __init__(self, port: int, key: str = KEY) -> None:
        self._scribe = realtime.ScribeRealtime(key, f"ws://127.0.0.1:{port}")
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def connect(self, **options: Any) -> Any:
        connection = await self._scribe.connect(
            {
                "model_id": "scribe_v2_realtime",
                "audio_format": realtime.AudioFormat.PCM_16000,
                "sample_rate": RATE,
                **options,
            }
        )
        for kind in EVENTS:
            if kind is not EVENTS.ERROR:
                connection.on(kind, lambda told, kind=kind: self.events.put_nowait((kind, told)))
        return connection

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self.events.get(), WITHIN)


async def speak(connection: Any, seconds: float, pause: float = 0.0) -> None:
    for piece in pieces(spoken(seconds) + silence(pause)):
        await connection.send({"audio_base_64": base64.b64encode(piece).decode()})


def test_commits(port: int) -> None:
    """It hears words grow, and commits them; too little is not committed."""

    async def talk() -> list[tuple[str, str]]:
        client = Client(port)
        connection = await client.connect()
        begun = await client.next()
        await speak(connection, 0.9)
        heard = [await client.next() for _ in range(3)]
        await connection.commit()
        heard.append(await client.next())
        await connection.commit()
        throttled = await client.next()
        await connection.close()
        assert begun[0] == EVENTS.SESSION_STARTED
        assert throttled[0] == EVENTS.COMMIT_THROTTLED
        return [(kind, told["text"]) for kind, told in heard]

    assert asyncio.run(talk()) == [
        (EVENTS.PARTIAL_TRANSCRIPT, "book"),
        (EVENTS.PARTIAL_TRANSCRIPT, "book a"),
        (EVENTS.PARTIAL_TRANSCRIPT, "book a table"),
        (EVENTS.COMMITTED_TRANSCRIPT, "book a table"),
    ]


def test_silence(port: int) -> None:
    """Scribe commits by itself, and tells the language where that was asked for."""

    async def talk() -> list[tuple[str, Any]]:
        client = Client(port)
        connection = await client.connect(
            commit_strategy=realtime.CommitStrategy.VAD,
            vad_silence_threshold_secs=0.4,
            include_language_detection=True,
        )
        await speak(connection, 0.6, 0.5)
        heard = [await client.next() for _ in range(5)]
        await connection.close()
        return heard[3:]

    committed, detected = asyncio.run(talk())
    assert committed[0] == EVENTS.COMMITTED_TRANSCRIPT
    assert committed[1]["text"] == "book a table"
    assert detected[0] == EVENTS.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS
    assert detected[1]["language_code"] == "en"


def test_wrong_key(port: int) -> None:
    """It is told in an event of its own."""

    async def talk() -> tuple[str, Any]:
        client = Client(port, "another")
        connection = await client.connect()
        told = await client.next()
        await connection.close()
        return told

    assert asyncio.run(talk())[0] == EVENTS.AUTH_ERROR
