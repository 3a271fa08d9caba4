"""Google's own client understands our fake of the Gemini Live API, over TLS: it knows no other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.certificate import self_signed
from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

genai = pytest.importorskip("google.genai", reason="the package google-genai is not installed")

KEY = "gemini-key-of-a-test"
MODEL = "gemini-3.8-live"
WITHIN = 20.0  # seconds
ANSWERS = [
    ["hours", "We open at nine."],
    [
        "weather",
        {"say": "One moment.", "calls": [{"name": "weather", "arguments": {"in": "Rome"}}]},
    ],
    ["sunny", "It is sunny."],
]


Place = tuple[int, ssl.SSLContext]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the fake is, and what trusts it."""
    certificate = self_signed(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate.certificate))
    script = ["what are your hours", "hours", "hours"]
    with fake("gemini_live", certificate, script=script, answers=ANSWERS, key=KEY) as port:
        yield port, trust


@asynccontextmanager
async def session(place: Place, key: str = KEY, **config: Any) -> AsyncIterator[Any]:
    port, trust = place
    options = {
        "base_url": f"https://127.0.0.1:{port}",
        "api_version": "v1beta",
        "async_client_args": {"ssl": trust},
    }
    client = genai.Client(api_key=key, http_options=options)
    usual: dict[str, Any] = {
        "response_modalities": ["AUDIO"],
        "input_audio_transcription": {},
        "output_audio_transcription": {},
        "session_resumption": {},
    }
    async with client.aio.live.connect(model=MODEL, config={**usual, **config}) as made:
        yield made


async def turn(made: Any) -> list[Any]:
    """All messages of one turn."""
    return [message async for message in made.receive()]


async def speak(made: Any, seconds: float) -> None:
    for piece in pieces(spoken(seconds) + silence(0.8), ms=40):
        await made.send_realtime_input(
            audio=genai.types.Blob(data=piece, mime_type=f"audio/pcm;rate={RATE}")
        )


def contents(messages: list[Any]) -> list[Any]:
    return [message.server_content for message in messages if message.server_content]


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, WITHIN))


def test_turn(place: Place) -> None:
    """A caller is heard, transcribed and answered."""

    async def story() -> None:
        async with session(place) as made:
            await speak(made, 1.2)
            messages = await turn(made)
        told = contents(messages)
        heard = "".join(one.input_transcription.text for one in told if one.input_transcription)
        said = "".join(one.output_transcription.text for one in told if one.output_transcription)
        assert (heard, said) == ("what are your hours", "We open at nine.")
        sound = b"".join(message.data for message in messages if message.data)
        assert len(sound) == round(len("We open at nine.") * 0.06 * 24_000) * 2
        assert any(one.generation_complete for one in told)
        assert told[-1].turn_complete
        assert messages[-1].usage_metadata.response_token_count == 50

    run(story())


def test_interruption(place: Place) -> None:
    """A voice breaks the reply off, and the turn is over."""

    async def story() -> None:
        async with session(place) as made:
            await made.send_client_content(
                turns={"role": "user", "parts": [{"text": "your hours"}]}, turn_complete=True
            )
            async for message in made.receive():
                if message.data:
                    break
            await speak(made, 0.3)
            told = contents(await turn(made))
        assert any(one.interrupted for one in told)

    run(story())


def test_tool(place: Place) -> None:
    """A function call has its arguments; its response is answered."""
    declared = {"name": "weather", "description": "Look.", "parameters_json_schema": None}

    async def story() -> None:
        tools = [{"function_declarations": [declared]}]
        async with session(place, tools=tools) as made:
            await made.send_client_content(
                turns={"role": "user", "parts": [{"text": "the weather"}]}, turn_complete=True
            )
            calls = []
            async for message in made.receive():
                calls += message.tool_call.function_calls if message.tool_call else []
            (call,) = calls
            assert (call.name, call.args) == ("weather", {"in": "Rome"})
            answer = genai.types.FunctionResponse(
                id=call.id, name=call.name, response={"sky": "sunny"}
            )
            await made.send_tool_response(function_responses=[answer])
            told = contents(await turn(made))
        said = "".join(one.output_transcription.text for one in told if one.output_transcription)
        assert said == "It is sunny."

    run(story())


def test_resumption(place: Place) -> None:
    """Another connection goes on with the session, by its handle."""

    async def story() -> None:
        handle = ""
        async with session(place) as made:
            await made.send_client_content(
                turns={"role": "user", "parts": [{"text": "hours"}]}, turn_complete=True
            )
            await turn(made)
            async for message in made.receive():
                update = message.session_resumption_update
                if update and update.resumable:
                    handle = update.new_handle
                    break
        async with session(place, session_resumption={"handle": handle}) as made:
            assert made.setup_complete is not None

    run(story())


def test_wrong_key(place: Place) -> None:
    """A wrong key is told in the close of the connection."""

    async def story() -> None:
        with pytest.raises(Exception, match="API key not valid"):
            async with session(place, key="another"):
                pass

    run(story())
