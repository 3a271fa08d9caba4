"""What `twistd rapida` makes of its options: checks, refusals, the log, the clock."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path

from twisted.application.service import Application
from twisted.logger import ILogObserver, LogPublisher
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw import tap
from rapida_tw.config import Server
from rapida_tw.tap import Options, Root

CHECKOUT = Path(__file__).parents[1]

# twistd with a house of one room: it logs what must and must not be seen, and stops the reactor.
STAND_IN = """
import gc, sys, time, types
from twisted.application.service import Service
from twisted.logger import Logger
from twisted.scripts.twistd import run

class House(Service):
    def startService(self):
        print("printed before the log began", file=sys.__stdout__)
        Logger("rapida_tw.house").info("GET /?x-api-key=hunter22 {now:.0f}", now=self.now())
        self.reactor.callLater(0, self.stop)

    def stop(self):
        log = Logger("rapida_tw.house")
        log.info("monotonic: {same}", same=abs(self.reactor.seconds() - time.monotonic()) < 5)
        log.info("frozen: {frozen}", frozen=gc.get_freeze_count() > 0)
        log.debug("not to be seen")
        self.reactor.stop()

    def stopService(self):
        Logger("rapida_tw.house").info("drained")

def build(config, reactor, *, now):
    house = House()
    house.reactor, house.now = reactor, now
    return house

