"""Very many callers by SIP and RTP from one process: plain UDP sockets and epoll, as load.py.

Signalling is the least that a server takes: INVITE with the key in its URI, ACK, BYE, over one
socket, as a trunk has it. INVITEs go out at a steady rate, whatever the server does, so that the
time of an answer is that of a server under load.
"""

from __future__ import annotations

import gc
import select
import socket
import struct
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from rapida_tw.audio.g711 import MULAW
from rapida_tw.sim.load import (
    PHASES,
    PROBE_AFTER,
    PROBE_TICKS,
    SO_TIMESTAMPNS,
    TICK_NS,
    Load,
    Outcome,
    Spoken,
    arrival_of,
    is_loud,
    now,
    outcome,
    sound_of,
)
from rapida_tw.sim.sip_text import BadText, SipText, address, read, write
from rapida_tw.sim.usage import Usage, usage

_RTP = struct.Struct("!BBHII")
_HEADER = 12  # bytes
_AT_ONCE = 8  # INVITEs without an answer, where no rate is given
_AGAIN = 500_000_000  # ns: T1
_GIVES_UP = 4 * _AGAIN
_PARTS = 200  # BYEs a second
_PARTED_WITHIN = 3_000_000_000  # ns after the last of them
_RECEIVE_BUFFER = 4_194_304  # bytes
_LONGEST = 4_096  # bytes of a message


@dataclass(frozen=True, slots=True)
class SipLoad:
    """Whom the calls are for. `rate`: new calls a second; 0: as fast as they are answered."""

    assistant_id: str
    api_key: str = field(repr=False)
    rate: float = 50.0


class _Call(Spoken):
    """One phone."""

    __slots__ = (
        "ack",
        "asked_at",
        "invite",
        "name",
        "number",
        "sequence",
        "ssrc",
        "target",
        "to",
        "up",
    )

    def __init__(self, sock: socket.socket, number: int, name: str, probes: bool) -> None:
        super().__init__(sock, number * 37, probes)
        self.number = number
        self.name = name  # Call-ID
        self.invite = b""
        self.asked_at = 0  # ns
        self.ack = b""
        self.target = ""
        self.to = ""
        self.up = False
        self.sequence = 0
        self.ssrc = 0x10000000 + number


def run(load: Load, callee: SipLoad) -> Outcome:
    """Call, settle, measure, hang up. `load.contexts` are the Call-IDs. `OSError`."""
    return _Generator(load, callee).run()


