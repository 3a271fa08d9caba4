"""`rapida message send`, against a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Rapida
from tests.client.server import Server, refused, success

SENT = success({"id": "SM1", "conversationId": "9", "status": "queued", "channel": "whatsapp"})
SEND = ("message", "send", "--assistant", "5", "--to", "+15550100001")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


def ask(rapida: Rapida, server: Server, *arguments: object) -> tuple[int, str, str]:
    return rapida(*SEND, *arguments, "--url", server.url, "--api-key", "rpd-secret")


def test_text(rapida: Rapida, server: Server) -> None:
    """The message's name, and where to look for more."""
    server.answers["POST", "/v1/messages"] = SENT
    status, out, _ = ask(
        rapida,
        server,
        *("--text", "Ready.", "--from", "+14155238886", "--metadata", "a=b"),
        *("--idempotency-key", "k"),
    )
    assert (status, out.splitlines()) == (
        0,
        ["message SM1 to +15550100001 is queued", "more: rapida conversations show 9"],
    )
    assert server.asked[0][3] == {
        "assistantId": "5",
        "to": "+15550100001",
        "from": "+14155238886",
        "text": "Ready.",
        "metadata": {"a": "b"},
        "idempotencyKey": "k",
    }


def test_template(rapida: Rapida, server: Server) -> None:
    """A template with its variables; JSON for programs."""
    server.answers["POST", "/v1/messages"] = SENT
    status, out, _ = ask(rapida, server, "--template", "HX1", "--variable", "1=Ada", "--json")
    assert status == 0
    assert '"id": "SM1"' in out
    asked = server.asked[0][3]
    assert (asked["contentSid"], asked["contentVariables"]) == ("HX1", {"1": "Ada"})
    assert "text" not in asked


def test_own_key(rapida: Rapida, server: Server) -> None:
    """Each message without a key has its own, so that a lost answer is asked for again."""
    server.answers["POST", "/v1/messages"] = SENT
    for _ in range(2):
        ask(rapida, server, "--text", "Ready.")
    first, second = (asked[3]["idempotencyKey"] for asked in server.asked)
    assert first != second


@pytest.mark.parametrize("arguments", [(), ("--text", "x", "--template", "HX1")])
def test_usage(rapida: Rapida, server: Server, arguments: tuple[str, ...]) -> None:
    """Either a text or a template."""
    status, _, errors = ask(rapida, server, *arguments)
    assert status == 2
    assert "--template" in errors


def test_refused(rapida: Rapida, server: Server) -> None:
    """Twilio's words are told."""
    server.answers["POST", "/v1/messages"] = refused(502, "a template (63016)")
    status, _, errors = ask(rapida, server, "--text", "Ready.")
    assert status == 1
    assert "63016" in errors
