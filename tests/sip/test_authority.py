"""Challenges, passwords in the URI, trusted networks, and who is shut out."""

from __future__ import annotations

import pytest
from twisted.logger import LogEvent, formatEventAsClassicLogText, globalLogPublisher

from rapida_tw.wire import sip_digest
from tests.sip.house import (
    ASSISTANT,
    ELSEWHERE,
    FOREIGN,
    KEY,
    OTHER,
    PROJECT,
    Endpoint,
    MemoryFlow,
    last,
)

CALLED = [100, 180, 200]


def party(endpoint: Endpoint) -> tuple[int, int, str]:
    ((found, incoming),) = endpoint.house.taken
    return found.assistant_id, found.project_id, incoming.callee


# -- the challenge ----------------------------------------------------------------------------


def test_challenge() -> None:
    """A stranger is told both algorithms, MD5 first, and nothing is kept of it."""
    endpoint = Endpoint()
    challenge = endpoint.challenged(endpoint.invite(uri="sip:15551234567@203.0.113.10"))
    told = [
        sip_digest.Challenge.parse(value) for value in challenge.headers.all("WWW-Authenticate")
    ]
    assert [one.algorithm for one in told] == ["MD5", "SHA-256"]
    assert {(one.realm, one.qop, one.stale) for one in told} == {("rapida", "auth", False)}
    assert len({one.nonce for one in told}) == 1
    assert len(endpoint.agent.transactions) == 0
    assert endpoint.house.asked == []
    endpoint.send(endpoint.request("ACK", to_tag=challenge.to.tag))
    endpoint.nothing_left()
    assert endpoint.answers() == []


def test_only_sha() -> None:
    """For strict sites."""
    endpoint = Endpoint(algorithms=("SHA-256",))
    challenge = endpoint.challenged(endpoint.invite(uri="sip:1@h"))
    assert len(challenge.headers.all("WWW-Authenticate")) == 1
    assert "SHA-256" in challenge.headers.get("WWW-Authenticate")


def test_challenge_is_repeated() -> None:
    """The same request gets the same To tag, another one another; no nonce is given twice."""
    endpoint = Endpoint()
    invite = endpoint.invite(uri="sip:1@h")
    first, second = endpoint.challenged(invite), endpoint.challenged(invite)
    other = endpoint.challenged(endpoint.invite(uri="sip:1@h"))
    assert first.to.tag == second.to.tag != other.to.tag
    nonces = {one.headers.get("WWW-Authenticate") for one in (first, second, other)}
    assert len(nonces) == 3


def test_challenge_is_small() -> None:
    """A made-up source is not sent more than it has cost."""
    endpoint = Endpoint()
    request = endpoint.invite(uri="sip:15551234567@203.0.113.10")
    assert len(endpoint.challenged(request).encode()) < 1.5 * len(request.encode())


# -- bans -------------------------------------------------------------------------------------


def test_ban() -> None:
    """Ten wrong answers shut a source out, for the others nothing changes."""
    endpoint = Endpoint()
    for number in range(10):
        first = endpoint.invite(uri="sip:1@h", call_id=f"call-{number}")
        challenge = endpoint.challenged(first)
        second = endpoint.invite(uri="sip:1@h", cseq=2, call_id=f"call-{number}")
        second.headers.set("Authorization", endpoint.credentials(challenge, second, "wrong"))
        endpoint.send(second)
        endpoint.answers()
    endpoint.send(endpoint.request("OPTIONS", call_id="ping-1"))
    assert endpoint.answers() == []
    other = MemoryFlow(("198.51.100.8", 5060), sent=endpoint.flow.sent)
    endpoint.send(endpoint.request("OPTIONS", call_id="ping-2"), other)
    assert endpoint.statuses() == [200]


def test_nobody_is_banned_by_others() -> None:
    """Wrong answers in the name of another address: it was never given that challenge."""
    endpoint = Endpoint()
    mine = MemoryFlow(("203.0.113.66", 5060), sent=endpoint.flow.sent)
    for number in range(12):
        first = endpoint.invite(uri="sip:1@h", call_id=f"call-{number}")
        endpoint.send(first, mine)
        challenge = last(endpoint)
        second = endpoint.invite(uri="sip:1@h", cseq=2, call_id=f"call-{number}")
        second.headers.set("Authorization", endpoint.credentials(challenge, second, "wrong"))
        endpoint.send(second)
        endpoint.answers()
    endpoint.send(endpoint.request("OPTIONS", call_id="ping"))
    assert endpoint.statuses() == [200]


