"""The client that waits."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from rapida_tw.client import ConnectionFailed, NotFoundError, Rapida, RateLimitError
from tests.client.server import Server, refused, success

KEY = "rpd-secret"
PLACED = success({"id": "9", "status": "queued"})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def rapida(server: Server, waits: list[float]) -> Rapida:
    return Rapida(KEY, server.url + "/", sleep=waits.append)


def test_create(rapida: Rapida, server: Server) -> None:
    """As it is promised: a call, its conversation and its id."""
    server.answers["POST", "/v1/calls"] = PLACED
    call = rapida.calls.create(
        assistant_id=5, to_number="+15550100", from_number="+15550199", metadata={"a": "b"}
    )
    assert (call.conversation.id, call.status) == ("9", "queued")
    (asked,) = server.asked
    assert asked[2]["x-api-key"] == KEY
    assert KEY not in asked[1]
    assert asked[3]["fromNumber"] == "+15550199"


def test_every_group(rapida: Rapida, server: Server) -> None:
    """Lists of everything."""
    for group in ("calls", "campaigns", "conversations", "assistants", "credentials"):
        server.answers["GET", f"/v1/{group}"] = success([{"id": "1"}])
        assert [one.id for one in getattr(rapida, group).list()] == ["1"]
    server.answers["GET", "/v1/assistants/5/phone-deployment"] = success({"provider": "twilio"})
    assert rapida.deployments.get(5).provider == "twilio"


def test_error(rapida: Rapida, server: Server) -> None:
    """An exception with the server's words, at once."""
    server.answers["GET", "/v1/calls/5"] = refused(404, "not-found")
    with pytest.raises(NotFoundError, match="so it is"):
        rapida.calls.get(5)
    assert len(server.asked) == 1


def test_repeated(rapida: Rapida, server: Server, waits: list[float]) -> None:
    """A lost answer is asked for again with the same key, and so dials once."""
    server.script = [None, refused(503, "unavailable"), PLACED]
    assert rapida.calls.create(5, "+15550100").id == "9"
    keys = [body["idempotencyKey"] for _, _, _, body in server.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert waits == [0.5, 1.0]


def test_not_repeated(rapida: Rapida, server: Server) -> None:
    """What must not be done twice is not asked for twice."""
    server.script = [None]
    with pytest.raises(ConnectionFailed) as caught:
        rapida.calls.send_digits(5, "1")
    assert caught.value.sent
    assert len(server.asked) == 1


def test_rate_limit(rapida: Rapida, server: Server, waits: list[float]) -> None:
    """The server says how long to wait; for ever is too long."""
    server.script = [refused(429, "1002008", Retry_After="3"), PLACED]
    rapida.calls.create(5, "+15550100")
    assert waits == [3.0]
    server.script = [refused(429, "1002008", Retry_After="3600")]
    with pytest.raises(RateLimitError):
        rapida.calls.create(5, "+15550100")


def test_nobody(waits: list[float]) -> None:
    """Nothing was sent, so it may be tried again, some times."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ConnectionFailed, match="does not answer") as caught:
        Rapida(KEY, url, sleep=waits.append).calls.hang_up(5)
    assert not caught.value.sent
    assert len(waits) == 2


def test_timeout() -> None:
    """A server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionFailed, match="broke off") as caught:
            Rapida(KEY, url, timeout=0.05, retries=0).calls.list()
    assert caught.value.sent


def test_cut_off(rapida: Rapida, server: Server, waits: list[float]) -> None:
    """An answer that breaks off is no answer, and asked for again where that does no harm."""
    broken = (200, {"success": True}, {"content-length": "999", "connection": "close"})
    server.script = [broken] * 3
    with pytest.raises(ConnectionFailed, match="broke off") as caught:
        rapida.calls.list()
    assert caught.value.sent
    assert len(waits) == 2


def test_redirect(rapida: Rapida, server: Server) -> None:
    """The key is not carried elsewhere."""
    server.script = [(302, {}, {"Location": "/elsewhere"})]
    with pytest.raises(Exception, match="302"):
        rapida.calls.list()
    assert len(server.asked) == 1


def test_threads(rapida: Rapida, server: Server) -> None:
    """One client for all of them."""
    server.answers["GET", "/v1/calls/5"] = success({"id": "5"})
    found: list[str] = []
    threads = [Thread(target=lambda: found.append(rapida.calls.get(5).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["5"] * 8


def test_no_secret(rapida: Rapida) -> None:
    """A client that is printed tells where it goes, not with what."""
    assert KEY not in repr(rapida)


def test_alone() -> None:
    """Neither the server nor Twisted is imported with it."""
    code = "import rapida_tw.client, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = ast.literal_eval(done.stdout)
    assert "rapida_tw.client" in modules
    others = [one for one in modules if one.startswith("rapida_tw.") and "client" not in one]
    assert not others
    assert not [one for one in modules if one.partition(".")[0] in ("twisted", "klein", "treq")]
