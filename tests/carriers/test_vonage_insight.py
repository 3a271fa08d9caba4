"""Numbers looked up at Vonage: what is asked, and what its answers mean."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from rapida_tw.account import Account, Lacking
from rapida_tw.carriers.insight import Insight, Level, Network, Owner, Question, read_question
from rapida_tw.carriers.outbound import CarrierRefused, Outcome
from rapida_tw.carriers.vonage_identity import identity_request, read_identity
from rapida_tw.carriers.vonage_insight import SUNSET, api_of
from rapida_tw.carriers.vonage_number import number_request, read_number
from rapida_tw.carriers.vonage_token import Tokens
from rapida_tw.errors import BadRequest
from tests.carriers.orders import NOW, answer, document
from tests.carriers.test_vonage_control import APPLICATION, KEY, pem

KEYS = {"api_key": "a1b2c3d4", "api_secret": "abcdef0123456789"}
APPLIED = {"application_id": APPLICATION, "private_key": pem(KEY)}
NETWORK = {"network_code": "310090", "name": "AT&T", "country": "US", "network_type": "mobile"}
BASIC: dict[str, Any] = {
    "status": 0,
    "status_message": "Success",
    "request_id": "97e973e7",
    "international_format_number": "12345678900",
    "national_format_number": "(234) 567-8900",
    "country_code": "US",
    "country_code_iso3": "USA",
    "country_name": "United States of America",
    "country_prefix": "1",
}
ADVANCED: dict[str, Any] = {
    **BASIC,
    "current_carrier": NETWORK,
    "original_carrier": {**NETWORK, "name": "Verizon", "network_code": "310004"},
    "ported": "ported",
    "caller_identity": {
        "caller_type": "consumer",
        "caller_name": "John Smith",
        "first_name": "John",
        "last_name": "Smith",
    },
    "lookup_outcome": 0,
    "valid_number": "valid",
    "reachable": "absent",
    "roaming": {
        "status": "roaming",
        "roaming_country_code": "DE",
        "roaming_network_code": "26201",
        "roaming_network_name": "Telekom",
    },
}
OK = {"code": "OK", "message": "Success"}
FORMAT = {
    "country_code": "US",
    "country_name": "United States",
    "country_prefix": "1",
    "time_zones": ["America/New_York", "America/Detroit"],
    "number_international": "+12345678900",
    "number_national": "(234) 567-8900",
    "is_format_valid": True,
    "status": OK,
}


def carrier(code: str | None, **changes: Any) -> dict[str, Any]:
    usual = {"name": "AT&T", "network_type": "MOBILE", "country_code": "US", "status": OK}
    return {**usual, "network_code": code, **changes}


def question(level: Level = Level.ADVANCED, **more: Any) -> Question:
    return Question("12345678900", level, **more)


def number(body: Any, status: int = 200, **headers: str) -> Insight:
    return read_number(answer(status, body, **headers), question())


def identity(insights: Any, level: Level = Level.ADVANCED, **more: Any) -> Insight:
    return read_identity(answer(200, {"insights": insights}), question(level, **more))


@pytest.mark.parametrize("given", ["+15550100001", "15550100001", " 15550100001"])
def test_question(given: str) -> None:
    """A plus may be missing, or have become a blank on its way."""
    assert read_question(given) == Question("15550100001", Level.BASIC)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "+",
        "0123456",
        "+1555",
        "1" * 16,
        "+1 555 0100",
        "abc",
        "1555010&cnam=true",
        "１２３４５６７",
    ],
)
def test_no_number(given: str) -> None:
    """What can be no number is not sent anywhere."""
    with pytest.raises(BadRequest, match="number"):
        read_question(given)


def test_no_words() -> None:
    """Levels and APIs that there are not."""
    with pytest.raises(BadRequest, match="basic, standard, advanced"):
        read_question("15550100001", "cheap")
    with pytest.raises(BadRequest, match="number, identity"):
        read_question("15550100001", "basic", "Number")


@pytest.mark.parametrize("level", list(Level))
def test_number_request(level: Level) -> None:
    """An address a level; who asks stands in a header, never in the address."""
    request = number_request(Account("vonage", KEYS), question(level))
    word = level.value
    assert request.url == f"https://api.nexmo.com/ni/{word}/json?number=12345678900"
    assert (request.method, request.body) == ("GET", b"")
    assert request.headers["Authorization"] == "Basic YTFiMmMzZDQ6YWJjZGVmMDEyMzQ1Njc4OQ=="


def test_caller_name() -> None:
    """Asked for where it is wanted; there is none at the lowest level."""
    account = Account("vonage", KEYS | {"base_url": "https://fake.example/"})
    request = number_request(account, question(Level.STANDARD, caller_name=True))
    assert request.url == "https://fake.example/ni/standard/json?number=12345678900&cnam=true"
    assert "cnam" not in number_request(account, question(Level.BASIC, caller_name=True)).url


def test_number_in_full() -> None:
    """Everything that the highest level knows, in one form."""
    assert number(ADVANCED) == Insight(
        "+12345678900",
        Level.ADVANCED,
        "number-insight",
        "(234) 567-8900",
        "US",
        "United States of America",
        valid=True,
        reachable=False,
        reachability="absent",
        ported=True,
        roaming=True,
        roaming_countries=("DE",),
        current=Network("AT&T", "310090", "mobile", "US"),
        original=Network("Verizon", "310004", "mobile", "US"),
        owner=Owner("John Smith", "consumer", "John", "Smith"),
        raw=ADVANCED,
    )


def test_number_unknown() -> None:
    """Null and the word unknown are nothing that is known, an object or not."""
    nothing = dict.fromkeys(NETWORK)
    known = number(
        {
            **BASIC,
            "current_carrier": {**nothing, "network_type": "unknown"},
            "original_carrier": None,
            "ported": "unknown",
            "caller_identity": {"caller_type": "unknown", "caller_name": None},
            "valid_number": "unknown",
            "reachable": "unknown",
            "roaming": "unknown",
        }
    )
    assert (known.valid, known.reachable, known.reachability) == (None, None, "")
    assert (known.ported, known.roaming, known.roaming_countries) == (None, None, ())
    assert (known.current, known.original, known.owner) == (None, None, None)


@pytest.mark.parametrize(
    ("field", "word", "name", "value"),
    [
        ("valid_number", "inferred", "valid", True),
        ("valid_number", "not_valid", "valid", False),
        ("valid_number", "inferred_not_valid", "valid", False),
        ("ported", "not_ported", "ported", False),
        ("ported", "assumed_not_ported", "ported", False),
        ("ported", "assumed_ported", "ported", True),
        ("reachable", "reachable", "reachable", True),
        ("reachable", "undeliverable", "reachable", False),
        ("reachable", "bad_number", "reachable", False),
        ("reachable", "blacklisted", "reachable", False),
        ("roaming", {"status": "not_roaming"}, "roaming", False),
    ],
)
def test_number_words(field: str, word: object, name: str, value: bool) -> None:
    """Each word of Vonage's is a yes or a no."""
    assert getattr(number({**ADVANCED, field: word}), name) is value


