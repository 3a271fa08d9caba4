"""Reception: what SIP asks of the house, answered by the stores."""

from __future__ import annotations

from rapida_tw.calls.reception import Reception
from rapida_tw.errors import GivenUp, Unauthenticated
from rapida_tw.simulation import done
from rapida_tw.sip.base import Party
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import Assistant, Deployment
from rapida_tw.store.schema import project
from rapida_tw.store.vault import Vault
from tests.calls.case import INCOMING, CallsCase


class ReceptionTests(CallsCase):
    def setUp(self) -> None:
        super().setUp()
        server = self.server
        texts = KeyTexts(server.database, Vault(lambda: "virtual"), server.now)
        self.keys = Keys(server.database, server.ids, server.now, texts)
        self.reception = Reception(self.calls, self.keys, texts, server.assistants)
        _, self.key = done(self.keys.create(self.project, "phone"))
        self.party = Party(server.assistant_id, self.project)

    def stranger(self) -> str:
        """The key of another project."""
        self.server.database.write_now(
            lambda c: c.execute(project.insert().values(id=5, name="other", created=0.0))
        )
        return str(done(self.keys.create(5, "foreign"))[1])

    def test_passwords(self) -> None:
        """The keys of the assistant's project are its passwords."""
        asked = self.reception.passwords(self.party.assistant_id)
        self.assertEqual(self.successResultOf(asked), (self.key,))

    def test_enter(self) -> None:
        """Who shows a key of the project may call its assistant."""
        entering = self.reception.enter(self.party.assistant_id, self.key)
        self.assertEqual(self.successResultOf(entering), self.party)

    def test_no_entrance(self) -> None:
        """A wrong key, another project's and an unknown assistant are refused alike."""
        for assistant, key in (
            (self.party.assistant_id, "rpd-" + "x" * 43),
            (self.party.assistant_id, self.stranger()),
            (99, self.key),
        ):
            self.failureResultOf(self.reception.enter(assistant, key), Unauthenticated)

    def test_dialled(self) -> None:
        """A number leads to whom it is deployed for; any other to nobody."""
        deployment = Deployment(self.party.assistant_id, options={"phone": "+15550100"})
        done(self.server.assistants.deploy(deployment))
        for number, found in (("15550100", self.party), ("15550101", None)):
            asked = self.reception.dialled(number, self.project)
            self.assertEqual(self.successResultOf(asked), found)

    def test_trunk(self) -> None:
        """A trunk leads to the assistant that is deployed on it."""
        other = done(self.server.assistants.create(Assistant(0, self.project, "other")))
        done(self.server.assistants.deploy(Deployment(other.id, credential_id=7)))
        found = self.successResultOf(self.reception.trunk(7))
        self.assertEqual(found, Party(other.id, self.project))
        self.assertIsNone(self.successResultOf(self.reception.trunk(8)))

    def test_take(self) -> None:
        """What was taken is attached or abandoned."""
        taken = self.successResultOf(self.reception.take(self.party, INCOMING))
        self.reception.abandon(taken, GivenUp(""))
        self.nothing_left()
