"""A new call: by whose right, what is told to the register, and what the carrier is answered."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.vonage import VONAGE
from rapida_tw.errors import CapacityExceeded, Unavailable
from rapida_tw.store.records import ApiKey, Assistant, Deployment
from rapida_tw.web import failures
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from tests.web.acme import ASKED, CALL, LASTING, PUBLIC, AcmeCase, signed
from tests.web.case import WebCase, failing
from tests.web.fakes import (
    ASSISTANT,
    CONTEXT_ID,
    KEY,
    OTHER_KEY,
    OTHER_PROJECT,
    PROJECT,
    FakeKeys,
)


class EnterTests(AcmeCase):
    """A key or the carrier's signature opens the door; a wrong one of either shuts it."""

    def test_signature(self) -> None:
        """What the carrier has signed needs no key: the assistant's project is meant."""
        self.registered_for(self.call(signature=self.signature()))

    def test_key(self) -> None:
        """A key is enough where the carrier signs nothing."""
        self.registered_for(self.call(key=KEY))

    def test_neither(self) -> None:
        """Who shows nothing is not let in."""
        self.refused(self.call(), 403, "unauthenticated")

    def test_forged(self) -> None:
        """A wrong signature is refused, whatever the key."""
        for url in (f"{PUBLIC}{ASKED}&a=b", f"http://voice.example{ASKED}", ASKED):
            for key in (None, KEY):
                response = self.call(key, signed(url, self.clock.seconds()))
                self.refused(response, 403, "signature-mismatch")

    def test_old(self) -> None:
        """So is one from long ago: the clock is the server's."""
        signature = self.signature()
        self.clock.advance(LASTING)
        self.assertEqual(self.call(signature=signature).status, 200)
        self.clock.advance(1)
        self.calls.registered.clear()
        self.refused(self.call(signature=signature), 403, "signature-mismatch")

    def test_wrong_key(self) -> None:
        """A key that opens nothing is refused, whatever the signature."""
        self.refused(self.call("rpd-wrong", self.signature()), 403, "unauthenticated")

    def test_bearer_of_the_carrier(self) -> None:
        """A token that is not ours is no key, and does not hide the one in the query."""
        bearer = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}
        self.refused(self.call(**bearer), 403, "unauthenticated")
        self.registered_for(self.get(f"{ASKED}&x-api-key={KEY}", key=None, **bearer))

    def test_secret_of_somebody_else(self) -> None:
        """Credentials of another carrier or another project prove nothing."""
        for provider, project in (("twilio", PROJECT), ("acme", OTHER_PROJECT)):
            self.keep(provider, project)
            self.refused(self.call(signature=self.signature()), 403, "unauthenticated")

    def test_no_credential(self) -> None:
        """Nor does a signature that nobody can check; a key still opens."""
        self.assistants.deployed.clear()
        self.refused(self.call(signature=self.signature()), 403, "unauthenticated")
        self.registered_for(self.call(KEY, self.signature()))

    def test_sealed_with_another_key(self) -> None:
        """A vault that cannot be opened is as good as none: calls with a key go on."""
        self.credentials.shut = True
        self.refused(self.call(signature=self.signature()), 403, "unauthenticated")
        self.registered_for(self.call(KEY, self.signature()))

    def test_unknown_assistant(self) -> None:
        """Without a key nobody learns which assistants there are."""
        self.assistants.kept.clear()
        self.refused(self.call(), 403, "unauthenticated")
        self.refused(self.call(signature=self.signature()), 403, "unauthenticated")
        self.refused(self.call(key=KEY), 422, "assistant-not-found")

    def test_another_project(self) -> None:
        """A key speaks for its own project: the register will not find the assistant there."""
        self.registered_for(self.call(key=OTHER_KEY), OTHER_PROJECT)

    def test_database_away(self) -> None:
        """Nobody is taken for a stranger because nothing could be looked up."""
        away = Unavailable("away")
        self.patch(self.assistants, "get", lambda *_: failing(away))
        self.refused(self.call(signature=self.signature()), 200, "unavailable")

    def test_vault_away(self) -> None:
        """The same for the credential."""
        self.patch(self.credentials, "get", lambda *_: failing(Unavailable("away")))
        self.refused(self.call(signature=self.signature()), 200, "unavailable")


