"""A conversation by WhatsApp over the real routes, with Twilio's own signatures."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.simulation.web import VirtualWeb
from tests.messaging.case import HOOK, NUMBER, PERSON, MessagingCase


class StoryTests(MessagingCase):
    """The farm's Twilio asks our webhooks by HTTP, and is asked by HTTP."""

    def setUp(self) -> None:
        super().setUp()
        self.web = VirtualWeb(self.server, writing=self.messaging)
        self.answers: list[HttpAnswer] = []
        self.hook = HOOK.replace("/1", f"/{self.server.assistant_id}")

    def _callback(self, request: HttpRequest) -> Deferred[HttpAnswer]:
        return self.web.http(request).addCallback(self._answered)

    def _answered(self, answer: HttpAnswer) -> HttpAnswer:
        self.answers.append(answer)
        return answer

    def write_by_http(self, text: str, hook: str = "", **more: str) -> HttpAnswer:
        request = self.rest.messages.written(hook or self.hook, PERSON, text, NUMBER, **more)
        asking = self._callback(request)
        self.wait(0.1)
        return self.successResultOf(asking)

    def test_conversation(self) -> None:
        """A message in, an empty answer; the reply out, and what became of it."""
        answer = self.write_by_http("¿Hola? & so on")
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"Message", answer.body)
        self.assertEqual(self.model.run.messages[-1], ("user", "¿Hola? & so on"))
        self.model.run.answer("Good day.")
        self.wait(5)
        self.assertEqual(self.read, ["Good day."])
        self.assertEqual(
            self.events(), ["message.queued", "message.sent", "message.delivered", "message.read"]
        )
        self.assertEqual([one.status for one in self.answers[1:]], [201] * 3)

    def test_older_address(self) -> None:
        """The older address takes the same messages, and knows those of the other."""
        older = self.hook.replace("/whatsapp/", "/twilio/whatsapp/")
        self.write_by_http("Hello?", older, MessageSid="SM1")
        self.write_by_http("Hello?", MessageSid="SM1")
        self.assertEqual(len(self.model.runs), 1)

    def test_stranger(self) -> None:
        """Who does not know the account's token changes nothing."""
        request = self.rest.messages.written(self.hook, PERSON, "Hi", NUMBER)
        headers = {**request.headers, "X-Twilio-Signature": "AAAA"}
        forged = HttpRequest(request.method, request.url, headers, request.body)
        asking = self._callback(forged)
        self.wait(0.1)
        self.assertEqual(self.successResultOf(asking).status, 403)
        self.assertEqual(self.conversations(), [])
