"""What an assistant's own definitions get wrong is told at the webhook, not to a caller."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from treq.client import HTTPClient
from twisted.internet.testing import MemoryReactorClock
from twisted.web.client import Agent

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.simulation import done
from rapida_tw.store.records import JSON, PromptMessage
from tests.calls.case import CallsCase

REQUEST = {
    "name": "orders",
    "executionMethod": "api_request",
    "options": {"tool.endpoint": "https://shop.example/orders"},
}
TRANSFER = {"name": "transfer_call", "options": {"tool.transfer_to": "200"}}


class RehearsalTests(CallsCase):
    def setUp(self) -> None:
        super().setUp()
        client = HTTPClient(Agent(MemoryReactorClock()))

        def make(definition: JSON) -> HttpTool:
            return HttpTool(definition, client, self.server.clock)

        makers = replace(self.calls._makers, http=make)
        for place in (self.calls, self.calls._registration._rehearse):
            self.patch(place, "_makers", makers)

    def change(self, **changes: Any) -> None:
        """Change the assistant."""
        store = self.server.assistants
        assistant = done(store.get(self.server.assistant_id))
        done(store.update(replace(assistant, **changes)))

    def deploy(self, **changes: Any) -> None:
        store = self.server.assistants
        deployment = done(store.deployment(self.server.assistant_id))
        done(store.deploy(replace(deployment, **changes)))

    def refused(self) -> str:
        """What the webhook says; nothing is saved, and no call waits."""
        failure = self.failureResultOf(self.register(), MisconfiguredAssistant)
        self.assertEqual(done(self.server.conversations.page(self.project)).total, 0)
        self.nothing_left()
        return failure.getErrorMessage()

    def test_fine(self) -> None:
        """Good definitions are tried and leave nothing behind: the call is what it would be."""
        self.deploy(greeting="Hello {{ args.order }}, it is {{ system.day_of_week }}.")
        self.change(tools=(REQUEST, TRANSFER))
        id, _ = self.connect()
        self.wait(2.0)
        said = [e.value for e in self.conversation(id).entries if e.kind == "message"]
        self.assertTrue(said[0].startswith("Hello 17, it is "))

    def test_templates(self) -> None:
        """Greeting, messages and prompt, what cannot be read and what cannot be rendered."""
        for bad in ("{% for %}", "{{ cycler() }}", "{{ 'a' < 5 }}"):
            for name in ("greeting", "error_message", "idle_message"):
                self.deploy(**{name: bad})
                self.assertIn("template", self.refused())
                self.deploy(**{name: ""})
            self.change(prompt=(PromptMessage("system", bad),))
            self.assertIn("template", self.refused())
            self.change(prompt=())

    def test_arguments(self) -> None:
        """A template is tried with what this call brings along: order is "17"."""
        self.deploy(greeting="{% if args.order < 5 %}{% endif %}")
        self.assertIn("template", self.refused())

    def test_tools(self) -> None:
        """Tools that cannot work."""
        for bad in (
            {"name": "fly"},
            {"name": "transfer_call"},
            {**REQUEST, "options": {"tool.endpoint": "ftp://shop.example"}},
            {**REQUEST, "name": "or ders"},
        ):
            self.change(tools=(bad,))
            self.assertIn("tool", self.refused())

    def test_spoken(self) -> None:
        """The caller is told with the assistant's own words, where the carrier can speak."""
        self.deploy(error_message="Please write to us.")
        self.change(tools=({"name": "fly"},))
        failure = self.failureResultOf(self.register(), MisconfiguredAssistant)
        self.assertEqual(failure.value.spoken, "Please write to us.")