sys.modules["rapida_tw.service"] = types.SimpleNamespace(build=build)
run()
"""


def twistd(folder: str, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run twistd with the stand-in; returns exit status, standard output and error."""
    inherited = {name: value for name, value in os.environ.items() if "__" not in name}
    done = subprocess.run(
        [sys.executable, "-c", STAND_IN, *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(CHECKOUT), "RAPIDA_CONFIG": ""} | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def left(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


class Checking(Files):
    """`--check`, and the same look before a start."""

    def test_good(self) -> None:
        """A good file: status 0, and nothing was started or written."""
        good = str(CHECKOUT / "conf/rapida.toml")
        status, output, error = twistd(str(self.folder), "rapida", "--check", "--config", good)
        self.assertEqual((status, output, error), (0, f"{good}: nothing wrong\n", ""))
        self.assertEqual(self.left(), set())

    def test_bad(self) -> None:
        """A bad one: status 2 and all mistakes on standard error, to check and to start alike."""
        (self.folder / "bad.toml").write_text("[http]\nport = 'x'\n[lgo]\n")
        for check in ((), ("--check",)):
            arguments = ("-n", "rapida", *check, "-c", "bad.toml")
            status, output, error = twistd(str(self.folder), *arguments, SIP__SRTP="often")
            self.assertEqual((status, output), (2, ""))
            self.assertIn("3 mistakes in the configuration:\n", error)
            self.assertIn("bad.toml: [http] port", error)
            self.assertIn("[lgo]; did you mean log?", error)
            self.assertIn("SIP__SRTP", error)
            self.assertNotIn("Traceback", error)
        self.assertEqual(self.left(), {"bad.toml"})

    def test_env_file(self) -> None:
        """A file of variables is looked at as well."""
        (self.folder / "env").write_text("HTTP__PORT=x\n")
        status, _, error = twistd(str(self.folder), "rapida", "--check", "--env-file", "env")
        self.assertEqual(status, 2)
        self.assertIn("1 mistake in the configuration:\n  env: HTTP__PORT", error)

    def test_syslog(self) -> None:
        """Twisted's own syslog observer knows no secrets: refused."""
        options = Options()
        options.parent = {"syslog": True}
        self.assertRaises(UsageError, options.parseOptions, [])


class Running(Files):
    """A whole run, from twistd to its end."""

    def test_foreground(self) -> None:
        """Our log on standard output; monotonic reactor, frozen heap, a stop that is waited for."""
        status, output, error = twistd(str(self.folder), "-n", "rapida")
        self.assertEqual((status, error), (0, ""))
        self.assertRegex(output, r"info +rapida_tw.house: GET /\?x-api-key=\*\*\* 1\d{9}\n")
        self.assertIn("monotonic: True", output)
        self.assertIn("frozen: True", output)
        self.assertIn("drained", output)
        self.assertIn("printed before the log began", output)
        self.assertNotIn("not to be seen", output)

    def test_one_log(self) -> None:
        """Each event is written once: twistd's own observer is replaced, not doubled."""
        _, output, _ = twistd(str(self.folder), "-n", "rapida", LOG__FORMAT="json")
        self.assertEqual(output.count("drained"), 1)
        self.assertIn('"logger": "rapida_tw.house"', output)

    def test_log_file(self) -> None:
        """twistd's --logfile is where our lines go too."""
        status, output, _ = twistd(str(self.folder), "-n", "-l", "here.log", "rapida")
        self.assertEqual(status, 0)
        self.assertNotIn("drained", output)
        text = (self.folder / "here.log").read_text()
        self.assertIn("rapida_tw.house: drained", text)
        self.assertNotIn("hunter22", text)


class SocketActivation(Files):
    """Listening sockets that are handed over, as systemd does: from descriptor 3 on, by name."""

    LISTEN = """
import os
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from rapida_tw.config import load
config = load(None, os.environ)
for section in (config.http, config.audiosocket):
    serverFromString(reactor, section.endpoint).listen(Factory()).addCallback(
        lambda port: print(port.getHost().port))
"""

    def test_by_name(self) -> None:
        """The endpoints of our units find their sockets, in whatever order these come."""
        http, audiosocket = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.addCleanup(http.close)
        self.addCleanup(audiosocket.close)
        unit = (CHECKOUT / "systemd/rapida@.service").read_text()
        environ = dict(re.findall(r"^Environment=(\w+__LISTEN)=(.*)$", unit, re.MULTILINE))
        environ |= {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "audiosocket:http"}
        handover = f"exec 8<&{http.fileno()} 9<&{audiosocket.fileno()} 3<&9 4<&8 8<&- 9<&-;"
        handover += 'LISTEN_PID=$$ exec "$0" -c "$1"'
        done = subprocess.run(
            ["bash", "-c", handover, sys.executable, self.LISTEN],
            env={"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"]} | environ,
            pass_fds=(http.fileno(), audiosocket.fileno()),
            capture_output=True,
            text=True,
        )
        ports = [str(one.getsockname()[1]) for one in (http, audiosocket)]
        self.assertEqual((done.stdout.split(), done.stderr), (ports, ""))

    def test_units(self) -> None:
        """Every socket that the service takes has a unit, and with it the name it is known by."""
        folder = CHECKOUT / "systemd"
        service = (folder / "rapida@.service").read_text()
        sockets = re.search("^Sockets=(.*)$", service, re.MULTILINE)
        assert sockets
        names = set()
        for unit in sockets[1].split():
            names |= set(re.findall("^FileDescriptorName=(.*)$", (folder / unit).read_text(), re.M))
        self.assertEqual(names, set(re.findall("systemd:domain=INET:name=(.*)", service)))

    def test_drain(self) -> None:
        """systemd waits longer for the end than the server does for its calls."""
        service = (CHECKOUT / "systemd/rapida@.service").read_text()
        limit = re.search(r"^TimeoutStopSec=(\d+)$", service, re.MULTILINE)
        assert limit
        self.assertGreater(int(limit[1]), Server().drain_seconds + 10)


class Composition(SynchronousTestCase):
    def test_observer(self) -> None:
        """Put into an application, the service brings its log along."""
        observer = LogPublisher()
        application = Application("rapida")
        Root(observer).setServiceParent(application)
        self.assertIs(ILogObserver(application), observer)


class FilesTests(SynchronousTestCase):
    """The limit of open files, which is the limit of calls."""

    def limits(self, soft: int, hard: int) -> list[tuple[int, tuple[int, int]]]:
        told: list[tuple[int, tuple[int, int]]] = []
        self.patch(tap.resource, "getrlimit", lambda _: (soft, hard))
        self.patch(tap.resource, "setrlimit", lambda what, to: told.append((what, to)))
        tap._open_more_files()
        return told

    def test_raised(self) -> None:
        """The soft limit goes up to the hard one, and not beyond what calls can use."""
        what = resource.RLIMIT_NOFILE
        self.assertEqual(self.limits(1024, 20_000), [(what, (20_000, 20_000))])
        self.assertEqual(self.limits(1024, 10**6), [(what, (tap.FILES, 10**6))])
        infinite = resource.RLIM_INFINITY
        self.assertEqual(self.limits(1024, infinite), [(what, (tap.FILES, infinite))])

    def test_left(self) -> None:
        """What is high enough stays."""
        self.assertEqual(self.limits(tap.FILES, 10**6), [])
        self.assertEqual(self.limits(resource.RLIM_INFINITY, resource.RLIM_INFINITY), [])
