"""Deliveries that could wait for ever, and do not."""

from __future__ import annotations

from sqlalchemy import update

from rapida_tw.store.schema import credential, delivery
from rapida_tw.webhooks import courier
from tests.webhooks.case import START, WebhookCase

WEEK = 7 * 86_400


class EndlessTests(WebhookCase):
    def test_unreadable(self) -> None:
        """What another secret key has sealed waits for that, as long as anything is kept."""
        made = self.deploy()
        mine = credential.c.id == int(made.webhooks[0]["credentialId"])
        spoil = update(credential).where(mine).values(wrapped_key=b"")
        self.database.write_now(lambda c: c.execute(spoil))
        self.run_for(60)
        self.call(made)
        self.run_for(300)
        self.assertEqual(self.states(), ["waiting"])
        older = update(delivery).values(created=START - WEEK)
        self.database.write_now(lambda c: c.execute(older))
        self.run_for(60)
        self.assertEqual((self.states(), self.receiver.asked), (["failed"], []))

    def test_mistake_of_ours(self) -> None:
        """What fails here each time does so for half an hour."""
        self.patch(courier, "request", lambda *_: 1 / 0)
        self.call(self.deploy())
        self.run_for(3_600)
        self.assertEqual(self.states(), ["failed"])
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
