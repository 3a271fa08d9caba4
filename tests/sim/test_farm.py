from __future__ import annotations

import json

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.carrier import Media
from rapida_tw.sim.farm import CARRIERS, SIGNING, Callee, Reach
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.sim.peers import RecordingPhone
from tests.sim.test_websocket_line import Plain

CALLEE = Callee("http://127.0.0.1:9007/", "12", "rpd-key", "+15550100")
CONTEXT = "66bc093d-34ab-4436-8e47-83e4fa85f361"
URL = f"ws://127.0.0.1:9007/v1/talk/%s/ctx/{CONTEXT}"
XML = {"content-type": "text/xml"}
JSON = {"content-type": "application/json"}


def xml(body: str) -> HttpAnswer:
    return HttpAnswer(200, XML, f"<Response>{body}</Response>".encode())


def documents(carrier: str) -> HttpAnswer:
    """What a server without TLS answers that carrier."""
    url = URL % carrier
    endpoint = {"type": "websocket", "uri": url, "content-type": "audio/l16;rate=16000"}
    ncco = [{"action": "connect", "endpoint": [endpoint]}]
    return {
        "twilio": xml(f'<Connect><Stream url="{url}"/></Connect>'),
        "vonage": HttpAnswer(200, JSON, json.dumps(ncco).encode()),
        "exotel": HttpAnswer(200, JSON, json.dumps({"url": url}).encode()),
        "asterisk": HttpAnswer(200, {"content-type": "text/plain"}, CONTEXT.encode()),
        "plivo": xml(f'<Stream bidirectional="true">{url}</Stream>'),
        "telnyx": xml(f'<Connect><Stream url="{url}" bidirectionalMode="rtp"/></Connect>'),
    }[carrier]


@pytest.mark.parametrize("name", CARRIERS)
def test_carriers(name: str) -> None:
    """Each asks the server's route with the key, and takes a stream without TLS."""
    carrier = CARRIERS[name](CALLEE)
    request = carrier.webhook(0.0)
    assert request.url.startswith(f"http://127.0.0.1:9007/v1/talk/{name}/call/12?")
    assert "rpd-key" in (request.url + request.headers.get("x-api-key", ""))
    assert "15550100" in request.url + request.body.decode()
    media = carrier.invited(documents(name), 0.0)
    assert media.url.startswith(f"ws://127.0.0.1:9007/v1/talk/{name}/ctx")
    assert CONTEXT in media.url


@pytest.mark.parametrize("name", CARRIERS)
def test_signing(name: str) -> None:
    """With a secret those sign that can, and the secret is in no repr."""
    callee = Callee("http://x.test", "12", "rpd-key", secret="s3cret")
    signed = CARRIERS[name](callee).webhook(0.0).headers
    plain = CARRIERS[name](CALLEE).webhook(0.0).headers
    assert bool(signed.keys() - plain.keys()) is (name in SIGNING)
    assert "s3cret" not in repr(callee)


def test_quoted() -> None:
    """A key is quoted, whatever is in it, and is in no repr."""
    callee = Callee("http://x.test", "1/2", "a&b")
    assert callee.webhook("twilio") == "http://x.test/v1/talk/twilio/call/1%2F2?x-api-key=a%26b"
    assert "a&b" not in repr(callee)


class ReachTests(SynchronousTestCase):
    def ask(self, url: str, request: HttpRequest) -> HttpRequest:
        asked: list[HttpRequest] = []

        def http(request: HttpRequest) -> Deferred[HttpAnswer]:
            asked.append(request)
            return succeed(HttpAnswer(200))

        Reach(Clock(), url).http(http)(request)
        return asked[0]

    def test_public_host(self) -> None:
        """Requests for the public name go to the server, and ask for that name."""
        request = HttpRequest("POST", "https://voice.test/event?a=b", {"X-A": "b"}, b"body")
        asked = self.ask("http://127.0.0.1:9007", request)
        self.assertEqual(asked.url, "http://127.0.0.1:9007/event?a=b")
        self.assertEqual(asked.headers, {"X-A": "b", "Host": "voice.test"})
        self.assertEqual((asked.method, asked.body), ("POST", b"body"))

    def test_own_host(self) -> None:
        """Requests for the server itself are left as they are."""
        request = HttpRequest("GET", "http://127.0.0.1:9007/call")
        self.assertIs(self.ask("http://127.0.0.1:9007", request), request)

    def connect(self, url: str, media_url: str) -> tuple[str, int, bytes]:
        """Where the connection goes, and the first that is written."""
        reactor = MemoryReactorClock()
        media = Media(media_url, Plain())
        line = WebSocketLine(RecordingPhone(), media, Metronome(reactor))
        Reach(reactor, url).connect(media, line)
        host, port, factory = reactor.tcpClients[0][:3]
        protocol = factory.buildProtocol(None)
        transport = RecordingTransport()
        protocol.makeConnection(transport)
        return host, port, transport.written

    def test_media(self) -> None:
        """So does the media, by TLS only where the server's own address says so."""
        where = self.connect("http://127.0.0.1:9007", "wss://voice.test/ctx/1")
        self.assertEqual(where[:2], ("127.0.0.1", 9007))
        self.assertIn(b"GET /ctx/1 HTTP/1.1\r\nHost: voice.test\r\n", where[2])

    def test_tls(self) -> None:
        """What is written first over TLS is a ClientHello."""
        host, port, written = self.connect("https://127.0.0.1", "wss://voice.test/ctx/1")
        self.assertEqual((host, port, written[:1]), ("127.0.0.1", 443, b"\x16"))


class RecordingTransport:
    """As much of a TCP transport as a connection begins with."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing waits here."""
