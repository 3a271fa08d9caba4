"""Reading on the beat: the sockets of many calls, TCP's and UDP's, all that are ready at once.

Twisted asks the kernel for what is ready and goes through select, dispatch and logging context for
each packet; with hundreds of calls that costs more than the packets. So the sockets of running
calls are watched by an epoll of our own, which is asked on each sub-beat: audio is heard up to 5 ms
later, and a packet costs one `recv`. As long as calls are few the reactor reads, which is sooner.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.tcp import Connection
from twisted.logger import Logger

# Up to so many calls are heard on arrival; where there are more, all are read on the beat, until
# they are half as many again.
ON_ARRIVAL = 50
_AT_ONCE = 65_536  # bytes of one read


class BeatReader:
    """Reads for transports that were handed to it; everything but data stays with the reactor.

    `every_sub_beat(work)` is told whom to call, or None for nobody (`MediaClock.read_with`);
    without a beat the reactor reads for all.
    """

    _log = Logger()

    def __init__(
        self,
        every_sub_beat: Callable[[Callable[[], None] | None], None] | None = None,
        on_arrival: int = ON_ARRIVAL,
    ) -> None:
        self._every_sub_beat = every_sub_beat
        self._on_arrival = on_arrival
        self._arriving: set[Any] = set()  # transports that only the reactor can read
        self._few: dict[Any, Callable[[], None]] = {}  # those that it reads while they are few
        self._poll: Any = None
        self._reads: dict[int, Callable[[], None]] = {}  # by file descriptor
        self._descriptors: dict[Any, int] = {}

    @property
    def reading(self) -> int:
        """How many it reads for by now."""
        return len(self._reads)

    def take(self, transport: Any, read: Callable[[], None] | None = None) -> None:
        """Read for it from now on, if that is possible and there are many. A running call's.

        `read`: takes what is there, and never raises; a TCP connection needs none.
        """
        beat = self._every_sub_beat
        if read is None and _is_plain(transport):
            read = partial(self._read_stream, transport)
        if beat is None or read is None:
            self._arriving.add(transport)
            return
        self._few[transport] = read
        if self._reads or len(self._few) + len(self._arriving) > self._on_arrival:
            if not self._reads:
                self._poll = select.epoll()
                beat(self._read_all)
            few, self._few = self._few, {}
            for one, its in few.items():
                self._watch(one, its)

    def _watch(self, transport: Any, read: Callable[[], None]) -> None:
        transport.stopReading()
        descriptor = transport.fileno()
        self._poll.register(descriptor, select.EPOLLIN)
        self._reads[descriptor] = read
        self._descriptors[transport] = descriptor

    def leave(self, transport: Any) -> None:
        """It is the reactor's again, or gone. Unknown ones are ignored."""
        self._arriving.discard(transport)
        self._few.pop(transport, None)
        if transport not in self._descriptors:
            return
        self._give_back(transport)
        if len(self._reads) + len(self._arriving) <= self._on_arrival // 2:
            for one in tuple(self._descriptors):
                self._few[one] = self._give_back(one)
        if not self._reads and self._every_sub_beat is not None:
            self._every_sub_beat(None)
            self._poll.close()

    def _give_back(self, transport: Any) -> Callable[[], None]:
        descriptor = self._descriptors.pop(transport)
        if transport.connected:
            self._poll.unregister(descriptor)
            transport.startReading()
        return self._reads.pop(descriptor)

    def _read_all(self) -> None:
        reads = self._reads
        for descriptor, _ in self._poll.poll(0):
            read = reads.get(descriptor)
            if read is not None:  # else it left while another one was read
                read()

    def _read_stream(self, transport: Any) -> None:
        try:
            data = transport.socket.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.leave(transport)  # the reactor meets the same end, and knows what to do
            return
        try:
            transport.protocol.dataReceived(data)
        except Exception:
            self._log.failure("{protocol} failed on data", protocol=transport.protocol)
            transport.abortConnection()


def _is_plain(transport: Any) -> bool:
    """A TCP connection of Twisted's own, and no TLS in it."""
    return isinstance(transport, Connection) and not transport.TLS
