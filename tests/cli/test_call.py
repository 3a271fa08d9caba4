"""`rapida call` and `rapida calls`, against a server that answers as it is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.cli import call as command
from tests.cli.conftest import Rapida
from tests.client.server import Server, refused, success

KEY = "rpd-secret"
PLACED = success({"id": "9", "status": "queued", "identifier": "+15550100"})
LIVE = {
    "id": "9",
    "assistantId": "5",
    "carrier": "twilio",
    "direction": "outbound",
    "from": "+15550100",
    "to": "+15550199",
    "status": "active",
    "startedDate": "2026-01-01T00:00:00.000Z",
    "duration": 4.5,
    "turns": 2,
}
CALL = ("call", "--assistant", "5", "--to", "+15550100")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(command, "PAUSE", 0)
    with Server() as one:
        yield one


def ask(rapida: Rapida, server: Server, *arguments: object) -> tuple[int, str, str]:
    return rapida(*arguments, "--url", server.url, "--api-key", KEY)


def conversation(status: str, outcome: str = "", *said: str, **fields: Any) -> Any:
    metrics = [{"name": "call.status", "value": outcome}] if outcome else []
    messages = [{"role": ("assistant", "user")[n % 2], "text": text} for n, text in enumerate(said)]
    document = {"id": "9", "status": status, "metrics": metrics, "messages": messages}
    return success({**document, "duration": None, "endReason": "", **fields})


def test_queued(rapida: Rapida, server: Server) -> None:
    """The call's id, and where to look for more."""
    server.answers["POST", "/v1/calls"] = PLACED
    status, out, _ = ask(
        rapida,
        server,
        *CALL,
        *("--from", "+15550199", "--metadata", "a=b=c", "--metadata", "d=", "--args", "name=Ada"),
        *("--option", "listen.language=de", "--idempotency-key", "k"),
    )
    assert status == 0
    assert "call 9 to +15550100 is queued" in out
    assert "rapida conversations show 9" in out
    assert server.asked[0][3] == {
        "assistant": {"assistantId": "5", "version": ""},
        "toNumber": "+15550100",
        "fromNumber": "+15550199",
        "metadata": {"a": "b=c", "d": ""},
        "args": {"name": "Ada"},
        "options": {"listen.language": "de"},
        "idempotencyKey": "k",
    }


def test_wait(rapida: Rapida, server: Server) -> None:
    """Each state and each sentence once, in their order."""
    server.script = [
        PLACED,
        conversation("ringing"),
        conversation("active", "", "Hello."),
        conversation("active", "", "Hello.", "Hi   there"),
        conversation(
            "ended", "completed", "Hello.", "Hi   there", duration=7.0, endReason="remote_hangup"
        ),
    ]
    status, out, _ = ask(rapida, server, *CALL, "--wait")
    assert (status, out.splitlines()) == (
        0,
        [
            "call 9 to +15550100 is queued",
            "ringing",
            "active",
            "  assistant: Hello.",
            "  callee: Hi there",
            "ended",
            "completed (remote_hangup), 7.0 s",
        ],
    )


@pytest.mark.parametrize(
    "over",
    [
        conversation("ended", "no_answer", endReason="busy"),
        conversation("failed", endReason="bad_number"),
        conversation("expired"),
    ],
)
def test_wait_for_nobody(rapida: Rapida, server: Server, over: Any) -> None:
    """Busy, no answer and failure are 1."""
    server.script = [PLACED, over]
    assert ask(rapida, server, *CALL, "--wait")[0] == 1


def test_json(rapida: Rapida, server: Server) -> None:
    """One document, whatever happens meanwhile."""
    server.script = [PLACED]
    assert rapida.json(*CALL, "--url", server.url, "--api-key", KEY)["id"] == "9"
    server.script = [PLACED, conversation("ringing"), conversation("ended", "completed")]
    found = rapida.json(*CALL, "--wait", "--url", server.url, "--api-key", KEY)
    assert found["status"] == "ended"


