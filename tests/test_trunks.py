"""Trunks: the stored SIP credentials, as the registrations are told of them."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.errors import Unavailable
from rapida_tw.sip.trunk import Trunk
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.records import Credential
from rapida_tw.store.vault import Vault
from rapida_tw.trunks import Trunks
from tests.store.case import StoreCase

VALUE = {"sip_server": "sip.example.com", "sip_username": "luna", "sip_password": "s3cret-word"}


class TrunksTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.credentials = Credentials(
            self.database, Vault(lambda: "k" * 32), self.ids, self.clock.seconds
        )
        self.told: list[Mapping[int, Trunk]] = []
        self.trunks = Trunks(self.credentials, self.told.append)

    def create(self, provider: str = "sip", **changes: str) -> Credential:
        made = self.credentials.create(self.project, "trunk", provider, VALUE | changes)
        return self.successResultOf(made)

    def test_told(self) -> None:
        """All trunks are told, with their passwords, and nobody else's credentials."""
        credential = self.create()
        self.create("twilio")
        self.trunks.look()
        ((number, trunk),) = self.told[0].items()
        self.assertEqual(number, credential.id)
        self.assertEqual((trunk.host, trunk.user), ("sip.example.com", "luna"))
        self.assertEqual(trunk.project_id, self.project)
        self.assertNotIn("s3cret", repr(self.told))

    def test_only_changes(self) -> None:
        """As long as nothing changes nothing is told, and no secret is opened."""
        credential = self.create()
        self.trunks.look()
        self.patch(self.credentials, "secrets", None)
        self.trunks.look()
        self.assertEqual(len(self.told), 1)
        deleting = self.credentials.delete(credential.id, self.project)
        self.successResultOf(deleting)
        self.trunks.look()
        self.assertEqual(self.told[1:], [{}])

    def test_changed(self) -> None:
        """A changed credential is read anew."""
        credential = self.create()
        self.trunks.look()
        self.clock.advance(60)
        value = VALUE | {"sip_server": "other.example.com"}
        self.successResultOf(self.credentials.update(credential.id, self.project, value=value))
        self.trunks.look()
        self.assertEqual(self.told[-1][credential.id].host, "other.example.com")

    def test_unusable(self) -> None:
        """One that cannot be used is left out, with a line in the log that holds no secret."""
        self.create(sip_port="s3cret-port")
        good = self.create()
        self.trunks.look()
        self.assertEqual(list(self.told[0]), [good.id])

    def test_unavailable(self) -> None:
        """Without a database nothing changes; the next look finds it."""
        self.create()
        of_provider = self.credentials.of_provider

        def broken(provider: str) -> None:
            raise Unavailable("no database")

        self.patch(self.credentials, "of_provider", broken)
        self.trunks.look()
        self.assertEqual(self.told, [])
        self.patch(self.credentials, "of_provider", of_provider)
        self.trunks.look()
        self.assertEqual(len(self.told), 1)
