"""Very many callers from one process: the load generator.

Raw sockets and epoll, because a Twisted protocol a call would cost as much as the server that is
measured. Callers send a packet every 20 ms in ten phases. The time of an arrival is the kernel's
(SO_TIMESTAMPNS), so that what the generator itself is late does not count as the server's jitter;
it is reported besides. Give it a process and a core of its own (`load_process.py`).
"""

from __future__ import annotations

import gc
import select
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.audio.resample import resample_all
from rapida_tw.sim.ear import LOUD
from rapida_tw.sim.jitter import Pacing, pacing
from rapida_tw.sim.load_wires import AudioSocketWire, LoadWire
from rapida_tw.sim.usage import Usage, usage
from rapida_tw.sim.voices import hum

TICK_NS = 20_000_000
PHASES = 10
SO_TIMESTAMPNS = 35  # Linux; not in the socket module of Python 3.11
_TIMESPEC = struct.Struct("=qq")
# Connections that wait for their first packet at one time. A storm of them would make the beat
# late, and a server that guards its running calls would then refuse new ones.
_CONNECTING = 8
_SET_UP = 12_000_000  # ns for each of them, where there is no packet to wait for
_CONNECT_WITHIN = 30_000_000_000  # ns for all of them
_PLAYED_AFTER = 200_000_000  # ns: a carrier's buffer holds about so much of ours
PROBE_TICKS = 30  # 600 ms of voice
PROBE_AFTER = 50  # ticks after the start of the measurement


