"""What answers mean, and how requests are signed."""

from __future__ import annotations

import pytest

from rapida_tw.errors import VendorFailed
from rapida_tw.store.webhook_documents import Webhook
from rapida_tw.webhooks.attempt import judged, pause, unanswered
from rapida_tw.webhooks.receiver import EACH, Receivers, host_of
from rapida_tw.webhooks.signature import living, signature

HOOK = Webhook("https://example.org/", retry_status_codes=(404,))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (301, "failed"),
        (307, "failed"),
        (400, "failed"),
        (401, "failed"),
        (404, "waiting"),  # its own wish
        (408, "waiting"),
        (410, "failed"),
        (422, "failed"),
        (425, "waiting"),
        (429, "waiting"),
        (500, "waiting"),
        (503, "waiting"),
    ],
)
def test_statuses(status: int, state: str) -> None:
    """2xx is delivered, what may pass is tried again."""
    found = judged(HOOK, 1, status, {}, 0.5)
    assert found.state == state
    assert found.gone is (status == 410)
    assert bool(found.error) is (state != "delivered")


def test_last() -> None:
    """After the last retry it is over."""
    hook = Webhook("https://example.org/", max_retries=2)
    assert [judged(hook, n, 500, {}, 0.5).state for n in (1, 2, 3)] == [
        "waiting",
        "waiting",
        "failed",
    ]
    failure = VendorFailed("away")
    assert [unanswered(hook, n, failure, 0.5).state for n in (2, 3)] == ["waiting", "failed"]


def test_forbidden() -> None:
    """What another attempt cannot mend is not tried again."""
    failure = VendorFailed("not public", retryable=False)
    assert unanswered(HOOK, 1, failure, 0.5).state == "failed"


@pytest.mark.parametrize(
    ("asked", "least"), [("120", 120), ("1", 4), ("999999999", 6 * 3600), ("nonsense", 4)]
)
def test_retry_after(asked: str, least: float) -> None:
    """The longer of ours and theirs, within reason."""
    found = judged(HOOK, 1, 503, {"retry-after": asked}, 0.0)
    assert found.pause == least


def test_pauses() -> None:
    """From five seconds to six hours, a fifth more or less."""
    assert pause(1, 0.5) == 5.0
    assert pause(9, 0.5) == pytest.approx(6 * 3600, rel=0.02)
    assert pause(1000, 0.5) == 6 * 3600
    assert (pause(1, 0.0), pause(1, 1.0)) == pytest.approx((4.0, 6.0))


def test_vector() -> None:
    """The vector of docs/webhooks.rst."""
    body = b'{"event":"ping","eventId":"evt_1"}'
    assert signature(["whsec_test_secret_000"], 1_800_000_000, body) == (
        "t=1800000000,v1=849b40e412ccd35c35536b09646283485b83d238616eff7888529e13522f13ec"
    )


def test_both() -> None:
    """The secret before signs until its time is over."""
    value = {"secret": "new", "previous_secret": "old", "previous_until": "100.0"}
    assert living(value, 99) == ["new", "old"]
    assert living(value, 100) == ["new"]
    assert living(value | {"previous_until": "soon"}, 0) == ["new"]
    assert living({}, 0) == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org/a", "example.org:443"),
        ("http://example.org:8080", "example.org:8080"),
        ("http://[2001:db8::1]/", "2001:db8::1:80"),
    ],
)
def test_hosts(url: str, host: str) -> None:
    """Spellings of one host are one."""
    assert host_of(url) == host


def test_room() -> None:
    """Four at once; one when it does not answer, until it does."""
    receivers = Receivers()
    for _ in range(EACH):
        receivers.began("a")
    assert receivers.room == {"a": 0}
    for _ in range(3):
        receivers.ended("a")
        receivers.answered("a", False)
    assert receivers.room == {"a": 0}
    receivers.ended("a")
    assert receivers.room == {"a": 1}
    receivers.answered("a", True)
    assert receivers.room == {}
    assert len(receivers) == 0
