"""What the clients ask and understand, without a connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.client import (
    AuthenticationError,
    BadRequestError,
    CallNotStartedError,
    ConflictError,
    ConnectionFailed,
    NotFoundError,
    RapidaError,
    RateLimitError,
    ServerError,
    api,
)
from rapida_tw.client.exchange import (
    Answer,
    Exchange,
    checked_key,
    checked_url,
    headers,
    result,
    wait_before_retry,
)


def answered(status: int = 200, document: Any = None, **told: str) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in told.items()}, body)


def success(data: Any, **more: Any) -> Answer:
    return answered(200, {"code": 200, "success": True, "data": data, **more})


def refused(status: int, code: str, data: Any = None, **told: str) -> Answer:
    error = {"errorCode": code, "errorMessage": "so it is", "humanMessage": "..."}
    document = {"code": status, "success": False, "error": error}
    return answered(status, document if data is None else {**document, "data": data}, **told)


ONE = Exchange("GET", "/x", lambda envelope: envelope["data"]["id"])


@pytest.mark.parametrize(
    ("exchange", "method", "target", "body"),
    [
        (api.list_calls(), "GET", "/v1/calls?page=1&pageSize=20", None),
        (api.get_call(5), "GET", "/v1/calls/5", None),
        (api.get_call("../5?x"), "GET", "/v1/calls/..%2F5%3Fx", None),
        (api.hang_up(5), "POST", "/v1/calls/5/hangup", None),
        (api.transfer("5", "+1555"), "POST", "/v1/calls/5/transfer", {"to": "+1555"}),
        (api.send_digits(5, "1#"), "POST", "/v1/calls/5/dtmf", {"digits": "1#"}),
        (api.hold(5, False), "POST", "/v1/calls/5/hold", {"on": False}),
        (api.say(5, "Hi."), "POST", "/v1/calls/5/say", {"text": "Hi."}),
        (
            api.list_conversations(2, 5, assistant_id=7, status="ended"),
            "GET",
            "/v1/conversations?page=2&pageSize=5&assistantId=7&status=ended",
            None,
        ),
        (api.get_conversation(5), "GET", "/v1/conversations/5", None),
        (api.create_assistant("Ada"), "POST", "/v1/assistants", {"name": "Ada"}),
        (api.get_assistant(5), "GET", "/v1/assistants/5", None),
        (api.update_assistant(5, name="Bob"), "PATCH", "/v1/assistants/5", {"name": "Bob"}),
        (api.delete_assistant(5), "DELETE", "/v1/assistants/5", None),
        (api.get_deployment(5), "GET", "/v1/assistants/5/phone-deployment", None),
        (
            api.set_deployment(5, greeting="Hi."),
            "PUT",
            "/v1/assistants/5/phone-deployment",
            {"greeting": "Hi."},
        ),
        (
            api.create_credential("Main", "acme", {"a": "b"}),
            "POST",
            "/v1/credentials",
            {"name": "Main", "provider": "acme", "value": {"a": "b"}},
        ),
        (api.get_credential(5), "GET", "/v1/credentials/5", None),
        (api.verify_credential(5), "POST", "/v1/credentials/5/verify", None),
        (api.delete_credential(5), "DELETE", "/v1/credentials/5", None),
    ],
)
def test_asked(exchange: Exchange[Any], method: str, target: str, body: Any) -> None:
    """Each operation is one request."""
    assert (exchange.method, exchange.target, exchange.body) == (method, target, body)


def test_call() -> None:
    """What a call is asked for with; nothing that was not given."""
    exchange = api.create_call(5, "+15550100", metadata={"order": 7}, idempotency_key="k")
    assert exchange.body == {
        "assistant": {"assistantId": "5", "version": ""},
        "toNumber": "+15550100",
        "idempotencyKey": "k",
        "metadata": {"order": 7},
    }
    placed = result(exchange, success({"id": "9", "status": "queued", "assistantId": "5"}))
    assert (placed.conversation.id, placed.id, placed.status) == ("9", "9", "queued")
    assert placed.assistant_id == "5"
    with pytest.raises(AttributeError):
        _ = placed.nonsense


def test_calls_have_keys() -> None:
    """Each attempt to place a call can be repeated: it has a key, and no two have the same."""
    keys = {api.create_call(5, "1234").body["idempotencyKey"] for _ in range(3)}
    assert len(keys) == 3
    assert api.create_call(5, "1234").repeatable
    bulk = api.create_calls([{"assistant_id": 5, "to_number": "12"}] * 2)
    assert len({one["idempotencyKey"] for one in bulk.body["phoneCalls"]}) == 2


def test_bulk() -> None:
    """One entry each, failed ones too."""
    problem = {"errorCode": "1003004", "errorMessage": "no", "humanMessage": "no"}
    entries = [
        {"id": "1", "status": "queued", "success": True, "error": None},
        {"id": None, "status": "failed", "success": False, "error": problem},
    ]
    first, second = result(api.create_calls([]), success(entries))
    assert (first.success, first.conversation.id) == (True, "1")
    assert (second.success, second.error["errorCode"]) == (False, "1003004")


def test_criteria() -> None:
    """As the server reads them."""
    query = api.list_conversations(criteria=[("duration", ">", 60)]).query
    wanted = [{"key": "duration", "value": "60", "logic": ">"}]
    assert json.loads(query["criteria"]) == wanted


def test_page() -> None:
    """Items, and how many there are."""
    answer = success([{"id": "1"}, {"id": "2"}], paginated={"currentPage": 2, "totalItem": 9})
    page = result(api.list_calls(2, 2), answer)
    assert ([one.id for one in page], page.number, page.total, len(page)) == (["1", "2"], 2, 9, 2)


def test_outcome() -> None:
    """How a call ended."""
    read = api.get_conversation(1)
    metrics = [{"name": "call.status", "value": "no_answer"}]
    for data, outcome, is_over in (
        ({"status": "active"}, "", False),
        ({"status": "ended", "metrics": metrics}, "no_answer", True),
        ({"status": "failed"}, "failed", True),
    ):
        conversation = result(read, success({"id": "1", **data}))
        assert (conversation.outcome, conversation.is_over) == (outcome, is_over)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400, "bad-request"), BadRequestError),
        (refused(422, "configuration-failed"), BadRequestError),
        (refused(401, "x"), AuthenticationError),
        (refused(403, "unauthenticated"), AuthenticationError),
        (refused(403, "1002002"), AuthenticationError),
        (refused(403, "1002008"), CallNotStartedError),
        (refused(404, "not-found"), NotFoundError),
        (refused(409, "not-supported"), ConflictError),
        (refused(400, "1002003"), CallNotStartedError),
        (refused(500, "1002008"), CallNotStartedError),
        (refused(429, "1002008", retry_after="7"), RateLimitError),
        (refused(500, "internal-error"), ServerError),
        (refused(503, "unavailable"), ServerError),
        (answered(200, b"<html>"), ServerError),
        (answered(200, b"[" * 100_000), ServerError),
        (answered(200, []), ServerError),
        (answered(302, {}), ServerError),
        (answered(200, {"success": True}), ServerError),
        (success("text"), ServerError),
        (answered(400, {"error": "text"}), BadRequestError),
    ],
)
def test_refused(answer: Answer, kind: type[RapidaError]) -> None:
    """Each failure has its type."""
    with pytest.raises(RapidaError) as caught:
        result(ONE, answer)
    assert type(caught.value) is kind


def test_told() -> None:
    """The server's own words and numbers; where a failed call is remembered; how long to wait."""
    with pytest.raises(CallNotStartedError, match="so it is") as not_started:
        result(ONE, refused(500, "1002008", {"id": "9"}))
    error = not_started.value
    assert (error.code, error.status, error.conversation_id) == ("1002008", 500, "9")
    for told, wait in (("7", 7.0), ("soon", 1.0), ("", 1.0), ("9" * 20, 1.0)):
        with pytest.raises(RateLimitError) as limited:
            result(ONE, refused(429, "x", retry_after=told))
        assert limited.value.retry_after == wait


