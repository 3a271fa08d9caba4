"""Digest: who gets in with it, as whom, and who does not (RFC 7616)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.sip import counters
from rapida_tw.wire.sip_message import Response
from tests.sip.house import ASSISTANT, FOREIGN, OTHER, PROJECT, Endpoint, last

CALLED = [100, 180, 200]


def party(endpoint: Endpoint) -> tuple[int, int, str]:
    ((found, incoming),) = endpoint.house.taken
    return found.assistant_id, found.project_id, incoming.callee


@pytest.mark.parametrize("place", [0, 1])
def test_digest(place: int) -> None:
    """With either algorithm: the user is the assistant, the Request-URI says what was dialled."""
    endpoint = Endpoint()
    endpoint.dial(place=place)
    assert endpoint.statuses() == CALLED
    assert party(endpoint) == (ASSISTANT, PROJECT, "15551234567")


@pytest.mark.parametrize(
    ("user", "assistant", "callee"),
    [
        ("15557654321", OTHER, "15557654321"),  # a number of the project
        ("did-15557654321", OTHER, "15557654321"),
        ("15550009999", ASSISTANT, "15550009999"),  # of another project: only data
        ("15551234567", ASSISTANT, "15551234567"),  # nobody's
        ("did-15551234567", ASSISTANT, "15551234567"),
        (f"agent-{ASSISTANT}", ASSISTANT, ""),
        (f"agent-{OTHER}", OTHER, ""),
        ("15557654321;npdi;rn=1", OTHER, "15557654321"),
    ],
)
def test_dialled_with_digest(user: str, assistant: int, callee: str) -> None:
    """The dialled number's assistant takes the call, if it is of the project that logged in."""
    endpoint = Endpoint()
    endpoint.dial(f"sip:{user}@203.0.113.10")
    assert endpoint.statuses() == CALLED
    assert party(endpoint) == (assistant, PROJECT, callee)


def test_no_user() -> None:
    """An AOR contact without user is enough."""
    endpoint = Endpoint()
    endpoint.dial("sip:203.0.113.10:5090")
    assert endpoint.statuses() == CALLED
    assert party(endpoint) == (ASSISTANT, PROJECT, "")


def test_digest_beats_the_uri() -> None:
    """A password in the URI is not looked at when there is a Digest."""
    endpoint = Endpoint()
    endpoint.dial(f"sip:{FOREIGN}@203.0.113.10")
    assert party(endpoint)[:2] == (ASSISTANT, PROJECT)


def test_an_assistant_of_others() -> None:
    """Is not there, for who has logged in."""
    endpoint = Endpoint()
    endpoint.dial(f"sip:agent-{FOREIGN}@203.0.113.10")
    assert endpoint.statuses() == [404]
    endpoint.nothing_left()


@pytest.mark.parametrize(
    "login",
    [
        {"password": "wrong"},
        {"password": "rpd-elsewhere"},
        {"password": "\u00e4\u0663\u4e2d"},
        {"username": "999"},
        {"username": str(FOREIGN)},
        {"username": "bob"},
        {"username": "\u0661\u0662"},
        {"username": "1" * 40},
        {"username": ""},
    ],
)
def test_wrong(login: dict[str, str]) -> None:
    """All get the same: 401 with fresh challenges, then 403 in the same call."""
    endpoint = Endpoint()
    endpoint.dial(**login)
    answer = last(endpoint)
    assert answer.status == 401
    assert [line.partition("nonce")[0] for line in answer.headers.all("WWW-Authenticate")] == [
        'Digest realm="rapida", '
    ] * 2
    assert "stale" not in answer.headers.get("WWW-Authenticate")
    again = endpoint.invite(uri="sip:15551234567@203.0.113.10:5090", cseq=3)
    again.headers.set("Authorization", endpoint.credentials(answer, again, **login))
    endpoint.send(again)
    assert last(endpoint).status == 403
    assert endpoint.house.taken == []
    endpoint.nothing_left()


@pytest.mark.parametrize(
    ("answered", "status"),
    [
        ("sip:15551234567@pbx.example", 200),  # proxies write the host anew
        ("sip:203.0.113.10:5090", 200),  # SIPp's, which leaves the user out unless told otherwise
        ("sip:15550001111@203.0.113.10:5090", 401),
        ("15551234567", 401),
    ],
)
def test_other_uri(answered: str, status: int) -> None:
    """The answer may have been made for another host, not for another user."""
    endpoint = Endpoint()
    dialled = "sip:15551234567@203.0.113.10:5090"
    challenge = endpoint.challenged(endpoint.invite(uri=dialled))
    invite = endpoint.invite(uri=dialled, cseq=2)
    other = endpoint.invite(uri=answered, cseq=2)
    invite.headers.set("Authorization", endpoint.credentials(challenge, other))
    endpoint.send(invite)
    assert last(endpoint).status == status


def test_as_many_questions() -> None:
    """An unknown assistant is looked for as a known one is."""
    asked = []
    for login in ({"username": "999"}, {"password": "wrong"}, {"username": "bob"}):
        endpoint = Endpoint()
        endpoint.dial(**login)
        asked.append([name for name, *_ in endpoint.house.asked])
    assert asked == [["passwords"]] * 3


def test_right_after_wrong() -> None:
    """Who mistyped once gets in with the next answer."""
    endpoint = Endpoint()
    endpoint.dial(password="wrong")
    challenge = last(endpoint)
    again = endpoint.invite(uri="sip:1@h", cseq=3)
    again.headers.set("Authorization", endpoint.credentials(challenge, again))
    endpoint.send(again)
    assert endpoint.statuses() == CALLED


