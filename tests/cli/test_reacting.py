"""Work on the real reactor; each in a process of its own, because a reactor runs once."""

from __future__ import annotations

import signal
import subprocess
import sys

BEFORE = """
import sys
from twisted.internet.task import deferLater
from twisted.logger import Logger
from rapida_tw.cli.reacting import run
"""


def python(source: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", BEFORE + source)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_result() -> None:
    """What the work returns comes out."""
    done = python(
        """
async def work(reactor):
    await deferLater(reactor, 0.01)
    return 42
print(run(work))
"""
    )
    assert (done.stdout, done.stderr) == ("42\n", "")


def test_error() -> None:
    """What it raises comes out too, and is told nowhere else."""
    done = python(
        """
async def work(reactor):
    raise OSError("away")
try:
    run(work)
except OSError as error:
    print(error)
"""
    )
    assert (done.stdout, done.stderr) == ("away\n", "")


def test_interrupt() -> None:
    """An interrupt cancels the work, which cleans up before the reactor stops."""
    done = python(
        f"""
import os
async def work(reactor):
    reactor.callLater(0.01, os.kill, os.getpid(), {int(signal.SIGINT)})
    try:
        await deferLater(reactor, 30)
    finally:
        await deferLater(reactor, 0.01)
        print("cleaned up")
try:
    run(work)
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    assert (done.stdout, done.stderr) == ("cleaned up\ninterrupted\n", "")


def test_logged_errors() -> None:
    """An error that is logged on the way is a line, without a traceback."""
    done = python(
        """
async def work(reactor):
    try:
        1 / 0
    except ZeroDivisionError:
        Logger().failure("while dividing")
run(work)
"""
    )
    assert done.stderr == "rapida: while dividing: division by zero\n"
