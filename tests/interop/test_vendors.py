"""A call to a server whose assistant hears, thinks and speaks by vendors, as a user sets it up.

The vendors are the fakes in processes of their own, behind real sockets; a key that has expired is
among them, and one vendor that is not there at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.callers import said
from tests.interop.server import Server, free_port
from tests.interop.vendors.fakes import fake

KEY = "key-of-a-test"
QUESTION = "what are your opening hours"
ANSWER = "We are open from nine to six."
GREETING = "Hello from the vendors."
ELEVENLABS_VOICE = "21m00Tcm4TlvDq8ikWAM"


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Of each vendor's API."""
    with (
        fake("deepgram", script=[QUESTION] * 50, key=KEY) as ear,
        fake("openai_chat", script=[ANSWER] * 50, key=KEY) as brain,
        fake("elevenlabs_voice", key=KEY) as voice,
    ):
        yield {
            "deepgram": f"http://127.0.0.1:{ear}",
            "openai": f"http://127.0.0.1:{brain}/v1",
            "elevenlabs": f"http://127.0.0.1:{voice}",
        }


def credential(server: Server, vendor: str, url: str, key: str = KEY) -> str:
    value = ("--set", f"key={key}", "--set", f"base_url={url}")
    made = server.rapida(
        *("credential", "create", "--name", vendor, "--provider", vendor, *value, "--json")
    )
    return str(json.loads(made)["id"])


def deployed(server: Server, recognizers: list[str], voices: list[str], models: list[str]) -> str:
    """A new assistant's id."""
    made = server.rapida(
        *("assistant", "create", "--name", "vendors", "--prompt", "Be brief.", "--json"),
        *(word for model in models for word in ("--model", f"{model},model.name=gpt-4.1-mini")),
    )
    assistant = str(json.loads(made)["id"])
    server.rapida(
        *("deployment", "set", assistant, "--greeting", GREETING),
        *(word for one in recognizers for word in ("--recognizer", one)),
        *(word for one in voices for word in ("--voice", one)),
    )
    return assistant


def talk(server: Server, assistant: str, caller: str) -> Any:
    """What was said in a call of Twilio's that asks the question."""
    server.rapida(
        *("talk", "--url", server.url, "--api-key", server.api_key, "--assistant", assistant),
        *("--transport", "twilio", "--from", caller, "--say", QUESTION, "--json"),
    )
    return server.conversation(caller)


def test_call(server: Server, urls: dict[str, str]) -> None:
    """Set up by three commands, and called."""
    assistant = deployed(
        server,
        [f"deepgram:{credential(server, 'deepgram', urls['deepgram'])}"],
        [
            f"elevenlabs:{credential(server, 'elevenlabs', urls['elevenlabs'])},"
            f"voice.id={ELEVENLABS_VOICE}"
        ],
        [f"openai:{credential(server, 'openai', urls['openai'])}"],
    )
    conversation = talk(server, assistant, "+15550201")
    assert QUESTION in said(conversation, "user")
    assert said(conversation, "assistant") == f"{GREETING} {ANSWER}".lower()


def test_fallbacks(server: Server, urls: dict[str, str]) -> None:
    """An expired key, a vendor that is not there, and the caller is answered all the same."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    expired = "a-key-that-has-expired"
    assistant = deployed(
        server,
        [
            f"deepgram:{credential(server, 'deepgram', urls['deepgram'], expired)}",
            f"deepgram:{credential(server, 'deepgram', urls['deepgram'])}",
        ],
        [
            f"elevenlabs:{credential(server, 'elevenlabs', nowhere)},voice.id={ELEVENLABS_VOICE}",
            "local",
        ],
        [
            f"openai:{credential(server, 'openai', nowhere)}",
            f"openai:{credential(server, 'openai', urls['openai'])}",
        ],
    )
    conversation = talk(server, assistant, "+15550202")
    assert QUESTION in said(conversation, "user")
    assert said(conversation, "assistant").endswith(ANSWER.lower())
    assert expired not in server.log()
    assert 'rapida_vendor_fallbacks_total{kind="stt"' in server.text("/metrics")


@pytest.mark.parametrize(
    ("vendor", "part"), [("deepgram", "recogniser"), ("elevenlabs", "voice"), ("openai", "model")]
)
def test_doctor(server: Server, urls: dict[str, str], vendor: str, part: str) -> None:
    """Each is tried with its credential, and every step has its time."""
    number = credential(server, vendor, urls[vendor])
    options = (
        *("--option", f"speak.voice.id={ELEVENLABS_VOICE}"),
        *("--option", "model.name=gpt-4.1-mini"),
    )
    told = server.rapida(
        "doctor", "--vendor", vendor, "--credential", number, *options, "--part", part, "--json"
    )
    found = json.loads(told)
    assert found["ok"]
    assert {step["part"] for step in found["steps"]} == {part}
    assert all(step["seconds"] >= 0 for step in found["steps"])
