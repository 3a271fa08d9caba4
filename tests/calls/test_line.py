"""DialplanLine: a transfer that the dialplan makes, when it has said that it will."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.context import CallContext, MemoryContexts
from rapida_tw.calls.line import DialplanLine
from rapida_tw.errors import NotSupported


class DialplanLineTests(SynchronousTestCase):
    """The note for the dialplan."""

    def setUp(self) -> None:
        self.contexts = MemoryContexts(Clock())
        self.addCleanup(self.contexts.close)

    def line(self, metadata: Mapping[str, str]) -> DialplanLine:
        context = CallContext(1, 2, 3, "asterisk", metadata=metadata, id="an-id")
        return DialplanLine(context, self.contexts)

    def note(self) -> str:
        return self.successResultOf(self.contexts.fetch("an-id"))

    def test_left(self) -> None:
        """The target is left where the dialplan fetches it."""
        self.successResultOf(self.line({"transfer": "1"}).transfer("300"))
        self.assertEqual(self.note(), "300")

    def test_not_announced(self) -> None:
        """A dialplan that did not announce it would only hang up: not supported."""
        for metadata in ({}, {"transfer": "0"}):
            self.failureResultOf(self.line(metadata).transfer("300"), NotSupported)
            self.assertEqual(self.note(), "")

    def test_asks(self) -> None:
        """A dialplan of which it is known otherwise."""
        context = CallContext(1, 2, 3, "asterisk", id="an-id")
        self.successResultOf(DialplanLine(context, self.contexts, asks=True).transfer("300"))
        self.assertEqual(self.note(), "300")

    def test_newest(self) -> None:
        """A second transfer takes the place of the first."""
        line = self.line({"transfer": "1"})
        for target in ("300", "200"):
            self.successResultOf(line.transfer(target))
        self.assertEqual(self.note(), "200")

    def test_withdrawn(self) -> None:
        """A call that ends otherwise goes nowhere."""
        line = self.line({"transfer": "1"})
        self.successResultOf(line.transfer("300"))
        line.withdraw()
        self.assertEqual(self.note(), "")

    def test_nothing_to_withdraw(self) -> None:
        """Without a transfer the context store is not asked."""
        self.successResultOf(self.contexts.leave("an-id", "somebody else's"))
        self.line({"transfer": "1"}).withdraw()
        self.assertEqual(self.note(), "somebody else's")
