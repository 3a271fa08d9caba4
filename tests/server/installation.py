"""An installation of the server in a folder of its own, as its operator has it before him."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

ENDS_WITHIN = 20.0  # seconds for a command that is to end by itself; it takes one, alone
KEY = re.compile(r"rpd-[\w-]{43}")

# Nothing but what makes it quick and keeps it apart from others on this machine.
_CONFIGURATION = """\
[server]
data_dir = "{folder}/var"
drain_seconds = 1
[http]
host = "127.0.0.1"
port = {http}
[audiosocket]
host = "127.0.0.1"
port = {audiosocket}
[sip]
enabled = false
[speech]
recognizer = "scripted"
synthesizer = "scripted"
vad = "energy"
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What HTTP answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def sip() -> dict[str, str]:
    """Settings of a server that takes calls by SIP, on a port of its own."""
    return {
        "SIP__ENABLED": "true",
        "SIP__SERVER": "127.0.0.1",
        "SIP__PORT": str(free_port()),
    }


class Installation:
    """Configuration, data, ports; `settings` are SECTION__KEY variables that override the file."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "var"
        self.configuration = folder / "rapida.toml"
        self.http, self.audiosocket = free_port(), free_port()
        self.settings = settings
        self.trust: ssl.SSLContext | None = None  # of its certificate; None: it has none
        self.api_key = ""
        self.configuration.write_text(
            _CONFIGURATION.format(folder=folder, http=self.http, audiosocket=self.audiosocket)
        )

    # -- commands ---------------------------------------------------------------------------------

    def twistd(self, *options: str) -> list[str]:
        """The command of a start; `options` are twistd's own."""
        return [script("twistd"), *options, "rapida", "--config", str(self.configuration)]

    def environ(self) -> dict[str, str]:
        """Ours, without what would configure the server."""
        ours = {name: value for name, value in os.environ.items() if "__" not in name}
        ours.pop("PUBLIC_ASSISTANT_HOST", None)
        return ours | self.settings

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself; `subprocess.TimeoutExpired` when it does not."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN,
        )

    def refused(self) -> tuple[int, str]:
        """The exit status of a start that fails, and all that it printed."""
        done = self.run(*self.twistd("-n", "--pidfile="))
        return done.returncode, done.stdout + done.stderr

    def remembered(self, caller: str) -> Any:
        """The conversation with that number, by the command line: no server needs to run."""
        listing = self.rapida("conversations", "list")
        (found,) = (one for one in listing if one["identifier"] == caller)
        return self.rapida("conversations", "show", found["id"])

    def rapida(self, *arguments: str) -> Any:
        """What a command of `rapida` answers as JSON."""
        done = self.run(script("rapida"), *arguments, "--json", "--config", str(self.configuration))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def use_key_in(self, printed: str) -> None:
        """From now on, the API key that was printed there; "" when none was."""
        found = KEY.search(printed)
        self.api_key = found[0] if found else ""

    # -- the running server -----------------------------------------------------------------------

    def request(self, path: str, method: str = "GET", body: object = None) -> Answer:
        """One request with the API key, if there is one; OSError when nobody answers."""
        headers = {"x-api-key": self.api_key} if self.api_key else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self.connection()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def connection(self, port: int = 0) -> HTTPConnection:
        """To its HTTP port, or to another that stands before it."""
        to = "127.0.0.1", port or self.http
        if self.trust is None:
            return HTTPConnection(*to, timeout=5)
        return HTTPSConnection(*to, timeout=5, context=self.trust)

    def ready(self) -> bool:
        """Does it take calls?"""
        try:
            return self.request("/readiness/").status == 200
        except OSError:
            return False

    def data_of(self, path: str, method: str = "GET", body: object = None) -> Any:
        """The `data` of an API answer."""
        answer = self.request(path, method, body)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json()["data"]

    def assistant(self) -> str:
        """The id of the one that the first start made."""
        return str(self.data_of("/v1/assistants")[0]["id"])

    def deploy(self, **deployment: object) -> None:
        """Its phone deployment from now on."""
        self.data_of(f"/v1/assistants/{self.assistant()}/phone-deployment", "PUT", deployment)

    def webhook(self, assistant: str, caller: str = "+15550100") -> Answer:
        """What Asterisk's dialplan asks for a call, the key in the query as `CURL()` sends it."""
        query = urlencode({"from": caller, "x-api-key": self.api_key})
        return self.request(f"/v1/talk/asterisk/call/{assistant}?{query}")

    def context(self, assistant: str, caller: str = "+15550100") -> str:
        """The id of a context that waits for its call."""
        answer = self.webhook(assistant, caller)
        assert answer.status == 200, (answer.status, answer.headers)
        return answer.body.decode("ascii")


def free_port() -> int:
    """A TCP port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def script(name: str) -> str:
    """A command of the environment in which the tests run."""
    return str(Path(sys.executable).with_name(name))


def until(condition: Callable[[], T], within: float, what: Callable[[], str]) -> T:
    """The first true answer of `condition`; after so many seconds, an error with `what()`."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what()}"
        time.sleep(0.02)
    return value
