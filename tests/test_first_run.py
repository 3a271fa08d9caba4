"""The first start: something worth calling, made once."""

from __future__ import annotations

from rapida_tw.carriers.base import IncomingCall
from rapida_tw.first_run import Installed, install
from rapida_tw.simulation import VirtualServer
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.keys import Keys
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import Assistant
from tests.store.case import StoreCase


class InstallTests(StoreCase):
    """Over an empty store, and over one that is not."""

    def setUp(self) -> None:
        super().setUp()
        self.projects = Projects(self.database, self.ids, self.clock.seconds)
        self.keys = Keys(self.database, self.ids, self.clock.seconds)
        self.assistants = Assistants(self.database, self.ids, self.clock.seconds)

    def install(self) -> Installed:
        return self.successResultOf(install(self.projects.ensure, self.keys, self.assistants))

    def test_first(self) -> None:
        """A project, a key whose text is told, and an assistant with its deployment."""
        installed = self.install()
        self.assertTrue(installed.made)
        key = self.successResultOf(self.keys.check(installed.api_key))
        self.assertEqual(key.project_id, installed.project_id)
        assistant = self.successResultOf(
            self.assistants.get(installed.assistant_id, installed.project_id)
        )
        self.assertTrue(assistant.name)
        deployment = self.successResultOf(self.assistants.deployment(assistant.id))
        self.assertTrue(deployment.greeting)

    def test_again(self) -> None:
        """The second start makes nothing, and cannot tell the key."""
        first = self.install()
        self.assertEqual(self.install(), Installed(first.project_id, "", first.assistant_id, False))
        self.assertEqual(self.successResultOf(self.assistants.page(first.project_id)).total, 1)

    def test_revoked(self) -> None:
        """An installation whose keys are all revoked gets a new one, and keeps its assistant."""
        first = self.install()
        key = self.successResultOf(self.keys.check(first.api_key))
        self.successResultOf(self.keys.revoke(key.id))
        second = self.install()
        self.assertEqual((second.assistant_id, second.made), (first.assistant_id, True))
        self.assertNotIn(second.api_key, ("", first.api_key))

    def test_own_assistant(self) -> None:
        """Who has an assistant gets no other beside it."""
        mine = self.successResultOf(self.assistants.create(Assistant(0, self.project, "mine")))
        installed = self.install()
        self.assertEqual((installed.assistant_id, installed.made), (mine.id, True))
        self.assertEqual(self.successResultOf(self.assistants.page(self.project)).total, 1)

    def test_takes_calls(self) -> None:
        """The assistant that was made can be called with the parts that need nothing."""
        server = VirtualServer({"otherwise": "Pardon?"}, {})
        assistants = Assistants(server.database, self.ids, server.now)
        self.successResultOf(assistants.delete(server.assistant_id, server.project_id))
        keys = Keys(server.database, self.ids, server.now)
        projects = Projects(server.database, self.ids, server.now)
        installed = self.successResultOf(install(projects.ensure, keys, assistants))
        registering = server.calls.register(
            IncomingCall("asterisk", "100"), installed.assistant_id, installed.project_id
        )
        self.assertTrue(self.successResultOf(registering).context.id)