@dataclass(frozen=True, slots=True)
class Load:
    """What to do. `talk` seconds of voice in each `every`; `probe` instead says one thing.

    `pid` is the server's process, measured from outside; 0 = not. `wire`: the kind of socket.
    """

    contexts: Sequence[UUID]
    host: str = "127.0.0.1"
    port: int = 4_573
    seconds: float = 5.0
    settle: float = 2.0
    talk: float = 1.0
    every: float = 8.0
    probe: bool = False
    pid: int = 0
    wire: LoadWire = field(default_factory=AudioSocketWire)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured; memory in bytes, times in the unit that the name says.

    `answer_p50_ms`, `answer_p95_ms`: from INVITE to 200; 0 for other ways to call.
    `stopped_ms`: from the first packet of the probe's voice to the silence of who was speaking
    (barge-in). `answered_ms`: to the first sound of who was silent (an echo's way and back).
    """

    calls: int
    pacing: Pacing
    ended_early: int
    blocked: int  # packets that the server's full socket did not take
    calls_per_second: float  # set-up, to the first packet or, without silence, the open socket
    own_late_p99_ms: float
    own_late_max_ms: float
    cpu_us_per_tick: float  # the server's, per call and 20 ms
    memory_per_call: float
    memory_base: int
    stopped_ms: tuple[float, ...]
    answered_ms: tuple[float, ...]
    answer_p50_ms: float = 0.0
    answer_p95_ms: float = 0.0


class Spoken:
    """What any caller of a generator has; `loud`: arrivals with sound, kept of those that probe."""

    __slots__ = ("arrivals", "loud", "offset", "sock", "spoke_at")

    def __init__(self, sock: socket.socket, offset: int, probes: bool) -> None:
        self.sock = sock
        self.offset = offset  # where in the round of packets it begins
        self.arrivals = array("q")  # ns
        self.loud: list[int] | None = [] if probes else None
        self.spoke_at = 0


class _Call(Spoken):
    """One connection of the generator's."""

    __slots__ = ("tail",)

    def __init__(self, sock: socket.socket, offset: int, probes: bool) -> None:
        super().__init__(sock, offset, probes)
        self.tail = b""


def run(load: Load) -> Outcome:
    """Connect, settle, measure, hang up."""
    return _Generator(load).run()


class _Generator:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._wire = load.wire
        self._round = load.wire.packets(sound_of(load, load.wire.rate))
        self._poll = select.epoll()
        self._calls: list[_Call] = []
        self._open: dict[int, _Call] = {}  # by file descriptor
        self._phases: list[list[_Call]] = [[] for _ in range(PHASES)]
        self._step = 0  # sub-beats sent
        self._origin = now()
        self._late = array("q")  # ns, one a sub-beat
        self._ended = self._blocked = 0
        self._owed: deque[tuple[int, _Call, bytes]] = deque()
        self._begin: int | None = None  # sub-beat at which the measurement begins

    def run(self) -> Outcome:
        load = self._load
        before = self._usage()
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            rate = self._connect_all()
            self._go_on(now() + round(load.settle * 1e9))
            self._late = array("q")
            self._begin = self._step
            begin = now()
            start = self._usage()
            end = begin + round(load.seconds * 1e9)
            self._go_on(end)
            after = self._usage()
            return outcome(
                self._calls,
                (begin, end),
                (before, start, after),
                self._late,
                ended_early=self._ended,
                blocked=self._blocked,
                calls_per_second=rate,
            )
        finally:
            gc.enable()
            gc.unfreeze()
            for call in self._calls:
                call.sock.close()
            self._poll.close()

    def _usage(self) -> Usage:
        return usage(self._load.pid) if self._load.pid else Usage(0.0, 0)

    # -- connections ------------------------------------------------------------------------

    def _connect_all(self) -> float:
        """Returns how many calls a second were set up, to their first packet."""
        started = now()
        waiting: list[_Call] = []
        for number, context in enumerate(self._load.contexts):
            while len(waiting) >= _CONNECTING:
                waiting = self._wait_for_packets(waiting, started)
            waiting.append(self._connect(number, context))
        while waiting:
            waiting = self._wait_for_packets(waiting, started)
        return len(self._load.contexts) / ((now() - started) / 1e9)

    def _wait_for_packets(self, waiting: list[_Call], started: int) -> list[_Call]:
        if now() - started > _CONNECT_WITHIN:
            return []
        if not self._wire.continuous:  # who has opened the socket is connected, without a packet
            self._go_on(now() + _CONNECTING * _SET_UP)
            return []
        self._go_on(now() + 1_000_000)
        return [call for call in waiting if not call.arrivals and call.sock.fileno() >= 0]

    def _connect(self, number: int, context: UUID) -> _Call:
        sock = socket.create_connection((self._load.host, self._load.port), timeout=5.0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._wire.open(sock, context)
        sock.setblocking(False)
        # Voices spread over the round.
        call = _Call(sock, number * 37, self._load.probe)
        self._calls.append(call)
        self._open[sock.fileno()] = call
        self._poll.register(sock.fileno(), select.EPOLLIN)
        self._phases[number % PHASES].append(call)
        return call

    def _lost(self, call: _Call) -> None:
        self._ended += 1
        del self._open[call.sock.fileno()]
        self._poll.unregister(call.sock.fileno())
        call.sock.close()

    # -- the beat ---------------------------------------------------------------------------

    def _go_on(self, until: int) -> None:
        """Send on time and receive at once, until then."""
        sub_beat = TICK_NS // PHASES
        due = self._origin + self._step * sub_beat
        while (time_now := now()) < until:
            if time_now >= due:
                self._late.append(time_now - due)
                self._send(self._phases[self._step % PHASES], self._step // PHASES)
                self._answer()
                self._step += 1
                due += sub_beat
                if time_now - due > 5 * TICK_NS:  # a caller does not send what is so old
                    skipped = (time_now - due) // sub_beat
                    self._step += skipped
                    due += skipped * sub_beat
                timeout = 0.0
            else:
                timeout = (min(due, until) - time_now) / 1e9
            for descriptor, _ in self._poll.poll(timeout):
                self._receive(self._open[descriptor])

    def _send(self, calls: list[_Call], tick: int) -> None:
        packets = self._round
        size = len(packets)
        for call in calls:
            number = (tick + call.offset) % size
            if call.loud is not None:
                number = self._probe(call, tick)
            try:
                call.sock.send(packets[number])
            except BlockingIOError:
                self._blocked += 1
            except OSError:  # closed by the server; reading tells
                continue

    def _probe(self, call: _Call, tick: int) -> int:
        """The packet of a probing caller: its voice once, in the middle of the measurement."""
        if self._begin is None:
            return PROBE_TICKS
        into = tick - self._begin // PHASES - PROBE_AFTER
        if into == 0 and not call.spoke_at:
            call.spoke_at = now()
        return into if 0 <= into < PROBE_TICKS else PROBE_TICKS

    def _receive(self, call: _Call) -> None:
        try:
            data, ancillary, _, _ = call.sock.recvmsg(4096, 64)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost(call)
            return
        self._take(call, call.tail + data, arrival_of(ancillary))

    def _take(self, call: _Call, data: bytes, arrival: int) -> None:
        wire = self._wire

        def heard(payload: bytes) -> None:
            call.arrivals.append(arrival)
            if call.loud is not None and is_loud(wire.samples(payload)):
                call.loud.append(arrival)

        call.tail, answer = wire.take(data, heard)
        if answer:
            self._owed.append((now() + _PLAYED_AFTER, call, answer))

    def _answer(self) -> None:
        """Give back the marks whose audio has been played by now."""
        owed = self._owed
        while owed and owed[0][0] <= now():
            _, call, answer = owed.popleft()
            with suppress(OSError):  # a full or closed socket; reading tells
                call.sock.send(answer)


def outcome(
    calls: Sequence[Spoken],
    measured: tuple[int, int],
    usages: tuple[Usage, Usage, Usage],
    late: Sequence[int],
    **others: Any,
) -> Outcome:
    """What came of a measurement, ns from and to. `late`: the generator's own sub-beats, ns.

    `usages`: before the calls, and at both ends of the measurement.
    """
    begin, end = measured
    before, start, after = usages
    own = np.asarray(late if len(late) else [0]) / 1e6
    ticks = len(calls) * (end - begin) / TICK_NS
    probes = [_probed(call) for call in calls]
    return Outcome(
        calls=len(calls),
        pacing=pacing([call.arrivals for call in calls], begin, end),
        own_late_p99_ms=float(np.percentile(own, 99)),
        own_late_max_ms=float(own.max()),
        cpu_us_per_tick=(after.cpu - start.cpu) * 1e6 / ticks,
        memory_per_call=(after.memory - before.memory) / len(calls),
        memory_base=before.memory,
        stopped_ms=tuple(ms for kind, ms in probes if kind == "stopped"),
        answered_ms=tuple(ms for kind, ms in probes if kind == "answered"),
        **others,
    )


def arrival_of(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """The kernel's stamp of what `recvmsg` gave, ns; without one, now."""
    if not ancillary:
        return now()
    seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
    return int(seconds * 1_000_000_000 + nanoseconds)


def now() -> int:
    """Nanoseconds on the clock that the kernel stamps arrivals with."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def is_loud(samples: Samples) -> bool:
    return bool(samples.max(initial=0) > LOUD or samples.min(initial=0) < -LOUD)


def sound_of(load: Load, rate: int) -> Samples:
    """What a caller says over and over, int16[n, rate / 50]; a probe's voice and one silence."""
    tick = rate // 50
    voice = resample_all(hum(PROBE_TICKS * 0.02 if load.probe else load.talk), RATE, rate)
    voiced = -(-len(voice) // tick)
    ticks = PROBE_TICKS + 1 if load.probe else max(voiced, round(load.every * 50), 1)
    # A line's hiss and not zeros: nothing on the way may take a short cut.
    sound = np.random.default_rng(20).integers(-6, 7, ticks * tick).astype(np.int16)
    sound[: len(voice)] = voice
    return sound.reshape(-1, tick)


def _probed(call: Spoken) -> tuple[str, float]:
    if not call.spoke_at or call.loud is None:
        return "", 0.0
    loud = np.asarray(call.loud, np.int64)
    after = loud[loud >= call.spoke_at]
    # Who was heard within the last 200 ms was speaking, pauses between words included.
    if np.any((loud < call.spoke_at) & (loud > call.spoke_at - 10 * TICK_NS)):
        gaps = np.flatnonzero(np.diff(after) > 10 * TICK_NS)
        last = after[gaps[0]] if len(gaps) else after[-1] if len(after) else call.spoke_at
        return "stopped", float(last + TICK_NS - call.spoke_at) / 1e6
    if len(after):
        return "answered", float(after[0] - call.spoke_at) / 1e6
    return "", 0.0
