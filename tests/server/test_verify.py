"""`rapida credential verify`: the provider itself is asked, here one of our own."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.server.installation import Installation, script

SID, TOKEN = "AC" + "0" * 32, "e5c2-hunter2-0f3a"


class Twilio(BaseHTTPRequestHandler):
    """Knows one account, and repeats to strangers what they have shown."""

    def do_GET(self) -> None:
        shown = self.headers["Authorization"] or ""
        good = shown == "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode()
        good = good and self.path.startswith(f"/2010-04-01/Accounts/{SID}.json")
        wrong = {"code": 20003, "message": f"Authenticate: {shown}", "status": 401}
        body = {"sid": SID, "friendly_name": "Main", "status": "active"} if good else wrong
        text = json.dumps(body).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: object) -> None:
        """Nowhere."""


@pytest.fixture(scope="module")
def twilio() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Twilio) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("verify"))


def verify(installation: Installation, token: str, url: str) -> tuple[int, str]:
    """The exit status, and all that was printed."""
    pairs = (f"account_sid={SID}", f"authToken={token}", f"baseUrl={url}")
    value = [part for pair in pairs for part in ("--set", pair)]
    given = ("create", "--name", "Main", "--provider", "twilio", *value)
    made = installation.rapida("credential", *given)
    assert made["keysSet"] == ["account_sid", "account_token", "base_url"]
    config = ("--config", str(installation.configuration))
    done = installation.run(script("rapida"), "credential", "verify", made["id"], *config)
    return done.returncode, done.stdout + done.stderr


def test_let_in(installation: Installation, twilio: str) -> None:
    """The account is known: who it is is told."""
    status, printed = verify(installation, TOKEN, twilio)
    assert (status, printed.splitlines()[-1]) == (0, "verified: yes")
    assert "Main" in printed


def test_refused(installation: Installation, twilio: str) -> None:
    """A wrong token: the carrier's words, without the token that they repeat."""
    status, printed = verify(installation, "planted-wrong-token", twilio)
    assert (status, printed.splitlines()[-1]) == (1, "verified: NO")
    assert "Authenticate" in printed
    assert "planted" not in printed
    assert b64encode(f"{SID}:planted-wrong-token".encode()).decode() not in printed


def test_nobody_there(installation: Installation) -> None:
    """An address where nobody answers is a mistake of the credential, too."""
    status, printed = verify(installation, TOKEN, "http://127.0.0.1:9")
    assert (status, printed.splitlines()[-1]) == (1, "verified: NO")