def test_not_placed(rapida: Rapida, server: Server) -> None:
    """The server's reason and number."""
    server.answers["POST", "/v1/calls"] = refused(500, "1002008")
    status, out, err = ask(rapida, server, *CALL)
    assert (status, out) == (1, "")
    assert err == "rapida: the call was not placed: so it is (1002008)\n"
    code, document, headers = refused(500, "1002008")
    server.answers["POST", "/v1/calls"] = code, {**document, "data": {"id": "9"}}, headers
    assert "rapida conversations show 9" in ask(rapida, server, *CALL)[2]


def test_live(rapida: Rapida, server: Server) -> None:
    """Who is on the phone."""
    server.answers["GET", "/v1/calls"] = success([LIVE], paginated={"totalItem": 3})
    server.answers["GET", "/v1/calls/9"] = success(LIVE)
    status, out, _ = ask(rapida, server, "calls", "list")
    assert status == 0
    assert "+15550100" in out
    assert "and 2 older ones" in out
    assert "4.5 s" in ask(rapida, server, "calls", "show", 9)[1]
    found = rapida.json("calls", "show", 9, "--url", server.url, "--api-key", KEY)
    assert found == LIVE


@pytest.mark.parametrize(
    ("verb", "more", "path", "body"),
    [
        ("hangup", (), "hangup", None),
        ("transfer", ("+1555",), "transfer", {"to": "+1555"}),
        ("dtmf", ("12#",), "dtmf", {"digits": "12#"}),
        ("hold", (), "hold", {"on": True}),
        ("hold", ("--off",), "hold", {"on": False}),
        ("say", ("One moment.",), "say", {"text": "One moment."}),
    ],
)
def test_steering(
    rapida: Rapida, server: Server, verb: str, more: tuple[str, ...], path: str, body: Any
) -> None:
    """Each is one request; what cannot be done is 1 with the reason."""
    target = f"/v1/calls/9/{path}"
    server.answers["POST", target] = success({"id": "9"})
    status, out, _ = ask(rapida, server, "calls", verb, 9, *more)
    assert status == 0
    assert out.startswith("call 9 is ")
    assert (server.asked[0][1], server.asked[0][3]) == (target, body)
    server.answers["POST", target] = refused(409, "not-supported")
    answer = ask(rapida, server, "calls", verb, 9, *more)
    assert answer == (1, "", "rapida: so it is (not-supported)\n")


def test_own_server(rapida: Rapida, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --url: the configured one on this machine, with the variable's key."""
    monkeypatch.setenv("RAPIDA_API_KEY", KEY)
    with rapida.config.open("a") as file:
        file.write(f"[http]\nport = {server.server_port}\n")
    server.answers["POST", "/v1/calls"] = PLACED
    assert rapida(*CALL)[0] == 0
    assert server.asked[0][2]["x-api-key"] == KEY


def test_nobody(rapida: Rapida, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that says what to do."""
    monkeypatch.setattr("rapida_tw.client.exchange._FIRST_WAIT", 0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with rapida.config.open("a") as file:
        file.write(f"[http]\nport = {port}\n")
    status, out, err = rapida(*CALL, "--api-key", KEY)
    assert (status, out) == (1, "")
    assert "does not answer" in err
    assert "start it" in err


@pytest.mark.parametrize(
    "arguments",
    [
        CALL,  # no key
        ("call", "--to", "+1555"),
        ("call", "--assistant", "5"),
        ("call", "--assistant", "x", "--to", "+1555"),
        (*CALL, "--metadata", "nothing"),
        (*CALL, "--url", "localhost"),
        ("calls",),
        ("calls", "show", "x"),
        ("calls", "transfer", "9"),
    ],
)
def test_usage(rapida: Rapida, arguments: tuple[str, ...]) -> None:
    """Wrong usage is 2."""
    status, out, err = rapida(*arguments)
    assert (status, out) == (2, "")
    assert "rapida" in err


def test_no_known_address(rapida: Rapida) -> None:
    """With TLS nobody knows under which name."""
    with rapida.config.open("a") as file:
        file.write('[http]\ntls_certificate = "a.pem"\ntls_key = "b.pem"\n')
    status, _, err = rapida(*CALL, "--api-key", KEY)
    assert status == 2
    assert "--url" in err or "configuration" in err
