"""The server as its user starts it: `rapida init`, then `twistd rapida`, and its HTTP API."""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from tests.interop.asterisk import wait_until
from tests.interop.certificate import Certificate, self_signed
from tests.process import ended, started

_CONFIGURATION = """\
[server]
public_host = "{host}:{http}"
public_scheme = "{scheme}"
data_dir = "{folder}/var"
drain_seconds = 2
[http]
host = "127.0.0.1"
port = {http}
{tls}
[audiosocket]
host = "127.0.0.1"
port = {audiosocket}
[sip]
# Any: a telephone that is to count as a stranger calls by the machine's own address.
server = "0.0.0.0"
port = {sip}
transports = ["udp", "tcp", "tls"]
tls_port = {sips}
tls_certificate = "{sip_certificate}"
tls_key = "{sip_key}"
rtp_port_range_start = {rtp}
rtp_port_range_end = {rtp_end}
[log]
level = "debug"
"""


RTP_PORTS = 2_000  # of one server; below those that the system gives to others


def free_port() -> int:
    """A port that nobody listens on at the moment, neither by TCP nor by UDP."""
    while True:
        with (
            socket.socket() as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            suppress(OSError),
        ):
            tcp.bind(("", 0))
            port = int(tcp.getsockname()[1])
            udp.bind(("", port))
            return port


def rtp_ports() -> int:
    """Where a range of RTP ports begins that is another one in each run."""
    return random.randrange(15_000, 32_000 - RTP_PORTS, 2)


class Server:
    """A running server with the demo assistant; a context manager."""

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        """With a `certificate` its HTTP side speaks TLS."""
        self._certificate = certificate
        self.http = free_port()
        self.audiosocket = free_port()
        self.sip, self.sips = free_port(), free_port()  # UDP and TCP, TLS
        self._rtp = rtp_ports()
        self.sip_certificate = self_signed(folder)
        self._folder = folder
        self._configuration = folder / "rapida.toml"
        self._log = folder / "rapida.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.api_key = self.assistant_id = ""

    def __enter__(self) -> Server:
        self._configuration.write_text(self._text(), "utf-8")
        made = json.loads(self.rapida("init", "--json"))
        self.api_key, self.assistant_id = made["api_key"], made["assistant_id"]
        twistd = [_script("twistd"), "-n", "--pidfile="]
        command = [*twistd, "rapida", "--config", str(self._configuration)]
        self._process = started(command, self._log, cwd=self._folder, env=self._environment())
        try:
            wait_until(self._ready, 60, "the server is ready", self.log)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """As systemd would: ask, and after a while no longer ask."""
        process, self._process = self._process, None
        ended(process, 15)

    def rapida(self, *arguments: str) -> str:
        """The output of a `rapida` command on this server's configuration."""
        done = subprocess.run(
            [_script("rapida"), *arguments],
            env=self._environment(),
            cwd=self._folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return os.environ | {"RAPIDA_CONFIG": str(self._configuration)}

    def _text(self) -> str:
        files = self._certificate
        tls = f'tls_certificate = "{files.certificate}"\ntls_key = "{files.key}"' if files else ""
        return _CONFIGURATION.format(
            folder=self._folder,
            http=self.http,
            audiosocket=self.audiosocket,
            host=self._host,
            scheme=self._scheme,
            tls=tls,
            sip=self.sip,
            sips=self.sips,
            sip_certificate=self.sip_certificate.certificate,
            sip_key=self.sip_certificate.key,
            rtp=self._rtp,
            rtp_end=self._rtp + RTP_PORTS,
        )

    @property
    def _scheme(self) -> str:
        return "https" if self._certificate else "http"

    @property
    def _host(self) -> str:
        # Asterisk compares names with a certificate, not addresses.
        return "localhost" if self._certificate else "127.0.0.1"

    @property
    def url(self) -> str:
        """Of its HTTP side."""
        return f"{self._scheme}://{self._host}:{self.http}"

    def log(self) -> str:
        """All that it has logged so far."""
        return self._log.read_text("utf-8", "replace")

    def text(self, path: str) -> str:
        """The body of a GET with the project's key."""
        request = urllib.request.Request(self.url + path, headers={"x-api-key": self.api_key})
        files = self._certificate
        known = ssl.create_default_context(cafile=files.certificate) if files else None
        with urllib.request.urlopen(request, timeout=10, context=known) as answer:
            return str(answer.read().decode())

    def data(self, path: str) -> Any:
        """The `data` of an API answer."""
        return json.loads(self.text(path))["data"]

    def send(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        """The `data` of the answer to a request with a JSON body; an `HTTPError` where refused."""
        request = urllib.request.Request(
            self.url + path,
            json.dumps(document).encode(),
            {"x-api-key": self.api_key, "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())["data"]

    def context(self, caller: str) -> str:
        """A context that waits for the call of that number."""
        query = urlencode({"from": caller})
        return self.text(f"/v1/talk/asterisk/call/{self.assistant_id}?{query}")

    def refused(self, reason: str) -> float:
        """How many AudioSocket connections were refused for that reason, by /metrics."""
        metric = f'rapida_audiosocket_refused_total{{reason="{reason}"}} '
        for line in self.text("/metrics").splitlines():
            if line.startswith(metric):
                return float(line.removeprefix(metric))
        return 0.0

    def conversation(self, caller: str, seconds: float = 15) -> Mapping[str, Any]:
        """What is remembered of the call from that number, once it is over."""
        found: dict[str, Any] = {}

        def over() -> bool:
            for one in self._conversations(caller):
                if one["status"] in ("ended", "failed"):
                    found.update(self.data(f"/v1/conversations/{one['id']}"))
            return bool(found)

        wait_until(over, seconds, f"the conversation with {caller} is over", self.log)
        return found

    def wait_for_words(self, caller: str, words: str, seconds: float = 40) -> None:
        """Until the assistant has said them, in lower case, to the caller from that number."""

        def messages() -> list[Mapping[str, Any]]:
            newest = self._conversations(caller)[:1]
            return [
                message
                for one in newest
                for message in self.data(f"/v1/conversations/{one['id']}")["messages"]
            ]

        def said() -> bool:
            texts = (one["text"] for one in messages() if one["role"] == "assistant")
            return words in " ".join(texts).lower()

        wait_until(said, seconds, f"{caller} is told {words!r}", messages)

    def _conversations(self, caller: str) -> list[Mapping[str, Any]]:
        """Those with that number, the newest first."""
        listed = self.data("/v1/conversations?pageSize=100")
        return [one for one in listed if one["identifier"] == caller]

    def calls_of(self, caller: str) -> int:
        """How many calls from that number are remembered."""
        return len(self._conversations(caller))

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with suppress(OSError):
            return bool(self.text("/readiness/"))
        return False


def _script(name: str) -> str:
    """A command of the environment in which the tests run."""
    return str(Path(sys.executable).with_name(name))
