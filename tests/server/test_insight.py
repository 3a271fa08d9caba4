"""`rapida insight` without a server: Vonage itself is asked, here one of our own."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.server.installation import Installation, script
from tests.server.process import ServerProcess

KEY, SECRET = "a1b2c3d4", "planted-0123456789"


class Vonage(BaseHTTPRequestHandler):
    """Knows one account and every number."""

    def do_GET(self) -> None:
        good = self.headers["Authorization"] == (
            "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()
        )
        known = {"status": 0, "country_code": "US", "national_format_number": "555"}
        wrong = {"status": 4, "status_message": f"Invalid: {self.headers['Authorization']}"}
        text = json.dumps(known if good and SECRET not in self.path else wrong).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: object) -> None:
        """Nowhere."""


@pytest.fixture(scope="module")
def vonage() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Vonage) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("insight"))


def look_up(installation: Installation, secret: str, url: str) -> tuple[int, str]:
    """The exit status, and all that was printed, with a new credential."""
    pairs = (f"api_key={KEY}", f"api_secret={secret}", f"base_url={url}")
    value = [part for pair in pairs for part in ("--set", pair)]
    installation.rapida("credential", "create", "--name", "V", "--provider", "vonage", *value)
    config = ("--config", str(installation.configuration))
    # Number Insight, by name: this is to go on working when its last day is over.
    given = ("insight", "+15550100001", "--api", "number", *config)
    done = installation.run(script("rapida"), *given)
    return done.returncode, done.stdout + done.stderr


def test_none(installation: Installation) -> None:
    """Without a credential nobody is asked."""
    config = ("--config", str(installation.configuration))
    done = installation.run(script("rapida"), "insight", "+15550100001", *config)
    assert (done.returncode, "credential of vonage" in done.stderr) == (1, True)


def test_known(installation: Installation, vonage: str) -> None:
    """By the newest credential."""
    status, printed = look_up(installation, SECRET, vonage)
    assert (status, "(US)" in printed, "by" in printed) == (0, True, True)


def test_refused(installation: Installation, vonage: str) -> None:
    """A wrong secret: Vonage's words, without the secret that they repeat."""
    status, printed = look_up(installation, "planted-wrong-secret", vonage)
    assert (status, "(4)" in printed) == (1, True)
    assert "planted" not in printed
    assert b64encode(f"{KEY}:planted-wrong-secret".encode()).decode() not in printed


def test_nobody_there(installation: Installation) -> None:
    """An address where nobody answers."""
    status, printed = look_up(installation, SECRET, "http://127.0.0.1:9")
    assert (status, "asking Vonage failed" in printed) == (1, True)


def test_server(tmp_path: Path, vonage: str) -> None:
    """A running server asks with the project's credential, and leaves its secret nowhere."""
    installation = Installation(tmp_path, LOG__LEVEL="debug")
    value = {"api_key": KEY, "api_secret": SECRET, "base_url": vonage}
    with ServerProcess(installation) as server:
        path = "/v1/number-insight?number=%2B15550100001&api=number"
        nobody = installation.request(path)
        document = {"name": "V", "provider": "vonage", "value": value}
        made = installation.request("/v1/credentials", "POST", document).json()["data"]
        answer = installation.request(f"{path}&credentialId={made['id']}&raw=true")
        server.terminate()
        server.status()
        printed = server.printed()
    assert (nobody.status, answer.status) == (422, 200)
    found = answer.json()["data"]
    assert (found["countryCode"], found["raw"]["status"]) == ("US", 0)
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in left + answer.body + printed.encode()