@pytest.mark.parametrize("status", [43, 44, 45, "44"])
def test_number_in_part(status: object) -> None:
    """Without the network's own word the rest is an answer, which says what is missing."""
    part = {**ADVANCED, "status": status, "lookup_outcome_message": "Partial success"}
    known = number(part)
    assert known.current is not None
    assert known.missing == (f"the network was not asked: Partial success ({status})",)


@pytest.mark.parametrize(
    ("status", "word", "says"),
    [
        (1, "capacity_exceeded", "too many requests"),
        (3, "bad_number", "no number"),
        (4, "authentication_failed", "api_secret is wrong"),
        (5, "failed", "form"),
        (9, "configuration_failed", "credit"),
        (19, "configuration_failed", "may not use"),
        (999, "failed", "could not be read"),
        (77, "failed", "not documented"),
        (-1, "failed", "not documented"),
    ],
)
def test_number_refused(status: int, word: str, says: str) -> None:
    """HTTP says 200; each status has its meaning, with Vonage's words and number behind."""
    with pytest.raises(CarrierRefused, match=rf"{says}.*: its words \({status}\)$") as caught:
        number({"status": status, "status_message": "its words"})
    outcome: Outcome = caught.value.outcome
    assert (outcome.status, outcome.retryable) == (word, status == 1)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, ""),
        (200, "[]"),
        (200, "<html>hello</html>"),
        (200, {}),
        (200, {"status": None}),
        (200, {"status": {"0": 0}}),
        (200, {"status": True}),
        (401, {"status": 0}),
        (500, "<html><title>502 Bad Gateway</title></html>"),
    ],
)
def test_number_nonsense(status: int, body: Any) -> None:
    """What is no answer is none, whatever it says."""
    with pytest.raises(CarrierRefused):
        number(body, status)