class AnswerTests(AcmeCase):
    def test_invitation(self) -> None:
        """Everything that a carrier needs to send its media, at our public address."""
        self.calls.deployment = Deployment(ASSISTANT, options={"colour": "blue"})
        told = self.call(key=KEY).json
        path = f"voice.example/v1/talk/acme/ctx/{CONTEXT_ID}"
        self.assertEqual(told["media_url"], f"wss://{path}")
        self.assertEqual(told["event_url"], f"https://{path}/event")
        self.assertEqual(told["context_id"], CONTEXT_ID)
        self.assertEqual((told["assistant_id"], told["conversation_id"]), (ASSISTANT, 5))
        self.assertEqual((told["incoming"], told["options"]), ("+1555", {"colour": "blue"}))
        self.assertEqual(told["url"], PUBLIC + ASKED)

    def test_no_public_host(self) -> None:
        """Without a public host the one that was asked for, as a trusted proxy says."""
        address = PublicAddress("", "https", Proxies(["192.168.1.1"]))  # the transport's peer
        self.make_site(address=address)
        told = self.call(KEY, X_Forwarded_Host="proxy.example", X_Forwarded_Proto="https").json
        self.assertTrue(told["media_url"].startswith("wss://proxy.example/v1/"), told)

    def test_host_that_is_none(self) -> None:
        """What is no host's name gets into no document."""
        self.make_site(address=PublicAddress("", "https", Proxies(["192.168.1.1"])))
        response = self.call(KEY, X_Forwarded_Host='x"/><Dial>')
        self.refused(response, 422, "bad-request")

    def test_post(self) -> None:
        """A form and a JSON object say the same as a query."""
        for body, kind in (
            (b"From=%2B1555&CallId=c1", "application/x-www-form-urlencoded"),
            (b'{"From": "+1555", "CallId": "c1"}', "application/json"),
        ):
            self.send("POST", CALL, body, Content_Type=kind)
        first, second = (incoming for incoming, _, _ in self.calls.registered)
        self.assertEqual((first, first.caller), (second, "+1555"))

    def test_head(self) -> None:
        """HEAD is a GET without the body."""
        response = self.send("HEAD", ASKED)
        self.assertEqual((response.status, response.body), (200, b""))

    def test_words_of_the_assistant(self) -> None:
        """A refusal is spoken as the register has it."""
        self.calls.refusal = CapacityExceeded("draining")
        self.calls.refusal.spoken = "All our lines are busy."
        self.assertEqual(self.call(key=KEY).body, b"All our lines are busy.")

    def test_counted(self) -> None:
        """Refusals are counted by carrier and reason."""
        before = failures.refused.value("acme", "unauthenticated")
        self.call()
        self.assertEqual(failures.refused.value("acme", "unauthenticated"), before + 1)

    def test_carrier_hung_up(self) -> None:
        """A failure that has nobody to be told to makes no noise."""
        self.calls.answer = answer = Deferred()
        self.ask("GET", ASKED).close()
        answer.errback(Unavailable("away"))


