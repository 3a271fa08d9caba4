"""The event socket of one application: opened when calls need it, and opened again when lost.

While it is open the application exists. Channels outlive it, but what happens to them meanwhile is
never told: so all are asked for afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.ari.client import Client
from rapida_tw.ari.refusal import Declined
from rapida_tw.errors import VendorFailed
from rapida_tw.metrics import Counter
from rapida_tw.net.base import Net, Request, Socket, SocketReceiver

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between two attempts
IDLE = 60.0  # seconds that it stays open for nobody

Event = Mapping[str, Any]

losses = Counter("rapida_ari_socket_losses_total", "Event sockets of ARI that broke.")


class Watcher(Protocol):
    """Who minds some channels."""

    def told(self, channel: str, kind: str, event: Event) -> None:
        """Something has happened to it; `kind` is the event's type."""

    def missed(self, channels: Mapping[str, Event]) -> None:
        """The socket was gone for a while: these channels are there now, by their ids."""


class Events:
    """One application's; `over` is called when it is closed for good, because nobody needs it."""

    _log = Logger()

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        client: Client,
        app: str,
        over: Callable[[Events], None],
    ) -> None:
        self.client = client  # of the latest login: passwords change
        self.app = app
        self._net = net
        self._clock = clock
        self._over = over
        self._watchers: dict[str, Watcher] = {}
        self._waiting: list[Deferred[None]] = []
        self._socket: Socket | None = None
        self._connecting: Deferred[Socket] | None = None
        self._reading: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None  # the next attempt, or the end of idleness
        self._pause = FIRST_PAUSE
        self._lost = False  # it was open before
        self._sources: set[str] = set()  # of events, that Asterisk knows we want
        self._stopped = False

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def opened(self) -> Deferred[None]:
        """Fires when it is open; `VendorFailed` when the attempt under way fails."""
        waiting: Deferred[None] = Deferred(self._forget)
        self._waiting.append(waiting)
        if self._socket is not None:
            self._answer(None)
        elif self._connecting is None:
            self._connect()
        return waiting

    def _forget(self, waiting: Deferred[None]) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def _answer(self, error: Exception | None) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if error is None:
                one.callback(None)
            else:
                one.errback(error)

    async def hear(self, source: str) -> bool:
        """Open it, and have all of `source` told: whether that is so. `VendorFailed`.

        A channel can be subscribed to when it is there, and may be gone by then; a trunk before.
        """
        await self.opened()
        if source and source not in self._sources:
            path = f"/applications/{quote(self.app, safe='')}/subscription"
            try:
                await self.client.ask("POST", path, {"eventSource": source})
            except Declined as declined:
                self._log.debug("{source} is not heard: {why}", source=source, why=declined)
                return False
            self._sources.add(source)
        return source in self._sources

    def watch(self, channel: str, watcher: Watcher) -> None:
        self._watchers[channel] = watcher
        if self._socket is not None:
            self._cancel_timer()

    def leave(self, channel: str) -> None:
        """Nothing more of that channel."""
        if self._watchers.pop(channel, None) is not None and not self._watchers:
            self._idle()

    def _idle(self) -> None:
        self._cancel_timer()
        if not self._stopped:
            self._timer = self._clock.callLater(IDLE, self._idled)

    def _idled(self) -> None:
        self._timer = None
        self.stop()
        self._over(self)

    def stop(self) -> None:
        """Close it; whoever waits hears of it."""
        self._stopped = True
        self._cancel_timer()
        for running in (self._connecting, self._reading):
            if running is not None:
                running.cancel()
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
        self._answer(VendorFailed("the server stops", sent=False))

    # -- connecting -------------------------------------------------------------------------------

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _connect(self) -> None:
        self._cancel_timer()
        login = self.client.login
        url = f"{login.sockets}/events?app={quote(self.app, safe='')}"
        request = Request(url, headers={"Authorization": login.authorization})
        self._connecting = connecting = self._net.connect(request, _Receiver(self))
        connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, socket: Socket) -> None:
        self._connecting = None
        if self._stopped:
            socket.close()
            return
        self._socket, self._pause = socket, FIRST_PAUSE
        self._log.info("{host}: events of {app}", host=self.client.login.host, app=self.app)
        if self._lost:
            self._lost = False
            self._read()
        if not self._watchers:
            self._idle()
        self._answer(None)

    def _not_connected(self, failure: Any) -> None:
        self._connecting = None
        if failure.check(CancelledError) or self._stopped:
            return
        error = failure.value
        if not isinstance(error, VendorFailed):
            self._log.failure("an event socket", failure)
            error = VendorFailed("its event socket could not be opened")
        self._log.warn("no events of {app}: {error}", app=self.app, error=error)
        self._later()
        self._answer(error)

    def _later(self) -> None:
        """Try again while there are calls; otherwise who needs it asks for it."""
        if not self._watchers:
            self._idle()
            return
        self._cancel_timer()
        self._timer = self._clock.callLater(self._pause, self._again)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _again(self) -> None:
        self._timer = None
        self._connect()

    # -- what is told -----------------------------------------------------------------------------

    def received(self, payload: bytes) -> None:
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            self._log.warn("{app}: an event that is no JSON", app=self.app)
            return
        if not isinstance(event, dict) or not isinstance(kind := event.get("type"), str):
            return
        if kind == "ApplicationReplaced":
            self._replaced()
            return
        # Dial() tells of two channels; a watcher knows which of them is its own.
        for name in ("channel", "peer"):
            channel = event.get(name)
            if not isinstance(channel, dict):
                continue
            watcher = self._watchers.get(str(channel.get("id", "")))
            if watcher is not None:
                try:
                    watcher.told(str(channel["id"]), kind, event)
                except Exception:
                    self._log.failure("{kind} of a call", kind=kind)

    def _replaced(self) -> None:
        """Another server has the app's name: both would only take it from each other."""
        self._log.error(
            "{host}: another server takes the events of {app}; give it another app or node name",
            host=self.client.login.host,
            app=self.app,
        )
        self._pause = LONGEST_PAUSE
        if self._socket is not None:
            self._socket.close()

    def closed(self, code: int, reason: str) -> None:
        if self._socket is None:
            return
        self._socket, self._lost = None, True
        self._sources.clear()
        if self._stopped:
            return
        losses.inc()
        self._log.warn("{app}: its event socket is gone: {why}", app=self.app, why=reason or code)
        self._later()

    def _read(self) -> None:
        """What has happened meanwhile: those that are watched now, and not those of later."""
        watchers = set(self._watchers.values())
        self._reading = reading = Deferred.fromCoroutine(self._reread(watchers))
        reading.addErrback(lambda f: f.trap(CancelledError))
        reading.addErrback(lambda f: self._log.failure("reading channels again", f))

    async def _reread(self, watchers: set[Watcher]) -> None:
        try:
            found = await self.client.ask("GET", "/channels")
        except (Declined, VendorFailed) as error:
            # The next thing that happens to a channel is told; what was missed stays unknown.
            self._log.warn("{app}: channels not read again: {why}", app=self.app, why=error)
            return
        if not isinstance(found, list):
            return
        there = {str(one.get("id")): one for one in found if isinstance(one, dict)}
        for watcher in watchers:
            try:
                watcher.missed(there)
            except Exception:
                self._log.failure("a call after its events were gone")


class _Receiver:
    """Reads one socket."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def message_received(self, payload: bytes, binary: bool) -> None:
        self._events.received(payload)

    def writable(self, free: bool) -> None:
        """Nothing is sent."""

    def closed(self, code: int, reason: str) -> None:
        self._events.closed(code, reason)


_conforms: type[SocketReceiver] = _Receiver
