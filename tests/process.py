"""A process that a test starts: it has nothing to read, writes to files, and is always ended."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path


def started(
    command: Sequence[str],
    stdout: Path,
    stderr: Path | None = None,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """It runs; without `stderr` both of its outputs are in `stdout`."""
    with ExitStack() as files:
        out = files.enter_context(stdout.open("wb"))
        err = out if stderr is None else files.enter_context(stderr.open("wb"))
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=env
        )


def ended(process: subprocess.Popen[bytes] | None, patience: float = 0.0) -> None:
    """It runs no more: asked as systemd would, and after `patience` seconds no longer asked."""
    if process is None:
        return
    if patience:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    process.kill()
    process.wait()
