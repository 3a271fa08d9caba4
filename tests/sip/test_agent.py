"""What is answered at once: strangers, pings, and what cannot be understood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.sip import counters
from rapida_tw.sip.guard import Limits
from rapida_tw.wire.sip_message import Response
from tests.sip.house import OFFER, PEER, Endpoint, MemoryFlow

ALLOWED = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"}


def answered(endpoint: Endpoint) -> Response:
    (answer,) = endpoint.answers()
    assert isinstance(answer, Response)
    return answer


def test_options() -> None:
    """A qualify ping without user is answered 200 and told what can be done."""
    endpoint = Endpoint()
    endpoint.send(endpoint.request("OPTIONS"))
    answer = answered(endpoint)
    assert answer.status == 200
    assert {method.strip() for method in answer.headers.get("Allow").split(",")} >= ALLOWED
    assert answer.headers.get("Accept") == "application/sdp"
    assert "timer" in answer.headers.tokens("Supported")
    assert answer.headers.get("Contact") == "<sip:203.0.113.10:5090>"
    assert answer.to.tag
    endpoint.nothing_left()


@pytest.mark.parametrize("ready", ["", "full: 40 calls"])
def test_options_tell_that_we_are_full(ready: str) -> None:
    """So trunks go elsewhere: 503 with Retry-After, when draining and when there is no room."""
    endpoint = Endpoint()
    endpoint.house.ready = ready
    if not ready:
        endpoint.agent.drain()
    endpoint.send(endpoint.request("OPTIONS"))
    endpoint.send(endpoint.invite())
    for answer in endpoint.answers():
        assert isinstance(answer, Response)
        assert answer.status == 503
        assert 5 <= int(answer.headers.get("Retry-After")) <= 20
    assert endpoint.house.taken == []
    endpoint.nothing_left()


@pytest.mark.parametrize(
    ("method", "uri", "headers", "status", "told"),
    [
        ("BYE", "sip:a@h", (), 481, {}),
        ("UPDATE", "sip:a@h", (), 481, {}),
        ("MESSAGE", "sip:a@h", (), 405, {"Allow": "INVITE"}),
        ("SUBSCRIBE", "sip:a@h", (), 405, {"Allow": "INVITE"}),
        ("REFER", "sip:a@h", (), 405, {}),
        ("NONSENSE", "sip:a@h", (), 501, {}),
        ("INVITE", "http:a@h", (), 416, {}),
        ("INVITE", "tel:+15551234567", (), 416, {}),
        ("INVITE", "sip:a@h", (("Require", "precondition, 100rel"),), 420, {"Unsupported": "pre"}),
        ("INVITE", "sip:a@h", (("Content-Type", "text/plain"),), 415, {"Accept": "application/"}),
        ("INVITE", "sip:a@h", (("Content-Encoding", "gzip"),), 415, {"Accept-Encoding": "ident"}),
        ("INVITE", "sip:a@h", (("Replaces", "a;to-tag=b;from-tag=c"),), 481, {}),
        (
            "INVITE",
            "sip:a@h",
            (("Session-Expires", "60"), ("Supported", "timer")),
            422,
            {"Min-SE": "90"},
        ),
    ],
)
def test_refused_by_the_look(
    method: str, uri: str, headers: tuple[tuple[str, str], ...], status: int, told: dict[str, str]
) -> None:
    """Each with what the peer can learn from; nothing of it is remembered."""
    endpoint = Endpoint()
    endpoint.send(endpoint.request(method, uri, *headers, body=OFFER))
    answer = answered(endpoint)
    assert answer.status == status
    for name, beginning in told.items():
        assert answer.headers.get(name).startswith(beginning), name
    assert len(endpoint.agent.transactions) == 0
    endpoint.nothing_left()


def test_an_optional_body() -> None:
    """A body that need not be understood is no reason to refuse."""
    endpoint = Endpoint()
    headers = (("Content-Type", "text/plain"), ("Content-Disposition", "icon; handling=optional"))
    endpoint.send(endpoint.invite(*headers))
    assert endpoint.statuses() == [100, 180, 200]


def test_an_unknown_dialog() -> None:
    """481, and an ACK is never answered."""
    endpoint = Endpoint()
    for method in ("INVITE", "BYE", "OPTIONS", "ACK"):
        endpoint.send(endpoint.request(method, to_tag="gone", body=OFFER))
    assert endpoint.statuses() == [481, 481, 481]
    endpoint.nothing_left()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("From: <sip:a@h>;tag=1\r\nFrom: <sip:b@h>;tag=2", 400),
        ("Content-Length: 99", 400),
        ("Content-Length: -1", 400),
    ],
)
def test_malformed(line: str, status: int) -> None:
    """It is said what is wrong, with a To tag, and counted."""
    endpoint = Endpoint()
    before = counters.dropped.value("malformed")
    data = endpoint.request("OPTIONS").encode().replace(b"Content-Length: 0", line.encode())
    endpoint.agent.received(data, endpoint.flow)
    answer = answered(endpoint)
    assert answer.status == status
    assert answer.phrase not in ("", "Bad Request")
    assert answer.to.tag
    assert counters.dropped.value("malformed") == before + 1


def test_a_bracket_in_via() -> None:
    """Where it cannot be known where an answer goes, there is none, and no error of ours."""
    endpoint = Endpoint()
    failed = counters.failures.value()
    via = b'Via: SIP/2.0/UDP 10.0.0.5;<rport;branch=";x"\r\n'
    data = endpoint.request("OPTIONS").encode()
    data = data[: data.index(b"Via")] + via + data[data.index(b"From") :]
    endpoint.agent.received(data, endpoint.flow)
    assert endpoint.answers() == []
    assert counters.failures.value() == failed


def test_another_version() -> None:
    """505."""
    endpoint = Endpoint()
    data = endpoint.request("OPTIONS").encode().replace(b" SIP/2.0\r", b" SIP/3.0\r", 1)
    endpoint.agent.received(data, endpoint.flow)
    assert endpoint.statuses() == [505]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), b"\x80\x00" + bytes(170), b"GET / HTTP"],
)
def test_not_sip(data: bytes) -> None:
    """STUN, RTP and HTTP are not answered."""
    endpoint = Endpoint()
    endpoint.agent.received(data, endpoint.flow)
    assert endpoint.answers() == []


def test_a_malformed_ack() -> None:
    """Is not answered."""
    endpoint = Endpoint()
    data = endpoint.request("ACK").encode().replace(b"From: ", b"Form: ")
    endpoint.agent.received(data, endpoint.flow)
    assert endpoint.answers() == []


def test_where_answers_go() -> None:
    """To the port that a packet came from with rport, else to the one that Via tells."""
    for via, port, noted in (
        ("10.0.0.5:5070;rport", PEER[1], f";rport={PEER[1]};received={PEER[0]}"),
        ("10.0.0.5:5070", 5070, f";received={PEER[0]}"),
        (f"{PEER[0]}:5070", 5070, ""),
        (PEER[0], 5060, ""),
    ):
        endpoint = Endpoint()
        via = f"SIP/2.0/UDP {via};branch=z9hG4bKx"
        endpoint.send(endpoint.request("OPTIONS", "sip:h", ("Via", via)))
        ((peer, answer),) = endpoint.flow.sent
        assert peer == (PEER[0], port)
        expected = dict(part.partition("=")[::2] for part in noted.split(";")[1:])
        told = {name: answer.via.parameters.get(name) for name in ("rport", "received")}
        assert told == {"rport": None, "received": None} | expected


def test_over_a_connection() -> None:
    """An answer goes back on it, whatever Via says; Contact tells how to come back."""
    endpoint = Endpoint()
    flow = MemoryFlow(transport="TCP", sent=endpoint.flow.sent)
    via = ("Via", "SIP/2.0/TCP 10.0.0.5:5070;branch=z9hG4bKx")
    endpoint.send(endpoint.request("OPTIONS", "sip:h", via), flow)
    ((peer, answer),) = endpoint.flow.sent
    assert peer == PEER
    assert answer.headers.get("Contact") == "<sip:203.0.113.10:5090;transport=tcp>"


def test_contact_of_ipv6() -> None:
    """Has brackets."""
    flow = MemoryFlow(("2001:db8::7", 5060), local=("2001:db8::1", 5090))
    assert Endpoint().agent.contact(flow) == "<sip:[2001:db8::1]:5090>"


def test_scanner() -> None:
    """Is not answered."""
    endpoint = Endpoint()
    endpoint.send(endpoint.request("OPTIONS", "sip:h", ("User-Agent", "friendly-scanner")))
    assert endpoint.answers() == []


def test_flood() -> None:
    """Five thousand INVITEs of one stranger leave nothing behind and get a few answers."""
    endpoint = Endpoint()
    data = endpoint.request("INVITE", "sip:100@203.0.113.10", body=OFFER).encode()
    for _ in range(5_000):
        endpoint.agent.received(data, endpoint.flow)
    assert endpoint.statuses() == [401] * 20
    assert len(endpoint.agent.transactions) == len(endpoint.agent.ladders) == 0
    assert endpoint.house.asked == []
    assert endpoint.clock.getDelayedCalls() == []


def test_caller_through_a_flood() -> None:
    """Who is in a call gets through, although somebody floods in its name."""
    endpoint = Endpoint()
    answer = endpoint.connect()
    endpoint.clock.advance(700)  # its password was long ago
    data = endpoint.request("OPTIONS").encode()
    for _ in range(1_000):
        endpoint.agent.received(data, endpoint.flow)
    endpoint.answers()
    endpoint.send(endpoint.request("BYE", cseq=2, to_tag=answer.to.tag))
    assert endpoint.statuses() == [200]
    for _ in range(300):
        endpoint.agent.received(data, endpoint.flow)
    assert len(endpoint.answers()) <= 200


def test_connection_in_use() -> None:
    """A connection is needed from the call's dialog on until the BYE."""
    endpoint = Endpoint()
    endpoint.flow = flow = MemoryFlow(transport="TCP")
    assert not endpoint.agent.uses(flow)
    answer = endpoint.connect()
    assert endpoint.agent.uses(flow)
    endpoint.send(endpoint.request("BYE", cseq=2, to_tag=answer.to.tag))
    assert not endpoint.agent.uses(flow)


