"""Documents of the API: what they say, what they refuse, and that they survive the way and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import BadRequest
from rapida_tw.store.documents import (
    assistant_document,
    changed_assistant,
    deployment_document,
    new_assistant,
    new_deployment,
    read_page,
    timestamp,
)
from rapida_tw.store.records import Assistant, Deployment, PromptMessage, VendorChoice
from rapida_tw.store.webhook_documents import webhooks

BIG = 2**63 - 1
ADA = Assistant(
    id=BIG,
    project_id=3,
    name="Ada",
    description="at the desk",
    model=VendorChoice("openai", BIG, {"model.name": "small"}),
    prompt=(PromptMessage("system", "Be kind."),),
    tools=({"name": "end_call"},),
    webhooks=webhooks([{"url": "https://example.org", "credentialId": "7"}]),
    created=1_700_000_000.125,
    updated=1_700_000_001.0,
)
PHONE = Deployment(
    BIG,
    provider="vonage",
    credential_id=BIG,
    options={"phone": "+15550100"},
    greeting="Hello",
    greeting_interruptible=False,
    idle_timeout=12.5,
    idle_timeout_retries=0,
    max_call_duration=60.0,
    stt=VendorChoice("deepgram", 4, {"listen.language": "en"}),
    end_of_speech=VendorChoice("silence", None, {"microphone.eos.timeout": 700}),
    recording=False,
    updated=1_700_000_000.0,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
ASSISTANT_KEYS = ("name", "description", "model", "tools", "webhooks")
DEPLOYMENT_KEYS = tuple(deployment_document(PHONE))


def through_json(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document))


SPARE = VendorChoice("local", None, {"listen.threshold": 0.4})


class TextTests(SynchronousTestCase):
    def test_unkept(self) -> None:
        """What no database keeps as text is refused, also where it came by no JSON of ours."""
        for name in ("\udcff", "a\0b"):
            with self.assertRaises(BadRequest):
                new_assistant({"name": name}, 3)


class FallbackTests(SynchronousTestCase):
    """Whom to ask when a vendor fails."""

    def refused(self, document: object) -> str:
        with self.assertRaises(BadRequest) as caught:
            new_deployment(document, BIG)
        return str(caught.exception)

    def test_list(self) -> None:
        """A list of vendors: the first, and its fallbacks in their order."""
        listed = [{"provider": "deepgram", "credentialId": "4"}, {"provider": "local"}, {}]
        stt = new_deployment({"stt": listed}, BIG).stt
        self.assertEqual((stt.provider, stt.credential_id), ("deepgram", 4))
        self.assertEqual(stt.fallbacks, (VendorChoice("local"), VendorChoice()))
        self.assertEqual([one.provider for one in stt.chain], ["deepgram", "local", ""])

    def test_empty_list(self) -> None:
        """Nobody is named: the server's choice."""
        self.assertEqual(new_deployment({"tts": []}, BIG).tts, VendorChoice())

    def test_deployment_there_and_back(self) -> None:
        """What we wrote, with `fallbacks` in the object, is read again."""
        phone = replace(PHONE, stt=replace(PHONE.stt, fallbacks=(SPARE,)))
        again = new_deployment(through_json(deployment_document(phone)), BIG)
        self.assertEqual(replace(again, updated=phone.updated), phone)

    def test_assistant_there_and_back(self) -> None:
        """A model has them beside its prompt."""
        ada = replace(ADA, model=replace(ADA.model, fallbacks=(SPARE,)))
        again = new_assistant(through_json(assistant_document(ada)), 3)
        self.assertEqual(again.model, ada.model)

    def test_merged(self) -> None:
        """A patch without them keeps them; null removes them."""
        ada = replace(ADA, model=replace(ADA.model, fallbacks=(SPARE,)))
        kept = changed_assistant({"model": {"provider": "groq"}}, ada)
        self.assertEqual(kept.model.fallbacks, (SPARE,))
        self.assertEqual(changed_assistant({"model": {"fallbacks": None}}, ada).model.fallbacks, ())

    def test_too_many(self) -> None:
        """Five vendors are enough for anybody."""
        self.assertEqual(self.refused({"stt": [{}] * 6}), "stt must be a list of at most 5")

    def test_mistakes(self) -> None:
        """Each is named by its place; fallbacks have no fallbacks."""
        told = self.refused({"stt": [{"provider": 1}, {"fallbacks": []}, "deepgram"]})
        self.assertIn("stt[0].provider must", told)
        self.assertIn("stt[1].fallbacks is not known", told)
        self.assertIn("stt[2] must be an object", told)


