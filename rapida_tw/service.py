"""The composition root: the one place that knows everybody. It reads top to bottom as the house."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from treq.client import HTTPClient
from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.client import Agent, HTTPConnectionPool

from rapida_tw import telephones
from rapida_tw.calls.calls import Calls
from rapida_tw.calls.context import ContextStore, MemoryContexts
from rapida_tw.calls.everywhere import Everywhere
from rapida_tw.calls.journal import Journal
from rapida_tw.calls.reception import Reception
from rapida_tw.calls.redis_contexts import RedisContexts
from rapida_tw.calls.toolset import Makers
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.carriers.base import Carrier
from rapida_tw.closing import close_connections
from rapida_tw.config.secret_key import former_key, secret_key
from rapida_tw.config.sections import Config
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.first_run import announce, install
from rapida_tw.garbage import EVERY, Garbage
from rapida_tw.http_service import HttpService
from rapida_tw.ids import Ids
from rapida_tw.listening import CannotStart, Listening, tcp
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.messaging.messaging import Messaging
from rapida_tw.models.live import LiveModelProvider
from rapida_tw.net.mcp import McpThread
from rapida_tw.net.service import RealNet
from rapida_tw.number_insights import number_insights
from rapida_tw.picture import draw
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.pipeline.mcp_tools import Toolkits
from rapida_tw.plug_ins import installed_vendors
from rapida_tw.sip.trunk import PROVIDER as SIP
from rapida_tw.sip_service import SipService
from rapida_tw.sip_telephone import SipTelephone
from rapida_tw.speech.base import (
    Host,
    Registry,
)
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.campaign_queue import CampaignQueue
from rapida_tw.store.campaigns import Campaigns as StoredCampaigns
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.opening import open_database
from rapida_tw.store.placements import Placements as StoredPlacements
from rapida_tw.store.projects import Projects
from rapida_tw.store.redis import Redis
from rapida_tw.store.redis_bus import RedisBus
from rapida_tw.store.threads import Threads
from rapida_tw.store.vault import Vault
from rapida_tw.transports.audiosocket import AudioSocketFactory
from rapida_tw.transports.door import Door
from rapida_tw.transports.media_socket import MediaSockets
from rapida_tw.transports.reading import BeatReader
from rapida_tw.trunks import EVERY as EVERY_TRUNK
from rapida_tw.trunks import Trunks
from rapida_tw.vendor_login import VendorLogin
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from rapida_tw.web.site import WebDependencies
from rapida_tw.webhook_service import guarded_webhooks

CONNECT_WITHIN = 5.0  # seconds for our own HTTP requests


def build(config: Config, reactor: Any, now: Callable[[], float]) -> House:
    """Everything, wired and not yet started; ConfigError when it cannot be."""
    return House(config, reactor, now)


class House(MultiService):
    """The server. Public attributes serve the demo, the tests and embedding programs."""

    _log = Logger()

    def __init__(self, config: Config, reactor: Any, now: Callable[[], float]) -> None:
        super().__init__()
        self.config = config
        self._reactor = reactor
        self._now = now
        ids = Ids(now)

        # What survives a restart.
        self.database = open_database(config.database.url, reactor)
        vault = Vault(partial(secret_key, config.server), partial(former_key, config.server))
        self.assistants = Assistants(self.database, ids, now, vault)
        self._passwords = KeyTexts(self.database, vault, now)
        self.keys = Keys(self.database, ids, now, self._passwords)
        self.credentials = Credentials(self.database, vault, ids, now)
        self.projects = Projects(self.database, ids, now)
        self.conversations = Conversations(self.database, now, _node(config))
        self.journal = Journal(reactor, self.conversations, now)

        # What waits for its call.
        self._redis = Redis(config.redis.url, reactor) if config.redis.url else None
        self.contexts: ContextStore = (
            RedisContexts(self._redis) if self._redis else MemoryContexts(reactor)
        )

        bus = None
        if self._redis is not None:
            bus = RedisBus(self._redis)
            bus.setServiceParent(self)

        # The media plane.
        self.beat = MediaClock(reactor)
        self._disk = RecordingDisk(reactor.callFromThread) if config.recording.enabled else None
        recordings = config.recording.directory

        # Who hears, speaks and thinks.
        self._net = RealNet(reactor)
        host = Host(reactor, config.server.data_dir, self._net, now)
        self._lives = Registry[LiveModelProvider]("rapida_tw.live_models", host)
        self.vendors = installed_vendors(config, host, self._lives)
        agent = Agent(reactor, connectTimeout=CONNECT_WITHIN, pool=HTTPConnectionPool(reactor))

        self._mcp = McpThread(reactor)
        # By the carrier's name; SIP is added when its agent is there.
        self._telephones = telephones.outside(config, carriers(), self._net, reactor, now)

        makers = Makers(
            # A client each: one assistant's cookies are not another's.
            lambda definition: HttpTool(definition, HTTPClient(agent), reactor),
            Toolkits(self._mcp, reactor).toolkit,
        )

        # The calls.
        self.calls = Calls(
            reactor,
            self.beat,
            self.contexts,
            self.assistants,
            self.credentials,
            self.conversations,
            self.journal,
            self.vendors,
            makers,
            ids,
            now,
            config.server.max_calls,
            recordings,
            self._disk,
            self._telephones,
        )
        self.placing = self.calls.placements(
            StoredPlacements(self.database, now, _node(config)),
            telephones.rules(config.outbound, reactor),
            telephones.settings(config),
            config.outbound.reserve,
        )
        self.everywhere = Everywhere(self.calls, self.placing, bus, reactor, _node(config))
        self.calls.verdict_elsewhere = self.everywhere.verdict

        # Whom webhooks tell.
        self.webhooks = guarded_webhooks(
            reactor,
            self.database,
            self.assistants,
            self.credentials,
            self.conversations,
            self.journal,
            config.webhooks,
            ids,
            now,
            _node(config),
        )

        self.campaigns = CampaignService(
            reactor,
            StoredCampaigns(self.database, ids, now),
            CampaignQueue(self.database, ids, now),
            self.assistants,
            self.placing,
            self.conversations,
            self.calls.outstanding.watchers,
            telephones.limits(config.outbound),
            lambda: self.calls.room_to_dial,
            partial(deferToThreadPool, reactor, reactor.getThreadPool()),
            _node(config),
            now,
        )

        # Those who write.
        self.messaging = Messaging(
            reactor,
            self.assistants,
            self.credentials,
            self.conversations,
            Threads(self.database, now),
            self.journal,
            self.vendors,
            makers,
            self._net,
            ids,
            now,
            self.calls,
        )

        garbage = Garbage(lambda: len(self.calls), lambda: self.calls.ended)
        looking = TimerService(EVERY, garbage.look)
        looking.clock = reactor
        looking.setServiceParent(self)

        # The open ports.
        claim = partial(self.calls.claim, carrier="asterisk")
        reader = BeatReader(self.beat.read_with)
        self._audiosocket = AudioSocketFactory(reactor, claim, self.calls.attach, reader)
        self._door = Door(
            reactor,
            self.calls.claim,
            self.calls.attach,
            self.calls.release,
            self.calls.abandon,
            reader,
        )
        self.sip = self._sip(reader) if config.sip.enabled else None
        self.http = HttpService(self._web(), self.database, self.messaging)
        self.http.setServiceParent(self)
        self.listening = Listening(reactor, self._ports())
        self.listening.setServiceParent(self)

    def _sip(self, reader: BeatReader) -> SipService:
        reception = Reception(self.calls, self.keys, self._passwords, self.assistants)
        sip = SipService(self.config.sip, self._reactor, self.beat, reader, reception, self._now)
        sip.setServiceParent(self)
        self._telephones[SIP] = SipTelephone(sip.agent, self._reactor)
        looking = TimerService(EVERY_TRUNK, Trunks(self.credentials, sip.trunks_changed).look)
        looking.clock = self._reactor
        looking.setServiceParent(self)
        return sip

    def _web(self) -> WebDependencies:
        server = self.config.server
        proxies = Proxies(self.config.http.trusted_proxies)
        return WebDependencies(
            clock=self._reactor,
            in_thread=partial(deferToThreadPool, self._reactor, self._reactor.getThreadPool()),
            keys=self.keys,
            assistants=self.assistants,
            credentials=self.credentials,
            conversations=self.conversations,
            calls=self.calls,
            placing=self.placing,
            everywhere=self.everywhere,
            campaigns=self.campaigns,
            writing=self.messaging,
            carriers=carriers(),
            speech={
                "recognizers": self.vendors.recognizers,
                "synthesizers": self.vendors.synthesizers,
                "detectors": self.vendors.detectors,
                "live_models": self._lives,
            },
            models=self.vendors.models,
            draw=draw,
            address=PublicAddress(server.public_host, server.public_scheme, proxies),
            proxies=proxies,
            sockets=MediaSockets(self._door),
            now=self._now,
            recordings=self.config.recording.directory,
            metrics=self.config.metrics.enabled,
            deliverer=self.webhooks,
            insights=number_insights(self.credentials, self._net, self._reactor, self._now),
            telephones=self._telephones,
            vendor_login=VendorLogin(self.vendors.recognizers, self.vendors.synthesizers),
        )

    def _ports(self) -> list[tuple[str, str, IProtocolFactory]]:
        config = self.config
        http = [config.http.endpoint]
        http += [tcp(config.http.host, port) for port in config.http.also_ports]
        ports: list[tuple[str, str, IProtocolFactory]] = [
            ("HTTP", endpoint, self.http.factory) for endpoint in http
        ]
        if config.audiosocket.enabled:
            ports.append(("AudioSocket", config.audiosocket.endpoint, self._audiosocket))
        return ports

    # -- life ------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        with self._all_or_nothing():
            self._make_files()
            super().privilegedStartService()

    def startService(self) -> None:
        with self._all_or_nothing():
            super().startService()
            if self._disk is not None:
                self._disk.start()
            if self._redis is not None:
                self._redis.startService()
            try:
                chosen = self.vendors.warm_up()
            except MisconfiguredAssistant as error:
                where = f"[speech] or [model] in {self.config.source}"
                raise CannotStart(f"{where}: {error}") from error
        for line in chosen:
            self._log.info("{line}", line=line)
        beginning = Deferred.fromCoroutine(self._begin())
        beginning.addErrback(lambda failure: self._log.failure("at start-up", failure))

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """A start that fails leaves no thread behind: it would keep the process up, and deaf."""
        try:
            yield
        except BaseException:
            if self._disk is not None:
                self._disk.stop()
            self.database.close_now()
            raise

    async def _begin(self) -> None:
        began = self._now()
        count = await self.conversations.close_unfinished(began)
        if count:
            self._log.warn("cut off by the last stop: {count} calls", count=count)
        await self.webhooks.start(began)
        # Only now: what is still open in the history is not dialled by anybody.
        self.campaigns.setServiceParent(self)
        announce(await install(self.projects.ensure, self.keys, self.assistants))

    def _make_files(self) -> None:
        try:
            secret_key(self.config.server)  # the first start makes it
            for folder in (self.config.server.data_dir, self.config.recording.directory):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = error.filename or self.config.server.data_dir
            raise CannotStart(f"{what} cannot be used: {error.strerror}") from error

    def stopService(self) -> Deferred[None]:
        """Drain, then close everything in the reverse order of its making."""
        return Deferred.fromCoroutine(self._stop())

    def hurry(self) -> None:
        """Somebody asks a second time: do not wait for the calls any longer."""
        self._log.info("asked again: the calls are ended now")
        self.calls.hurry()

    async def _stop(self) -> None:
        if self.sip is not None:
            self.sip.drain()
        writing = self.messaging.stop()  # meanwhile
        await self.calls.drain(self.config.server.drain_seconds)
        await writing
        self._audiosocket.accepting = False
        await telephones.stop(self._telephones)
        await MultiService.stopService(self)
        await close_connections(self._reactor, self._audiosocket, self._door)
        await self.vendors.stop()
        await self._net.stop()
        await self._mcp.stop()
        if self._disk is not None:
            await self._disk.stop()
        await self.journal.close()
        await self.webhooks.stop()
        if isinstance(self.contexts, MemoryContexts):
            self.contexts.close()
        if self._redis is not None:
            await self._redis.stopService()
        await self.database.close()
        if getattr(self._reactor, "_exitSignal", None) == signal.SIGTERM:
            # twistd would now die of this signal again. But what it asked for has been done, to the
            # last entry in the journal: exit status 0 says so.
            self._reactor._exitSignal = None


def carriers() -> dict[str, Carrier]:
    """Every installed carrier, by its name."""
    return {point.name: point.load() for point in entry_points(group="rapida_tw.carriers")}


def _node(config: Config) -> str:
    """The worker's name: no two that run at once share it."""
    return config.server.node or f"{socket.gethostname()}:{config.http.port}"
