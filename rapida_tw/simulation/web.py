"""VirtualWeb: the HTTP port of a virtual server, and the farm's carriers that call it there.

A story's phase 1 is a real request to the real routes, its phase 2 a real upgrade, all in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.web.server import Site

from rapida_tw.service import carriers
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.exchange import Connect, Exchange
from rapida_tw.sim.farm import Callee
from rapida_tw.sim.http import real_http
from rapida_tw.sim.memory_http import MemoryEndpoint, memory_http
from rapida_tw.sim.tls_records import OneFrameARecord
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.simulation.server import HOST, VirtualServer, done
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import Conversation
from rapida_tw.transports.door import Door
from rapida_tw.transports.media_socket import MediaSockets
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.messages import Writing
from rapida_tw.web.peer import Proxies
from rapida_tw.web.site import WebDependencies, build_site

P = ParamSpec("P")
T = TypeVar("T")

ANSWER_WITHIN = 5.0  # seconds that the carriers wait for an answer by HTTP


class VirtualWeb:
    """`scheme` is the public one: behind a proxy that speaks TLS ("https"), or without ("http")."""

    def __init__(
        self, server: VirtualServer, scheme: str = "https", writing: Writing | None = None
    ) -> None:
        self.server = server
        calls = server.calls
        self.door = Door(server.clock, calls.claim, calls.attach, calls.release, calls.abandon)
        keys = Keys(server.database, server.ids, server.now)
        _, key = done(keys.create(server.project_id, "virtual"))
        self.credentials = server.credentials
        proxies = Proxies()
        self.site: Site = build_site(
            WebDependencies(
                clock=server.clock,
                in_thread=_in_thread,
                keys=keys,
                assistants=server.assistants,
                credentials=self.credentials,
                conversations=server.conversations,
                calls=calls,
                carriers=carriers(),
                speech={},
                models=server.vendors.models,
                draw=_draw,
                address=PublicAddress(HOST, scheme, proxies),
                proxies=proxies,
                sockets=MediaSockets(self.door),
                now=server.now,
                writing=writing,
            )
        )
        self.callee = Callee(f"{scheme}://{HOST}", str(server.assistant_id), key)
        client = memory_http(server.network, server.clock, lambda host, port: self.site)
        self.http = real_http(server.clock, ANSWER_WITHIN, client)

    def call(
        self,
        carrier: FakeCarrier,
        caller: Caller,
        script: deque[str | None],
        *,
        strict: bool = True,
        one_frame_a_record: bool = False,
        set_up: float = 0.0,
    ) -> Deferred[WebSocketLine]:
        """Both phases; fires when the line is up, errbacks with `CallFailed`.

        `script` is what the recogniser will understand. `strict`: a message of ours that the
        carrier would complain about ends the call. `one_frame_a_record`: see sim/tls_records.py.
        `set_up`: seconds that the carrier takes between the phases.
        """

        def connect(media: Media, line: WebSocketLine) -> Deferred[object]:
            # Not sooner: the webhook opens a recogniser too, to see whether it can be.
            self.server.ears.scripts.append(script)
            client = OneFrameARecord(line) if one_frame_a_record else line
            if not set_up:
                return self.connect(client)
            waiting: Deferred[None] = deferLater(self.server.clock, set_up)
            return waiting.addCallback(lambda _: self.connect(client))

        return self._exchange(connect).call(carrier, caller, strict=strict)

    def report(self, carrier: FakeCarrier, line: WebSocketLine) -> Deferred[list[int]]:
        """What the carrier reports of the call; fires at its end with the answers' status."""
        return self._exchange(lambda media, line: self.connect(line)).report(carrier, line)

    def _exchange(self, connect: Connect) -> Exchange:
        return Exchange(self.http, connect, self.server.metronome, self.server.now)

    def connect(self, client: Protocol) -> Deferred[object]:
        """A TCP connection to the port."""
        endpoint = MemoryEndpoint(self.server.network, self.site)
        connecting: Deferred[object] = connectProtocol(endpoint, client)
        return connecting

    def leftovers(self) -> list[str]:
        """What outlived its call: empty after every story."""
        left = self.server.leftovers()
        left += [f"media socket: {socket}" for socket in self.door.sockets]
        left += [f"waiting to start: {self.door.waiting}"] if self.door.waiting else []
        return left


def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """There are no threads in virtual time."""
    return maybeDeferred(function, *args, **kwargs)


def _draw(wav: Path, conversation: Conversation) -> bytes:
    raise NotImplementedError("no pictures in virtual time")
