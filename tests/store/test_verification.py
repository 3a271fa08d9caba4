"""Verifying asks the provider, and tells what it said without what is secret."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import Account
from rapida_tw.errors import CallError, NotSupported, VendorFailed
from rapida_tw.store.documents import Document
from rapida_tw.store.verification import ANSWERED_WITHIN, Logins, verification
from tests.web.fake_credentials import FakeCredentials

SECRET = "e5c2/hunter2+0f3a"
KNOWN = {"acme": {"token": "The token.", "zone": "Optional: where."}}


class Provider:
    """Answers a login as the test says."""

    def __init__(self, answer: Deferred[str]) -> None:
        self.answer = answer
        self.asked: list[Account] = []

    def check(self, account: Account) -> Deferred[str]:
        self.asked.append(account)
        return self.answer


class VerificationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = FakeCredentials()

    def verify(
        self, *, carrier: Provider | None = None, other: Provider | None = None, **value: str
    ) -> Deferred[Document]:
        value = value or {"token": SECRET}
        made = self.successResultOf(self.store.create(7, "Main", "acme", value))
        carriers = {} if carrier is None else {"acme": carrier}
        logins = Logins(self.clock, carriers, other)
        return Deferred.fromCoroutine(verification(self.store, made.id, 7, KNOWN, logins))

    def said(self, answer: Deferred[str]) -> tuple[bool | None, Mapping[str, object]]:
        """The verdict, and the check of a provider that answers so."""
        found = self.successResultOf(self.verify(carrier=Provider(answer)))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return found["verified"], found["checks"][-1]

    def test_let_in(self) -> None:
        """The provider knows the account: that is what `verified` means."""
        provider = Provider(succeed("the account 'Main' (active)"))
        found = self.successResultOf(self.verify(carrier=provider))
        self.assertIs(found["verified"], True)
        self.assertEqual(found["checks"][-1]["detail"], "the account 'Main' (active)")
        (account,) = provider.asked
        self.assertEqual((account.vendor, dict(account)), ("acme", {"token": SECRET}))

    def test_refused(self) -> None:
        """Its own words tell why."""
        for error in (VendorFailed("401: Authenticate", 401), CallError("no such account")):
            verified, check = self.said(fail(error))
            self.assertIs(verified, False)
            self.assertEqual((check["passed"], check["detail"]), (False, str(error)))

    def test_cannot_be_asked(self) -> None:
        """Where nobody is asked nothing is claimed."""
        verified, check = self.said(fail(NotSupported("it would cost")))
        self.assertEqual((verified, check["passed"]), (None, None))
        self.assertEqual(check["detail"], "it would cost")

    def test_nobody(self) -> None:
        """Nor without anybody who knows the provider."""
        found = self.successResultOf(self.verify())
        self.assertIsNone(found["verified"])
        self.assertIn("not asked", found["checks"][-1]["detail"])

    def test_others(self) -> None:
        """What is no carrier is asked by who knows vendors."""
        carrier, other = Provider(succeed("carrier")), Provider(succeed("vendor"))
        found = self.successResultOf(self.verify(carrier=carrier, other=other))
        self.assertEqual(found["checks"][-1]["detail"], "carrier")
        found = self.successResultOf(self.verify(other=other))
        self.assertEqual(found["checks"][-1]["detail"], "vendor")

    def test_silent(self) -> None:
        """A provider that does not answer is not waited for."""
        cancelled: list[object] = []
        asking = self.verify(carrier=Provider(Deferred(cancelled.append)))
        self.assertNoResult(asking)
        self.clock.advance(ANSWERED_WITHIN)
        found = self.successResultOf(asking)
        self.assertIs(found["verified"], False)
        self.assertIn("no answer within 10 s", found["checks"][-1]["detail"])
        self.assertEqual(len(cancelled), 1)

    def test_repeats_nothing(self) -> None:
        """A provider that repeats what it was given is not repeated; nor is it without end."""
        basic = [b64encode(f"{user}:{SECRET}:x".encode()).decode() for user in ("a", "ab", "abc")]
        for spelled in (SECRET, quote(SECRET, safe=""), SECRET.encode().hex(), *basic):
            for answer in (succeed(f"hello {spelled}"), fail(CallError(f"wrong key: {spelled}"))):
                _, check = self.said(answer)
                self.assertNotIn(spelled, str(check["detail"]))
                self.assertIn("***", str(check["detail"]))
        _, check = self.said(succeed("x" * 10_000))
        self.assertEqual(len(str(check["detail"])), 500)

    def test_not_worth_asking(self) -> None:
        """A value that does not open is not shown to anybody."""
        provider = Provider(succeed("hello"))
        self.store.shut = True
        found = self.successResultOf(self.verify(carrier=provider))
        self.assertEqual((found["verified"], provider.asked), (False, []))

    def test_optional(self) -> None:
        """What may be left out is not asked for."""
        found = self.successResultOf(self.verify(zone="x"))
        keys = next(one for one in found["checks"] if one["check"] == "keys")
        self.assertEqual(keys["detail"], "not set: token (The token.)")
        found = self.successResultOf(self.verify(token="x"))
        keys = next(one for one in found["checks"] if one["check"] == "keys")
        self.assertIs(keys["passed"], True)
