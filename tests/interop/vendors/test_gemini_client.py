"""Google's own client understands our fake of the Gemini API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake

genai = pytest.importorskip("google.genai", reason="google-genai is not installed")

KEY = "AIza-a-key-of-the-fake"
CALL = {"name": "book", "arguments": {"day": "monday", "note": "süß"}}
SCRIPT: list[Any] = [
    {"text": "Let me see.", "calls": [CALL], "thoughts": "Hm.", "cached": 4},
    "Done.",
    {"text": "One two three.", "trouble": "error first"},
    {"trouble": "withheld"},
]
MODEL = "gemini-3.5-flash-lite"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with fake("gemini", script=SCRIPT, key=KEY) as port:
        yield made(port)


def made(port: int, key: str = KEY) -> Any:
    options = genai.types.HttpOptions(base_url=f"http://127.0.0.1:{port}", timeout=20_000)
    return genai.Client(api_key=key, http_options=options)


def config(**fields: Any) -> Any:
    schema = {"type": "OBJECT", "properties": {"day": {"type": "STRING"}}, "required": ["day"]}
    declared = {"name": "book", "description": "Book.", "parameters": schema}
    return genai.types.GenerateContentConfig(
        system_instruction="Brief.",
        tools=[{"function_declarations": [declared]}],
        automatic_function_calling={"disable": True},
        **fields,
    )


def test_content(client: Any) -> None:
    """It streams thoughts, text, a signed call and usage; the result goes back; errors raise."""
    types, stream = genai.types, client.models.generate_content_stream
    contents: list[Any] = [types.UserContent("Book me a table.")]
    answers = list(stream(model=MODEL, contents=contents, config=config()))
    parts = [part for one in answers for part in one.candidates[0].content.parts or ()]
    assert [part.text for part in parts if part.thought] == ["Hm."]
    texts = [part.text for part in parts if part.text and not part.thought]
    assert texts == ["Let", " me", " see."]
    called = next(part for part in parts if part.function_call)
    assert called.function_call.args == CALL["arguments"]
    assert called.thought_signature
    assert answers[-1].usage_metadata.cached_content_token_count == 4
    result = types.FunctionResponse(id=called.function_call.id, name="book", response={"ok": True})
    contents += [
        types.ModelContent([called]),
        types.UserContent([types.Part(function_response=result)]),
    ]
    answers = list(stream(model=MODEL, contents=contents, config=config()))
    assert "".join(one.text or "" for one in answers) == "Done."
    with pytest.raises(genai.errors.ServerError, match="overloaded"):
        list(stream(model=MODEL, contents=contents, config=config()))
    *_, last = stream(model=MODEL, contents=contents, config=config())
    assert last.candidates[0].finish_reason is types.FinishReason.SAFETY


def test_refusals(client: Any) -> None:
    """What is refused raises what it raises with the real API."""
    asked: dict[str, Any] = {"model": MODEL, "contents": "Hi."}
    port = int(client._api_client._http_options.base_url.rpartition(":")[2].strip("/"))
    stranger = made(port, "wrong")
    with pytest.raises(genai.errors.ClientError, match="API key not valid"):
        list(stranger.models.generate_content_stream(**asked))
    asked |= {"model": "gemini-2.5-pro", "config": config(thinking_config={"thinking_budget": 0})}
    with pytest.raises(genai.errors.ClientError, match="only works in thinking mode"):
        list(client.models.generate_content_stream(**asked))
