"""What `twistd rapida` runs: options, configuration, the log and the real reactor.

Nothing else imports the global reactor; everything below is given what it needs.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.logger import ILogObserver
from twisted.python.components import Componentized
from twisted.python.logfile import LogFile
from twisted.python.usage import Options as BaseOptions
from twisted.python.usage import UsageError

from rapida_tw import log
from rapida_tw.config import Config, ConfigError, find, load

FILES = 65_536  # that may be open: more than a machine's calls need


class Options(BaseOptions):
    """`twistd rapida`'s own options. `config` holds the loaded configuration afterwards."""

    optFlags = [["check", None, "Say what is wrong with the configuration, and exit."]]
    optParameters = [
        ["config", "c", None, "The TOML file; see conf/rapida.toml for where it is looked for."],
        ["env-file", None, None, "A file of NAME=value lines that override the TOML file."],
    ]
    longdesc = "Runs the telephony server. Every key is explained in conf/rapida.toml."

    config: Config

    def postOptions(self) -> None:
        """Load; exit with 2 and every mistake on standard error, or with 0 for `--check`."""
        env_file = self["env-file"]
        try:
            self.config = load(
                find(self["config"], os.environ), os.environ, env_file and Path(env_file)
            )
        except ConfigError as error:
            raise _refused(error) from error
        if self["check"]:
            print(f"{self.config.source}: nothing wrong")
            raise SystemExit(0)
        if self._twistd("syslog"):
            # Its observer would write events as they are, with what callers' URLs carry.
            raise UsageError("--syslog cannot keep secrets out: use [log] and systemd's journal")

    def observer(self) -> ILogObserver:
        """The log, written where twistd would: standard output or, as a daemon, its file."""
        name = self._twistd("logfile")
        redact = log.Redactor(self.config.secrets())
        if name == "-" or (self._twistd("nodaemon") and not name):
            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            return log.observer(self.config.log, sys.stdout, redact, colour=colour)
        return log.observer(self.config.log, LogFile.fromFullPath(name or "twistd.log"), redact)

    def _twistd(self, option: str) -> Any:
        """The value of one of twistd's own options, which stand before `rapida`."""
        parent: Mapping[str, Any] = self.parent or {}
        return parent.get(option)


def makeService(options: Options) -> IService:
    """The whole server, for twistd to start and, on SIGTERM, to stop and wait for."""
    # Before numpy is imported: its matrices here are tiny, and a thread pool of BLAS would spin on
    # the core that somebody else's beat needs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from twisted.internet import reactor as the_real_one

    from rapida_tw.garbage import freeze
    from rapida_tw.service import build

    reactor: Any = the_real_one
    # Twisted's reactor reads the wall clock. When NTP or an operator sets that back, every timer
    # stops until the lost time has come again: no beat, no audio, in all calls.
    # (Autobahn, Klein and our own code take their time from the reactor; stamps come from `log`.)
    reactor.seconds = time.monotonic
    # A thread that is busy in Python (the journal's, say) keeps the reactor waiting for so long
    # before it must let go: half a millisecond instead of five.
    sys.setswitchinterval(0.0005)
    _open_more_files()
    try:
        house = build(options.config, reactor, now=log.wall_clock)
    except ConfigError as error:
        raise _refused(error) from error
    root = Root(options.observer())
    house.setServiceParent(root)
    reactor.callWhenRunning(freeze)
    hurry = partial(reactor.callFromThread, lambda: house.hurry())
    reactor.addSystemEventTrigger("before", "shutdown", _listen_again, hurry)
    return root


def _open_more_files() -> None:
    """A call over SIP has three. The usual soft limit, 1024, is for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen_again(hurry: Callable[[], None]) -> None:
    """What a second signal does. Twisted would ask a reactor to stop that is stopping already."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: hurry())


class Root(MultiService):
    """The server's service; makes `observer` the log of the application it is put into."""

    def __init__(self, observer: ILogObserver) -> None:
        super().__init__()
        self._observer = observer

    def setServiceParent(self, parent: Any) -> None:
        # twistd asks its application for the observer between making this service and the first
        # line of the log: the one place where a plug-in can choose it without more flags.
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)
        super().setServiceParent(parent)


def _refused(error: ConfigError) -> SystemExit:
    """Tell the mistakes; 2 is the exit status of wrong usage."""
    count = len(error.mistakes)
    print(f"{count} mistake{'s' * (count > 1)} in the configuration:", file=sys.stderr)
    for mistake in error.mistakes:
        print(f"  {mistake}", file=sys.stderr)
    return SystemExit(2)
