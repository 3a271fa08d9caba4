"""What belongs to which transaction (RFC 3261 17.1.3, 17.2.3), and what is sent within one."""

from __future__ import annotations

import pytest

from rapida_tw.wire.sip_matching import (
    ack_of_failure,
    cancel_of,
    client_key,
    merging_key,
    server_key,
)
from rapida_tw.wire.sip_message import Headers, Request, parse

NEW = {
    "Via": "SIP/2.0/UDP Host.example:5060;branch=z9hG4bK1",
    "From": "<sip:a@h>;tag=a",
    "To": "<sip:b@h>",
    "Call-ID": "c",
    "CSeq": "1 INVITE",
}
OLD = NEW | {"Via": "SIP/2.0/UDP host.example:5060"}


def request(fields: dict[str, str], method: str = "INVITE", uri: str = "sip:b@h") -> Request:
    number = fields["CSeq"].split()[0]
    fields = fields | {"CSeq": f"{number} {method}"}
    return Request(method, uri, Headers(fields.items()))


@pytest.mark.parametrize("fields", [NEW, OLD], ids=["RFC 3261", "RFC 2543"])
def test_alike(fields: dict[str, str]) -> None:
    """A repetition and the ACK of a failure belong to the INVITE, CANCEL is of its own."""
    invite = request(fields)
    assert server_key(request(fields)) == server_key(invite)
    ack = request(fields | {"To": "<sip:b@h>;tag=b"}, "ACK")
    assert server_key(ack) == server_key(invite)
    cancel = request(fields, "CANCEL")
    assert server_key(cancel) != server_key(invite)
    assert server_key(cancel, "INVITE") == server_key(invite)


def test_host_in_any_case() -> None:
    """A proxy may write its name as it likes."""
    other = NEW | {"Via": "SIP/2.0/UDP hOST.EXAMPLE:5060;branch=z9hG4bK1;received=10.0.0.1"}
    assert server_key(request(other)) == server_key(request(NEW))


@pytest.mark.parametrize(
    "change",
    [
        {"Via": "SIP/2.0/UDP host.example:5060;branch=z9hG4bK2"},
        {"Via": "SIP/2.0/UDP host.example:5060;branch=z9HG4BK1"},
        {"Via": "SIP/2.0/UDP host.example:5061;branch=z9hG4bK1"},
        {"Via": "SIP/2.0/UDP other.example:5060;branch=z9hG4bK1"},
        {"Call-ID": "d"},
        {"CSeq": "2 INVITE"},
    ],
)
def test_apart(change: dict[str, str]) -> None:
    """Another branch, sent-by, call or number is another transaction."""
    assert server_key(request(NEW | change)) != server_key(request(NEW))


@pytest.mark.parametrize(
    "change",
    [
        {"Via": "SIP/2.0/UDP host.example:5060;branch=2"},
        {"Via": "SIP/2.0/UDP host.example:5061"},
        {"From": "<sip:a@h>;tag=b"},
        {"Call-ID": "d"},
        {"CSeq": "2 INVITE"},
    ],
)
def test_apart_without_cookie(change: dict[str, str]) -> None:
    """Without the cookie From tag and Request-URI count, too."""
    assert server_key(request(OLD | change)) != server_key(request(OLD))
    assert server_key(request(OLD, uri="sip:c@h")) != server_key(request(OLD))


def test_client_key() -> None:
    """A CANCEL has its INVITE's branch, so the method tells them apart."""
    for method in ("INVITE", "CANCEL"):
        sent = request(NEW, method)
        assert client_key(sent.answer(200)) == ("z9hG4bK1", method)


def test_merging() -> None:
    """Another branch of the same request is known; within a dialog that is not asked."""
    other = NEW | {"Via": "SIP/2.0/UDP proxy.example;branch=z9hG4bK7"}
    assert merging_key(request(other)) == merging_key(request(NEW))
    assert merging_key(request(NEW | {"CSeq": "2 INVITE"})) != merging_key(request(NEW))
    assert merging_key(request(NEW | {"To": "<sip:b@h>;tag=b"})) is None


SENT = NEW | {"Route": "<sip:p;lr>", "Authorization": "Digest x", "Contact": "<sip:us>"}


def test_ack_of_failure() -> None:
    """Same way and branch, the response's To, the INVITE's credentials (17.1.1.3, 22.1)."""
    invite = request(SENT)
    ack = ack_of_failure(invite, invite.answer(486, to_tag="b"))
    assert ack.encode().decode().splitlines() == [
        "ACK sip:b@h SIP/2.0",
        f"Via: {NEW['Via']}",
        "Max-Forwards: 70",
        "Route: <sip:p;lr>",
        "From: <sip:a@h>;tag=a",
        "To: <sip:b@h>;tag=b",
        "Call-ID: c",
        "CSeq: 1 ACK",
        "Authorization: Digest x",
        "Content-Length: 0",
        "",
    ]


def test_cancel() -> None:
    """As the INVITE was sent, without a To tag, and with the reason (9.1, RFC 3326)."""
    cancel = cancel_of(request(SENT), "SIP;cause=200")
    assert cancel.headers.get("Reason") == "SIP;cause=200"
    assert (cancel.uri, cancel.headers.get("To")) == ("sip:b@h", "<sip:b@h>")
    assert cancel.cseq == (1, "CANCEL")
    assert "Authorization" not in cancel.headers
    assert "Reason" not in cancel_of(request(SENT)).headers
    parse(cancel.encode())
