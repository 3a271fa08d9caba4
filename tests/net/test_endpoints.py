"""Ways to servers, and how they are counted."""

from __future__ import annotations

import pytest
from twisted.internet.testing import MemoryReactorClock

from rapida_tw.errors import VendorFailed
from rapida_tw.net import counting
from rapida_tw.net.endpoints import RealEndpoints, Target, target


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://a.test/x", "a.test"),
        ("https://a.test:443/", "a.test"),
        ("https://a.test:80/", "a.test:80"),
        ("http://a.test:8000", "a.test:8000"),
        ("http://[::1]/", "[::1]"),
        ("https://user:password@A.test:1/", "a.test:1"),
    ],
)
def test_authority(url: str, authority: str) -> None:
    """As a Host header wants it."""
    assert target(url, "http", "https").authority == authority


@pytest.mark.parametrize(
    "url", ["", "a.test", "ftp://a.test", "http://a.test:99999/", "http://[::1", "http://a\r\nb/"]
)
def test_no_address(url: str) -> None:
    """Never another exception."""
    with pytest.raises(VendorFailed, match="is no address"):
        target(url, "http")


def test_the_password_is_not_shown() -> None:
    """Neither it nor the query is in the error's text."""
    with pytest.raises(VendorFailed) as caught:
        target("htp://user:secret@a.test/?key=secret", "http")
    assert "secret" not in str(caught.value)


def test_contexts_are_kept() -> None:
    """The platform's trust is loaded once a host, for some hosts."""
    endpoints = RealEndpoints(MemoryReactorClock())
    first = endpoints.tls(Target("a.test", 443, True), ())
    assert endpoints.tls(Target("a.test", 8443, True), ()) is first
    assert endpoints.tls(Target("a.test", 443, True), (b"h2",)) is not first
    assert endpoints.tls(Target("b.test", 443, True), ()) is not first
    for number in range(100):
        endpoints.to(Target(f"{number}.test", 443, True))
    assert len(endpoints._contexts) <= 64


def test_hosts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fifty by name: whoever may name hosts cannot fill the metrics."""
    monkeypatch.setattr(counting, "_known", set())
    before = counting.connections.value("other", "opened")
    for number in range(60):
        counting.count(f"{number}.many.test", "opened")
    counting.count("3.many.test", "refused")
    assert counting.connections.value("other", "opened") == before + 10
    assert counting.connections.value("3.many.test", "refused") == 1