def test_replay() -> None:
    """The same answer in another call is no login: 401, stale, and no call."""
    endpoint = Endpoint()
    first = endpoint.dial()
    endpoint.answers()
    second = endpoint.invite(uri=first.uri, call_id="call-2")
    second.headers.set("Authorization", first.headers.get("Authorization"))
    endpoint.send(second)
    answer = last(endpoint)
    assert answer.status == 401
    assert "stale=true" in answer.headers.get("WWW-Authenticate")
    assert len(endpoint.house.taken) == 1


def test_replay_while_the_house_thinks() -> None:
    """Two that come at once with one answer are one login."""
    endpoint = Endpoint()
    waiting: list[tuple[Deferred[Any], Any]] = []

    def later(result: Any) -> Deferred[Any]:
        waiting.append((Deferred(), result))
        return waiting[-1][0]

    endpoint.house.identifying = later
    first = endpoint.dial()
    second = endpoint.invite(uri=first.uri, call_id="call-2")
    second.headers.set("Authorization", first.headers.get("Authorization"))
    endpoint.send(second)
    while waiting:
        answer, result = waiting.pop(0)
        answer.callback(result)
    assert len(endpoint.house.taken) == 1


def test_the_next_call_of_pjsip() -> None:
    """A cached nonce with nc counted on is taken while it lives, then stale; it is no mistake."""
    endpoint = Endpoint()
    uri = "sip:15551234567@203.0.113.10:5090"
    challenge = endpoint.challenged(endpoint.invite(uri=uri))
    wrong = counters.logins.value("wrong")
    expected = {1: 200, 2: 200, 3: 401}
    for nc, status in expected.items():
        invite = endpoint.invite(uri=uri, call_id=f"call-{nc}")
        invite.headers.set("Authorization", endpoint.credentials(challenge, invite, nc=nc))
        if nc == 3:
            endpoint.clock.advance(61)
        endpoint.answers()
        endpoint.send(invite)
        answer = last(endpoint)
        assert answer.status == status
    assert "stale=true" in answer.headers.get("WWW-Authenticate")
    assert counters.logins.value("wrong") == wrong


def test_forged_nonce() -> None:
    """A nonce that is not ours is asked nobody about; its answer may be a stale one's."""
    endpoint = Endpoint()
    invite = endpoint.invite(uri="sip:1@h")
    forged = Response(401)
    forged.headers.add("WWW-Authenticate", 'Digest realm="rapida", nonce="12345", qop="auth"')
    invite.headers.set("Authorization", endpoint.credentials(forged, invite))
    answer = endpoint.challenged(invite)
    assert "stale=true" in answer.headers.get("WWW-Authenticate")
    assert endpoint.house.asked == []
    assert len(endpoint.agent.transactions) == 0


@pytest.mark.parametrize(
    "value",
    [
        "Basic MTIzOmFiYw==",
        "Digest",
        'Digest username="1"',
        'Digest username="1", realm="other", nonce="a", uri="sip:h", response="b", algorithm=MD5',
        'Digest username="1", realm="rapida", nonce="a", uri="sip:h", response="b"',
        'Digest username="1", realm="rapida", nonce="a", uri="sip:h", response="b", qop=auth',
    ],
)
def test_no_answer_of_ours(value: str) -> None:
    """What answers no challenge of ours, or leaves qop out, is challenged."""
    endpoint = Endpoint()
    endpoint.challenged(endpoint.invite(("Authorization", value), uri="sip:1@h"))
    assert endpoint.house.asked == []


def test_another_ones_challenge_beside_ours() -> None:
    """A proxy's credentials in front of ours do not hide them."""
    endpoint = Endpoint()
    challenge = endpoint.challenged(endpoint.invite(uri="sip:1@h"))
    invite = endpoint.invite(uri="sip:1@h", cseq=2)
    other = 'Digest username="1", realm="other", nonce="a", uri="sip:h", response="b"'
    invite.headers.set("Authorization", other)
    invite.headers.add("Authorization", endpoint.credentials(challenge, invite))
    endpoint.send(invite)
    assert endpoint.statuses() == CALLED


@pytest.mark.parametrize(
    ("answered", "status"),
    [
        ("sip:15551234567@10.0.0.9;transport=udp", 200),  # a proxy rewrote the host
        ("sip:%31%35551234567@203.0.113.10:5090", 200),
        ("sip:15550000000@203.0.113.10:5090", 401),  # another's answer
        ("nonsense", 401),
    ],
)
def test_the_uri_of_the_answer(answered: str, status: int) -> None:
    """Must be for the same user."""
    endpoint = Endpoint()
    uri = "sip:15551234567@203.0.113.10:5090"
    challenge = endpoint.challenged(endpoint.invite(uri=uri))
    other = endpoint.invite(uri=answered)
    invite = endpoint.invite(uri=uri, cseq=2)
    invite.headers.set("Authorization", endpoint.credentials(challenge, other))
    endpoint.send(invite)
    assert last(endpoint).status == status


def test_another_method() -> None:
    """A captured REGISTER answer calls nobody."""
    endpoint = Endpoint()
    register = endpoint.request("REGISTER", "sip:203.0.113.10")
    challenge = endpoint.challenged(register)
    invite = endpoint.invite(uri=register.uri, cseq=2)
    invite.headers.set("Authorization", endpoint.credentials(challenge, register))
    endpoint.send(invite)
    assert last(endpoint).status == 401
