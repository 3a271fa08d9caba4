"""Vonage's REST API: what is asked, where to, with which token, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import GONE, Placed, Reach, RemoteCall
from rapida_tw.carriers.vonage import VONAGE
from rapida_tw.carriers.vonage_control import VonageControl
from rapida_tw.carriers.vonage_token import LASTS
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.net.base import Request
from tests.carriers.asking import CONTEXT, HOST, get, invitation
from tests.carriers.orders import NOW, answer, document, order, refused

APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
UUID = "63f61863-4a51-4f6b-86e1-46edebcf9356"
KEY = rsa.generate_private_key(65_537, 2_048)


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return str(key.private_bytes(Encoding.PEM, form, NoEncryption()).decode())


def account(**fields: str) -> Account:
    usual = {"application_id": APPLICATION, "private_key": pem(KEY)}
    return Account("Vonage", usual | fields)


ORDER = order("vonage", account())
CONTROL = VonageControl()
EVENT = f"https://{HOST}/v1/talk/vonage/ctx/{CONTEXT}/event"


def claims(request: Request) -> dict[str, Any]:
    """What the request's token says, when the signature is right."""
    kind, _, token = request.headers["Authorization"].partition(" ")
    assert (kind, jwt.get_unverified_header(token)["alg"]) == ("Bearer", "RS256")
    options: Any = {"verify_exp": False, "verify_iat": False}
    said: dict[str, Any] = jwt.decode(token, KEY.public_key(), ["RS256"], options)
    return said


def test_place() -> None:
    """Numbers without a plus; the NCCO is that of calls that come in."""
    request = CONTROL.place(ORDER, NOW)
    assert (request.method, request.url) == ("POST", "https://api.nexmo.com/v1/calls")
    told = document(request)
    ncco = told.pop("ncco")
    assert told == {
        "to": [{"type": "phone", "number": "15550100001"}],
        "from": {"type": "phone", "number": "15550100002"},
        "event_url": [EVENT],
        "event_method": "POST",
        "ringing_timer": 60,
    }
    answered = json.loads(VONAGE.answer(invitation(carrier="vonage"), get("https://x/")).body)
    assert ncco == [answered[0] | {"from": "15550100002"}]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ring_seconds": 999.0, "most_seconds": 0.5}, {"ringing_timer": 120, "length_timer": 1}),
        ({"most_seconds": 99_999.0}, {"length_timer": 7_200}),
        (
            {"detection": "start"},
            {"advanced_machine_detection": {"behavior": "continue", "mode": "default"}},
        ),
        ({"callee": "sip:a@b.example"}, {"to": [{"type": "sip", "uri": "sip:a@b.example"}]}),
    ],
)
def test_changes(changes: dict[str, object], fields: dict[str, Any]) -> None:
    """Times in Vonage's bounds; detection does not hold up the conversation."""
    told = document(CONTROL.place(order("vonage", account(), **changes), NOW))
    assert fields.items() <= told.items()


def test_token() -> None:
    """Signed with the application's key, for some minutes, and never the same."""
    first, second = (claims(CONTROL.place(ORDER, NOW)) for _ in range(2))
    assert first.pop("jti") != second.pop("jti")
    assert first == {"application_id": APPLICATION, "iat": int(NOW), "exp": int(NOW) + LASTS}


@pytest.mark.parametrize(
    "key",
    [
        pem(KEY).replace("\n", "\\n"),
        pem(KEY).replace("\n", " "),
        pem(KEY).replace("\n", ""),
        f"\r\n {pem(KEY)}".replace("\n", "\r\n"),
        pem(KEY, PrivateFormat.TraditionalOpenSSL),
    ],
    ids=["escaped", "blanks", "joined", "windows", "PKCS 1"],
)
def test_a_key_in_one_line(key: str) -> None:
    """However it was pasted."""
    assert claims(CONTROL.place(order("vonage", account(private_key=key)), NOW))


@pytest.mark.parametrize(
    "key",
    [
        "secret words",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(KEY)[:500],
        pem(KEY).replace("PRIVATE", "PUBLIC"),
        "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----",
        "-----BEGIN ü-----\nsecret\n-----END ü-----",
    ],
    ids=["words", "another kind", "cut off", "public", "not base64", "not ASCII"],
)
def test_no_key(key: str) -> None:
    """What is none is said so, without it."""
    with pytest.raises(MisconfiguredAssistant, match="no RSA key in PEM") as caught:
        CONTROL.place(order("vonage", account(private_key=key)), NOW)
    assert "secret" not in str(caught.value)


