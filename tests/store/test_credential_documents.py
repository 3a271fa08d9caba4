"""Credentials as documents: what may go in, and what never comes out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import BadRequest
from rapida_tw.store.credential_documents import (
    LONGEST,
    MOST_KEYS,
    changed_credential,
    check_model_references,
    check_references,
    credential_document,
    field_documents,
    known_fields,
    new_credential,
)
from rapida_tw.store.records import Credential, Deployment, VendorChoice
from tests.store.private_keys import public_pem, rsa_pem
from tests.web.fake_credentials import FakeCredentials

KNOWN = {
    "spelled": {
        "account_token": "The token.",
        "auth_token": "The same as account_token.",
        "private_key": "The key.",
    },
    "twilio": {"account_sid": "The SID.", "account_token": "The token."},
    "vonage": {"application_id": "The id.", "private_key": "The key."},
    "bare": {},
}
MAIN = Credential(5, 7, "Main", "twilio", ("account_sid",), 1.0, 2.0)


def document(**changes: Any) -> dict[str, Any]:
    value = {"account_sid": "AC1", "account_token": "t0p"}
    return {"name": "Main", "provider": "twilio", "value": value} | changes


class PlugIn:
    def __init__(self, **fields: str) -> None:
        self.credential_fields = fields


class KnownTests(SynchronousTestCase):
    def test_together(self) -> None:
        """Plug-ins of one name share their keys; one that declares none takes any."""
        known = known_fields(
            {"acme": PlugIn(sid="The SID.")},
            {"talk": PlugIn(key="The key."), "own": PlugIn(key="The key."), "old": object()},
            {"talk": PlugIn(region="Where."), "own": PlugIn()},
        )
        self.assertEqual(known["acme"], {"sid": "The SID."})
        self.assertEqual(set(known["talk"]), {"key", "region"})
        self.assertEqual((known["own"], known["old"]), ({}, {}))

    def test_webhooks(self) -> None:
        """A webhook's credential takes its secret alone: its headers are the webhook's matter."""
        self.assertEqual(list(known_fields({})["webhook"]), ["secret"])

    def test_documents(self) -> None:
        """For programs: which name is kept of another spelling."""
        fields = {"key": "The key.", "api_key": "The same as key."}
        self.assertEqual([one["sameAs"] for one in field_documents(fields)], [None, "key"])


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(("account_sid", "private_key", "key")) | st.text()
    return st.dictionaries(names, inner, max_size=4)


_VALUES = st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x) | _objects(x))


class NewTests(SynchronousTestCase):
    def refused(self, given: object) -> str:
        with self.assertRaises(BadRequest) as caught:
            new_credential(given, KNOWN)
        return str(caught.exception)

    def test_whole(self) -> None:
        """Name, provider and value; the value hides itself."""
        new = new_credential(document(), KNOWN)
        self.assertEqual((new.name, new.provider), ("Main", "twilio"))
        self.assertEqual(new.value, {"account_sid": "AC1", "account_token": "t0p"})
        self.assertNotIn("t0p", repr(new))

    def test_spellings(self) -> None:
        """Another name, and any way to write a name, is kept as the documented one."""
        for key in ("account_token", "accountToken", "AUTH_TOKEN", "authToken", "auth-token"):
            new = new_credential(document(provider="spelled", value={key: "t0p"}), KNOWN)
            self.assertEqual(new.value, {"account_token": "t0p"})

    def test_spelled_private_key(self) -> None:
        """A private key is checked whatever it is called."""
        value = {"privateKey": rsa_pem().replace("\n", "\\n")}
        new = new_credential(document(provider="spelled", value=value), KNOWN)
        self.assertEqual(new.value, {"private_key": rsa_pem()})
        self.refused(document(provider="spelled", value={"privateKey": "x"}))

    def test_two_spellings(self) -> None:
        """The same text twice is one; two texts are a mistake, which repeats neither."""
        twice = {"accountToken": "t0p", "auth_token": " t0p "}
        new = new_credential(document(provider="spelled", value=twice), KNOWN)
        self.assertEqual(new.value, {"account_token": "t0p"})
        told = self.refused(document(provider="spelled", value=twice | {"auth_token": "other"}))
        self.assertIn("two different texts for account_token", told)
        self.assertNotIn("t0p", told)

    def test_any_key(self) -> None:
        """A vendor of one's own takes any key, as it is written."""
        new = new_credential(document(provider="bare", value={"baseUrl": "x"}), KNOWN)
        self.assertEqual(new.value, {"baseUrl": "x"})

    def test_required(self) -> None:
        """All three are needed, and told at once."""
        told = "name is required; provider is required; value is required"
        for one in ({}, {"name": None, "provider": None, "value": None}):
            self.assertEqual(self.refused(one), told)

    def test_not_an_object(self) -> None:
        """A list, a text or nothing is refused with a sentence."""
        for one in ([], "x", None, 5):
            self.assertIn("the document must be an object", self.refused(one))

    def test_unknown_key_of_a_known_carrier(self) -> None:
        """The known ones are listed; what was given is not repeated, as it may be a secret."""
        told = self.refused(document(value={"account_sid": "AC1", "AuthToken": "t0p"}))
        self.assertEqual(
            told, "value has a key that is not known; known are account_sid, account_token"
        )

    def test_other_providers(self) -> None:
        """A provider whose keys nobody knows takes any."""
        value = {"key": "x", "region.name-2": "eu"}
        for provider in ("deepgram", "azure-speech-service", "bare"):
            new = new_credential(document(provider=provider, value=value), KNOWN)
            self.assertEqual(new.value, value)

    def test_provider(self) -> None:
        """Names of providers are in lower case: another spelling would be another provider."""
        for provider in ("Twilio", "", " twilio", "tw ilio", "ü", 5, "a" * 101):
            self.assertIn("provider must be a name", self.refused(document(provider=provider)))

    def test_values(self) -> None:
        """Texts under decent names, not too many and not too long."""
        many = {f"k{n}": "x" for n in range(MOST_KEYS + 1)}
        for value, told in (
            ([], "value must be an object"),
            ("t0p", "value must be an object"),
            (many, "value must be an object of at most 64 texts"),
            ({}, "value must set a key"),
            ({"key": ""}, "value must set a key"),
            ({"key": " \n"}, "value must set a key"),
            ({"key": 5}, "value must have a text of at most 16384 bytes for key"),
            ({"key": None}, "value must have a text"),
            ({"key": {"a": "b"}}, "value must have a text"),
            ({"key": "x" * (LONGEST + 1)}, "value must have a text"),
            ({"key": "ü" * (LONGEST // 2 + 1)}, "value must have a text"),
            ({"key": "a\0b"}, "value must have a text"),
            ({"key": "\ud800"}, "value must have a text"),
            ({"": "x"}, "value must have names"),
            ({"a key": "x"}, "value must have names"),
            ({"k" * 65: "x"}, "value must have names"),
        ):
            self.assertIn(told, self.refused(document(provider="deepgram", value=value)))

    def test_largest(self) -> None:
        """What is just within the bounds is taken."""
        value = {f"k{n}": "x" for n in range(MOST_KEYS)} | {"k1": "ü" * (LONGEST // 2)}
        self.assertEqual(new_credential(document(provider="x", value=value), KNOWN).value, value)

    def test_blanks(self) -> None:
        """A copied value loses the blanks and line breaks around it."""
        new = new_credential(document(value={"account_token": " t0p\r\n"}), KNOWN)
        self.assertEqual(new.value, {"account_token": "t0p"})

    def test_private_key(self) -> None:
        """Pasted on one line it is put right, also from a JSON file's literal \\n."""
        for pasted in (rsa_pem().replace("\n", " "), rsa_pem().replace("\n", "\\n")):
            value = {"application_id": "a", "private_key": pasted}
            new = new_credential(document(provider="vonage", value=value), KNOWN)
            self.assertEqual(new.value["private_key"], rsa_pem())

    def test_no_private_key(self) -> None:
        """What is none is refused with a sentence."""
        for pasted, told in (
            ("t0p", "value has a private_key that must be a private key in PEM"),
            (public_pem(), "this is a public key"),
        ):
            refused = self.refused(document(provider="vonage", value={"private_key": pasted}))
            self.assertIn(told, refused)
            self.assertNotIn("t0p", refused)

    def test_private_key_of_others(self) -> None:
        """Of a provider that we do not know it may be anything."""
        value = {"private_key": "0x1234"}
        new = new_credential(document(provider="other", value=value), KNOWN)
        self.assertEqual(new.value, value)

    @given(_VALUES)
    def test_nonsense(self, value: Any) -> None:
        """Whatever the value is, it is taken or refused."""
        for provider in ("twilio", "vonage", "deepgram"):
            try:
                new_credential(document(provider=provider, value=value), KNOWN)
            except BadRequest as error:
                self.assertTrue(str(error).startswith("value "))


class ChangeTests(SynchronousTestCase):
    def refused(self, given: object) -> str:
        with self.assertRaises(BadRequest) as caught:
            changed_credential(given, MAIN, KNOWN)
        return str(caught.exception)

    def test_parts(self) -> None:
        """What is not named stays."""
        self.assertEqual(changed_credential({}, MAIN, KNOWN), (None, None))
        self.assertEqual(changed_credential({"name": "New"}, MAIN, KNOWN), ("New", None))
        value = {"account_token": "t0p"}
        self.assertEqual(changed_credential({"value": value}, MAIN, KNOWN), (None, value))

    def test_provider(self) -> None:
        """It is another one's credential then."""
        self.assertIn("provider stays twilio", self.refused({"provider": "vonage"}))

    def test_nothing_is_taken_away(self) -> None:
        """null is no name and no value."""
        for key in ("name", "provider", "value"):
            self.assertEqual(self.refused({key: None}), f"{key} cannot be taken away")

    def test_checked(self) -> None:
        """A new value is checked as the first one was."""
        self.assertIn("known are account_sid", self.refused({"value": {"x": "y"}}))

    def test_there_and_back(self) -> None:
        """What we wrote may be sent back as it is."""
        written = json.loads(json.dumps(credential_document(MAIN)))
        self.assertEqual(changed_credential(written, MAIN, KNOWN), ("Main", None))


class DocumentTests(SynchronousTestCase):
    def test_shape(self) -> None:
        """Names of keys, and times; null for what was never used."""
        self.assertEqual(
            credential_document(MAIN),
            {
                "id": "5",
                "projectId": "7",
                "name": "Main",
                "provider": "twilio",
                "keysSet": ["account_sid"],
                "createdDate": "1970-01-01T00:00:01.000Z",
                "updatedDate": "1970-01-01T00:00:02.000Z",
                "lastUsedDate": None,
            },
        )


class ReferenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.credentials = FakeCredentials()
        made = self.credentials.create(7, "Main", "twilio", {"account_sid": "AC1"})
        self.twilio = self.successResultOf(made).id

    def check(self, deployment: Deployment, project: int = 7) -> Deferred[None]:
        checking = check_references(deployment, project, self.credentials)
        return Deferred.fromCoroutine(checking)

    def refused(self, deployment: Deployment, project: int = 7) -> str:
        failure = self.failureResultOf(self.check(deployment, project), BadRequest)
        return failure.getErrorMessage()

    def test_none(self) -> None:
        """Inbound calls of Asterisk need no credential."""
        self.successResultOf(self.check(Deployment(1)))

    def test_its_carrier(self) -> None:
        """The carrier's own."""
        self.successResultOf(self.check(Deployment(1, "twilio", self.twilio)))

    def test_another_carrier(self) -> None:
        """Of another carrier it is a mistake."""
        told = self.refused(Deployment(1, "vonage", self.twilio))
        self.assertEqual(
            told,
            f"credentialId: credential {self.twilio} is one of twilio, the carrier is vonage",
        )

    def test_fallback(self) -> None:
        """A fallback's credential is looked for too, and named by its place."""
        spare = VendorChoice("deepgram", 4)
        deployment = Deployment(1, stt=VendorChoice("local", fallbacks=(spare,)))
        told = "stt.fallbacks[0].credentialId: there is no credential 4"
        self.assertEqual(self.refused(deployment), told)

    def test_model(self) -> None:
        """An assistant's model names its own."""
        checking = check_model_references(VendorChoice("openai", 4), 7, self.credentials)
        failure = self.failureResultOf(Deferred.fromCoroutine(checking), BadRequest)
        told = "model.credentialId: there is no credential 4"
        self.assertEqual(failure.getErrorMessage(), told)
        known = check_model_references(VendorChoice("openai", self.twilio), 7, self.credentials)
        self.successResultOf(Deferred.fromCoroutine(known))

    def test_not_there(self) -> None:
        """One that does not exist, or only in another project."""
        self.assertEqual(
            self.refused(Deployment(1, "twilio", 4)), "credentialId: there is no credential 4"
        )
        self.assertIn("there is no", self.refused(Deployment(1, "twilio", self.twilio), project=8))

    def test_vendors(self) -> None:
        """Those of recognisers and voices must be there too; all mistakes are told at once."""
        missing = VendorChoice("deepgram", 4)
        told = self.refused(Deployment(1, "twilio", 3, stt=missing, end_of_speech=missing))
        for key in ("credentialId: ", "stt.credentialId: ", "endOfSpeech.credentialId: "):
            self.assertIn(key, told)
        fine = VendorChoice("deepgram", self.twilio)
        self.successResultOf(self.check(Deployment(1, tts=fine, vad=fine)))
