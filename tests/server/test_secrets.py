"""Secrets of every kind in a real server: whatever is asked of it, none is left anywhere.

Not in the database's files, the log at its most talkative, an answer, or a command's output.
"""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.installation import Installation, script, sip
from tests.server.planted import seen, value
from tests.server.process import ServerProcess
from tests.store.private_keys import rsa_pem

SIGNED = "planted-webhook-secret-0f3a", "planted-webhook-header-0f3a"
NEW_KEY = "planted-new-secret-key-of-the-server"
VENDORS = ("deepgram", "openai", "aws", "azure-speech-service", "google-speech-service")


@dataclass
class Story:
    """`secrets` by what they are; `left` are files, `heard` all answers and outputs."""

    secrets: dict[str, str] = field(default_factory=dict)
    left: dict[str, bytes] = field(default_factory=dict)
    heard: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)

    def note(self, what: str, answer: object) -> None:
        """The last of several counts as well."""
        text = answer if isinstance(answer, bytes) else repr(answer).encode()
        self.heard[what] = self.heard.get(what, b"") + text


class Visitor:
    """Does with a server all that shows something."""

    def __init__(self, installation: Installation, story: Story, *form: str) -> None:
        """`form`: of commands' outputs, `--json` or nothing."""
        self.at = installation
        self.form = form
        self.story = story

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        answer = self.at.request(path, method, body)
        name = f"{method} {path.partition('?')[0]}"
        self.story.note(name, answer)
        self.story.statuses.setdefault(name, []).append(answer.status)
        with suppress(ValueError):
            return answer.json().get("data")
        return None

    def command(self, *arguments: str) -> None:
        config = ("--config", str(self.at.configuration))
        done = self.at.run(script("rapida"), *arguments, *config, *self.form)
        self.story.note(f"rapida {' '.join(arguments[:2])}", done.stdout + done.stderr)

    def raw(self, port: int, data: bytes) -> None:
        """Bytes to a TCP port, whatever comes back."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
            wire.settimeout(1)
            wire.sendall(data)
            self.story.note("raw", wire.recv(65_536))

    # -- planting ---------------------------------------------------------------------------------

    def plant(self) -> list[str]:
        """Credentials of each carrier and of some vendors; their ids."""
        made = []
        fields = {one["name"]: one for one in self.ask("/v1/carriers")}
        for kind in self.ask("/v1/speech").values():
            fields |= {one["name"]: one for one in kind if one["name"] in VENDORS}
        for provider, one in fields.items():
            known = {
                each["name"]: f"The same as {each['sameAs']}." if each["sameAs"] else "Itself."
                for each in one["credentialFields"]
            }
            made.append(self.credential(provider, value(provider, known)))
        trunk = {"sip_server": "127.0.0.1", "sip_user": "us", "sip_password": "planted.sip.0f3a"}
        return [*made, self.credential("sip", trunk)]

    def credential(self, provider: str, planted: Mapping[str, str]) -> str:
        given = dict(planted)
        if "private_key" in given:
            given["private_key"] = rsa_pem()
        document = {"name": "x", "provider": provider, "value": given}
        made = self.ask("/v1/credentials", "POST", document)
        for name, secret in given.items():
            if name == "private_key":
                secret = secret.splitlines()[5]
            if "planted" in secret or name == "private_key":
                self.story.secrets[f"{provider} {name}"] = secret
        return str(made["id"])

    def webhooks(self) -> None:
        hook = {
            "url": "http://127.0.0.1:9/hook",
            "secret": SIGNED[0],
            "headers": {"Authorization": SIGNED[1]},
        }
        one = f"/v1/assistants/{self.at.assistant()}"
        self.ask(one, "PATCH", {"webhooks": [hook]})
        self.ask(one)

    # -- looking everywhere -----------------------------------------------------------------------

    def look(self, credentials: list[str]) -> None:
        for one in credentials:
            self.ask(f"/v1/credentials/{one}")
            self.ask(f"/v1/credentials/{one}", "PATCH", {"name": "y"})
            self.ask(f"/v1/credentials/{one}/verify", "POST")
        for path in ("credentials", "assistants", "conversations", "calls", "models"):
            self.ask(f"/v1/{path}")
        for path in ("/metrics", "/healthz/", "/readiness/", "/openapi.json"):
            self.ask(path)

    def commands(self, credentials: list[str]) -> None:
        self.command("credential", "show", credentials[0])
        self.command("credential", "verify", credentials[-2])
        self.command("credential", "list")
        self.command("key", "list")

    def call(self, credentials: list[str]) -> None:
        """Calls that cannot be placed, by each carrier, and one that comes in."""
        assistant = self.at.assistant()
        deployment = f"/v1/assistants/{assistant}/phone-deployment"
        for one in credentials:
            provider = self.ask(f"/v1/credentials/{one}")["provider"]
            phone = {"provider": provider, "credentialId": one, "options": {"phone": "+15550100"}}
            self.ask(deployment, "PUT", phone)
            self.ask("/v1/calls", "POST", {"assistantId": assistant, "toNumber": "+15550101"})
            query = f"From=%2B15550102&from=15550102&CallFrom=15550102&x-api-key={self.at.api_key}"
            self.ask(f"/v1/talk/{provider}/call/{assistant}?{query}")
        for one in self.ask("/v1/conversations") or ():
            self.ask(f"/v1/conversations/{one['id']}")

    def mistakes(self) -> None:
        """Secrets where they do not belong: in paths, names, broken bodies, other protocols."""
        key, secret = self.at.api_key, next(iter(self.story.secrets.values()))
        for path in (f"/v1/nothing?x-api-key={key}", f"/v1/talk/nobody/call/1?X-API-Key={key}"):
            self.ask(path)
        wrong = {"name": "x", "provider": "twilio", "value": {secret: secret}}
        for body in (wrong, wrong | {"value": secret}, {"provider": secret}, [secret], secret):
            self.ask("/v1/credentials", "POST", body)
        self.ask("/v1/assistants", "POST", {"name": "x", "webhooks": [{"secret": secret}]})
        self.command("credential", "create", "--name", "x", "--provider", "acme", "--set", secret)
        basic = b64encode(f"me:{key}".encode()).decode()
        for head in (f"Authorization: Basic {basic}", f"X-Api-Key: {key} x", f"{secret} {key}"):
            request = f"GET /v1/calls HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n"
            self.raw(self.at.http, request.encode())
        self.raw(self.at.audiosocket, b"\x01\x00\x10" + secret.encode())

    def strangers(self) -> None:
        """Logins that fail, and phones whose key is in the address."""
        key, self.at.api_key = self.at.api_key, "rpd-" + "w" * 43
        for path in ("/v1/calls", "/v1/talk/twilio/call/1", "/v1/credentials"):
            with suppress(OSError, HTTPException):
                self.ask(path)
        self.at.api_key = key
        port = int(self.at.settings["SIP__PORT"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(2)
            for user in ("1", self.at.assistant()):
                wire.sendto(_invite(user, key, wire.getsockname()[1]), ("127.0.0.1", port))
                with suppress(TimeoutError):
                    self.story.note("SIP", wire.recv(65_536))


def _invite(user: str, key: str, port: int) -> bytes:
    uri = f"sip:{user}:{quote(key)}@127.0.0.1"
    lines = (
        f"INVITE {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{user};rport",
        f"From: <sip:me@127.0.0.1>;tag={user}",
        f"To: <sip:{user}@127.0.0.1>",
        f"Call-ID: {user}@127.0.0.1",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        f"Contact: <sip:me@127.0.0.1:{port}>",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture(scope="module", params=["text", "json"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("secrets")
    settings = {"LOG__LEVEL": "debug", "LOG__FORMAT": request.param, **sip()}
    installation, story = Installation(folder, **settings), Story()
    given = folder.parent / f"{folder.name}.key"
    given.write_text(NEW_KEY)
    form = ("--json",) if request.param == "json" else ()
    visitor = Visitor(installation, story, *form)
    with ServerProcess(installation) as server:
        first = installation.api_key
        story.secrets["first API key"] = first
        story.secrets["secret key"] = (installation.data / "secret_key").read_text().strip()
        made = installation.rapida("key", "create")  # shown this once
        story.secrets["API key"] = installation.api_key = made["api_key"]
        credentials = visitor.plant()
        visitor.webhooks()
        story.secrets |= {"webhook": SIGNED[0], "webhook's header": SIGNED[1]}
        visitor.look(credentials)
        visitor.commands(credentials)
        visitor.call(credentials)
        visitor.mistakes()
        visitor.strangers()
        # Not opened before the rotation, so that nothing of it is in the server's memory.
        late = visitor.credential("late", {"token": "planted.late.token.0f3a"})
        visitor.command("credential", "rotate-key", "--new-key-file", str(given))
        story.secrets["new secret key"] = NEW_KEY
        visitor.look([*credentials, late])
        visitor.command("key", "revoke", made["id"])
        visitor.ask("/v1/calls")
        _gather(story, installation, "running")
        server.terminate()
        server.status()
        story.left["log"] = server.printed().replace(f"once): {first}", "once)").encode()
    _gather(story, installation, "stopped")
    return story


def _gather(story: Story, installation: Installation, when: str) -> None:
    """All files but the key's own; the standard output is looked at without the first key."""
    for path in installation.folder.rglob("*"):
        if path.is_file() and path.name not in ("secret_key", "stdout"):
            story.left[f"{when}: {path.name}"] = path.read_bytes()


