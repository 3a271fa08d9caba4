"""SIPp, which plays a scenario of ours against the server and counts what came otherwise.

A scenario is a file in scenarios/, in SIPp's language. `@name@` alone on a line stands for the file
of that name in scenarios/pieces.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.interop.asterisk import wait_until
from tests.interop.server import Server, free_port
from tests.process import ended, started

SCENARIOS = Path(__file__).with_name("scenarios")
LONGEST = 20_000  # characters of the messages in an error
_PIECE = re.compile(r"^[ \t]*@([a-z]+)@\n", re.MULTILINE)
# What stands above each message in SIPp's log of them.
_RULE = re.compile(r"^-{20,} .*\n\S+ message (sent|received) .*\n\n", re.MULTILINE)


MEDIA = 4  # ports that a run binds one after the other
# Below those of servers.
_places = count(random.randrange(10_000, 12_000, 2 * MEDIA), 2 * MEDIA)


class NoSipp(Exception):
    """It is not installed; the text says how it would be."""


def installed() -> str:
    """Where it is; `NoSipp` if nowhere."""
    path = shutil.which("sipp")
    if path is None:
        raise NoSipp("no sipp: Debian's package sip-tester is not installed")
    return path


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a run, as SIPp saw it."""

    sent: bool
    text: str

    @property
    def first(self) -> str:
        """Its first line."""
        return self.text.partition("\n")[0]

    @property
    def method(self) -> str:
        """Of the request, or of the one that is answered."""
        return self.header("CSeq").rpartition(" ")[2]

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def body(self) -> str:
        return self.text.partition("\n\n")[2].strip("\n")

    def header(self, name: str) -> str:
        """The value of the first header of that name; "" if there is none."""
        found = re.search(rf"^{name}:[ \t]*(.*)$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1].strip() if found else ""


class Sipp:
    """One run of a scenario, in a process of its own; begun by its making."""

    def __init__(
        self,
        server: Server,
        scenario: str,
        folder: Path,
        *options: str,
        source: str = "127.0.0.1",
        **keys: str,
    ) -> None:
        """`keys` are what the scenario has in brackets, beside assistant and key."""
        self.scenario = scenario
        self.folder = folder
        self._source = source
        file = folder / "scenario.xml"
        # A status is no key to SIPp: it wants to know it when it reads the scenario.
        file.write_text(text(scenario).replace("[status]", keys.pop("status", "")), "utf-8")
        known = {"assistant": server.assistant_id, "key": server.api_key, "caller": "+15550000"}
        command = [installed(), f"{source}:{server.sip}", "-sf", str(file), "-nostdin"]
        self.port = free_port()  # where it is called, by scenarios that wait for that
        command += ["-i", source, "-p", str(self.port), "-mi", source, "-mp", str(_media(source))]
        command += ["-trace_stat", "-stf", str(folder / "counts.csv"), "-fd", "1"]
        command += ["-trace_err", "-error_file", str(folder / "errors")]
        command += ["-trace_msg", "-message_file", str(folder / "messages")]
        command += ["-timeout", "90", "-timeout_error", *options]
        command += ["-max_socket", "1000"]
        for name, value in (known | keys).items():
            command += ["-key", name, value]
        if "-m" not in options:
            command += ["-m", "1"]
        self._process = started(command, folder / "screen", cwd=folder)

    def wait_until_bound(self) -> Sipp:
        """Until it can be called, over UDP."""
        wait_until(self._bound, 20, f"{self.scenario} waits for its call")
        return self

    def _bound(self) -> bool:
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((self._source, self.port))
            except OSError:
                return True
        return False

    def wait(self, seconds: float = 120) -> Sipp:
        """Until it is over; an AssertionError with what it complained of when a call failed."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            self.stop()
        told = self._file("errors"), self._file("messages")[-LONGEST:], self._file("screen")
        assert status == 0, "\n".join((f"{self.scenario}: status {status}", *told))
        return self

    def stop(self) -> None:
        """It runs no more, whatever it was at."""
        ended(self._process)

    def count(self, name: str) -> int:
        """One of its counters at the end, such as "SuccessfulCall"."""
        rows = list(csv.DictReader(self._file("counts.csv").splitlines(), delimiter=";"))
        return int(rows[-1][f"{name}(C)"])

    def messages(self) -> list[Message]:
        """All that was sent and received, in order."""
        return list(self._messages())

    def _messages(self) -> Iterator[Message]:
        _, *parts = _RULE.split(self._file("messages").replace("\r\n", "\n"))
        for way, body in zip(parts[::2], parts[1::2], strict=True):
            yield Message(way == "sent", body)

    def answers(self, status: int, method: str = "INVITE") -> list[Message]:
        """What the server answered with that status, to requests of that method."""
        return [one for one in self.received() if one.status == status and one.method == method]

    def requests(self, method: str) -> list[Message]:
        """The server's own requests."""
        return [one for one in self.received() if one.first.startswith(f"{method} ")]

    def received(self) -> list[Message]:
        """What came, in order; a message that came again, on a busy machine, counts once."""
        found = {
            (one.header("Via"), one.status, one.header("CSeq")): one
            for one in reversed(self.messages())
            if not one.sent
        }
        return list(found.values())[::-1]

    def _file(self, name: str) -> str:
        path = self.folder / name
        return path.read_text("utf-8", "replace") if path.exists() else ""


def _media(source: str) -> int:
    """The first of some ports for media that nobody else has at the moment."""
    for place in _places:
        with ExitStack() as sockets, suppress(OSError):
            for port in range(place, place + MEDIA):
                probe = sockets.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                probe.bind((source, port))
            return place
    raise AssertionError("it is endless")


def text(scenario: str) -> str:
    """A scenario with its pieces."""
    found = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
    while True:
        filled = _PIECE.sub(_piece, found)
        if filled == found:
            return filled
        found = filled


def _piece(name: re.Match[str]) -> str:
    return (SCENARIOS / "pieces" / name[1]).read_text("utf-8")
