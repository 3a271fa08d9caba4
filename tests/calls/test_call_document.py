"""Requests for calls as documents, and the numbers of those that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.calls.call_document import MOST_CALLS, Asking, read_call, read_calls
from rapida_tw.calls.call_refusals import Part, Refusal, WrongPart, refusal
from rapida_tw.calls.call_request import CallRequest
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import (
    AssistantNotFound,
    BadRequest,
    CallError,
    CapacityExceeded,
    Conflict,
    DiallingForbidden,
    Forbidden,
    MisconfiguredAssistant,
    TooManyCalls,
    Unauthenticated,
    VendorFailed,
)

ASKING = Asking(7, 3, "ada", "script")
LEAST = {"assistantId": "5", "toNumber": "+15550100"}


def read(**document: Any) -> CallRequest:
    return read_call(document, ASKING)


def test_camel_case() -> None:
    """As the original's OpenAPI has it."""
    request = read(
        assistant={"assistantId": "5", "version": "vrsn_9"},
        toNumber="+1 (555) 010-0",
        fromNumber="+15550199",
        metadata={"order": 17, "name": "Ada", "tags": ["a"]},
        args={"name": "Ada", "count": 2},
        options={"listen.language": "de"},
        idempotencyKey="k-1",
    )
    assert request == CallRequest(
        7,
        5,
        "+15550100",
        "+15550199",
        "vrsn_9",
        {"order": "17", "name": "Ada", "tags": '["a"]'},
        {"name": "Ada", "count": 2},
        {"listen.language": "de"},
        3,
        "k-1",
        "ada",
        "script",
    )


def test_snake_case() -> None:
    """As its published example has it."""
    request = read(
        assistant={"assistant_id": 5},
        to_number="+15550100",
        from_number="+15550199",
        idempotency_key="k",
    )
    assert (request.assistant_id, request.callee, request.caller) == (5, "+15550100", "+15550199")
    assert (request.version, request.idempotency_key) == ("", "k")


@pytest.mark.parametrize("named", [{"assistantId": 5}, {"assistant_id": "5"}, {"assistant": "5"}])
def test_assistant(named: dict[str, Any]) -> None:
    """Its id alone will do, as text or number."""
    assert read(to="100", **named).assistant_id == 5


def test_absent() -> None:
    """Null and absence are the same."""
    given = dict.fromkeys(("fromNumber", "metadata", "args", "options", "idempotencyKey"))
    assert read(**LEAST, **given) == read(**LEAST)


def test_idempotency_key() -> None:
    """The document's goes before the header's."""
    asking = Asking(7, idempotency_key="header")
    assert read_call(LEAST, asking).idempotency_key == "header"
    both = {**LEAST, "idempotencyKey": "own"}
    assert read_call(both, asking).idempotency_key == "own"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"toNumber": None}, Part.NUMBER),
        ({"toNumber": ""}, Part.NUMBER),
        ({"toNumber": 15550100}, Part.NUMBER),
        ({"toNumber": "1"}, Part.NUMBER),
        ({"toNumber": "+1555\r\nX: y"}, Part.NUMBER),
        ({"toNumber": "'; DROP TABLE x"}, Part.NUMBER),
        ({"assistantId": None}, Part.ASSISTANT),
        ({"assistantId": "x"}, Part.ASSISTANT),
        ({"assistantId": True}, Part.ASSISTANT),
        ({"assistantId": 1.5}, Part.ASSISTANT),
        ({"assistantId": -1}, Part.ASSISTANT),
        ({"assistantId": 10**5000}, Part.ASSISTANT),
        ({"assistantId": None, "assistant": []}, Part.ASSISTANT),
        ({"assistantId": None, "assistant": {}}, Part.ASSISTANT),
        ({"assistantId": None, "assistant": {"id": 5}}, Part.ASSISTANT),
        ({"assistantId": None, "assistant": {"assistantId": 5, "version": "2"}}, Part.ASSISTANT),
        ({"assistant": {"assistantId": "5"}}, Part.ASSISTANT),
        ({"metadata": []}, Part.METADATA),
        ({"metadata": {"": 1}}, Part.METADATA),
        ({"metadata": {"x" * 201: 1}}, Part.METADATA),
        ({"metadata": {"x": "y" * 8_193}}, Part.METADATA),
        ({"metadata": {str(n): 1 for n in range(201)}}, Part.METADATA),
        ({"args": "x"}, Part.ARGUMENTS),
        ({"options": 5}, Part.OPTIONS),
        ({"fromNumber": "+1555\r\nX: y"}, Part.REQUEST),
        ({"fromNumber": 5}, Part.REQUEST),
        ({"idempotencyKey": "a b"}, Part.REQUEST),
        ({"idempotencyKey": 5}, Part.REQUEST),
        ({"idempotencyKey": "x" * 256}, Part.REQUEST),
        ({"to_number": "+15550177"}, Part.REQUEST),
        ({"tonumber": "+15550177"}, Part.REQUEST),
    ],
)
def test_wrong(change: dict[str, Any], part: Part) -> None:
    """What is wrong is known by its part."""
    with pytest.raises(WrongPart) as caught:
        read(**{**LEAST, **change})
    assert caught.value.part is part


