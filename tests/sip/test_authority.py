"""For whom a call is, and who may make it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from rapida_tw.sip import counters
from rapida_tw.sip.parties import Dialled, caller, dialled
from rapida_tw.wire import sip_digest
from rapida_tw.wire.sip_message import Response
from tests.sip.house import (
    ASSISTANT,
    ELSEWHERE,
    FOREIGN,
    KEY,
    OTHER,
    PROJECT,
    Endpoint,
    MemoryFlow,
)

CALLED = [100, 180, 200]


def party(endpoint: Endpoint) -> tuple[int, int, str]:
    ((found, incoming),) = endpoint.house.taken
    return found.assistant_id, found.project_id, incoming.callee


def last(endpoint: Endpoint) -> Response:
    answer = endpoint.answers()[-1]
    assert isinstance(answer, Response)
    return answer


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


# -- Digest -----------------------------------------------------------------------------------


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


# -- the password in the URI ------------------------------------------------------------------


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


# -- REGISTER ---------------------------------------------------------------------------------


def test_register() -> None:
    """With the right password a phone is told that it is registered, for an hour at most."""
    endpoint = Endpoint()
    contacts = ("Contact", "<sip:bob@10.0.0.5:5060;ob>;expires=10, <sip:x@10.0.0.6>;q=0.1")
    challenge = endpoint.challenged(endpoint.request("REGISTER", "sip:h", contacts))
    register = endpoint.request("REGISTER", "sip:h", contacts, ("Expires", "9000"), cseq=2)
    register.headers.set("Authorization", endpoint.credentials(challenge, register))
    endpoint.send(register)
    answer = last(endpoint)
    assert answer.status == 200
    assert answer.headers.values("Contact") == [
        "<sip:bob@10.0.0.5:5060;ob>;expires=60",
        "<sip:x@10.0.0.6>;expires=3600",
    ]
    assert endpoint.agent.guard.spares(endpoint.flow.peer[0])
    endpoint.nothing_left()


@pytest.mark.parametrize("contact", ["*", "<sip:bob@10.0.0.5>;expires=0"])
def test_deregister(contact: str) -> None:
    """Then no Contact holds any more."""
    endpoint = Endpoint()
    fields = (("Contact", contact), ("Expires", "0"))
    challenge = endpoint.challenged(endpoint.request("REGISTER", "sip:h", *fields))
    register = endpoint.request("REGISTER", "sip:h", *fields, cseq=2)
    register.headers.set("Authorization", endpoint.credentials(challenge, register))
    endpoint.send(register)
    answer = last(endpoint)
    assert (answer.status, answer.headers.values("Contact")) == (200, [])


def test_wrong_register() -> None:
    """401, then 403."""
    endpoint = Endpoint()
    answer = endpoint.challenged(endpoint.request("REGISTER", "sip:h"))
    for status in (401, 403):
        register = endpoint.request("REGISTER", "sip:h", cseq=2)
        register.headers.set("Authorization", endpoint.credentials(answer, register, "wrong"))
        endpoint.send(register)
        answer = last(endpoint)
        assert answer.status == status
    endpoint.nothing_left()


# -- who calls whom ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({}, "+15550001111"),
        ({"P-Asserted-Identity": "<sip:+15553334444@trunk>"}, "+15553334444"),
        ({"P-Asserted-Identity": "<tel:+15553334444>"}, "+15553334444"),
        ({"P-Asserted-Identity": "<<nonsense"}, "+15550001111"),
        ({"P-Asserted-Identity": "<sip:+1555@t>", "Privacy": "id"}, ""),
        ({"P-Asserted-Identity": "<sip:+1555@t>", "Privacy": "none"}, "+1555"),
        ({"From": "<sip:anonymous@anonymous.invalid>;tag=1"}, ""),
        ({"From": "<sip:Anonymous@10.0.0.5>;tag=1"}, ""),
        ({"From": "<sip:10.0.0.5>;tag=1"}, ""),
        ({"From": "<sip:+1555;phone-context=x@10.0.0.5>;tag=1"}, "+1555"),
        ({"From": f"<sip:{'9' * 500}@10.0.0.5>;tag=1"}, "9" * 128),
    ],
)
def test_caller(headers: dict[str, str], number: str) -> None:
    """What the trunk asserts beats what the caller says; who hides has no number."""
    request = Endpoint().invite(*headers.items())
    assert caller(request) == number


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_dialled(user: str) -> None:
    """Any user part is an id or a number."""
    found = dialled(user)
    assert isinstance(found, Dialled)
    assert found.assistant_id is None or found.number == ""


def test_no_password_is_told() -> None:
    """Neither in what the house is given nor in an answer, but where the peer wrote it itself."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    ((_, incoming),) = endpoint.house.taken
    assert "0a1b2c3d" not in repr(incoming)
    for answer in endpoint.answers():
        assert b"0a1b2c3d" not in answer.encode()
