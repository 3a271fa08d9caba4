"""Logging in at a vendor of speech: a connection that is opened and closed, where that tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import Account, Lacking
from rapida_tw.errors import MisconfiguredAssistant, NotSupported, VendorFailed
from rapida_tw.speech.base import Host, Registry
from rapida_tw.vendor_login import VendorLogin


class Engine:
    """A recogniser or a voice, and the provider of itself."""

    vendor = "Acme"
    connects = True

    def __init__(self, started: Deferred[None] | None = None) -> None:
        self.started = started or succeed(None)
        self.refusal: Exception | None = None
        self.stopped = 0

    def open(self, options: Any, account: Account) -> Engine:
        account.need("key")
        if self.refusal is not None:
            raise self.refusal
        return self

    def start(self, *sinks: object) -> Deferred[None]:
        return self.started

    def stop(self) -> Deferred[None]:
        self.stopped += 1
        return succeed(None)


class VendorLoginTests(SynchronousTestCase):
    def setUp(self) -> None:
        host = Host(Clock(), Path())
        self.hears: Registry[Any] = Registry("nothing.installed", host)
        self.speaks: Registry[Any] = Registry("nothing.installed", host)
        self.engine = Engine()

    def check(self, **fields: str) -> Deferred[str]:
        names = {"acme"}
        for registry in (self.hears, self.speaks):
            made = registry.made()
            self.patch(registry, "names", lambda made=made: sorted(names & set(made)))
        account = Account("acme", fields or {"key": "k"})
        return VendorLogin(self.hears, self.speaks).check(account)

    def test_let_in(self) -> None:
        """Either side will do; what was opened is closed."""
        for registry, what in ((self.speaks, "voice"), (self.hears, "recogniser")):
            registry.add("acme", self.engine)
            self.assertIn(what, self.successResultOf(self.check()))
        self.assertEqual(self.engine.stopped, 2)

    def test_refused(self) -> None:
        """The vendor's words, and nothing is left open."""
        self.engine.started = fail(VendorFailed("Acme: 401", 401, retryable=False))
        self.hears.add("acme", self.engine)
        self.failureResultOf(self.check(), VendorFailed)
        self.assertEqual(self.engine.stopped, 1)

    def test_lacking(self) -> None:
        """A credential without the key is bad; an option that is missing says nothing of it."""
        self.hears.add("acme", self.engine)
        self.failureResultOf(self.check(other="x"), Lacking)
        self.engine.refusal = MisconfiguredAssistant("Acme needs a region")
        failure = self.failureResultOf(self.check(), NotSupported)
        self.assertIn("needs a region", failure.getErrorMessage())

    def test_costs(self) -> None:
        """Who is asked by single requests, and who is not installed, is not asked."""
        self.failureResultOf(self.check(), NotSupported)
        self.engine.connects = False
        self.speaks.add("acme", self.engine)
        failure = self.failureResultOf(self.check(), NotSupported)
        self.assertIn("rapida doctor --vendor acme", failure.getErrorMessage())

    def test_given_up(self) -> None:
        """Whoever waits no longer leaves nothing open."""
        self.engine.started = Deferred()
        self.hears.add("acme", self.engine)
        asking = self.check()
        asking.addErrback(lambda _: None)
        asking.cancel()
        self.assertEqual(self.engine.stopped, 1)