@pytest.mark.parametrize("document", [None, [], "x", 5])
def test_no_object(document: object) -> None:
    """A request is an object."""
    with pytest.raises(WrongPart) as caught:
        read_call(document, ASKING)
    assert caught.value.part is Part.REQUEST


def test_bulk() -> None:
    """The list by its names; what is in it is looked at one by one."""
    assert read_calls({"phoneCalls": [1, 2]}) == [1, 2]
    assert read_calls({"phone_calls": [1]}) == [1]
    for document, part in (
        ({}, Part.NO_CALLS),
        ({"phoneCalls": []}, Part.NO_CALLS),
        ({"phoneCalls": {}}, Part.REQUEST),
        ({"phoneCalls": [1] * (MOST_CALLS + 1)}, Part.REQUEST),
        ([], Part.REQUEST),
    ):
        with pytest.raises(WrongPart) as caught:
            read_calls(document)
        assert caught.value.part is part


@pytest.mark.parametrize(
    ("error", "status", "single", "bulk"),
    [
        (WrongPart(Part.REQUEST, "x"), 400, 1002001, 1003001),
        (BadRequest("x"), 400, 1002001, 1003001),
        (Unauthenticated("x"), 403, 1002002, 1003002),
        (Forbidden("x"), 403, 1002002, 1003002),
        (WrongPart(Part.NO_CALLS, "x"), 400, 1002001, 1003003),
        (WrongPart(Part.NUMBER, "x"), 400, 1002003, 1003004),
        (WrongPart(Part.ASSISTANT, "x"), 400, 1002004, 1003005),
        (AssistantNotFound("x"), 400, 1002004, 1003005),
        (WrongPart(Part.METADATA, "x"), 400, 1002005, 1003006),
        (WrongPart(Part.ARGUMENTS, "x"), 400, 1002006, 1003007),
        (WrongPart(Part.OPTIONS, "x"), 400, 1002007, 1003008),
        (MisconfiguredAssistant("x"), 500, 1002008, 1003009),
        (CarrierRefused("x"), 500, 1002008, 1003009),
        (VendorFailed("x"), 500, 1002008, 1003009),
        (CallError("x"), 500, 1002008, 1003009),
        (DiallingForbidden("x"), 403, 1002008, 1003009),
        (Conflict("x"), 409, 1002008, 1003009),
        (TooManyCalls("x"), 429, 1002008, 1003009),
        (CapacityExceeded("x"), 503, 1002008, 1003009),
    ],
)
def test_numbers(error: CallError, status: int, single: int, bulk: int) -> None:
    """Each kind of failure has its number, alone and among many."""
    one, many = refusal(error), refusal(error, bulk=True)
    assert (one.status, one.code, one.message) == (status, single, "x")
    assert (many.status, many.code) == (status, bulk)
    assert one.human.endswith(".")


def test_retry_after() -> None:
    """When to come again."""
    assert refusal(TooManyCalls("slowly", 2.5)) == Refusal(
        429, 1002008, "slowly", "The call could not be started.", 2.5
    )
