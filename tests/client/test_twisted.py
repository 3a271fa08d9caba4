"""The client whose methods return Deferreds."""

from __future__ import annotations

import json
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from rapida_tw.client import ConnectionFailed, NotFoundError
from rapida_tw.client import blocking as blocking_module
from rapida_tw.client import twisted as twisted_module
from rapida_tw.client.twisted import Rapida
from tests.client.server import refused, success


class Answers(Resource):
    """Answers in the order of `script`; remembers."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.script: list[Any] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.silent = False
        self.gone: list[Any] = []

    def render(self, request: Any) -> Any:
        body = request.content.read()
        key = request.getHeader("x-api-key")
        self.asked.append(
            (request.method.decode(), request.uri.decode(), json.loads(body) if body else None)
        )
        assert key == "rpd-secret"
        if self.silent:
            request.notifyFinish().addErrback(self.gone.append)
            request.write(b" ")
            return NOT_DONE_YET
        status, document, headers = self.script.pop(0)
        request.setResponseCode(status)
        for name, value in headers.items():
            request.setHeader(name, value)
        return json.dumps(document).encode()


class TwistedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.answers = Answers()
        self.agent = RequestTraversalAgent(self.answers)
        self.rapida = self.client(self.agent)

    def client(self, agent: Any) -> Rapida:
        return Rapida(
            "rpd-secret", "http://server.example/below", reactor=self.clock, agent=agent, timeout=9
        )

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_create(self) -> None:
        """The same names, the same result."""
        self.answers.script = [success({"id": "9", "status": "queued"})]
        placed = self.successResultOf(
            self.rapida.calls.create(assistant_id=5, to_number="+15550100", idempotency_key="k")
        )
        self.assertEqual((placed.conversation.id, placed.status), ("9", "queued"))
        ((method, target, body),) = self.answers.asked
        self.assertTrue(target.endswith("/below/v1/calls"))
        self.assertEqual((method, body["idempotencyKey"]), ("POST", "k"))

    def test_error(self) -> None:
        """A failure with the server's words."""
        self.answers.script = [refused(404, "not-found")]
        failure = self.failureResultOf(self.rapida.calls.get(5), NotFoundError)
        self.assertEqual(failure.getErrorMessage(), "so it is")

    def test_retry(self) -> None:
        """After a while, with the same key."""
        self.answers.script = [refused(503, "unavailable"), success({"id": "9"})]
        placing = self.rapida.calls.create(5, "+15550100")
        self.assertNoResult(placing)
        self.clock.advance(0.5)
        self.assertEqual(self.successResultOf(placing).id, "9")
        first, second = self.answers.asked
        self.assertEqual(first, second)

    def test_nobody(self) -> None:
        """It is known that nothing was sent."""

        class Nobody:
            def request(self, *_: Any) -> Deferred[Any]:
                return fail(ConnectionRefusedError())

        hanging_up = self.client(Nobody()).calls.hang_up(5)
        self.clock.pump([0.5, 1.0])
        failure = self.failureResultOf(hanging_up, ConnectionFailed)
        self.assertFalse(failure.value.sent)

    def test_timeout(self) -> None:
        """An attempt has its time; then it may have been done."""
        self.answers.silent = True
        digits = self.rapida.calls.send_digits(5, "1")
        self.agent.flush()
        self.clock.advance(9)
        failure = self.failureResultOf(digits, ConnectionFailed)
        self.assertTrue(failure.value.sent)
        self.agent.flush()
        self.assertEqual(len(self.answers.gone), 1)

    def test_cancelled(self) -> None:
        """The connection is closed, and nothing is tried again."""
        self.answers.silent = True
        listing = self.rapida.calls.list()
        self.agent.flush()
        listing.cancel()
        self.failureResultOf(listing, CancelledError)
        self.agent.flush()
        self.assertEqual(len(self.answers.gone), 1)

    def test_same_names(self) -> None:
        """Both clients have the same operations."""
        for group in ("Calls", "Conversations", "Assistants", "Deployments", "Credentials"):
            names = [
                set(vars(getattr(module, group)(None)))
                for module in (blocking_module, twisted_module)
            ]
            self.assertEqual(names[0], names[1])
