"""The HTTP port's service: REST, webhooks and media sockets by HTTP/1.1, and gRPC by HTTP/2."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from rapida_tw.messaging.messaging import Messaging
from rapida_tw.rpc.assistant_talk import AssistantTalk
from rapida_tw.rpc.services import RpcDependencies, build_rpc
from rapida_tw.rpc.sniffing import HttpPort
from rapida_tw.sip import trunk
from rapida_tw.store.client_metrics import ClientMetrics
from rapida_tw.store.credential_documents import Known, known_fields
from rapida_tw.store.database import Database
from rapida_tw.store.telemetry import Telemetry
from rapida_tw.web.site import WebDependencies, build_site


class HttpService(Service):
    """`factory` is what all HTTP ports listen with."""

    def __init__(
        self, web: WebDependencies, database: Database, messaging: Messaging | None = None
    ) -> None:
        self._web = web
        self._declared: Known | None = None
        talk = None
        if messaging is not None:
            talk = AssistantTalk(web.clock, messaging.visits, messaging.overheard, web.now)
        self.rpc = build_rpc(
            RpcDependencies(
                web.clock,
                web.keys,
                web.assistants,
                web.credentials,
                web.conversations,
                ClientMetrics(database),
                Telemetry(database),
                web.placing,
                self._known,
                lambda: web.calls.ready,
                web.now,
                talk,
                None if web.campaigns is None else web.campaigns.queue,
                web.deliverer,
            )
        )
        self.factory = HttpPort(build_site(web), self.rpc, web.clock)

    def stopService(self) -> Deferred[None]:
        """Fires when gRPC's connections are closed, which is after five seconds at the latest."""
        super().stopService()
        return self.rpc.stop()

    async def _known(self) -> Known:
        """In a thread, once: importing thirty plug-ins takes longer than a frame of a call."""
        if self._declared is None:
            plugins = (*self._web.speech.values(), self._web.models)
            vendors = [await self._web.in_thread(one.declared) for one in plugins]
            carriers = known_fields(self._web.carriers, *vendors)
            self._declared = {**carriers, trunk.PROVIDER: trunk.CREDENTIAL_FIELDS}
        return self._declared
