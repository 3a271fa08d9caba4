"""The contract of carriers that can be asked for calls: for every one that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.account import Account
from rapida_tw.carriers.outbound import (
    CarrierRefused,
    Order,
    Reach,
    RemoteCall,
    RestAnswer,
    RestControl,
)
from rapida_tw.errors import BadRequest, CallError, MisconfiguredAssistant, NotSupported
from rapida_tw.net.base import Request
from tests.carriers.asking import CONTEXT, HOST, HOSTILE

CONTROLS: dict[str, RestControl] = {
    point.name: control
    for point in entry_points(group="rapida_tw.carriers")
    if (control := point.load().control) is not None
}
each = pytest.mark.parametrize("name", CONTROLS)
some = settings(max_examples=80)

PEM = (
    rsa.generate_private_key(65_537, 2_048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
# Every spelling of every secret that a carrier may want, and what is no secret beside them.
SECRETS = {
    "account_token": "secret-account-token",
    "auth_token": "secret-auth-token",
    "api_key": "secret-api-key",
    "api_secret": "secret-api-secret",
    "shared_key": "secret-shared-key",
    "signature_secret": "secret-signature-secret",
    "socket_password": "secret-socket-password",
    "private_key": PEM,
}
ACCOUNT = Account(
    "carrier",
    SECRETS
    | {
        "account_sid": "AC1",
        "application_id": "app-1",
        "auth_id": "MA1",
        "connection_id": "7",
    },
)
CALL = RemoteCall("c1", ACCOUNT, caller="+15550100002")


def order(name: str, **changes: Any) -> Order:
    url = f"{HOST}/v1/talk/{name}/ctx/{CONTEXT}"
    usual = Order(
        *(1, 2, 3, CONTEXT),
        "+15550100001",
        "+15550100002",
        f"wss://{url}",
        f"https://{url}/event",
        ACCOUNT,
    )
    return replace(usual, **changes)


def requests(name: str, account: Account = ACCOUNT) -> list[Request]:
    """All that the carrier is ever asked for."""
    control, call = CONTROLS[name], replace(CALL, account=account)
    made: list[Request] = []
    asked: list[Callable[[], Request | None]] = [
        lambda: control.place(order(name, account=account, detection="end"), 1e9),
        lambda: control.hang_up(call, 1e9),
        lambda: control.transfer(call, "+15550100003", 1e9),
        lambda: control.send_digits(call, "12#", 1e9),
        lambda: control.check(account, 1e9),
    ]
    for one in asked:
        with suppress(NotSupported):
            if (request := one()) is not None:
                made.append(request)
    return made


# -- requests ---------------------------------------------------------------------------------


@each
def test_named(name: str) -> None:
    """It bears its carrier's name: metrics and logs go by it."""
    assert CONTROLS[name].name == name


@each
def test_secrets(name: str) -> None:
    """They stand in the Authorization, and nowhere else."""
    for request in requests(name):
        headers = {k.lower(): v for k, v in request.headers.items()}
        assert headers.pop("authorization")
        text = " ".join((request.url, repr(request), str(headers), request.body.decode()))
        for secret in (*SECRETS.values(), PEM.splitlines()[1]):
            assert secret not in unquote_plus(text)


@each
def test_asked_once(name: str) -> None:
    """The request for a call must not be repeated; others may be."""
    first, *others = requests(name)
    assert first.once
    assert not any(request.once for request in others)


@each
def test_encrypted(name: str) -> None:
    """Over TLS, to the carrier; or to where the credential says."""
    assert all(request.url.startswith("https://") for request in requests(name))
    elsewhere = Account("carrier", {**ACCOUNT, "base_url": "https://fake.test:8443/"})
    for request in requests(name, elsewhere):
        assert request.url.startswith("https://fake.test:8443/")


@each
def test_nothing_without_an_account(name: str) -> None:
    """The sentence says what is missing, and the carrier is not asked."""
    with pytest.raises(MisconfiguredAssistant, match="needs"):
        CONTROLS[name].place(order(name, account=Account("the account")), 1e9)


@each
def test_nothing_without_a_number(name: str) -> None:
    """Carriers show a number of the account's to who is called."""
    with pytest.raises(MisconfiguredAssistant, match="phone"):
        CONTROLS[name].place(order(name, caller=""), 1e9)


INJECTIONS = (
    *HOSTILE,
    "",
    "+1555\r\nX-Header: 1",
    "+15550100001\n",
    "+15550100001&Record=true",
    "+15550100001<15550100009",
    "+15550100001,15550100009",
    '+1555"/><Redirect>x',
    "sip:a@b\r\nVia: x",
    'sip:a@b"<',
    "../../Accounts",
    "+\u0661\u0662\u0663\u0664\u0665",
    "1" * 40,
)


