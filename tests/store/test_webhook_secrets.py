"""Secrets of webhooks: in the vault, whoever saves the assistant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from rapida_tw.errors import AssistantNotFound, BadRequest, InUse, NotFound, Unavailable
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.credentials import Credentials, delete_credential
from rapida_tw.store.documents import assistant_document, changed_assistant, new_assistant
from rapida_tw.store.records import Assistant
from rapida_tw.store.vault import Vault
from rapida_tw.store.webhook_secrets import BOTH_FOR
from tests.store.case import START, StoreCase

URL = "https://hooks.example.org/"
SECRET = "planted-secret-0001"


class SecretsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        vault = Vault(lambda: "server's key")
        self.assistants = Assistants(self.database, self.ids, self.clock.seconds, vault)
        self.credentials = Credentials(self.database, vault, self.ids, self.clock.seconds)

    def create(self, *webhooks: Mapping[str, Any]) -> Assistant:
        document = {"name": "Ada", "webhooks": [{"url": URL, **one} for one in webhooks]}
        return self.successResultOf(self.assistants.create(new_assistant(document, self.project)))

    def get(self, made: Assistant) -> Assistant:
        return self.successResultOf(self.assistants.get(made.id))

    def change(self, made: Assistant, *webhooks: Mapping[str, Any]) -> Assistant:
        changed = changed_assistant({"webhooks": list(webhooks)}, self.get(made))
        return self.successResultOf(self.assistants.update(changed))

    def value(self, assistant: Assistant) -> Mapping[str, str]:
        id = int(assistant.webhooks[0]["credentialId"])
        self.clock.advance(60)  # beyond what the store trusts
        return self.successResultOf(self.credentials.secrets(id, self.project))

    def keys(self, webhook: Mapping[str, Any]) -> Sequence[str]:
        id = int(webhook["credentialId"])
        return self.successResultOf(self.credentials.get(id, self.project)).keys_set

    def stored(self) -> str:
        """All of the database that is no ciphertext."""
        query = text("SELECT webhooks FROM assistant")
        rows = self.database.read_now(lambda c: c.execute(query).all())
        names = text("SELECT name, keys_set FROM credential")
        return str([*rows, *self.database.read_now(lambda c: c.execute(names).all())])

    def test_made(self) -> None:
        """A webhook without a secret gets one, which the answer to the saving alone shows."""
        made = self.create({})
        (shown,) = assistant_document(made)["webhooks"]
        self.assertTrue(shown["secret"].startswith("whsec_"))
        (later,) = assistant_document(self.get(made))["webhooks"]
        self.assertEqual(later, {k: v for k, v in shown.items() if k != "secret"})
        self.assertTrue(later["secretSet"])
        self.assertEqual(self.value(made), {"secret": shown["secret"]})
        self.assertNotIn(shown["secret"], self.stored())

    def test_given(self) -> None:
        """A secret and headers that were given are kept sealed, and shown to nobody."""
        made = self.create({"secret": SECRET, "headers": {"Authorization": "planted-token"}})
        self.assertEqual(
            self.value(made), {"secret": SECRET, "header.Authorization": "planted-token"}
        )
        self.assertEqual(made.webhooks[0]["headers"], {"Authorization": "***"})
        for shown in (str(made), str(self.get(made)), self.stored()):
            self.assertNotIn("planted", shown)

    def test_sent_back(self) -> None:
        """Who sends back what he was shown changes nothing."""
        made = self.create({"secret": SECRET, "headers": {"X-Team": "7"}})
        before = self.get(made).webhooks
        changed = self.change(made, *before)
        self.assertEqual(changed.webhooks, before)
        self.assertEqual(self.value(made), {"secret": SECRET, "header.X-Team": "7"})

    def test_same_address(self) -> None:
        """A webhook that is saved anew without its credential keeps its secret."""
        made = self.create({"secret": SECRET})
        changed = self.change(made, {"url": URL, "maxRetries": 3})
        self.assertNotIn("secret", changed.webhooks[0])
        self.assertEqual(self.value(changed)["secret"], SECRET)
        self.assertEqual(changed.webhooks[0]["credentialId"], made.webhooks[0]["credentialId"])

    def test_rotation(self) -> None:
        """A secret that is replaced still signs for a day."""
        made = self.create({"secret": SECRET})
        self.change(made, {"url": URL, "secret": "another-secret-0002"})
        value = self.value(made)
        self.assertEqual(value["secret"], "another-secret-0002")
        self.assertEqual(value["previous_secret"], SECRET)
        self.assertEqual(float(value["previous_until"]), START + BOTH_FOR)

    def test_headers_change(self) -> None:
        """A header that is left out is forgotten; one without a value must be there already."""
        made = self.create({"headers": {"A": "1", "B": "2"}})
        changed = self.change(made, {"url": URL, "headers": {"B": "***", "C": "3"}})
        value = self.value(changed)
        self.assertEqual(
            {k: v for k, v in value.items() if "." in k}, {"header.B": "2", "header.C": "3"}
        )
        broken = changed_assistant({"webhooks": [{"url": URL, "headers": {"D": "***"}}]}, made)
        self.failureResultOf(self.assistants.update(broken), BadRequest)

    def test_two_of_one_address(self) -> None:
        """Two webhooks of one address have each their own, however often they are saved."""
        first = {"url": URL, "events": ["call.*"], "headers": {"A": "1"}}
        second = {"url": URL, "events": ["ping"], "headers": {"B": "2"}}
        made = self.create(first, second)
        changed = self.change(made, first, second)
        keys = [self.keys(one) for one in changed.webhooks]
        self.assertEqual(keys, [("header.A", "secret"), ("header.B", "secret")])
        # One of them goes, the other keeps what it had.
        left = self.change(made, changed.webhooks[1], {"url": URL, "description": "new"})
        self.assertEqual(self.keys(left.webhooks[0]), ("header.B", "secret"))
        self.assertNotEqual(left.webhooks[1]["credentialId"], left.webhooks[0]["credentialId"])

    def test_one_for_two(self) -> None:
        """A credential serves one webhook of a list."""
        made = self.create({})
        id = made.webhooks[0]["credentialId"]
        both = [{"url": URL, "credentialId": id}, {"url": URL + "2", "credentialId": id}]
        broken = changed_assistant({"webhooks": both}, self.get(made))
        error = self.failureResultOf(self.assistants.update(broken), BadRequest)
        self.assertIn("serves another", error.getErrorMessage())

    def test_headers_go_nowhere_else(self) -> None:
        """A value that nobody is shown is not sent to another host, nor in clear, by its mask."""
        made = self.create({"headers": {"Authorization": "planted-token"}})
        (kept,) = self.get(made).webhooks
        for url in ("https://evil.example/", "http://hooks.example.org/"):
            moved = changed_assistant({"webhooks": [{**kept, "url": url}]}, self.get(made))
            self.failureResultOf(self.assistants.update(moved), BadRequest)
        self.change(made, {**kept, "url": URL + "elsewhere"})
        taken = {**kept, "url": "https://evil.example/"}
        other = new_assistant({"name": "Eve", "webhooks": [taken]}, self.project)
        self.failureResultOf(self.assistants.create(other), BadRequest)

    def test_in_use(self) -> None:
        """What a webhook signs with is not deleted beside it, and keeps its headers."""
        made = self.create({"headers": {"A": "1"}})
        id = int(made.webhooks[0]["credentialId"])
        refused = self.credentials.delete(id, self.project)
        self.assertIn(str(made.id), self.failureResultOf(refused, InUse).getErrorMessage())
        new = {"secret": "another-secret-0002"}
        self.successResultOf(self.credentials.update(id, self.project, value=new))
        self.assertEqual(self.value(made), {**new, "header.A": "1"})
        self.change(made)
        self.failureResultOf(self.credentials.delete(id, self.project), NotFound)

    def test_deleted_by_hand(self) -> None:
        """Whose credential was deleted gets a new one when it is saved with a change."""
        made = self.create({})
        (kept,) = self.get(made).webhooks
        gone = int(kept["credentialId"])
        self.database.write_now(lambda c: delete_credential(c, gone, self.project))
        changed = self.change(made, {**kept, "maxRetries": 1})
        self.assertTrue(changed.webhooks[0]["secret"])
        self.assertNotEqual(int(changed.webhooks[0]["credentialId"]), gone)

    def test_own_credential(self) -> None:
        """A credential of one's own is used as it is, if it is a webhook's and of the project."""
        id = self.successResultOf(
            self.credentials.create(self.project, "mine", "webhook", {"secret": SECRET})
        ).id
        made = self.create({"credentialId": str(id)})
        self.assertEqual(self.value(made), {"secret": SECRET})
        other = self.successResultOf(
            self.credentials.create(self.project, "no", "twilio", {"secret": SECRET})
        ).id
        for wrong in (other, 12345):
            document = {"name": "A", "webhooks": [{"url": URL, "credentialId": str(wrong)}]}
            new = new_assistant(document, self.project)
            self.failureResultOf(self.assistants.create(new), BadRequest)

    def test_deleted(self) -> None:
        """The credential that was made for a webhook goes with it; one's own stays."""
        own = self.successResultOf(
            self.credentials.create(self.project, "mine", "webhook", {"secret": SECRET})
        ).id
        made = self.create({}, {"url": URL + "2", "credentialId": str(own)})
        self.change(made)
        gone = int(made.webhooks[0]["credentialId"])
        self.failureResultOf(self.credentials.get(gone, self.project), NotFound)
        self.successResultOf(self.credentials.get(own, self.project))

    def test_assistant_deleted(self) -> None:
        """So it does when the assistant is deleted, by its own project alone."""
        made = self.create({})
        self.failureResultOf(self.assistants.delete(made.id, 1), AssistantNotFound)
        credential = int(made.webhooks[0]["credentialId"])
        self.successResultOf(self.credentials.get(credential, self.project))
        self.successResultOf(self.assistants.delete(made.id, self.project))
        self.failureResultOf(self.credentials.get(credential, self.project), NotFound)

    def test_older(self) -> None:
        """What an older version kept without a look stays as it is."""
        made = self.create()
        old = text("UPDATE assistant SET webhooks = :old")
        self.database.write_now(lambda c: c.execute(old, {"old": '[{"anything": 1}]'}))
        self.clock.advance(2)
        renamed = replace(self.get(made), name="Eve")
        self.assertEqual(
            self.successResultOf(self.assistants.update(renamed)).webhooks, ({"anything": 1},)
        )

    def test_no_vault(self) -> None:
        """Without a vault no webhook is kept: its secret would stand in clear."""
        bare = Assistants(self.database, self.ids, self.clock.seconds)
        new = new_assistant({"name": "Ada", "webhooks": [{"url": URL}]}, self.project)
        self.failureResultOf(bare.create(new), Unavailable)
