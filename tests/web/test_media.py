"""Media sockets up to the upgrade: who may open one, and what happens to the context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.carriers.base import MediaWire, WebhookRequest
from rapida_tw.errors import CapacityExceeded, Forged, NotSupported
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from tests.web.case import Response, WebCase, failing
from tests.web.fakes import CONTEXT_ID

PATH = f"/v1/talk/acme/ctx/{CONTEXT_ID}"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
}


class Acme:
    """A carrier of which only the media half is there."""

    name = "acme"
    subprotocols = ("media",)
    control = None
    context_in_band = False

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.refusal: Exception | None = None
        self.forged = False

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        if self.forged:
            raise Forged("a wrong signature")
        return False

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        self.asked.append((request.url, options))
        if self.refusal is not None:
            raise self.refusal
        wire: Any = "wire"
        return wire

    def apology(self, error: Any) -> Any:
        from rapida_tw.web.answers import error_document

        return error_document(error)


class MediaTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.acme = Acme()
        self.carriers["acme"] = self.acme
        self.make_site()

    def open(self, path: str = PATH, **headers: str) -> Response:
        return self.get(path, key=None, **UPGRADE | headers)

    def test_upgrade(self) -> None:
        """The context is claimed for the carrier, and the socket gets its wire."""
        self.assertEqual(self.open().body, b"upgraded")
        self.assertEqual(self.calls.claims, [(CONTEXT_ID, "acme")])
        [(carrier, wire, subprotocols, secure, claimed)] = self.sockets.opened
        self.assertEqual((carrier, wire, subprotocols, secure), ("acme", "wire", ("media",), True))
        assert claimed is not None
        self.assertEqual(claimed.context.id, CONTEXT_ID)
        self.assertEqual(self.calls.released, [])

    def test_url(self) -> None:
        """The carrier sees the address that it was told, whatever Host it sends."""
        self.open(PATH + "?sample-rate=16000", Host="other.example")
        [(url, options)] = self.acme.asked
        self.assertEqual(url, f"wss://voice.example{PATH}?sample-rate=16000")
        self.assertEqual(options, self.calls.deployment.options)

    def test_query(self) -> None:
        """The context may stand in the query, with and without a slash before it."""
        for path in ("/v1/talk/acme/ctx", "/v1/talk/acme/ctx/"):
            self.assertEqual(self.open(f"{path}?contextId={CONTEXT_ID}").body, b"upgraded")

    def test_unknown(self) -> None:
        """Unknown, late or used: 404 before any upgrade."""
        answer = self.open(PATH[:-1] + "2")
        self.assertEqual((answer.status, answer.error), (404, "context-not-found"))
        self.assertEqual(self.sockets.opened, [])

    def test_nameless(self) -> None:
        """No context in the address is 404, too, unless the stream names it."""
        self.assertEqual(self.open("/v1/talk/acme/ctx").status, 404)
        self.acme.context_in_band = True
        self.assertEqual(self.open("/v1/talk/acme/ctx").body, b"upgraded")
        self.assertIsNone(self.sockets.opened[0][-1])
        self.assertEqual(self.calls.claims, [])

    def test_unknown_carrier(self) -> None:
        self.assertEqual(self.open(PATH.replace("acme", "nobody")).status, 404)

    def test_no_upgrade(self) -> None:
        """A browser that looks at the address gets 426, and the context goes on waiting."""
        answer = self.get(PATH, key=None)
        self.assertEqual((answer.status, answer.headers["upgrade"]), (426, "websocket"))
        self.assertEqual(self.calls.claims, [])

    def test_forged(self) -> None:
        """A wrong signature is refused; the context waits for the right one."""
        self.acme.forged = True
        self.assertEqual(self.open().status, 403)
        self.assertEqual(len(self.calls.released), 1)
        self.assertEqual(self.sockets.opened, [])

    def test_no_media(self) -> None:
        """So is a carrier that has no media sockets."""
        self.acme.refusal = NotSupported("no sockets")
        self.assertEqual(self.open().status, 409)
        self.assertEqual(len(self.calls.released), 1)

    def test_crowd(self) -> None:
        """And a socket too many."""
        self.sockets.refusal = CapacityExceeded("too many")
        self.assertEqual(self.open().status, 503)
        self.assertEqual(len(self.calls.released), 1)

    def test_full(self) -> None:
        self.calls.claimed = failing(CapacityExceeded("full"))
        self.assertEqual(self.open().status, 503)
        self.assertEqual(self.calls.released, [])

    def test_gone(self) -> None:
        """Who hangs up before the claim is answered leaves the context to the next try."""
        self.calls.claimed = Deferred()
        self.ask("GET", PATH, key=None, **UPGRADE).close()
        claimed = self.calls.claimed_context("acme")
        self.calls.claimed.callback(claimed)
        self.assertEqual(self.calls.released, [claimed])
        self.assertEqual(self.sockets.opened, [])

    def test_secure(self) -> None:
        """TLS before us counts when a trusted proxy says so, and only then."""
        for proxies, secure in ((Proxies(), False), (Proxies(("0.0.0.0/0",)), True)):
            self.make_site(address=PublicAddress("", "https", proxies), proxies=proxies)
            self.open(X_Forwarded_Proto="https")
            self.assertEqual(self.sockets.opened[-1][3], secure)
