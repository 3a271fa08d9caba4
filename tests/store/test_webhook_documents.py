"""Webhooks of an assistant's document: both spellings, and every mistake."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.store.webhook_documents import Webhook, webhook, webhooks

URL = "https://hooks.example.org/calls?team=7"


def read(**document: Any) -> Any:
    (found,) = webhooks([{"url": URL, **document}])
    return found


def test_usual() -> None:
    """An address is enough."""
    assert webhook(read()) == Webhook(URL)
    assert read() == {
        "url": URL,
        "method": "POST",
        "headers": {},
        "events": [],
        "credentialId": None,
        "retryStatusCodes": [],
        "maxRetries": 9,
        "timeoutSeconds": None,
        "enabled": True,
        "description": "",
    }


def test_rapidas_spelling() -> None:
    """Options under Rapida's names are the same ones."""
    theirs = {
        "http_url": URL,
        "http_method": "put",
        "http_headers": {"X-Team": "7"},
        "assistant_events": ["call.hangup", "conversation.*"],
        "retry_status_codes": ["404", 500],
        "max_retry_count": 2,
        "timeout_seconds": 30,
    }
    ours = {
        "url": URL,
        "method": "PUT",
        "headers": {"X-Team": "7"},
        "events": ["call.hangup", "conversation.*"],
        "retryStatusCodes": [404, 500],
        "maxRetries": 2,
        "timeoutSeconds": 30.0,
    }
    assert webhooks([theirs]) == webhooks([ours])


def test_sent_back() -> None:
    """What is shown can be sent back as it is."""
    shown = read(credentialId="7", headers={"X-Team": "***"}) | {"secretSet": True}
    assert webhooks([shown])[0] | {"secretSet": True} == shown


@pytest.mark.parametrize(
    ("wanted", "event", "wants"),
    [
        ([], "call.ended", True),
        (["call.ended"], "call.ended", True),
        (["call.ended"], "call.failed", False),
        (["call.*"], "call.failed", True),
        (["call.*"], "machine.human", False),
        (["*"], "machine.human", True),
        (["webhook"], "call.received", True),
        (["channel_created"], "call.outbound_dispatched", True),
        (["call.hangup"], "call.ended", True),
        (["call.ended"], "ping", True),
    ],
)
def test_wants(wanted: list[str], event: str, wants: bool) -> None:
    """Names, prefixes, other names; and a ping is for all."""
    found = webhook(read(events=wanted))
    assert found is not None
    assert found.wants(event) is wants


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"url": None}, "url is required"),
        ({"url": "ftp://example.org/"}, "http or https"),
        ({"url": "https://user:word@example.org/"}, "without user name"),
        ({"url": "https://@example.org/"}, "without user name"),
        ({"url": "https://example.org/#top"}, "fragment"),
        ({"url": "https://example.org:0/"}, "http or https"),
        ({"url": "https://example.org:70000/"}, "http or https"),
        ({"url": "https://exa mple.org/"}, "http or https"),
        ({"url": "https://example.org/\r\nX: y"}, "http or https"),
        ({"url": "https:///path"}, "http or https"),
        ({"url": "https://[::1/"}, "http or https"),
        ({"url": "https://éxample.org/"}, "http or https"),
        ({"url": "https://example.org/" + "a" * 2000}, "2000 characters"),
        ({"http_url": URL}, "both spellings"),
        ({"method": "DELETE"}, "POST, PUT, PATCH, GET"),
        ({"headers": {"Host": "a"}}, "must not set Host"),
        ({"headers": {"x-rapida-signature": "a"}}, "must not set"),
        ({"headers": {"A": "1", "a": "2"}}, "twice"),
        ({"headers": {"A b": "1"}}, "no header can have"),
        ({"headers": {"A": "1\r\nB: 2"}}, "no header can have"),
        ({"headers": {"A": 1}}, "a text"),
        ({"events": ["call.endde"]}, "must be names"),
        ({"events": "call.ended"}, "a list"),
        ({"retryStatusCodes": [200]}, "from 300 to 599"),
        ({"maxRetries": 21}, "from 0 to 20"),
        ({"timeoutSeconds": 61}, "from 1 to 60"),
        ({"secret": "short"}, "16 to 500"),
        ({"colour": "red"}, "colour is not known"),
    ],
)
def test_mistakes(document: dict[str, Any], what: str) -> None:
    """Each is told with its place."""
    with pytest.raises(ValueError, match=r"\[0\]") as caught:
        read(**document)
    assert what in str(caught.value)


def test_secret_is_not_repeated() -> None:
    """No mistake shows a secret, nor a header's value."""
    with pytest.raises(ValueError, match="secret") as caught:
        read(secret="planted\n-secret-0001", headers={"Authorization": "planted-token\n"})
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("stored", [{}, {"url": 5}, {"url": URL, "anything": {}}])
def test_older(stored: dict[str, Any]) -> None:
    """What older versions took without a look is no webhook."""
    assert webhook(stored) is None


def test_most() -> None:
    """There is a bound."""
    with pytest.raises(ValueError, match="at most 10"):
        webhooks([{"url": URL}] * 11)
