"""Google's access tokens, before a fake of the server that gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from twisted.internet.defer import CancelledError, Deferred

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.net.google_token import GoogleKey, GoogleTokens, google_key
from rapida_tw.sim.vendors.base import Asked, Reply
from rapida_tw.sim.vendors.google_token import HOST, TokenServer
from tests.net.case import NetCase, Vendor

SERVER = TokenServer()  # its key takes a moment to make


class TokenVendor(Vendor):
    def __init__(self) -> None:
        super().__init__()
        self.hosts = (HOST,)
        self.silent = False

    def answer(self, asked: Asked, reply: Reply) -> None:
        if not self.silent:
            SERVER.answer(asked, reply)


def account(**fields: str) -> Account:
    return Account("google", fields)


def service_account(**changes: str) -> Account:
    return account(service_account_key=SERVER.service_account(**changes))


class TokenTests(NetCase):
    vendor: TokenVendor

    def make_vendor(self) -> Vendor:
        return TokenVendor()

    def setUp(self) -> None:
        super().setUp()
        SERVER.refusals.clear()
        self.tokens = GoogleTokens(self.net, self.clock, lambda: 1e9 + self.clock.seconds())

    def headers(self, key: GoogleKey) -> Mapping[str, str]:
        asking = self.tokens.headers(key)
        self.run_for()
        return self.successResultOf(asking)

    def failed(self, asking: Deferred[Mapping[str, str]]) -> VendorFailed:
        self.run_for()
        error: VendorFailed = self.failureResultOf(asking, VendorFailed).value
        return error

    def test_token(self) -> None:
        """A service account's key is exchanged for a token, which the server has given."""
        headers = self.headers(google_key(service_account()))
        self.assertEqual(headers, {"Authorization": f"Bearer {SERVER.tokens[-1]}"})

    def test_kept(self) -> None:
        """Until a minute before its end, and then there is another; all by one exchange each."""
        key = google_key(service_account())
        first = self.headers(key)
        self.run_for(3_500)
        self.assertEqual(self.headers(google_key(service_account())), first)
        self.run_for(50)
        asking = [self.tokens.headers(key) for _ in range(3)]
        self.run_for()
        second = [self.successResultOf(one) for one in asking]
        self.assertNotEqual(second[0], first)
        self.assertEqual(len({str(one) for one in second}), 1)
        self.assertEqual(len(self.fakes.asked), 2)

    def test_accounts(self) -> None:
        """Each service account has tokens of its own."""
        self.headers(google_key(service_account()))
        other = self.tokens.headers(google_key(service_account(client_email="other@x.test")))
        self.assertIn("account not found", str(self.failed(other)))

    def test_refused(self) -> None:
        """Google's own words, and whether to try again; the key is in no error."""
        error = self.failed(self.tokens.headers(google_key(service_account(client_email="x@y.z"))))
        self.assertEqual((error.code, error.retryable), (400, False))
        SERVER.refusals.append(503)
        error = self.failed(self.tokens.headers(google_key(service_account())))
        self.assertEqual((error.code, error.retryable), (503, True))
        self.headers(google_key(service_account()))

    def test_no_answer(self) -> None:
        """Ten seconds."""
        self.vendor.silent = True
        asking = self.tokens.headers(google_key(service_account()))
        self.run_for(9.9)
        self.assertNoResult(asking)
        self.run_for(0.2)
        self.assertIn("no token within 10 s", str(self.failed(asking)))

    def test_cancelled(self) -> None:
        """Who gives up leaves the others their token."""
        key = google_key(service_account())
        first, second = self.tokens.headers(key), self.tokens.headers(key)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.run_for()
        self.assertIn("Authorization", self.successResultOf(second))

    def test_api_key(self) -> None:
        """It needs no token."""
        key = google_key(account(key="AIza-secret", project_id="p"))
        self.assertEqual(self.headers(key), {"x-goog-api-key": "AIza-secret"})
        self.assertEqual(len(self.fakes.asked), 0)

    def test_nonsense(self) -> None:
        """An answer that is none is a failure, and no bug."""
        for body in ("no JSON", {}, [], {"access_token": "x", "expires_in": "soon"}):
            self.vendor.answer = lambda asked, reply: reply.whole(200, body)  # type: ignore[method-assign]  # noqa: B023
            error = self.failed(self.tokens.headers(google_key(service_account())))
            self.assertIn("makes no sense", str(error))


def test_project() -> None:
    """The file's own, unless the credential says another."""
    assert google_key(service_account()).project == "rapida-test"
    fields = {"service_account_key": SERVER.service_account(), "project_id": "other"}
    assert google_key(account(**fields)).project == "other"


def test_secrets() -> None:
    """Neither key is in a repr."""
    pem = json.loads(SERVER.service_account())["private_key"]
    shown = repr(google_key(service_account())) + repr(google_key(account(key="AIza-secret")))
    assert pem[40:60] not in shown
    assert "AIza-secret" not in shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", "{}", '{"client_email":"a"}'),
        '{"client_email":"a","private_key":7}',
        '{"client_email":"a","private_key":"-----BEGIN PRIVATE KEY-----"}',
        '{"client_email":7,"private_key":"x"}',
    ],
)
def test_no_service_account(text: str) -> None:
    """What was pasted wrongly is told before there is a call, without the text."""
    with pytest.raises(MisconfiguredAssistant) as caught:
        google_key(account(service_account_key=text))
    assert "google" in str(caught.value)


def test_no_key() -> None:
    """A credential without any."""
    with pytest.raises(MisconfiguredAssistant, match="needs a key"):
        google_key(account(project_id="p"))
