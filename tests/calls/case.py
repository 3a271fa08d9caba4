"""What the tests of calls share: a server in virtual time, whose calls are made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.context import CallContext
from rapida_tw.calls.journal import EVERY
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.media.leg import LegListener
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.store.records import Conversation
from tests.calls.fakes import HeldDisk, RecordingLeg

INCOMING = IncomingCall("asterisk", "100", "200", "chan-1", {"order": "17"})


class CallsCase(SynchronousTestCase):
    max_calls = 0
    deployment: Mapping[str, Any] = {"greeting": "Hello."}

    def setUp(self) -> None:
        self.disk = HeldDisk()
        self.server = VirtualServer(
            {"otherwise": "Pardon?"},
            self.deployment,
            max_calls=self.max_calls,
            disk=self.disk,  # type: ignore[arg-type]
        )
        self.calls = self.server.calls
        self.project = self.server.project_id
        self.legs: list[RecordingLeg] = []
        self.names = 0
        self.addCleanup(self._hang_up_all)

    def _hang_up_all(self) -> None:
        for view in self.calls.live(self.project):
            self.calls.hang_up(view.id, self.project)

    def register(self, assistant_id: int = 0) -> Deferred[CallContext]:
        """A call with a name of its own."""
        self.names += 1
        incoming = replace(INCOMING, provider_call_id=f"chan-{self.names}")
        assistant_id = assistant_id or self.server.assistant_id
        registering = self.calls.register(incoming, assistant_id, self.project)
        return registering.addCallback(lambda registered: registered.context)

    def registered(self) -> CallContext:
        """The same, registered already."""
        return self.successResultOf(self.register())

    def claim_of(self, context: CallContext) -> Deferred[Claimed]:
        return self.calls.claim(context.id, "asterisk")

    def claim(self) -> Claimed:
        return self.successResultOf(self.claim_of(self.registered()))

    def attach(self, claimed: Claimed) -> LegListener:
        self.legs.append(RecordingLeg())
        return self.calls.attach(claimed, self.legs[-1])

    def connect(self) -> tuple[int, LegListener]:
        claimed = self.claim()
        return claimed.context.conversation_id, self.attach(claimed)

    def wait(self, seconds: float = 2 * EVERY) -> None:
        self.server.clock.run(self.server.clock.seconds() + seconds)

    def conversation(self, conversation_id: int) -> Conversation:
        self.wait()
        found: Conversation = done(self.server.conversations.get(conversation_id))
        return found

    def newest(self) -> Conversation:
        page = done(self.server.conversations.page(self.project, 1, 1))
        return self.conversation(page.items[0].id)

    def nothing_left(self) -> None:
        """Neither a call nor a timer, once the context store has forgotten all as well."""
        self.server.contexts.close()
        self.wait()
        self.assertEqual(self.server.leftovers(), [])