def test_ladder() -> None:
    """The messages of a call can be read afterwards, without its password."""
    endpoint = Endpoint()
    answer = endpoint.connect()
    endpoint.send(endpoint.request("BYE", cseq=2, to_tag=answer.to.tag))
    rungs = endpoint.agent.ladders.of("call-1")
    assert [(rung.sent, rung.line.split(" ")[0]) for rung in rungs] == [
        (False, "INVITE"),
        (True, "100"),
        (True, "180"),
        (True, "200"),
        (False, "ACK"),
        (False, "BYE"),
        (True, "200"),
    ]
    assert "***" in rungs[0].line
    assert rungs[0].time == 1e9
    assert "0a1b2c3d" not in str(rungs)
    assert rungs[3].line == "200 OK (1 INVITE)"


def test_ladders_are_bounded() -> None:
    """Those of the last 200 calls; who gets no password right writes nothing there."""
    endpoint = Endpoint()
    ladders = endpoint.agent.ladders
    for number in range(300):
        request = endpoint.invite(call_id=f"call-{number}")
        way = ladders.first(request, endpoint.flow)
        assert request.call_id not in ladders
        ladders.keep(request.call_id, way)
    assert len(ladders) == 200
    endpoint.send(endpoint.invite(uri="sip:1:wrong@h", call_id="wrong"))
    assert "wrong" not in ladders
    assert "call-100" in ladders


FUZZED = Endpoint(Limits(messages=1e9, message_burst=1e9, invites=1e9, invite_burst=1e9))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated(data: st.DataObject) -> None:
    """No datagram makes it raise, whatever has happened to it."""
    endpoint = FUZZED
    name = str(data.draw(st.integers(0, 2**64)))
    message = bytearray(endpoint.invite(call_id=name, branch=f"z9hG4bK{name}").encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place : place + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    failed = counters.failures.value()
    endpoint.agent.received(bytes(message), endpoint.flow)
    assert counters.failures.value() == failed