def test_number_odd_types() -> None:
    """Lists for objects, objects for texts: what cannot be read is not known."""
    odd = {name: ["x"] for name in ADVANCED} | {"status": 0, "country_code": {"a": 1}}
    known = number(odd)
    assert (known.number, known.country_code, known.current) == ("+12345678900", "", None)


@pytest.mark.parametrize(
    ("level", "asked"),
    [
        (Level.BASIC, "format"),
        (Level.STANDARD, "format original_carrier current_carrier"),
        (Level.ADVANCED, "format original_carrier current_carrier reachability roaming"),
    ],
)
def test_identity_request(level: Level, asked: str) -> None:
    """What is paid for is asked for, and the purpose is told where networks want it."""
    request = identity_request(Tokens(), Account("vonage", APPLIED), question(level), NOW)
    assert request.method == "POST"
    assert request.url == "https://api-eu.vonage.com/identity-insights/v1/requests"
    body = document(request)
    assert body.pop("purpose", None) == (
        "FraudPreventionAndDetection" if level is Level.ADVANCED else None
    )
    insights = {name: {} for name in asked.split()}
    assert body == {"phone_number": "12345678900", "insights": insights}
    token = request.headers["Authorization"].removeprefix("Bearer ")
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, KEY.public_key(), ["RS256"], options)
    assert claims["application_id"] == APPLICATION


def test_identity_in_full() -> None:
    """The same form as Number Insight's, from another document."""
    insights = {
        "format": FORMAT,
        "current_carrier": carrier("310090"),
        "original_carrier": carrier("310004", name="Verizon"),
        "reachability": {"is_reachable": True, "connectivity": ["DATA", "SMS"], "status": OK},
        "roaming": {"is_roaming": True, "country_codes": ["DE"], "status": OK},
    }
    assert identity(insights) == Insight(
        "+12345678900",
        Level.ADVANCED,
        "identity-insights",
        "(234) 567-8900",
        "US",
        "United States",
        valid=True,
        reachable=True,
        reachability="data, sms",
        ported=True,
        roaming=True,
        roaming_countries=("DE",),
        current=Network("AT&T", "310090", "mobile", "US"),
        original=Network("Verizon", "310004", "mobile", "US"),
        time_zones=("America/New_York", "America/Detroit"),
        raw={"insights": insights},
    )


@pytest.mark.parametrize(
    ("current", "original", "ported"),
    [("310090", "310090", False), ("310090", "310004", True), (None, "310004", None)],
)
def test_identity_ported(current: str | None, original: str, ported: bool | None) -> None:
    """It is not told: two different networks tell it."""
    networks = {"current_carrier": carrier(current), "original_carrier": carrier(original)}
    assert identity({"format": FORMAT, **networks}, Level.STANDARD).ported is ported


