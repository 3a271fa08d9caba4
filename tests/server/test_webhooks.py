"""Webhooks of a real server: what is queued survives `kill -9`, and goes nowhere it must not."""

from __future__ import annotations

import hmac
import json
import ssl
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.interop.certificate import self_signed
from tests.server.installation import Installation, free_port, until
from tests.server.process import ServerProcess

WITHIN = 20.0  # seconds


@dataclass
class Receiver:
    """An HTTP server of somebody else's; a context manager."""

    port: int = field(default_factory=free_port)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/calls"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]

    def __enter__(self) -> Receiver:
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                requests.append((headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@dataclass(frozen=True)
class Killed:
    """What was seen of a server that was killed while a receiver was away."""

    queued: Any
    secret: str
    requests: list[tuple[dict[str, str], bytes]]
    delivered: Any


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    folder = tmp_path_factory.mktemp("webhooks")
    installation = Installation(folder, WEBHOOKS__ALLOWED_NETWORKS="127.0.0.0/8")
    receiver = Receiver()
    path = "/v1/webhook-deliveries"
    with ServerProcess(installation) as server:
        assistant = installation.assistant()
        changed = installation.data_of(
            f"/v1/assistants/{assistant}",
            "PATCH",
            {"webhooks": [{"url": receiver.url, "events": ["call.received"]}]},
        )
        secret = changed["webhooks"][0]["secret"]
        installation.deploy(provider="asterisk", greeting="Hello.")
        installation.context(assistant)

        def attempted() -> Any:
            found = installation.data_of(path)
            return found and found[0]["attemptCount"] and found[0]["state"] == "waiting" and found

        (queued,) = until(attempted, WITHIN, server.printed)
        server.kill()
    with receiver, ServerProcess(installation) as server:
        until(lambda: receiver.requests, WITHIN, server.printed)

        def delivered() -> Any:
            found = installation.data_of(f"{path}/{queued['id']}")
            return found["state"] == "delivered" and found

        last = until(delivered, WITHIN, server.printed)
    assert secret not in server.printed()
    return Killed(queued, secret, receiver.requests, last)


def test_survives(killed: Killed) -> None:
    """It arrives after the restart, once, as the event that it was."""
    ((headers, body),) = killed.requests
    assert headers["x-rapida-delivery"] == killed.queued["eventId"]
    assert json.loads(body)["eventId"] == killed.queued["eventId"]
    assert json.loads(body)["event"] == "call.received"


def test_log(killed: Killed) -> None:
    """Each attempt is remembered, those before the crash too."""
    statuses = [one["status"] for one in killed.delivered["attempts"]]
    assert statuses[0] == 0
    assert statuses[-1] == 204


def test_signed(killed: Killed) -> None:
    """With the secret that was shown once, as the documentation says."""
    ((headers, body),) = killed.requests
    fields = dict(part.split("=") for part in headers["x-rapida-signature"].split(","))
    text = f"{fields['t']}.".encode() + body
    assert fields["v1"] == hmac.new(killed.secret.encode(), text, sha256).hexdigest()


def test_local_addresses(tmp_path: Path) -> None:
    """Unless it is allowed, nothing is sent to this machine, by whatever name."""
    installation = Installation(tmp_path)
    with Receiver() as receiver, ServerProcess(installation) as server:
        hosts = ("127.0.0.1", "localhost", "2130706433", "[::1]", "0.0.0.0")
        assistant = installation.assistant()
        webhooks = [{"url": f"http://{host}:{receiver.port}/"} for host in hosts]
        installation.data_of(f"/v1/assistants/{assistant}", "PATCH", {"webhooks": webhooks})
        installation.data_of("/v1/webhook-deliveries", "POST", {"assistantId": assistant})

        def over() -> Any:
            found = installation.data_of("/v1/webhook-deliveries?state=failed")
            return len(found) == len(hosts)

        until(over, WITHIN, server.printed)
        assert receiver.requests == []
        data = installation.data.glob("*.db*")
        secrets = [one.read_bytes() for one in data]
        assert not any(b"whsec_" in content for content in secrets)


def test_tls(tmp_path: Path) -> None:
    """Over TLS the connection goes to an address, and asks for the name."""
    files = self_signed(tmp_path)
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.sni_callback = lambda _, name, __: asked.append(name)
    installation = Installation(
        tmp_path,
        WEBHOOKS__ALLOWED_NETWORKS="127.0.0.0/8,::1",
        SSL_CERT_FILE=str(files.certificate),
    )
    with Receiver(tls=context) as receiver, ServerProcess(installation) as server:
        assistant = installation.assistant()
        webhooks = [{"url": f"https://localhost:{receiver.port}/"}]
        installation.data_of(f"/v1/assistants/{assistant}", "PATCH", {"webhooks": webhooks})
        installation.data_of("/v1/webhook-deliveries", "POST", {"assistantId": assistant})
        until(lambda: receiver.requests, WITHIN, server.printed)
    assert asked == ["localhost"]
