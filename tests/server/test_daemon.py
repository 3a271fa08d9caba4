"""`twistd rapida` without `-n`: the server as a daemon."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.server.caller import Caller, talk
from tests.server.installation import Installation, script, until


@contextmanager
def daemon(installation: Installation, pidfile: Path, log: Path) -> Iterator[int]:
    """Start it; its process id. It is ended here at the latest."""
    options = ("--pidfile", str(pidfile), "--logfile", str(log))
    done = installation.run(*installation.twistd(*options))
    assert (done.returncode, done.stderr) == (0, "")
    pid = int(pidfile.read_text())
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """It has ended; whether anybody has asked for its status does not matter."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_daemon(tmp_path: Path) -> None:
    """It starts, answers a call, stops on `kill`, and leaves no pid file; its log is in its file.

    Nobody sees its output, so its key comes from `rapida key create`.
    """
    installation = Installation(tmp_path)
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    with daemon(installation, pidfile, log) as pid:
        until(installation.ready, 30, log.read_text)
        until(lambda: "takes calls" in log.read_text(), 30, log.read_text)
        config = ("--config", str(installation.configuration))
        key = installation.run(script("rapida"), "key", "create", *config)
        assert key.returncode == 0, key.stderr
        installation.use_key_in(key.stdout)
        caller = Caller(installation.audiosocket, installation.context(installation.assistant()))
        talk([caller], until=lambda: caller.loud > 10)
        caller.hang_up()
        os.kill(pid, signal.SIGTERM)
        until(lambda: gone(pid), 20, log.read_text)
    text = log.read_text()
    assert not pidfile.exists()
    assert "Server Shut Down." in text
    assert "Traceback" not in text