class RealCarriersTests(WebCase):
    """What people do with curl when nothing works."""

    def setUp(self) -> None:
        super().setUp()
        self.carriers |= {"twilio": TWILIO, "vonage": VONAGE, "exotel": EXOTEL}

    def test_bare(self) -> None:
        """A bare GET without a key or a caller says what is missing: no 403, 404 or 500."""
        for name in ("twilio", "vonage", "exotel"):
            for method in ("GET", "HEAD", "POST"):
                response = self.send(method, f"/v1/talk/{name}/call/{ASSISTANT}", key=None)
                self.assertEqual(response.status, 422, (name, method))

    def test_no_key(self) -> None:
        """With a caller and without a key: 403."""
        for name, field in (("twilio", "From"), ("vonage", "from"), ("exotel", "CallFrom")):
            path = f"/v1/talk/{name}/call/{ASSISTANT}?{field}=15550100001"
            self.assertEqual(self.get(path, key=None).status, 403, name)
            self.assertEqual(self.get(path).status, 200, name)

    def test_unknown_assistant(self) -> None:
        """A wrong id in the address is no 404, which would look as if nobody were here."""
        for name, field in (("twilio", "From"), ("vonage", "from"), ("exotel", "CallFrom")):
            for wrong in ("123", "abc", str(2**64)):
                path = f"/v1/talk/{name}/call/{wrong}?{field}=15550100001"
                self.assertEqual(self.get(path).status, 422, (name, wrong))

    def test_wrong_method(self) -> None:
        """What is not answered is refused in the carrier's form, and tells what would be."""
        response = self.send("PUT", f"/v1/talk/twilio/call/{ASSISTANT}")
        self.assertIn("POST", response.headers["allow"])
        self.assertTrue(response.headers["content-type"].startswith("text/xml"))

    def test_signed_by_twilio(self) -> None:
        """Twilio's signature alone opens (PRODUCT, row 31): as its own library computes it."""
        self.assistants.kept[123456789] = Assistant(123456789, PROJECT, "Ada")
        secret = {"account_token": "0123456789abcdef0123456789abcdef"}
        credential = self.successResultOf(self.credentials.create(PROJECT, "t", "twilio", secret))
        self.assistants.deployed[123456789] = Deployment(123456789, credential_id=credential.id)
        self.patch(self.keys, "check", _TestKey(self.keys).check)
        self.make_site(address=PublicAddress("voice.example.com", "https", Proxies()))
        form = (
            b"AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01"
            b"&CallSid=CA00000000000000000000000000000001&CallStatus=ringing"
            b"&Called=%2B15550100002&Caller=%2B15550100001&Direction=inbound"
            b"&From=%2B15550100001&To=%2B15550100002&FromCity=&FromCountry=US"
            b"&CallToken=%257B%2522k%2522%253A1%257D&StirVerstat=TN-Validation-Passed-A"
        )
        for body, status in ((form, 200), (form + b"&Digits=1", 403)):
            response = self.send(
                "POST",
                "/v1/talk/twilio/call/123456789?x-api-key=rpd-test-key",
                body,
                key=None,
                Content_Type="application/x-www-form-urlencoded; charset=UTF-8",
                X_Twilio_Signature="kEXSCYHUmost1dgq9xqVaC37emk=",
            )
            self.assertEqual(response.status, status)
        ((incoming, _, _),) = self.calls.registered
        self.assertEqual(incoming.caller, "+15550100001")


class _TestKey:
    """Takes the key of Twilio's documented example for ours."""

    def __init__(self, keys: FakeKeys) -> None:
        self._check = keys.check

    def check(self, text: str) -> Deferred[ApiKey]:
        return self._check(KEY if text == "rpd-test-key" else text)


class OptionTests(WebCase):
    """A deployment whose options the carrier cannot use."""

    def setUp(self) -> None:
        super().setUp()
        self.carriers["vonage"] = VONAGE
        self.make_site()

    def test_answer_fails(self) -> None:
        """The caller hears the assistant's own words, and the call is over: nobody will come."""
        options = {"sample_rate": 44100}
        self.calls.deployment = Deployment(ASSISTANT, options=options, error_message="Try later.")
        response = self.get(f"/v1/talk/vonage/call/{ASSISTANT}?from=1555&uuid=u1")
        self.assertEqual((response.status, response.json[0]["text"]), (200, "Try later."))
        [(context_id, error)] = self.calls.abandoned
        self.assertEqual(context_id, CONTEXT_ID)
        self.assertEqual(error.reason, "configuration-failed")