@pytest.mark.parametrize(
    ("failure", "repeatable", "unrepeatable"),
    [
        (ConnectionFailed("x", sent=False), 0.5, 0.5),
        (ConnectionFailed("x", sent=True), 0.5, None),
        (RateLimitError("x", retry_after=3), 3, 3),
        (RateLimitError("x", retry_after=300), None, None),
        (ServerError("x", status=503), 0.5, None),
        (ServerError("x", status=500), None, None),
        (BadRequestError("x", status=400), None, None),
        (CallNotStartedError("x", "1002008", 500), None, None),
        (CallNotStartedError("x", "1002008", 503), 0.5, None),
    ],
)
def test_retry(failure: RapidaError, repeatable: Any, unrepeatable: Any) -> None:
    """Nothing that may have been done is done again, unless that makes no difference."""
    again = Exchange("POST", "/x", print)
    once = Exchange("POST", "/x", print, repeatable=False)
    assert wait_before_retry(again, failure, 0, 2) == repeatable
    assert wait_before_retry(once, failure, 0, 2) == unrepeatable
    assert wait_before_retry(again, failure, 2, 2) is None
    if repeatable == 0.5:
        assert wait_before_retry(again, failure, 1, 2) == 1.0


NO_URLS = ["", "localhost:9007", "ftp://x", "http://", "http://x?y=1", "http://u:p@x", "http://x#y"]
NO_URLS += ["http://x:99999", "http://x:0", "http://a..b", f"http://{'a' * 80}.com", "http://x/\t"]


@pytest.mark.parametrize("url", NO_URLS)
def test_no_url(url: str) -> None:
    """A mistake is told where it is made."""
    with pytest.raises(ValueError, match="url must be"):
        checked_url(url)


@pytest.mark.parametrize("url", ["http://[::1]:9007", "https://ü.example/rapida/", "http://x"])
def test_url(url: str) -> None:
    """With a port, a path or neither."""
    assert checked_url(url) == url.rstrip("/")


def test_made_secrets() -> None:
    """Whose answer alone tells a secret is not asked again where that may be lost."""
    assert api.update_assistant(5, name="x").repeatable
    assert not api.update_assistant(5, webhooks=[]).repeatable


@pytest.mark.parametrize("key", ["", "käy", "a\r\nb"])
def test_no_key(key: str) -> None:
    """Nothing but a key gets into a header, and it is not repeated."""
    with pytest.raises(ValueError, match="api_key") as caught:
        checked_key(key)
    assert not key or key not in str(caught.value)


def test_headers() -> None:
    """A request without a body has no type of one."""
    assert "Content-Type" not in headers("k", api.hang_up(5))
    assert headers("k", api.say(5, "x"))["Content-Type"] == "application/json"
