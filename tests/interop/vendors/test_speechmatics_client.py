"""Speechmatics' own client understands our fake of its service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, spoken

rt = pytest.importorskip("speechmatics.rt", reason="the package speechmatics-rt is not installed")

KEY = "speechmatics-key-of-a-test"
WITHIN = 20.0  # seconds
KINDS = rt.ServerMessageType
TOLD = (
    *(KINDS.ADD_PARTIAL_TRANSCRIPT, KINDS.ADD_TRANSCRIPT, KINDS.END_OF_UTTERANCE),
    *(KINDS.END_OF_TRANSCRIPT, KINDS.ERROR),
)


@pytest.fixture
def port() -> Iterator[int]:
    with fake("speechmatics", script=["book a table", "for two"], key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    return rt.AsyncClient(api_key=key, url=f"ws://127.0.0.1:{port}/v2")


FORMAT = rt.AudioFormat(encoding=rt.AudioEncoding.PCM_S16LE, sample_rate=RATE)


def test_transcription(port: int) -> None:
    """It hears words grow, the end of an utterance that it forces, and the end of all."""

    async def talk() -> list[tuple[str, str]]:
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        heard: list[tuple[str, str]] = []
        async with client(port) as session:
            for kind in TOLD:
                session.on(kind, told.put_nowait)
            config = rt.TranscriptionConfig(
                language="en",
                enable_partials=True,
                max_delay=1.0,
                conversation_config=rt.ConversationConfig(end_of_utterance_silence_trigger=0.5),
            )
            await session.start_session(transcription_config=config, audio_format=FORMAT)
            for last in (KINDS.END_OF_UTTERANCE, KINDS.END_OF_TRANSCRIPT):
                for piece in pieces(spoken(0.9)):
                    await session.send_audio(piece)
                if last is KINDS.END_OF_UTTERANCE:
                    await session.force_end_of_utterance()
                else:
                    await session.stop_session()
                while not heard or heard[-1][0] != last:
                    message = await asyncio.wait_for(told.get(), WITHIN)
                    said = message.get("metadata", {}).get("transcript", "")
                    heard.append((message["message"], said))
        return heard

    heard = asyncio.run(talk())
    assert heard[:6] == [
        ("AddPartialTranscript", "book "),
        ("AddPartialTranscript", "book a "),
        ("AddPartialTranscript", "book a table "),
        ("AddTranscript", "book a table "),
        ("AddTranscript", ". "),
        ("EndOfUtterance", ""),
    ]
    assert ("AddTranscript", "for two ") in heard


@pytest.mark.parametrize(
    ("key", "language", "wrong"), [("another", "en", "401"), (KEY, "tlh", "no model")]
)
def test_refused(port: int, key: str, language: str, wrong: str) -> None:
    """A wrong key at the handshake, a wrong language behind it."""

    async def talk() -> None:
        async with client(port, key) as session:
            config = rt.TranscriptionConfig(language=language)
            await session.start_session(transcription_config=config, audio_format=FORMAT)

    with pytest.raises(Exception, match=wrong):
        asyncio.run(talk())