class AssistantDocumentTests(SynchronousTestCase):
    def refused(self, document: object) -> str:
        with self.assertRaises(BadRequest) as caught:
            new_assistant(document, 3)
        return str(caught.exception)

    def test_shape(self) -> None:
        """Keys are camelCase, ids are strings (they do not fit a JavaScript number)."""
        document = assistant_document(ADA)
        self.assertEqual(document["id"], "9223372036854775807")
        self.assertEqual(document["createdDate"], "2023-11-14T22:13:20.125Z")
        self.assertEqual(
            document["model"],
            {
                "provider": "openai",
                "credentialId": "9223372036854775807",
                "options": {"model.name": "small"},
                "prompt": [{"role": "system", "content": "Be kind."}],
            },
        )

    def test_there_and_back(self) -> None:
        """What we wrote may be sent back as it is."""
        again = new_assistant(through_json(assistant_document(ADA)), 3)
        self.assertEqual(replace(again, id=ADA.id, created=ADA.created, updated=ADA.updated), ADA)

    def test_least(self) -> None:
        """A name is enough."""
        self.assertEqual(new_assistant({"name": "Ada"}, 3), Assistant(0, 3, "Ada"))

    def test_name_is_required(self) -> None:
        """Without a name there is no assistant; null is no name either."""
        self.assertEqual(self.refused({}), "name is required")
        self.assertEqual(self.refused({"name": None}), "name is required")

    def test_every_mistake_at_once(self) -> None:
        """One answer names all mistakes by their keys, unknown keys too."""
        told = self.refused(
            {
                "name": 5,
                "descripton": "x",
                "model": {"provider": 1, "prompt": [{"role": "robot"}], "temperature": 1},
                "tools": {},
                "webhooks": ["https://example.org"],
            }
        )
        for key in (
            "name must",
            "descripton is not known",
            "model.provider must",
            "model.prompt must",
            "model.temperature is not known",
            "tools must",
            "webhooks has mistakes: [0] must",
        ):
            self.assertIn(key, told)

    def test_not_an_object(self) -> None:
        """A list, a text or nothing is refused with a sentence."""
        for document in ([], "x", None, 5):
            self.assertIn("the document must be an object", self.refused(document))
        self.assertIn("model must be an object", self.refused({"name": "a", "model": []}))

    def test_not_a_number(self) -> None:
        """NaN is no JSON, wherever it stands."""
        self.assertIn("plain JSON", self.refused({"name": "a", "tools": [{"x": [math.nan]}]}))

    def test_patch(self) -> None:
        """What a PATCH does not name stays, inside `model` too."""
        changed = changed_assistant({"model": {"prompt": []}, "name": "Eve"}, ADA)
        self.assertEqual(changed, replace(ADA, name="Eve", prompt=()))

    def test_patch_replaces_options(self) -> None:
        """Options and lists are replaced as a whole."""
        changed = changed_assistant({"model": {"options": {"a": 1}}, "tools": []}, ADA)
        self.assertEqual(changed.model, replace(ADA.model, options={"a": 1}))
        self.assertEqual(changed.tools, ())

    def test_patch_resets(self) -> None:
        """null is back to the default."""
        changed = changed_assistant({"description": None, "model": {"credentialId": None}}, ADA)
        self.assertEqual((changed.description, changed.model.credential_id), ("", None))
        self.assertEqual(changed_assistant({"model": None}, ADA).model, VendorChoice())

    def test_name_cannot_be_taken_away(self) -> None:
        """A PATCH may change the name, not remove it."""
        with self.assertRaisesRegex(BadRequest, "name is required"):
            changed_assistant({"name": None}, ADA)

    @given(st.dictionaries(st.sampled_from(ASSISTANT_KEYS) | st.text(max_size=3), json_values))
    def test_anything(self, document: dict[str, Any]) -> None:
        """Whatever comes is read or refused, never a crash; what is read can be written."""
        try:
            read = new_assistant(document, 3)
        except BadRequest:
            return
        json.dumps(assistant_document(read), allow_nan=False)


