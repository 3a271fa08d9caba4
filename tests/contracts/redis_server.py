"""A real Redis for the tests, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred


def missing() -> str | None:
    """Why there is none on this machine; None when there is one. In CI there must be one."""
    if os.environ.get("CI") == "true" or shutil.which("redis-server"):
        return None
    return "redis-server is not installed"


class RedisServer:
    """One server process that keeps nothing on disk."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rapida-redis-"))
        self.socket = self._folder / "socket"
        self.password = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        user = f":{self.password}@" if self.password else ""
        return f"unix://{user}{self.socket}"

    async def start(self) -> None:
        """Run it; returns when it listens."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", ""]
            + (["--requirepass", self.password] if self.password else []),
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        while not self.socket.exists():
            if self._process.poll() is not None:
                raise RuntimeError("redis-server did not start")
            pause: Deferred[None] = task.deferLater(reactor, 0.01)  # type: ignore[arg-type]
            await pause

    def stop(self) -> None:
        """End it, and with it all that it knew."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
        self.socket.unlink(missing_ok=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Meanwhile it lives, and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self._folder)
