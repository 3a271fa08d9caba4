"""One run of the server: a process that is always ended, whatever becomes of the test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.process import ended, started
from tests.server.installation import Installation, until

READY_WITHIN = 30.0  # seconds; it takes one, alone on a machine
ENDED_WITHIN = 20.0


class ServerProcess:
    """`twistd -n rapida` on an installation; a context manager, ready when entered.

    Its standard output and error are in the files `stdout` and `stderr`, of the latest run.
    """

    def __init__(self, installation: Installation, *options: str) -> None:
        """`options` are more of twistd's own."""
        self.installation = installation
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._stdout = installation.folder / "stdout"
        self._stderr = installation.folder / "stderr"

    def __enter__(self) -> ServerProcess:
        command = self.installation.twistd("-n", "--pidfile=", *self._options)
        self._process = started(
            command,
            self._stdout,
            self._stderr,
            cwd=self.installation.folder,
            env=self.installation.environ(),
        )
        try:
            until(self._installed, READY_WITHIN, lambda: f"ready\n{self.printed()}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _installed(self) -> bool:
        """It takes calls, and the first key, when it is the first start, has been printed."""
        assert self._process is not None
        assert self._process.poll() is None, self.printed()
        if not self.installation.api_key:
            self.installation.use_key_in(self.stdout())
        return bool(self.installation.api_key) and self.installation.ready()

    def _end(self) -> None:
        process, self._process = self._process, None
        ended(process)

    # -- for tests --------------------------------------------------------------------------------

    def terminate(self) -> None:
        """Ask it to stop, as systemd and `kill` do."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def status(self) -> int:
        """Its exit status, once it has ended; `subprocess.TimeoutExpired` when it does not."""
        assert self._process is not None
        return self._process.wait(ENDED_WITHIN)

    def kill(self) -> None:
        """`kill -9`: no last words."""
        self._end()

    def children(self) -> list[int]:
        """Process ids of its workers."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in children.read_text().split()]

    def descriptors(self) -> Counter[str]:
        """What it has open but its database, whose connections stay in their pool."""
        assert self._process is not None
        found: Counter[str] = Counter()
        for descriptor in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                target = os.readlink(descriptor)
                if "rapida.db" not in target:
                    found[re.sub(r":\[\d+\]$", "", target)] += 1
        return found

    def stdout(self) -> str:
        return self._stdout.read_text("utf-8")

    def printed(self) -> str:
        """All that it wrote to its standard output and error."""
        return self.stdout() + self._stderr.read_text("utf-8")


def complaints(log: str) -> list[str]:
    """Lines of a log that tell of trouble, but that of a machine too busy for the beat."""
    troubled = re.compile(r" (warn|error|critical) |Traceback")
    lines = (line for line in log.splitlines() if troubled.search(line))
    return [line for line in lines if "the beat stalled" not in line]
