"""Media WebSockets over TLS: the server's own, and that of a reverse proxy before it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.phone import Reason
from tests.interop.certificate import self_signed
from tests.server.installation import Installation
from tests.server.process import ServerProcess, complaints
from tests.server.proxy import Proxy
from tests.server.town import CONVERSATION, Town, answered, asking, outcome

# Asterisk, because over TLS it is sent each frame in a record of its own.
CARRIERS = ("twilio", "asterisk")


@dataclass(frozen=True, slots=True)
class Secure:
    """Calls over the server's own TLS: hung up by the server, by the caller, and just cut."""

    hung_up: dict[str, Caller]
    callers: dict[str, Caller]
    complaints: list[dict[str, int]]
    urls: list[str]
    books: list[Any]
    status: int
    printed: str


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Secure:
    folder = tmp_path_factory.mktemp("tls")
    files = self_signed(folder)
    installation = Installation(
        folder, HTTP__TLS_CERTIFICATE=str(files.certificate), HTTP__TLS_KEY=str(files.key)
    )
    installation.trust = ssl.create_default_context(cafile=str(files.certificate))
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(**CONVERSATION)
        hung_up, callers = ({name: asking() for name in CARRIERS} for _ in range(2))
        both = [*hung_up.items(), *callers.items()]
        calling = [
            town.call(name, caller, town.callee(number=f"1555{place}"))
            for place, (name, caller) in enumerate(both)
        ]
        cut = Caller()
        cutting = town.call("twilio", cut, town.callee(number="15559"))
        town.talk(
            lambda: all(answered(caller) for _, caller in both) and cut.heard, what=lambda: calling
        )
        lines: list[Any] = [outcome(one) for one in calling]
        for call in installation.data_of("/v1/calls"):
            if call["from"].endswith(("0", "1")):
                installation.data_of(f"/v1/calls/{call['id']}/hangup", "POST")
        line: Any = outcome(cutting)
        line.drop()
        for line in lines[2:]:
            line.hang_up()
        town.talk(lambda: all(caller.ending for _, caller in both))

        def ended() -> list[Any]:
            return [book for book in installation.data_of("/v1/conversations") if book["endReason"]]

        books = town.talk(lambda: ended() if len(ended()) == 5 else [])
        server.terminate()
        status = server.status()
    told = [dict(line.complaints) for line in lines]
    return Secure(hung_up, callers, told, town.urls, books, status, server.printed())


def test_secure(secure: Secure) -> None:
    """The documents say wss, and on it is talked as without."""
    assert {url.partition(":")[0] for url in secure.urls} == {"wss"}
    for caller in (*secure.hung_up.values(), *secure.callers.values()):
        assert answered(caller)
    assert secure.complaints == [{}] * 4


def test_ends(secure: Secure) -> None:
    """Every end is what it is without TLS; who only closes TCP has hung up."""
    for caller in secure.hung_up.values():
        assert caller.ending is not None
        assert caller.ending.reason is Reason.SERVER_HUNG_UP
    reasons = {book["identifier"][-1]: book["endReason"] for book in secure.books}
    assert reasons.pop("0") == reasons.pop("1") == "hung_up_by_api"
    assert set(reasons.values()) == {"remote_hangup"}


def test_no_trouble(secure: Secure) -> None:
    """None of it troubled the server."""
    assert secure.status == 0
    assert complaints(secure.printed) == []


# -- a proxy before it ----------------------------------------------------------------------------

TOLD = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "voice.example.com",
    "X-Forwarded-For": "203.0.113.9",
}


@pytest.mark.parametrize(
    ("trusted", "media"),
    [
        ("127.0.0.0/8", "wss://voice.example.com/v1/talk/twilio/ctx/"),
        ("", "ws://127.0.0.1:{port}/v1/talk/twilio/ctx/"),
    ],
    ids=["trusted", "untrusted"],
)
def test_proxy(tmp_path: Path, trusted: str, media: str) -> None:
    """A trusted proxy says where the media goes; anybody else's words are wind."""
    settings = {"HTTP__TRUSTED_PROXIES": trusted} if trusted else {}
    installation = Installation(tmp_path, **settings)
    with (
        ServerProcess(installation) as server,
        Proxy(installation.http, TOLD) as proxy,
        Town(installation, proxy.port) as town,
    ):
        installation.deploy(**CONVERSATION)
        caller = Caller()
        calling = town.call("twilio", caller)
        town.talk(lambda: caller.heard, what=lambda: calling)
        assert town.urls[0].startswith(media.format(port=proxy.port))
        line: Any = outcome(calling)
        line.hang_up()
        town.talk(lambda: not installation.data_of("/v1/calls"))
        assert installation.request("/v1/talk/twilio/ctx/none").status == 426
        town.ask("GET", "/v1/talk/twilio/ctx/none", {})
        server.terminate()
        assert server.status() == 0
        client = "203.0.113.9" if trusted else "127.0.0.1"
        assert f"ctx/none of {client} refused" in server.printed()
