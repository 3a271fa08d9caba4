"""VirtualSip: the SIP user agent of a virtual server, and phones that call it over UDP in memory.

Put together as sip_service.py does it for real; only sockets and chance are others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.calls.reception import Reception
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.datagrams import Datagrams, HostPort, MemorySocket, Storm
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.sip_manner import SipAccount, SipManner
from rapida_tw.sim.sip_phone import SipPhone
from rapida_tw.simulation.server import VirtualServer, done
from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.base import Flow, Flows
from rapida_tw.sip.lines import RtpLines
from rapida_tw.sip.settings import SipSettings
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.vault import Vault
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import Streams
from rapida_tw.wire.sdp_negotiation import Capabilities

HOST, PORT = "203.0.113.10", 5090
FIRST, LAST = 10_000, 20_000  # RTP
# Nothing is left so long after the end of a call: 64*T1 of repeated messages, and the ports' rest.
SETTLED = 80.0  # seconds
_CODECS = ("G722", "L16", "PCMU", "PCMA")
_SEED = 5090


@dataclass(unsafe_hash=True, slots=True)
class MemoryFlow:
    """A phone's address, seen from the server's socket."""

    peer: HostPort
    socket: MemorySocket = field(repr=False, compare=False)
    local: HostPort = (HOST, PORT)
    transport: str = "UDP"

    @property
    def open(self) -> bool:
        return True

    def send(self, data: bytes) -> bool:
        return self.socket.send(data, self.peer)

    def beside(self, port: int) -> Flow:
        return MemoryFlow((self.peer[0], port), self.socket)


class MemoryFlows:
    """Ways over that one socket."""

    def __init__(self, socket: MemorySocket) -> None:
        self._socket = socket

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Flow]:
        if transport != "UDP":
            return fail(OSError(f"no {transport} in virtual time"))
        return succeed(MemoryFlow((host, port), self._socket))


class VirtualSip:
    """`settings`: of SipSettings, but for the address. `storm`: what the network does."""

    def __init__(
        self,
        server: VirtualServer,
        storm: Storm | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.server = server
        clock = server.clock
        self.random = random = Random(_SEED)
        self.network = Datagrams(clock, storm)
        machine = self.network.machine(HOST)
        told = {"codecs": _CODECS, "srtp": "off", "secret": bytes(32), **(settings or {})}
        self.settings = SipSettings(host=HOST, port=PORT, **told)
        vault = Vault(lambda: "0123456789abcdef" * 4)
        passwords = KeyTexts(server.database, vault, server.now)
        keys = Keys(server.database, server.ids, server.now, passwords)
        _, self.key = done(keys.create(server.project_id, "virtual"))
        reception = Reception(server.calls, keys, passwords, server.assistants)
        self.pool = PortPool(clock, machine, HOST, FIRST, LAST, random)
        self.wheel = ReportWheel(clock, random)
        learn = self.settings.learning
        streams = Streams(
            clock,
            server.beat,
            self.wheel,
            server.now,
            learn,  # type: ignore[arg-type]  # one of its words
            self.settings.rtp_timeout,
        )
        capabilities = Capabilities(self.settings.codecs, self.settings.srtp)
        lines = RtpLines(self.settings, {4: self.pool}, streams, capabilities, random)
        self._socket = socket = machine.bind(HOST, PORT)
        flows = MemoryFlows(socket)
        self.agent = SipAgent(clock, self.settings, reception, lines, flows, random, server.now)
        socket.hear(self._received)
        self._hosts = count(1)
        self._metronomes: dict[float, Metronome] = {0.02: server.metronome}
        self.phones: list[SipPhone] = []

    def _received(self, data: bytes, source: HostPort) -> bool:
        self.agent.received(data, MemoryFlow(source, self._socket))
        return True

    def phone(
        self,
        caller: Caller,
        script: deque[str | None],
        manner: SipManner | None = None,
        account: SipAccount | None = None,
    ) -> SipPhone:
        """One on a machine of its own, not calling yet; `script`: what will be understood."""
        manner = manner or SipManner()
        number = next(self._hosts)
        host = f"198.18.{number >> 8}.{number & 0xFF}"
        self.server.ears.scripts.append(script)
        phone = SipPhone(
            caller,
            self.network.machine(host),
            host,
            account or self.account(),
            self.server.clock,
            manner,
            Random(_SEED + number),
            self._metronomes.setdefault(
                manner.interval, Metronome(self.server.clock, manner.interval)
            ),
        )
        self.phones.append(phone)
        return phone

    def account(self, **others: Any) -> SipAccount:
        """What a phone needs to call the assistant; `others`: fields that are to be wrong."""
        fields = {"assistant_id": str(self.server.assistant_id), "password": self.key}
        return SipAccount((HOST, PORT), **{**fields, **others})

    def leftovers(self) -> list[str]:
        """What outlived its call: empty `SETTLED` seconds after every story."""
        agent = self.agent
        left = self.server.leftovers()
        left += [f"RTP ports in use: {self.pool.in_use}"] if self.pool.in_use else []
        left += [f"RTP ports at rest: {self.pool.resting}"] if self.pool.resting else []
        left += [f"dialogs: {len(agent.dialogs)}"] if len(agent.dialogs) else []
        left += [f"transactions: {len(agent.transactions)}"] if len(agent.transactions) else []
        left += [f"on the wheel: {len(self.wheel)}"] if len(self.wheel) else []
        left += [f"arriving: {one}" for one in agent._arriving]
        left += [f"in calls: {one}" for one in agent._in_calls]
        bound = {place for place in self.network.bound if place != (HOST, PORT)}
        return left + [f"bound: {place}" for place in sorted(bound)]


_is_flow: type[Flow] = MemoryFlow
_is_flows: type[Flows] = MemoryFlows
