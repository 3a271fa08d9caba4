"""The server under test: a process on a core of its own, and what calls need to reach it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

START_WITHIN = 30.0  # seconds
STOP_WITHIN = 15.0
_ASSISTANT: dict[str, Any] = {
    "name": "load",
    "model": {"provider": "scripted", "options": {"otherwise": "Very well. I have understood."}},
}
# Long enough to be interrupted by whoever wants to.
_GREETING = "This is a long greeting that goes on and on. " * 20
_DEPLOYMENT: dict[str, Any] = {
    "provider": "asterisk",
    "greetingInterruptible": True,
    "idleTimeout": 600,
    "maxCallDuration": 3_600,
    "stt": {"provider": "scripted", "options": {}},
    "tts": {"provider": "scripted", "options": {}},
    "vad": {"provider": "energy", "options": {}},
    "recording": False,
}


class ServerFailed(Exception):
    """The server did not start or refused what the benchmark needs; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where calls go. `url` "" = no phase 1: any UUID is taken (a bare media server).

    `assistant_id` greets at length, `talker_id` too and is not to be interrupted, `silent_id` waits
    for the caller to speak.
    """

    pid: int
    port: int
    url: str = ""
    assistant_id: str = ""
    silent_id: str = ""
    talker_id: str = ""
    http: int = 0  # the port of media WebSockets
    sip: int = 0
    api_key: str = field(default="", repr=False)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A child process pinned to `core`; `command` may hold {port}, {http} and {config}.

    The default is this project's own server with a configuration made for the run in `folder`.
    """

    def __init__(self, folder: Path, core: int, command: str = "", bare: bool = False) -> None:
        self._folder, self._core, self._bare = folder, core, bare
        self._command = command or f"{_tool('twistd')} -n --pidfile= rapida --config {{config}}"
        self._port, self._http, self._sip = free_port(), free_port(), free_port()
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Target:
        """Start it and wait until it takes calls; `ServerFailed` with its last words."""
        config = self._folder / "rapida.toml"
        config.write_text(self._configuration())
        command = self._command.format(port=self._port, http=self._http, config=config)
        with self._log.open("wb") as log:
            self._process = process = subprocess.Popen(
                shlex.split(command),
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: os.sched_setaffinity(0, {self._core}),
            )
        self._wait_for(self._port, process)
        if self._bare:
            return Target(process.pid, self._port)
        self._wait_for(self._http, process)
        return self._prepare(process.pid, config)

    def stop(self) -> None:
        """End it, by force when it does not listen."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Target:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _configuration(self) -> str:
        return f"""\
[server]
data_dir = "{self._folder / "var"}"
drain_seconds = 1
max_calls = 100000
[http]
host = "127.0.0.1"
port = {self._http}
[audiosocket]
host = "127.0.0.1"
port = {self._port}
[sip]
server = "127.0.0.1"
port = {self._sip}
codecs = ["PCMU", "PCMA"]
[recording]
enabled = false
[speech]
recognizer = "scripted"
synthesizer = "scripted"
vad = "energy"
[log]
level = "warn"
"""

    def _wait_for(self, port: int, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServerFailed(f"the server ended at once:\n{self._last_words()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                return
            except OSError:
                time.sleep(0.1)
        raise ServerFailed(f"nothing listens on port {port}:\n{self._last_words()}")

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    # -- the assistant that is called -------------------------------------------------------

    def _prepare(self, pid: int, config: Path) -> Target:
        init = [_tool("rapida"), "init", "--json", "--if-missing", "--config", str(config)]
        made = subprocess.run(init, capture_output=True, text=True, timeout=60)
        if made.returncode:
            raise ServerFailed(f"`rapida init` failed: {made.stderr.strip() or made.stdout}")
        key = json.loads(made.stdout).get("api_key") or self._new_key(config)
        url = f"http://127.0.0.1:{self._http}"
        speaking = _assistant(url, key, _GREETING)
        return Target(
            pid,
            self._port,
            url,
            speaking,
            _assistant(url, key, ""),
            _assistant(url, key, _GREETING, interruptible=False),
            self._http,
            self._sip,
            key,
        )

    @staticmethod
    def _new_key(config: Path) -> str:
        command = [_tool("rapida"), "key", "create", "--json", "--config", str(config)]
        made = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if made.returncode:
            raise ServerFailed(f"`rapida key create` failed: {made.stderr.strip()}")
        return str(json.loads(made.stdout)["api_key"])


def _assistant(url: str, key: str, greeting: str, interruptible: bool = True) -> str:
    """A new assistant with that greeting; its id."""
    made = str(send("POST", f"{url}/v1/assistants", key, _ASSISTANT)["data"]["id"])
    deployment = {
        **_DEPLOYMENT,
        "greeting": greeting,
        "greetingInterruptible": interruptible,
    }
    send("PUT", f"{url}/v1/assistants/{made}/phone-deployment", key, deployment)
    return made


def _tool(name: str) -> str:
    """A command of the environment that this Python runs in."""
    return str(Path(sys.executable).with_name(name))


def send(method: str, url: str, key: str, body: object) -> Any:
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers, method=method)
    try:
        with urlopen(request, timeout=10) as response:
            return json.load(response)
    except HTTPError as error:
        text = error.read(500).decode("utf-8", "replace")
        raise ServerFailed(f"{method} {url}: HTTP {error.code}: {text}") from error
