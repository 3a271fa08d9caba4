"""The texts of API keys: sealed in the database, opened for whoever may call an assistant."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from rapida_tw.store.assistants import Assistants
from rapida_tw.store.key_texts import TRUST, KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import ApiKey, Assistant
from rapida_tw.store.schema import api_key, project
from rapida_tw.store.scopes import TALK
from rapida_tw.store.vault import Vault
from tests.store.case import StoreCase


class KeyTextsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.texts, self.keys = self.new_process("a secret key of the server")
        assistants = Assistants(self.database, self.ids, self.clock.seconds)
        made = assistants.create(Assistant(0, self.project, "reception"))
        self.assistant = self.successResultOf(made).id

    def new_process(self, secret: str) -> tuple[KeyTexts, Keys]:
        texts = KeyTexts(self.database, Vault(lambda: secret), self.clock.seconds)
        return texts, Keys(self.database, self.ids, self.clock.seconds, texts)

    def create(self, keys: Keys | None = None) -> tuple[ApiKey, str]:
        return self.successResultOf((keys or self.keys).create(self.project, "trunk"))

    def passwords(self, texts: KeyTexts | None = None) -> list[str]:
        return list(self.successResultOf((texts or self.texts).of_assistant(self.assistant)))

    def test_newest_first(self) -> None:
        """Every living key of the project may call its assistants."""
        texts = [self.create()[1] for _ in range(3)]
        self.assertEqual(self.passwords(), texts[::-1])

    def test_unknown_assistant(self) -> None:
        """There is nothing that it could be called with."""
        self.create()
        self.assertEqual(self.successResultOf(self.texts.of_assistant(99)), ())

    def test_other_project(self) -> None:
        """A key of another project is none."""
        self.database.write_now(
            lambda c: c.execute(project.insert().values(id=5, name="other", created=0.0))
        )
        self.successResultOf(self.keys.create(5, "foreign"))
        self.assertEqual(self.passwords(), [])

    def test_sealed(self) -> None:
        """The database holds no text."""
        _, text = self.create()
        rows = self.database.read_now(lambda c: list(c.execute(select(api_key))))
        self.assertNotIn(text[8:], repr(rows))

    def test_revoked(self) -> None:
        """A revoked key is none at once in this process, and soon in others.

        There it is refused when it is checked, see sip/authority.py.
        """
        other, _ = self.new_process("a secret key of the server")
        key, text = self.create()
        self.assertEqual((self.passwords(), self.passwords(other)), ([text], [text]))
        self.successResultOf(self.keys.revoke(key.id))
        self.assertEqual((self.passwords(), self.passwords(other)), ([], [text]))
        self.clock.advance(TRUST)
        self.assertEqual(self.passwords(other), [])

    def test_new_key_at_once(self) -> None:
        """What was opened before does not hide it."""
        first = self.create()[1]
        self.passwords()
        self.assertEqual(self.passwords(), [first])
        second = self.create()[1]
        self.assertEqual(self.passwords(), [second, first])

    def test_sealed_when_used(self) -> None:
        """A key from before texts were kept becomes a password when somebody shows it."""
        _, text = self.create(Keys(self.database, self.ids, self.clock.seconds))
        self.assertEqual(self.passwords(), [])
        self.successResultOf(self.keys.check(text))
        self.assertEqual(self.passwords(), [text])

    def test_not_for_calls(self) -> None:
        """The text of a key that may not bring calls is not kept, nor when it is used."""
        _, text = self.successResultOf(self.keys.create(self.project, "x", ["calls:write"]))
        self.successResultOf(self.keys.check(text))
        rows = self.database.read_now(lambda c: list(c.execute(select(api_key.c.sealed))))
        self.assertEqual([tuple(row) for row in rows], [(None,)])
        self.assertEqual(self.passwords(), [])
        _, phone = self.successResultOf(self.keys.create(self.project, "y", [TALK]))
        self.assertEqual(self.passwords(), [phone])

    def test_other_secret_key(self) -> None:
        """What another secret key has sealed is left out, and the log says so."""
        self.create()
        other, keys = self.new_process("another secret key entirely")
        _, text = self.create(keys)
        self.assertEqual(self.passwords(other), [text])

    def test_moved_row(self) -> None:
        """A sealed text that was put into another key's row does not open."""
        first, _ = self.create()
        second, text = self.create()

        def swap(connection: Connection) -> None:
            where = api_key.c.id == second.id
            kept = connection.execute(select(api_key.c.sealed).where(where)).scalar_one()
            to = api_key.c.id == first.id
            connection.execute(update(api_key).where(to).values(sealed=kept))

        self.database.write_now(swap)
        self.assertEqual(self.passwords(), [text])
