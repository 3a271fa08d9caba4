"""A running server instead of the database: the same commands over HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.conftest import Rapida

KEY = "rpd-secret"
BOB = {"id": "5", "name": "Bob", "model": {"provider": "scripted"}}


class Server(ThreadingHTTPServer):
    """Answers by method and path; notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.asked.append((self.command, self.path, self.headers["x-api-key"], body))
        status, answer = self.server.answers[self.command, self.path.partition("?")[0]]
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        thread = Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def data(found: Any, **more: Any) -> tuple[int, Any]:
    return 200, {"code": 200, "success": True, "data": found, **more}


def ask(rapida: Rapida, server: Server, *arguments: object) -> tuple[int, str, str]:
    return rapida(*arguments, "--url", server.url + "/", "--api-key", KEY)


def test_list(rapida: Rapida, server: Server) -> None:
    """A listing with its total; the key is in the header and not in the path."""
    server.answers["GET", "/v1/assistants"] = data([BOB], paginated={"totalItem": 3})
    status, out, _ = ask(rapida, server, "assistant", "list")
    assert status == 0
    assert "Bob" in out
    assert "and 2 older ones" in out
    assert server.asked == [("GET", "/v1/assistants?pageSize=100", KEY, None)]


def test_create(rapida: Rapida, server: Server) -> None:
    """The document goes out as JSON."""
    server.answers["POST", "/v1/assistants"] = data(BOB)
    assert ask(rapida, server, "assistant", "create", "--name", "Bob")[0] == 0
    assert server.asked[0][3] == {"name": "Bob"}


def test_update_and_delete(rapida: Rapida, server: Server) -> None:
    """PATCH and DELETE."""
    server.answers["PATCH", "/v1/assistants/5"] = data(BOB)
    server.answers["DELETE", "/v1/assistants/5"] = data(None)
    assert ask(rapida, server, "assistant", "update", 5, "--name", "Bob")[0] == 0
    assert ask(rapida, server, "assistant", "delete", 5)[0] == 0


def test_deployment(rapida: Rapida, server: Server) -> None:
    """A part is put into what was there before."""
    path = "/v1/assistants/5/phone-deployment"
    before = rapida.json("deployment", "show", rapida.json("init")["assistant_id"])
    server.answers["GET", path] = server.answers["PUT", path] = data(before)
    assert ask(rapida, server, "deployment", "set", 5, "--greeting", "Hi.")[0] == 0
    assert server.asked[1][3] == {**before, "greeting": "Hi."}


def test_credentials(rapida: Rapida, server: Server) -> None:
    """Every verb, each by its own request."""
    made = {"id": "5", "name": "Main", "provider": "acme", "updatedDate": None}
    made |= {"keysSet": ["a"], "createdDate": None, "lastUsedDate": None}
    checks = {**made, "verified": None, "checks": []}
    one = "/v1/credentials/5"
    for method, path, answer in (
        ("POST", "/v1/credentials", made),
        ("GET", "/v1/credentials", [made]),
        ("GET", one, made),
        ("PATCH", one, made),
        ("POST", f"{one}/verify", checks),
        ("DELETE", one, None),
    ):
        server.answers[method, path] = data(answer)
    value = ("--name", "Main", "--set", "a=b")
    for arguments in (
        ("create", "--provider", "acme", *value),
        ("list",),
        ("show", 5),
        ("update", 5, *value),
        ("verify", 5),
        ("delete", 5),
    ):
        assert ask(rapida, server, "credential", *arguments)[0] == 0, arguments
    assert [(method, path) for method, path, _, _ in server.asked] == [
        ("POST", "/v1/credentials"),
        ("GET", "/v1/credentials?pageSize=100"),
        ("GET", one),
        ("PATCH", one),
        ("POST", f"{one}/verify"),
        ("DELETE", one),
    ]
    given = {"name": "Main", "value": {"a": "b"}}
    assert server.asked[0][3] == {**given, "provider": "acme"}
    assert server.asked[3][3] == given


def test_conversations(rapida: Rapida, server: Server) -> None:
    """History, of one assistant."""
    server.answers["GET", "/v1/conversations"] = data([])
    assert ask(rapida, server, "conversations", "list", "--assistant", 5)[1] == "none\n"
    assert server.asked[0][1] == "/v1/conversations?pageSize=20&assistantId=5"


def test_key_from_the_environment(
    rapida: Rapida, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no list of processes shows it."""
    monkeypatch.setenv("RAPIDA_API_KEY", KEY)
    server.answers["GET", "/v1/assistants"] = data([])
    assert rapida("assistant", "list", "--url", server.url)[0] == 0
    assert server.asked[0][2] == KEY


def test_refused(rapida: Rapida, server: Server) -> None:
    """The server's own words."""
    error = {"errorCode": "not-found", "errorMessage": "no assistant 5", "humanMessage": "..."}
    server.answers["GET", "/v1/assistants/5"] = 404, {"code": 404, "error": error}
    answer = ask(rapida, server, "assistant", "show", 5)
    assert answer == (1, "", "rapida: no assistant 5 (not-found)\n")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((502, b"<html>Bad gateway"), "the server answered with HTTP 502"),
        ((302, b""), "the server answered with HTTP 302"),
        ((200, b"<html>Welcome"), "did not answer with JSON: is it a rapida server?"),
        ((200, {"data": 5}), "did not answer with a document"),
        ((200, b"[" * 100_000), "did not answer with JSON: is it a rapida server?"),
        ((500, b"[" * 100_000), "the server answered with HTTP 500"),
    ],
)
def test_not_ours(rapida: Rapida, server: Server, answer: tuple[int, Any], says: str) -> None:
    """What answers there may be something else; redirects are not followed with the key."""
    server.answers["GET", "/v1/assistants/5"] = answer
    status, out, err = ask(rapida, server, "assistant", "show", 5)
    assert (status, out) == (1, "")
    assert says in err
    assert len(server.asked) == 1


def test_no_documents(rapida: Rapida, server: Server) -> None:
    """A list of something else is no listing."""
    server.answers["GET", "/v1/assistants"] = data([1, 2])
    status, out, err = ask(rapida, server, "assistant", "list")
    assert (status, out) == (1, "")
    assert "did not answer with a list" in err


def test_nobody(rapida: Rapida) -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    status, _, err = rapida("assistant", "list", "--url", url, "--api-key", KEY)
    assert (status, err) == (1, f"rapida: no server answers at {url}: Connection refused\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "http://localhost"),
        ("--url", "ftp://localhost", "--api-key", KEY),
        ("--url", "http://localhost:port", "--api-key", KEY),
        ("--url", "localhost:9007", "--api-key", KEY),
        ("--url", "http://a..b", "--api-key", KEY),
        ("--url", "http://user:planted@localhost", "--api-key", KEY),
        ("--url", "http://localhost", "--api-key", "käy"),
    ],
)
def test_usage(rapida: Rapida, arguments: tuple[str, ...]) -> None:
    """No key, or no URL of a server, is wrong usage."""
    status, out, err = rapida("assistant", "list", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rapida: ")
    assert "planted" not in err