def hang_up(region: str = "", **fields: str) -> Request:
    call = RemoteCall(UUID, account(**fields), data={"region_url": region} if region else {})
    request = CONTROL.hang_up(call, NOW)
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("region", "base"),
    [
        ("", "https://api.nexmo.com"),
        ("https://api-us-3.vonage.com", "https://api-us-3.vonage.com"),
        ("https://api-eu.nexmo.com", "https://api-eu.nexmo.com"),
        *(
            (bad, "https://api.nexmo.com")
            for bad in (
                "https://evil.test",
                "https://vonage.com.evil.test",
                "https://evilvonage.com",
                "https://evil.test/.vonage.com",
                "https://evil.test#.vonage.com",
                "https://user@evil.test:443/api.vonage.com",
                "https://api.vonage.com@evil.test",
                "https://api.vonage.com\n",
                "http://api.vonage.com",
                "https://api.vonage.com:8443",
            )
        ),
    ],
)
def test_region(region: str, base: str) -> None:
    """Where the call lives; a token goes to no host that is not Vonage's."""
    assert hang_up(region).url == f"{base}/v1/calls/{UUID}"


def test_base_url() -> None:
    """The credential's own address stands over every region."""
    request = hang_up("https://api-us-3.vonage.com", base_url="https://fake.test/")
    assert request.url == f"https://fake.test/v1/calls/{UUID}"


def test_steering() -> None:
    """Hang-up, transfer and digits are PUT to the caller's leg."""
    call = RemoteCall(UUID, account(), caller="+15550100002")
    ending = hang_up()
    assert (ending.method, document(ending)) == ("PUT", {"action": "hangup"})
    ncco = [
        {
            "action": "connect",
            "endpoint": [{"type": "phone", "number": "15550100003"}],
            "from": "15550100002",
        }
    ]
    moving = CONTROL.transfer(call, "+15550100003", NOW)
    to = {"type": "ncco", "ncco": ncco}
    assert (moving.method, document(moving)) == ("PUT", {"action": "transfer", "destination": to})
    sending = CONTROL.send_digits(call, "12#", NOW)
    assert (sending.url, document(sending)) == (f"{hang_up().url}/dtmf", {"digits": "12#"})


def test_placed() -> None:
    """The conversation is another name of the call: the socket's leg is in it, too."""
    told = {"uuid": UUID, "status": "started", "conversation_uuid": "CON-1"}
    assert CONTROL.read_placed(answer(201, told)) == Placed(UUID, ("CON-1",))


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (
            401,
            {"type": "UNAUTHORIZED", "error_title": "Unauthorized"},
            ("authentication_failed", "Unauthorized", "UNAUTHORIZED"),
        ),
        (
            400,
            {
                "type": "BAD_REQUEST",
                "error_title": "Bad Request",
                "invalid_parameters": {"to": "x"},
            },
            ("bad_number", "Bad Request: to", "BAD_REQUEST"),
        ),
        (
            400,
            {"title": "Invalid", "invalid_parameters": [{"name": "ncco", "reason": "x"}]},
            ("configuration_failed", "Invalid: ncco", ""),
        ),
        (
            403,
            {"type": "https://x.test/Error#out-of-credit", "title": "No credit", "detail": "-5"},
            ("configuration_failed", "No credit: -5", "out-of-credit"),
        ),
        (429, "", ("capacity_exceeded", "HTTP 429", "")),
    ],
)
def test_refused(status: int, body: Any, outcome: tuple[str, str, str]) -> None:
    """Errors of both forms."""
    found = refused(CONTROL, status, body)
    assert (found.status, found.reason, found.code) == outcome
    assert found.reach is Reach.NOBODY


def test_answers() -> None:
    """204 has no body, and a call that is over is not found."""
    assert CONTROL.read(answer(204)) == {}
    assert CONTROL.read(answer(404, {"type": "NOT_FOUND"})) is GONE


def test_check_of_an_application() -> None:
    """A credential with an application lists a call."""
    request = CONTROL.check(account(), NOW)
    assert request.url.startswith("https://api.nexmo.com/v1/calls?")
    assert request.headers["Authorization"].startswith("Bearer ")


def test_check_of_a_key() -> None:
    """A credential that only looks numbers up asks for its balance."""
    request = CONTROL.check(Account("Vonage", {"api_key": "k", "api_secret": "s"}), NOW)
    assert request.url == "https://rest.nexmo.com/account/get-balance"
    assert request.headers["Authorization"] == "Basic azpz"
    with pytest.raises(MisconfiguredAssistant):
        CONTROL.check(Account("Vonage", {"api_key": "k"}), NOW)