def test_identity_in_part() -> None:
    """Each part fails by itself, with its code; one that is not there has given no answer."""
    known = identity(
        {
            "format": {**FORMAT, "status": {"code": "PARTIAL_SUCCESS"}},
            "current_carrier": {"status": {"code": "NOT_FOUND", "message": "Not found"}},
            "original_carrier": {"status": OK},
            "reachability": {"status": {"code": "UNAUTHORIZED"}},
        }
    )
    assert known.missing == (
        "current_carrier: Not found (NOT_FOUND)",
        "reachability: UNAUTHORIZED",
        "roaming: NO_ANSWER",
    )
    assert (known.valid, known.current, known.original, known.reachable) == (True, None, None, None)


def test_identity_no_format() -> None:
    """A number that nobody can have is an answer."""
    insights = {"format": {"is_format_valid": False, "status": {"code": "INVALID_NUMBER_FORMAT"}}}
    known = identity(insights, Level.BASIC, caller_name=True)
    assert (known.number, known.valid) == ("+12345678900", False)
    assert known.missing == (
        "format: INVALID_NUMBER_FORMAT",
        "caller_name: Identity Insights does not know it",
    )


def test_identity_odd_types() -> None:
    """What has another type than expected is not known."""
    odd = {"format": {**FORMAT, "is_format_valid": "yes", "time_zones": "x", "country_code": []}}
    known = identity(odd | {"roaming": {"country_codes": [None, {}, "DE"], "is_roaming": 1}})
    assert (known.valid, known.time_zones, known.country_code) == (None, (), "")
    assert (known.roaming, known.roaming_countries) == (None, ("DE",))


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (401, {"title": "Unauthorized", "detail": "Invalid token"}, "authentication_failed"),
        (402, {"title": "Payment Required", "detail": "no credit"}, "configuration_failed"),
        (403, {"title": "Forbidden", "detail": "no"}, "authentication_failed"),
        (422, {"title": "Unprocessable", "detail": "phone_number: is invalid"}, "bad_number"),
        (422, {"title": "Unprocessable", "detail": "insights: is empty"}, "configuration_failed"),
        (429, {"title": "Too Many Requests"}, "capacity_exceeded"),
        (500, {"title": "Internal Error"}, "failed"),
        (502, "<html>phone_number</html>", "failed"),
        (200, {"request_id": "x"}, "failed"),
        (200, {"insights": []}, "failed"),
        (200, "", "failed"),
    ],
)
def test_identity_refused(status: int, body: Any, word: str) -> None:
    """Problem details, or none at all."""
    with pytest.raises(CarrierRefused) as caught:
        read_identity(answer(status, body), question())
    assert caught.value.outcome.status == word
    if isinstance(body, dict) and "detail" in body:
        assert str(caught.value) == f"{body['title']}: {body['detail']}"


@pytest.mark.parametrize(
    ("fields", "wanted", "now", "api"),
    [
        (KEYS, "", NOW, "number"),
        (KEYS | APPLIED, "", NOW, "number"),
        (KEYS | APPLIED, "", SUNSET - 1, "number"),
        (KEYS | APPLIED, "", SUNSET, "identity"),
        (KEYS | APPLIED, "identity", NOW, "identity"),
        (KEYS | APPLIED, "number", SUNSET, "number"),
        (APPLIED, "", NOW, "identity"),
        (APPLIED | {"api_key": "a1b2c3d4"}, "", NOW, "identity"),
        ({"apiKey": "a", "apiSecret": "b"}, "", NOW, "number"),
    ],
)
def test_api(fields: dict[str, str], wanted: str, now: float, api: str) -> None:
    """What the account is good for, until Number Insight ends; unless one is asked for."""
    assert api_of(Account("vonage", fields), wanted, now) == api


def test_api_of_nobody() -> None:
    """An account that is good for neither is told what it lacks."""
    with pytest.raises(Lacking, match="api_key and api_secret, or application_id"):
        api_of(Account("vonage", {"api_key": "a"}), "", NOW)
    with pytest.raises(Lacking, match=r"ended on 4 February 2027.*application_id"):
        api_of(Account("vonage", KEYS), "", SUNSET)


def test_sunset() -> None:
    """2027-02-04T00:00:00Z."""
    assert SUNSET == 1_801_699_200
