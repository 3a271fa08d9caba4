"""Rapida's own library and our server in one process, which share protobuf's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from rapida_tw.ids import Ids
from rapida_tw.log import wall_clock
from rapida_tw.rpc.services import RpcDependencies, build_rpc
from rapida_tw.rpc.sniffing import HttpPort
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.client_metrics import ClientMetrics
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credential_documents import Known
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.keys import Keys
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant
from rapida_tw.store.telemetry import Telemetry
from rapida_tw.store.vault import Vault
from tests.interop.rpc.sdk import call_request, configuration, rapida
from tests.rpc.services import FakePlacing


class SameProcessTests(TestCase):
    timeout = 60

    async def setUp(self) -> None:  # type: ignore[override]  # as trial has it
        folder = Path(self.mktemp())
        folder.mkdir()
        database = Database(f"sqlite:///{folder}/rapida.db", reactor)
        database.migrate()
        ids = Ids(wall_clock)
        project = await Projects(database, ids, wall_clock).ensure()
        self.keys = Keys(database, ids, wall_clock)
        assistants = Assistants(database, ids, wall_clock)
        self.assistant = await assistants.create(Assistant(0, project, "Ada"))
        _, key = await self.keys.create(project, "test")
        self.placing = FakePlacing(ids, wall_clock)
        self.rpc = build_rpc(
            RpcDependencies(
                _time(),
                self.keys,
                assistants,
                Credentials(database, Vault(lambda: "key of a test"), ids, wall_clock),
                Conversations(database, wall_clock, "here"),
                ClientMetrics(database),
                Telemetry(database),
                self.placing,
                _nothing,
                lambda: "",
                wall_clock,
            )
        )
        self.database = database
        port = HttpPort(Site(Resource()), self.rpc, _time())
        self.listening = _time().listenTCP(0, port, interface="127.0.0.1")
        self.address = f"127.0.0.1:{self.listening.getHost().port}"
        self.sdk = configuration(self.address, key)

    async def tearDown(self) -> None:  # type: ignore[override]  # as trial has it
        await self.listening.stopListening()
        await self.rpc.stop()
        await self.database.close()

    def place(self, sdk: Any, to: str) -> Deferred[Any]:
        return deferToThread(rapida.create_phone_call, sdk, call_request(self.assistant.id, to))

    async def test_a_call(self) -> None:
        """From one thread to the reactor's."""
        answer = await self.place(self.sdk, "+15550111")
        self.assertTrue(answer.success, answer)
        self.assertEqual(self.placing.dialled[0].callee, "+15550111")
        refused = await self.place(self.sdk, "")
        self.assertEqual(refused.error.errorCode, 1002003)

    async def test_several(self) -> None:
        """At once."""
        numbers = [f"+155501{one:02}" for one in range(20)]
        answers = await gatherResults([self.place(self.sdk, one) for one in numbers])
        self.assertEqual([one.data.identifier for one in answers], numbers)

    async def test_no_key(self) -> None:
        """The library's user sees why."""
        try:
            await self.place(configuration(self.address, "rpd-wrong"), "+15550111")
        except grpc.RpcError as refused:
            self.assertIs(refused.code(), grpc.StatusCode.UNAUTHENTICATED)
        else:
            self.fail("it was let in")


async def _nothing() -> Known:
    return {}


def _time() -> Any:
    return reactor