class DeploymentDocumentTests(SynchronousTestCase):
    def test_there_and_back(self) -> None:
        """What we wrote may be sent back as it is."""
        again = new_deployment(through_json(deployment_document(PHONE)), BIG)
        self.assertEqual(replace(again, updated=PHONE.updated), PHONE)

    def test_defaults(self) -> None:
        """An empty document is the default deployment, and null means the default."""
        self.assertEqual(new_deployment({}, 5), Deployment(5))
        self.assertEqual(new_deployment(dict.fromkeys(DEPLOYMENT_KEYS), 5), Deployment(5))

    def test_never_set(self) -> None:
        """A deployment that was never set has no date."""
        self.assertIsNone(deployment_document(Deployment(5))["updatedDate"])

    def test_bounds(self) -> None:
        """Both ends of each range are allowed, what lies outside is refused by its key."""
        for key, low, high in (
            ("idleTimeout", 1, 600),
            ("idleTimeoutRetries", 0, 5),
            ("maxCallDuration", 1, 86_400),
        ):
            for allowed in (low, high):
                new_deployment({key: allowed}, 5)
            for refused in (low - 1, high + 1, True, "30", math.nan, math.inf, 10**400):
                with self.assertRaisesRegex(BadRequest, f"^{key} must be .*{low} to {high}"):
                    new_deployment({key: refused}, 5)

    def test_half_a_retry(self) -> None:
        """Retries are whole."""
        with self.assertRaisesRegex(BadRequest, "whole number"):
            new_deployment({"idleTimeoutRetries": 1.5}, 5)

    def test_credential(self) -> None:
        """A credential may be named by text or number, or by "" for none."""
        for given_id, kept in (("12", 12), (12, 12), ("", None)):
            self.assertEqual(new_deployment({"credentialId": given_id}, 5).credential_id, kept)
        for wrong in ("x", -1, 1.5, True, 2**63, []):
            with self.assertRaisesRegex(BadRequest, "^credentialId must be an id"):
                new_deployment({"credentialId": wrong}, 5)

    def test_every_mistake_at_once(self) -> None:
        """Mistakes inside the vendors' choices are named with their path."""
        with self.assertRaises(BadRequest) as caught:
            new_deployment({"stt": {"model": "x"}, "tts": 5, "recording": "yes", "Idle": 1}, 5)
        for key in ("stt.model is not", "tts must be", "recording must be", "Idle is not known"):
            self.assertIn(key, str(caught.exception))

    @given(st.dictionaries(st.sampled_from(DEPLOYMENT_KEYS) | st.text(max_size=3), json_values))
    def test_anything(self, document: dict[str, Any]) -> None:
        """Whatever comes is read or refused, never a crash; what is read can be written."""
        try:
            read = new_deployment(document, 5)
        except BadRequest:
            return
        json.dumps(deployment_document(read), allow_nan=False)


class PageTests(SynchronousTestCase):
    def test_default(self) -> None:
        """The first twenty."""
        self.assertEqual(read_page({"x-api-key": "…"}), (1, 20))

    def test_asked(self) -> None:
        """As the query says."""
        self.assertEqual(read_page({"page": "3", "pageSize": "100"}), (3, 100))

    def test_bounded(self) -> None:
        """0 is as untold, and nobody is given more than a page."""
        self.assertEqual(read_page({"page": "0", "pageSize": "0"}), (1, 20))
        self.assertEqual(read_page({"pageSize": "101"}), (1, 100))

    def test_out_of_bounds(self) -> None:
        """Both keys are named at once when both are wrong."""
        for wrong in ("-1", "", "x", "1e3", "9" * 20):
            with self.assertRaisesRegex(BadRequest, "page must.*; pageSize must"):
                read_page({"page": wrong, "pageSize": wrong})


class TimestampTests(SynchronousTestCase):
    def test_utc(self) -> None:
        """Times are told in UTC with milliseconds, whatever the machine's zone is."""
        self.assertEqual(timestamp(0.0), "1970-01-01T00:00:00.000Z")
