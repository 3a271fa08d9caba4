"""Under which URLs we are known outside."""

from __future__ import annotations

import pytest

from rapida_tw.errors import BadRequest
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from tests.web.asking import asking

PROXIES = Proxies(["10.0.0.0/8"])
PROXY, STRANGER = "10.0.0.1", "198.51.100.7"
FORWARDED = [
    ("Host", "inner:9007"),
    ("X-Forwarded-Host", "voice.example:8443"),
    ("X-Forwarded-Proto", "https"),
]

URLS = [
    # public host, scheme, headers, peer, TLS, the URL
    ("voice.example", "https", [("Host", "x")], STRANGER, False, "https://voice.example/p"),
    ("voice.example:8443", "https", [], STRANGER, False, "https://voice.example:8443/p"),
    ("192.0.2.1:9007", "http", FORWARDED, PROXY, True, "http://192.0.2.1:9007/p"),
    ("", "https", [("Host", "asked.example")], STRANGER, False, "http://asked.example/p"),
    ("", "https", [("Host", "asked.example:9007")], STRANGER, True, "https://asked.example:9007/p"),
    ("", "https", [("Host", "[2001:db8::1]:80")], STRANGER, False, "http://[2001:db8::1]:80/p"),
    ("", "https", [("Host", "my_host")], STRANGER, False, "http://my_host/p"),
    ("", "https", FORWARDED, PROXY, False, "https://voice.example:8443/p"),
    ("", "https", FORWARDED, STRANGER, False, "http://inner:9007/p"),
    ("", "https", FORWARDED[:2], PROXY, True, "https://voice.example:8443/p"),
    ("", "https", [("Host", "a"), ("X-Forwarded-Proto", "wss")], PROXY, False, "https://a/p"),
    ("", "https", [("Host", "a"), ("X-Forwarded-Proto", "http")], PROXY, True, "http://a/p"),
    ("", "https", [], STRANGER, False, "http://192.0.2.1:9007/p"),
]


@pytest.mark.parametrize(("host", "scheme", "headers", "peer", "secure", "url"), URLS)
def test_urls(
    host: str, scheme: str, headers: list[tuple[str, str]], peer: str, secure: bool, url: str
) -> None:
    """As it is configured, else as the client has asked, else as a trusted proxy says."""
    address = PublicAddress(host, scheme, PROXIES)
    request = asking(headers=headers, peer=peer, secure=secure)
    assert address.url(request, "/p") == url
    assert address.media_url(request, "/p") == "ws" + url.removeprefix("http")


@pytest.mark.parametrize(
    "host",
    [
        'voice.example"/><Dial>900</Dial><x y="',
        "voice.example/path",
        "user@voice.example",
        "voice.example:80:80",
        "voice.example:",
        "voice example",
        "[::1",
        "x" * 300,
        "v\xf6ice.example",
    ],
)
def test_no_host(host: str) -> None:
    """What a client calls us gets into documents: nothing but a name and a port may."""
    address = PublicAddress("", "https", PROXIES)
    for headers in ([("Host", host)], [("Host", "a"), ("X-Forwarded-Host", host)]):
        with pytest.raises(BadRequest):
            address.url(asking(headers=headers, peer=PROXY if headers[1:] else STRANGER), "/p")


@pytest.mark.parametrize(
    ("target", "headers", "url"),
    [
        (b"/call/1?x-api-key=a%20b&c", [], "https://voice.example/call/1?x-api-key=a%20b&c"),
        (b"/ctx/%7BcontextId%7D/event", [], "https://voice.example/ctx/%7BcontextId%7D/event"),
        (b"/ctx/{contextId}/event", [], "https://voice.example/ctx/{contextId}/event"),
        (b"//a//b?", [], "https://voice.example//a//b?"),
        (b"http://other:80/call/1?a=/b", [], "https://voice.example/call/1?a=/b"),
        (b"http://other", [], "https://voice.example/"),
        (b"/ctx/1", [("Upgrade", "websocket")], "wss://voice.example/ctx/1"),
        (b"/ctx/1", [("Upgrade", "WebSocket")], "wss://voice.example/ctx/1"),
        (b"/ctx/1", [("Upgrade", "h2c")], "https://voice.example/ctx/1"),
        (b"/\xff", [], "https://voice.example/\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_requested(target: bytes, headers: list[tuple[str, str]], url: str) -> None:
    """What a signature is made over: our public address and the target as it came."""
    address = PublicAddress("voice.example", "https", PROXIES)
    assert address.requested(asking(target, headers)) == url