def _everything(story: Story) -> Iterator[tuple[str, bytes]]:
    yield from story.left.items()
    yield from story.heard.items()


def test_nothing_is_left(story: Story) -> None:
    """None of them, readable, in base64 or in hex."""
    leaks = [
        f"{what} in {where} ({form})"
        for where, text in _everything(story)
        for what, secret in story.secrets.items()
        if (form := seen(secret, text))
    ]
    assert leaks == []


def test_all_of_it_happened(story: Story) -> None:
    """A secret that was never there is not found either: they were planted, and looked for."""
    assert len(story.secrets) > 25
    assert {"running: rapida.db", "running: rapida.db-wal", "log"} <= story.left.keys()
    assert len(story.left["log"]) > 10_000
    statuses = story.statuses
    assert set(statuses["POST /v1/credentials"][:12]) == {200}
    assert statuses["POST /v1/credentials"].count(400) == 5
    assert statuses["GET /v1/calls"][-1] == 403  # revoked a moment ago, by a command
    assert b'"vault", "passed": true' in _verified(story)
    assert b'"passed": false' in _verified(story)


def _verified(story: Story) -> bytes:
    verified = [text for name, text in story.heard.items() if name.endswith("/verify")]
    return b"".join(verified)


def test_opened_after_the_rotation(story: Story) -> None:
    """The running server went on with another key: the vault opened each time."""
    assert b'"vault", "passed": false' not in _verified(story)
    told = story.heard["rapida credential rotate-key"]
    assert b"sealed anew" in told or b'"unreadable": 0' in told


@pytest.mark.parametrize("around", ["", "a", "ab", "abc"])
def test_leaks_are_seen(around: str) -> None:
    """The search itself finds what is encoded, wherever in a text it stands."""
    secret = "planted.twilio.account_token.0f3a"
    whole = f"{around}{secret}{around}".encode()
    for text in (whole, b64encode(whole), whole.hex().encode(), json.dumps(secret).encode()):
        assert seen(secret, b"x" + text + b"x")
    assert not seen(secret, b64encode(secret[1:-1].encode()))