class _Generator:
    def __init__(self, load: Load, callee: SipLoad) -> None:
        self._load = load
        self._callee = callee
        self._payloads = [MULAW.encode(row) for row in sound_of(load, 8_000)]
        self._poll = select.epoll()
        self._signalling = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._signalling.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._signalling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._signalling.connect((load.host, load.port))
        self._signalling.setblocking(False)
        self._host, self._port = self._signalling.getsockname()
        self._poll.register(self._signalling.fileno(), select.EPOLLIN)
        self._calls: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        self._open: dict[int, _Call] = {}  # by file descriptor
        self._phases: list[list[_Call]] = [[] for _ in range(PHASES)]
        self._waiting: deque[_Call] = deque()  # for an answer, in the order of their INVITEs
        self._answers = array("q")  # ns from INVITE to 200
        self._parted = 0
        self._leaving = False
        self._step = 0
        self._origin = now()
        self._late = array("q")
        self._ended = self._blocked = 0
        self._begin: int | None = None

    def run(self) -> Outcome:
        load = self._load
        before = self._usage()
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            rate = self._call_all(load.contexts)
            self._go_on(now() + round(load.settle * 1e9))
            self._late = array("q")
            self._begin = self._step
            begin, start = now(), self._usage()
            end = begin + round(load.seconds * 1e9)
            self._go_on(end)
            after = self._usage()
            self._leave_all()
            answers = np.asarray(self._answers if len(self._answers) else [0]) / 1e6
            p50, p95 = map(float, np.percentile(answers, (50, 95)))
            return outcome(
                self._calls,
                (begin, end),
                (before, start, after),
                self._late,
                ended_early=self._ended,
                blocked=self._blocked,
                calls_per_second=rate,
                answer_p50_ms=p50,
                answer_p95_ms=p95,
            )
        finally:
            gc.enable()
            gc.unfreeze()
            for call in self._calls:
                call.sock.close()
            self._signalling.close()
            self._poll.close()

    def _usage(self) -> Usage:
        return usage(self._load.pid) if self._load.pid else Usage(0.0, 0)

    # -- signalling -------------------------------------------------------------------------------

    def _call_all(self, names: Sequence[UUID]) -> float:
        """Returns how many calls a second were answered."""
        started = now()
        rate = self._callee.rate
        for number, name in enumerate(names):
            if rate:
                self._go_on(started + round(number / rate * 1e9))
            while not rate and self._unanswered >= _AT_ONCE:
                self._go_on(now() + 500_000)
            self._invite(number, name)
        while self._waiting:  # not for long: `_repeat` gives up
            self._go_on(now() + 1_000_000)
        return len(self._answers) / ((now() - started) / 1e9)

    @property
    def _unanswered(self) -> int:
        return len(self._calls) - len(self._answers) - self._ended

    def _invite(self, number: int, name: UUID) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind((self._host, 0))
        sock.setblocking(False)
        call = _Call(sock, number, str(name), self._load.probe)
        port = sock.getsockname()[1]
        body = (
            f"v=0\r\no=- {number + 1} 1 IN IP4 {self._host}\r\ns=-\r\n"
            f"c=IN IP4 {self._host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        ).encode()
        host, callee = f"{self._load.host}:{self._load.port}", self._callee
        call.target = f"sip:{callee.assistant_id}:{callee.api_key}@{host}"
        call.to = f"<sip:{callee.assistant_id}@{host}>"
        call.invite = self._request(call, "INVITE", 1, body)
        self._calls.append(call)
        self._by_id[call.name] = call
        self._waiting.append(call)
        call.asked_at = now()
        self._say(call.invite)

    def _request(self, call: _Call, method: str, number: int, body: bytes = b"") -> bytes:
        place = f"{self._host}:{self._port}"
        branch = f"z9hG4bK{method}{call.name}"
        fields = [
            ("Via", f"SIP/2.0/UDP {place};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:load{call.number}@{place}>;tag=load{call.number}"),
            ("To", call.to),
            ("Call-ID", call.name),
            ("CSeq", f"{number} {method}"),
            ("Contact", f"<sip:load{call.number}@{place}>"),
        ]
        if body:
            fields.append(("Content-Type", "application/sdp"))
        return write(f"{method} {call.target} SIP/2.0", fields, body)

    def _say(self, data: bytes) -> None:
        try:
            self._signalling.send(data)
        except OSError:  # a full buffer, or nobody there: it is sent again
            self._blocked += 1

    def _repeat(self, time_now: int) -> None:
        """INVITEs that were lost, once more; the oldest is first."""
        waiting = self._waiting
        while waiting and (waiting[0].up or time_now - waiting[0].asked_at > _GIVES_UP):
            gone = waiting.popleft()
            if not gone.up:
                self._lost(gone)
        if waiting and time_now - waiting[0].asked_at > _AGAIN:
            self._say(waiting[0].invite)

    def _signalled(self) -> None:
        while True:
            try:
                data, ancillary, _, _ = self._signalling.recvmsg(_LONGEST, 64)
            except OSError:
                return
            try:
                message = read(data)
            except BadText:
                self._blocked += 1
                continue
            call = self._by_id.get(message.one("call-id"))
            if call is None:
                continue
            if message.method:
                self._asked(call, message)
            elif message.cseq_method == "INVITE" and message.status >= 200:
                self._answered(call, message, arrival_of(ancillary))
            elif message.cseq_method == "BYE" and message.status >= 200:
                self._parted += 1

    def _answered(self, call: _Call, response: SipText, arrival: int) -> None:
        if call.up:
            self._say(call.ack)
            return
        call.to = response.one("to")
        if response.status >= 300:
            ack = self._request(call, "ACK", 1)
            self._say(ack.replace(b"z9hG4bKACK", b"z9hG4bKINVITE"))  # of the same transaction
            if call in self._waiting:
                self._waiting.remove(call)
                self._lost(call)
            return
        self._answers.append(arrival - call.asked_at)
        call.target = address(response.one("contact"))[0]
        call.ack = self._request(call, "ACK", 1)
        self._say(call.ack)
        description = response.body.decode("ascii", "replace")
        port = int(description.partition("m=audio ")[2].partition(" ")[0])
        host = description.partition("c=IN IP4 ")[2].partition("\r\n")[0]
        call.sock.connect((host, port))
        call.up = True
        self._open[call.sock.fileno()] = call
        self._poll.register(call.sock.fileno(), select.EPOLLIN)
        self._phases[call.number % PHASES].append(call)

    def _asked(self, call: _Call, request: SipText) -> None:
        """BYE, or something that is fine."""
        if request.method == "ACK":
            return
        names = ("via", "from", "to", "call-id", "cseq")
        self._say(write("SIP/2.0 200 OK", [(name, request.one(name)) for name in names]))
        if request.method == "BYE" and not self._leaving:
            self._lost(call)

    def _lost(self, call: _Call) -> None:
        self._ended += 1
        if call.up and call.sock.fileno() in self._open:
            del self._open[call.sock.fileno()]
            self._poll.unregister(call.sock.fileno())
            self._phases[call.number % PHASES].remove(call)

    def _leave_all(self) -> None:
        self._leaving = True
        left = list(self._open.values())
        for call in left:
            self._phases[call.number % PHASES].remove(call)
            self._say(self._request(call, "BYE", 2))
            self._go_on(now() + 1_000_000_000 // _PARTS)
        until = now() + _PARTED_WITHIN
        while self._parted < len(left) and now() < until:
            self._go_on(now() + 5_000_000)

    # -- the beat ---------------------------------------------------------------------------------

    def _go_on(self, until: int) -> None:
        """Send on time and receive at once, until then."""
        sub_beat = TICK_NS // PHASES
        due = self._origin + self._step * sub_beat
        signalling = self._signalling.fileno()
        while (time_now := now()) < until:
            if time_now >= due:
                self._late.append(time_now - due)
                self._send(self._phases[self._step % PHASES], self._step // PHASES)
                self._repeat(time_now)
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
                if descriptor == signalling:
                    self._signalled()
                elif (call := self._open.get(descriptor)) is not None:
                    self._receive(call)

    def _send(self, calls: list[_Call], tick: int) -> None:
        payloads = self._payloads
        size = len(payloads)
        stamp = tick * 160 & 0xFFFFFFFF
        for call in calls:
            number = (tick + call.offset) % size
            if call.loud is not None:
                number = self._probe(call, tick)
            head = _RTP.pack(0x80, 0, call.sequence, stamp, call.ssrc)
            call.sequence = call.sequence + 1 & 0xFFFF
            try:
                call.sock.send(head + payloads[number])
            except OSError:
                self._blocked += 1

    def _probe(self, call: _Call, tick: int) -> int:
        if self._begin is None:
            return PROBE_TICKS
        into = tick - self._begin // PHASES - PROBE_AFTER
        if into == 0 and not call.spoke_at:
            call.spoke_at = now()
        return into if 0 <= into < PROBE_TICKS else PROBE_TICKS

    def _receive(self, call: _Call) -> None:
        try:
            data, ancillary, _, _ = call.sock.recvmsg(_LONGEST, 64)
        except OSError:
            return
        if len(data) <= _HEADER or data[1] & 0x7F:
            return
        arrival = arrival_of(ancillary)
        call.arrivals.append(arrival)
        if call.loud is not None and is_loud(MULAW.decode(data[_HEADER:])):
            call.loud.append(arrival)
