"""A whole HTTP port in memory: bytes in, answers out, on a Clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.carriers.asterisk import ASTERISK
from rapida_tw.store.records import Conversation
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from rapida_tw.web.site import WebDependencies, build_site
from tests.web.fake_credentials import FakeCredentials
from tests.web.fakes import (
    KEY,
    FakeAssistants,
    FakeCalls,
    FakeConversations,
    FakeKeys,
    FakePlugIns,
    FakeSockets,
)


@dataclass(frozen=True)
class Response:
    """Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The slug of a refusal in JSON."""
        return str(self.json["error"]["errorCode"])


class Connection:
    """A client's TCP connection: what it sends is received at once."""

    def __init__(self, site: Any) -> None:
        self.transport = _Transport()
        self.protocol = site.buildProtocol(None)
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def close(self) -> None:
        if self.transport.connected:
            self.transport.loseConnection()

    @property
    def closed(self) -> bool:
        return not self.transport.connected

    def response(self, method: str = "GET") -> Response:
        """The first answer that has come, parsed by somebody else's parser."""
        parsed = HTTPResponse(_Socket(self.transport.value()), method=method)  # type: ignore[arg-type]
        parsed.begin()
        headers = {name.lower(): value for name, value in parsed.getheaders()}
        return Response(parsed.status, headers, parsed.read())


class _Transport(StringTransportWithDisconnection):
    full = False  # as a socket whose peer reads nothing

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.full:
            self.producer.pauseProducing()

    def loseConnection(self) -> None:
        self.disconnecting = True  # as a socket's, and what the parser stops at
        super().loseConnection()


class _Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._data)


@dataclass
class Drawing:
    """Stands for the timeline."""

    image: bytes = b"\x89PNG picture"
    failing: Exception | None = None
    drawn: list[tuple[Path, int]] = field(default_factory=list)

    def __call__(self, path: Path, conversation: Conversation) -> bytes:
        self.drawn.append((path, conversation.id))
        if self.failing is not None:
            raise self.failing
        return self.image


class WebCase(SynchronousTestCase):
    """`get` and `send` ask a site that is made of fakes and answer a Response."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.keys = FakeKeys()
        self.assistants = FakeAssistants()
        self.conversations = FakeConversations()
        self.credentials = FakeCredentials()
        self.calls = FakeCalls()
        self.carriers: dict[str, Any] = {"asterisk": ASTERISK}
        self.speech = {"recognizers": FakePlugIns(["local"])}
        self.sockets = FakeSockets()
        self.draw = Drawing()
        self.folder: Path | None = Path(self.mktemp())
        self.make_site()

    def make_site(self, **changed: Any) -> None:
        parts: dict[str, Any] = {
            "clock": self.clock,
            "in_thread": maybeDeferred,
            "keys": self.keys,
            "assistants": self.assistants,
            "conversations": self.conversations,
            "credentials": self.credentials,
            "calls": self.calls,
            "carriers": self.carriers,
            "speech": self.speech,
            "models": FakePlugIns(["scripted"]),
            "draw": self.draw,
            "address": PublicAddress("voice.example", "https", Proxies()),
            "proxies": Proxies(),
            "sockets": self.sockets,
            "now": self.clock.seconds,
            "recordings": self.folder,
        }
        self.site = build_site(WebDependencies(**parts | changed))

    def tearDown(self) -> None:
        """Nothing is left behind."""
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def connect(self) -> Connection:
        connection = Connection(self.site)
        self.addCleanup(connection.close)
        return connection

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        key: str | None = KEY,
        **headers: str,
    ) -> Connection:
        """Send one request; names of headers have underscores for dashes."""
        connection = self.connect()
        connection.send(request_bytes(method, target, body, key, **headers))
        return connection

    def get(self, target: str, key: str | None = KEY, **headers: str) -> Response:
        return self._answer("GET", self.ask("GET", target, key=key, **headers))

    def send(
        self, method: str, target: str, document: Any = None, key: str | None = KEY, **headers: str
    ) -> Response:
        """With a JSON body, unless `document` is bytes or None."""
        if document is None:
            body = b""
        elif isinstance(document, bytes):
            body = document
        else:
            body = json.dumps(document).encode()
            headers = {"Content_Type": "application/json", **headers}
        return self._answer(method, self.ask(method, target, body, key, **headers))

    def _answer(self, method: str, connection: Connection) -> Response:
        response = connection.response(method)
        connection.close()
        return response


def request_bytes(
    method: str, target: str, body: bytes = b"", key: str | None = None, **headers: str
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: voice.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if key is not None:
        lines.append(f"x-api-key: {key}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def failing(error: Exception) -> Deferred[Any]:
    """A Deferred that has failed."""
    waiting: Deferred[Any] = Deferred()
    waiting.errback(Failure(error))
    return waiting