@each
@pytest.mark.parametrize("text", INJECTIONS)
def test_no_injection(name: str, text: str) -> None:
    """A number is a number: nothing else gets into a request, wherever one is wanted."""
    control = CONTROLS[name]
    with pytest.raises(BadRequest):
        control.place(order(name, callee=text), 1e9)
    with pytest.raises((BadRequest, MisconfiguredAssistant)):
        control.place(order(name, caller=text), 1e9)
    with pytest.raises((BadRequest, NotSupported)):
        control.transfer(CALL, text, 1e9)
    with pytest.raises((BadRequest, NotSupported)):
        control.send_digits(CALL, text or "x", 1e9)


@each
@pytest.mark.parametrize(
    "call_id", ["", "..", "../x", "a/b", "a?b=c", "a#b", "a\r\nb", "ü", "a" * 200]
)
def test_no_other_path(name: str, call_id: str) -> None:
    """A call's id comes from a webhook, and leads to that call or nowhere."""
    control, call = CONTROLS[name], replace(CALL, call_id=call_id)
    for ask in (
        lambda: control.hang_up(call, 1e9),
        lambda: control.transfer(call, "+15550100003", 1e9),
        lambda: control.send_digits(call, "1", 1e9),
    ):
        with suppress(NotSupported):
            assert ask() is None


@each
@some
@given(
    st.text(max_size=300),
    st.text(max_size=300),
    st.floats(0.0, allow_nan=False),
    st.floats(0.0, allow_nan=False),
    st.sampled_from(["", "start", "end"]),
)
def test_any_order(
    name: str, callee: str, caller: str, ring: float, most: float, detect: str
) -> None:
    """Whatever is asked for becomes a request that can be sent, or the error says why not."""
    with suppress(CallError):
        asked = order(
            name,
            callee=callee,
            caller=caller,
            ring_seconds=ring,
            most_seconds=most,
            detection=detect,
        )
        CONTROLS[name].place(asked, 1e9)
    asked = order(name, ring_seconds=ring, most_seconds=most, detection=detect)
    request = CONTROLS[name].place(asked, 1e9)
    assert request.url.isascii()
    assert request.url.isprintable()
    assert request.url == quote(request.url, safe=":/?=&%._-~")
    assert all(text.isascii() and text.isprintable() for text in request.headers.values())


# -- answers ----------------------------------------------------------------------------------

FIELDS = st.sampled_from(
    [
        *("sid", "Sid", "code", "message", "status", "Call", "call", "uuid", "conversation_uuid"),
        *("type", "title", "detail", "invalid_parameters", "RestException", "Message", "Code"),
        *("errors", "data", "call_control_id", "request_uuid", "error", "to", "name"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["c1", "x" * 1_000, "line\r\nbreak\0", "21220", "90018", "10004"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=10,
)
BODIES = (
    VALUES.map(json.dumps)
    | st.text(max_size=100)
    | st.sampled_from(["", "<html><h1>502</h1>", "[" * 10_000, '{"a":' * 10_000, "NaN", "1e999"])
)
STATUSES = st.integers(200, 599) | st.sampled_from([200, 201, 204, 400, 401, 404, 429, 500, 503])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "date"]),
    st.text(max_size=30) | st.sampled_from(["1", "0.5", "9" * 400, "-1", "text/html"]),
)
ANSWERS = st.builds(RestAnswer, STATUSES, HEADERS, BODIES)


def check_refusal(answer: RestAnswer, error: CarrierRefused) -> None:
    """What must hold of every one."""
    outcome = error.outcome
    surely_not = 300 <= answer.status < 500
    assert outcome.reach is (Reach.NOBODY if surely_not else Reach.UNKNOWN)
    assert surely_not or not outcome.retryable
    assert outcome.reason
    for text in (outcome.reason, outcome.code, str(error)):
        assert text.isprintable()
        assert len(text) <= 600
    assert error.retry_after is None or 0 <= error.retry_after <= 86_400


@each
@some
@given(ANSWERS)
def test_any_answer_to_placing(name: str, answer: RestAnswer) -> None:
    """The carrier has the call and tells its name, or it is known how far the request got."""
    try:
        placed = CONTROLS[name].read_placed(answer)
    except CarrierRefused as error:
        check_refusal(answer, error)
        return
    assert 200 <= answer.status < 300
    for text in (placed.call_id, *placed.names):
        assert text
        assert text.isprintable()
        assert len(text) <= 128


@each
@some
@given(ANSWERS)
def test_any_answer(name: str, answer: RestAnswer) -> None:
    """The others' too are something, or refused in words."""
    try:
        assert isinstance(CONTROLS[name].read(answer), dict)
    except CarrierRefused as error:
        check_refusal(answer, error)


@each
@pytest.mark.parametrize(
    ("status", "meant"),
    [(401, "authentication_failed"), (429, "capacity_exceeded"), (404, "configuration_failed")],
)
def test_by_status(name: str, status: int, meant: str) -> None:
    """Without a word of the carrier's the HTTP status tells; only a moment's rest may help."""
    with pytest.raises(CarrierRefused) as caught:
        CONTROLS[name].read_placed(RestAnswer(status, {"retry-after": "2"}, ""))
    assert caught.value.outcome.status == meant
    assert caught.value.outcome.retryable is (status == 429)
    assert caught.value.retry_after == 2.0