@pytest.mark.parametrize(("transport", "answers"), [("UDP", [200]), ("TCP", [])])
def test_ban_by_uri(transport: str, answers: list[int]) -> None:
    """Passwords in URIs count over connections alone: anybody can write a datagram's sender."""
    endpoint = Endpoint()
    endpoint.flow = MemoryFlow(transport=transport)
    for number in range(10):
        endpoint.send(endpoint.invite(uri="sip:1:wrong@h", call_id=f"call-{number}"))
        assert endpoint.statuses() == [403]
    endpoint.send(endpoint.request("OPTIONS", call_id="ping"))
    assert endpoint.statuses() == answers


# -- the password in the URI, trusted networks ------------------------------------------------


@pytest.mark.parametrize(
    ("userinfo", "found"),
    [
        (f"{ASSISTANT}:{KEY}", (ASSISTANT, PROJECT, "")),
        (f"agent-{ASSISTANT}:{KEY}", (ASSISTANT, PROJECT, "")),
        (f"did-15557654321:{KEY}", (OTHER, PROJECT, "15557654321")),
        (f"{FOREIGN}:rpd-elsewhere", (FOREIGN, ELSEWHERE, "")),
        (f"{ASSISTANT}:rpd%2D0a1b2c3d", (ASSISTANT, PROJECT, "")),
    ],
)
def test_uri_password(userinfo: str, found: tuple[int, int, str]) -> None:
    """Calls at once, without a challenge."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(uri=f"sip:{userinfo}@203.0.113.10:5090"))
    assert endpoint.statuses() == CALLED
    assert party(endpoint) == found


@pytest.mark.parametrize(
    "userinfo",
    [
        f"{ASSISTANT}:wrong",
        f"{ASSISTANT}:",
        f"999:{KEY}",
        f"{FOREIGN}:{KEY}",
        f"bob:{KEY}",
        f"did-15550009999:{KEY}",
        f"did-1:{KEY}",
    ],
)
def test_wrong_uri_password(userinfo: str) -> None:
    """403, and which part was wrong is not told."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(uri=f"sip:{userinfo}@203.0.113.10:5090"))
    answer = last(endpoint)
    assert (answer.status, answer.phrase) == (403, "Forbidden")
    endpoint.nothing_left()


# -- trusted networks -------------------------------------------------------------------------


def test_trusted() -> None:
    """The dialled number says for whom the call is, without a password."""
    for user in ("15550009999", "did-15550009999"):
        endpoint = Endpoint(trusted_networks=("198.51.100.0/24",))
        endpoint.send(endpoint.invite(uri=f"sip:{user}@203.0.113.10"))
        assert endpoint.statuses() == CALLED
        assert party(endpoint) == (FOREIGN, ELSEWHERE, "15550009999")


@pytest.mark.parametrize("uri", ["sip:15551234567@h", "sip:h", f"sip:agent-{ASSISTANT}@h"])
def test_trusted_and_unknown(uri: str) -> None:
    """A number of nobody is not found; an id alone is no proof for whose project it is."""
    endpoint = Endpoint(trusted_networks=("198.51.100.0/24",))
    endpoint.send(endpoint.invite(uri=uri))
    assert endpoint.statuses() == [404]


def test_trusted_with_a_password() -> None:
    """A password counts before the network."""
    endpoint = Endpoint(trusted_networks=("198.51.100.0/24",))
    endpoint.send(endpoint.invite())
    assert party(endpoint) == (ASSISTANT, PROJECT, "")


def test_no_password_is_told() -> None:
    """Neither in what the house is given nor in an answer, but where the peer wrote it itself."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    ((_, incoming),) = endpoint.house.taken
    assert "0a1b2c3d" not in repr(incoming)
    for answer in endpoint.answers():
        assert b"0a1b2c3d" not in answer.encode()


def test_wrong_password_is_told() -> None:
    """The log names who and for whom, once a second at most, and nothing of a key."""
    endpoint = Endpoint()
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        lines.append(formatEventAsClassicLogText(event) or "")

    globalLogPublisher.addObserver(observe)
    try:
        for number in range(3):
            uri = f"sip:{ASSISTANT}:rpd-guess@203.0.113.10"
            endpoint.send(endpoint.invite(uri=uri, call_id=f"call-{number}"))
        endpoint.clock.advance(1)
        endpoint.answers()
        endpoint.dial(password="rpd-other")
    finally:
        globalLogPublisher.removeObserver(observe)
    told = [line for line in lines if "is not let in" in line]
    assert len(told) == 2
    assert f"198.51.100.7 is not let in: no assistant {ASSISTANT} " in told[0]
    assert "(2 others since)" in told[1]
    assert "rpd-" not in "".join(lines)
