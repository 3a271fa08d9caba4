from __future__ import annotations

import pytest

from rapida_tw.sim.handshake import Handshake, Refused, Upgraded, accept

NONCE = b"the sample nonce"  # RFC 6455, section 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE = Handshake("x.test:81", "/ctx/1?a=b", [("X-Signature", "abc")], ["media", "b"], NONCE)


def answer(*more: str, status: str = "101 Switching Protocols", without: str = "") -> bytes:
    """A server's, with `more` lines, and without the one that begins so."""
    lines = [
        f"HTTP/1.1 {status}",
        "upgrade: WebSocket",
        "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
    ]
    kept = [line for line in lines if not without or not line.startswith(without)]
    return "\r\n".join((*kept, *more, "", "")).encode()


def test_accept() -> None:
    """The RFC's own example."""
    assert HANDSHAKE.key == b"dGhlIHNhbXBsZSBub25jZQ=="
    assert accept(HANDSHAKE.key) == ACCEPT


def test_request() -> None:
    """Everything that section 4.1 asks for, and what the carrier adds."""
    assert HANDSHAKE.request().decode().split("\r\n") == [
        "GET /ctx/1?a=b HTTP/1.1",
        "Host: x.test:81",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: media, b",
        "X-Signature: abc",
        "",
        "",
    ]


def test_no_subprotocols() -> None:
    """Who offers none does not say so."""
    assert b"Protocol" not in Handshake("x.test", "/").request()


def test_upgraded() -> None:
    """What comes behind the answer is the server's first frames."""
    upgraded = HANDSHAKE.read(answer("Sec-WebSocket-Protocol: media") + b"\x81\0")
    assert isinstance(upgraded, Upgraded)
    assert (upgraded.subprotocol, upgraded.rest) == ("media", b"\x81\0")
    assert upgraded.headers["upgrade"] == "WebSocket"


def test_in_pieces() -> None:
    """Until its last byte the answer is not there."""
    whole = answer()
    for cut in range(len(whole)):
        assert HANDSHAKE.read(whole[:cut]) is None
    assert HANDSHAKE.read(whole) is not None


@pytest.mark.parametrize(
    ("wrong", "status", "why"),
    [
        (answer(status="404 Not Found"), 404, "HTTP 404"),
        (answer(status="200 OK"), 200, "HTTP 200"),
        (answer(without="upgrade"), 101, "no Upgrade: websocket"),
        (answer(without="Connection"), 101, "no Connection: Upgrade"),
        (answer(without="Sec"), 101, "a wrong Sec-WebSocket-Accept"),
        (answer("Sec-WebSocket-Accept: x"), 101, "a wrong Sec-WebSocket-Accept"),
        (answer("Sec-WebSocket-Protocol: c"), 101, "the subprotocol 'c', which"),
        (answer("Sec-WebSocket-Extensions: permessage-deflate"), 101, "an extension that"),
        (b"220 smtp.test ESMTP\r\n\r\n", 0, "no HTTP"),
        (b"HTTP/2 101\r\n\r\n", 0, "no HTTP"),
        (bytes(20_000), 0, "an answer without an end"),
    ],
)
def test_refused(wrong: bytes, status: int, why: str) -> None:
    """Anything else is a refusal that says why."""
    refused = HANDSHAKE.read(wrong)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.why[: len(why)]) == (status, why)


def test_reason() -> None:
    """A refusal keeps the server's own words."""
    said = answer("X-Rapida-Error: context-not-found", status="404 Not Found") + b"gone"
    refused = HANDSHAKE.read(said)
    assert isinstance(refused, Refused)
    assert (refused.headers["x-rapida-error"], refused.body) == ("context-not-found", b"gone")
