"""Callers by plain sockets: what Asterisk sends and takes in an AudioSocket call, without Twisted.

There is no reactor here that could be shared with the server: a caller is as far from it as in
real life. All callers of a test go on together, 20 ms at a time.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

import numpy as np

from rapida_tw.sim.audiosocket import AUDIO, CONTEXT, Reader, packet
from rapida_tw.sim.phone import Ending, Reason

RATE = 8_000
SAMPLES = 160  # 20 ms
TICK = SAMPLES / RATE
LOUD = 1_000  # of 32 767: above any noise, below any voice

SILENCE = np.zeros(SAMPLES, "<i2").tobytes()
VOICE = (8_000 * np.sin(np.arange(SAMPLES) * 2 * np.pi * 200 / RATE)).astype("<i2").tobytes()


class Caller:
    """One call; `saying` is what it sends every 20 ms, `ending` how it ended."""

    def __init__(self, port: int, context: str) -> None:
        self.saying = SILENCE
        self.sent = 0  # packets
        self.heard = 0  # packets, silence too
        self.loud = 0  # packets with sound in them
        self.ending: Ending | None = None
        self._reader = Reader(self._audio)
        self._socket = socket.create_connection(("127.0.0.1", port), 5.0)
        self._socket.sendall(packet(CONTEXT, UUID(context).bytes))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def hang_up(self) -> None:
        """Close, and read what was still under way: without that, close() would send a reset."""
        if self.ending is None:
            with suppress(OSError):  # the server may be dead
                self._socket.settimeout(5.0)
                self._socket.shutdown(socket.SHUT_WR)
                while self._socket.recv(65_536):
                    pass
            self._over(Ending(Reason.CALLER_HUNG_UP))

    def send(self) -> None:
        try:
            self._socket.send(packet(AUDIO, self.saying))
            self.sent += 1
        except OSError as error:
            self._over(Ending(Reason.CONNECTION_LOST, str(error)))

    def receive(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except OSError as error:
            self._over(Ending(Reason.CONNECTION_LOST, str(error)))
            return
        ending = self._reader.feed(data, 0.0) if data else Ending(Reason.SERVER_CLOSED)
        if ending is not None:
            self._over(ending)

    def _audio(self, payload: bytes, rate: int) -> None:
        self.heard += 1
        if np.abs(np.frombuffer(payload, "<i2").astype(int)).max() > LOUD:
            self.loud += 1

    def _over(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            self._socket.close()


def talk(callers: Sequence[Caller], until: Callable[[], object], within: float = 20.0) -> None:
    """Let the calls go on until that is true; AssertionError when it is not in so many seconds."""
    due = time.monotonic()
    deadline = due + within
    while not until():
        assert due < deadline, f"not within {within:.0f} s"
        for caller in _open(callers):
            caller.send()
        due = max(due + TICK, time.monotonic() - 5 * TICK)  # nobody sends what is so old
        while True:
            left = due - time.monotonic()
            readable, _, _ = select.select(_open(callers), [], [], max(0.0, left))
            for caller in readable:
                caller.receive()
            if left <= 0:
                break


def _open(callers: Sequence[Caller]) -> list[Caller]:
    return [caller for caller in callers if caller.ending is None]
