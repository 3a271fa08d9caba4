"""Credentials: sealed in the database, opened for the house alone, gone when deleted."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEventAsClassicLogText, globalLogPublisher

from rapida_tw.errors import NotFound, Unavailable
from rapida_tw.store import credentials as module
from rapida_tw.store.credentials import TRUST, Credentials
from rapida_tw.store.database import Database, T, Work
from rapida_tw.store.records import Credential
from rapida_tw.store.schema import credential as table
from rapida_tw.store.vault import CredentialUnreadable, Vault
from tests.store.case import START, StoreCase

SECRET = "e5c2-hunter2-0f3a"
VALUE = {"account_sid": "AC0123", "account_token": SECRET}


class Slow:
    """A database whose reads answer when the test says so."""

    def __init__(self, database: Database) -> None:
        self.write = database.write
        self._database = database
        self.reads: list[Deferred[object]] = []

    def read(self, work: Work[T]) -> Deferred[T]:
        held: Deferred[object] = Deferred()
        self.reads.append(held)
        answer = self._database.read(work)
        return held.addCallback(lambda _: answer)  # type: ignore[return-value]


class CredentialsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.credentials = self.new_process()

    def new_process(self, key: str = "k" * 32) -> Credentials:
        return Credentials(self.database, Vault(lambda: key), self.ids, self.clock.seconds)

    def create(
        self, provider: str = "twilio", value: Mapping[str, str] = VALUE, name: str = "Main"
    ) -> Credential:
        return self.successResultOf(self.credentials.create(self.project, name, provider, value))

    def secrets(self, credential: Credential) -> Mapping[str, str]:
        return self.successResultOf(self.credentials.secrets(credential.id, self.project))

    def forget(self) -> None:
        """Nothing is in memory any more."""
        self.credentials = self.new_process()

    def listed(self) -> list[Credential]:
        return list(self.successResultOf(self.credentials.page(self.project)).items)

    def test_create(self) -> None:
        """What is shown of it is complete, but for the value."""
        made = self.create()
        self.assertEqual(
            made,
            Credential(
                made.id,
                self.project,
                "Main",
                "twilio",
                ("account_sid", "account_token"),
                START,
                START,
            ),
        )
        self.assertEqual(self.successResultOf(self.credentials.get(made.id, self.project)), made)

    def test_secrets(self) -> None:
        """The house gets the value back, in this process and in the next."""
        made = self.create()
        self.assertEqual(self.secrets(made), VALUE)
        self.forget()
        self.assertEqual(self.secrets(made), VALUE)

    def test_nothing_in_the_database(self) -> None:
        """No column holds anything of the value."""
        self.create()
        rows = self.database.read_now(lambda c: list(c.execute(select(table))))
        for text in (SECRET, "AC0123"):
            self.assertNotIn(text, repr(rows))

    def test_nothing_in_the_log(self) -> None:
        """Whatever fails, no event of the log holds anything of the value."""
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        made = self.create()
        other = self.new_process("other key")
        failure = self.failureResultOf(other.secrets(made.id, self.project), CredentialUnreadable)
        texts = [failure.getTraceback(detail="verbose"), repr(self.secrets(made)), repr(made)]
        self.database.write_now(lambda c: c.execute(table.delete()))
        self.patch(self.database, "_closed", True)
        self.failureResultOf(self.credentials.create(self.project, "x", "x", VALUE), Unavailable)
        texts += [formatEventAsClassicLogText(event) or "" for event in events]
        for text in texts:
            self.assertNotIn(SECRET, text)

    def test_empty_values(self) -> None:
        """A key without a text is not set."""
        self.assertEqual(self.create(value={"a": "x", "b": ""}).keys_set, ("a",))

    def test_other_project(self) -> None:
        """With another project's key it is not there, whatever is asked."""
        made = self.create()
        self.secrets(made)
        for asked in (
            self.credentials.get(made.id, 1),
            self.credentials.secrets(made.id, 1),
            self.credentials.update(made.id, 1, "stolen", {"a": "b"}),
            self.credentials.delete(made.id, 1),
        ):
            self.assertIn(str(made.id), self.failureResultOf(asked, NotFound).getErrorMessage())
        self.assertEqual(self.successResultOf(self.credentials.page(1)).total, 0)
        self.assertEqual(
            self.listed(), [self.successResultOf(self.credentials.get(made.id, self.project))]
        )

    def test_no_project(self) -> None:
        """A credential needs a project."""
        self.failureResultOf(self.credentials.create(1, "x", "x", VALUE), NotFound)

    def test_other_secret_key(self) -> None:
        """A server with another key says so, and all but the value is there."""
        made = self.create()
        other = self.new_process("another key of the server")
        self.failureResultOf(other.secrets(made.id, self.project), CredentialUnreadable)
        self.assertEqual(self.successResultOf(other.get(made.id, self.project)).name, "Main")

    def test_swapped_rows(self) -> None:
        """Who can write the database cannot put one project's value into another's row."""
        columns = (table.c.wrapped_key, table.c.nonce, table.c.ciphertext)
        mine, theirs = self.create(), self.create(value={"account_token": "theirs"})
        row = self.database.read_now(
            lambda c: c.execute(select(*columns).where(table.c.id == theirs.id)).one()
        )
        self.change(mine, **row._mapping)
        self.failureResultOf(self.credentials.secrets(mine.id, self.project), CredentialUnreadable)

    def test_changed_row(self) -> None:
        """Nor call a Twilio account Vonage's."""
        made = self.create()
        self.change(made, provider="vonage")
        self.failureResultOf(self.credentials.secrets(made.id, self.project), CredentialUnreadable)

    def change(self, credential: Credential, **columns: object) -> None:
        where = table.c.id == credential.id
        self.database.write_now(lambda c: c.execute(update(table).where(where).values(columns)))

    def test_update(self) -> None:
        """What is given is replaced, the rest stays; the new value is used at once."""
        made = self.create()
        self.secrets(made)
        self.clock.advance(5)
        new = {"account_token": "new"}
        changed = self.successResultOf(self.credentials.update(made.id, self.project, value=new))
        self.assertEqual((changed.name, changed.keys_set), ("Main", ("account_token",)))
        self.assertEqual((changed.created, changed.updated), (START, START + 5))
        self.assertEqual(self.secrets(made), new)
        renamed = self.successResultOf(self.credentials.update(made.id, self.project, "Other"))
        self.assertEqual((renamed.name, renamed.keys_set), ("Other", ("account_token",)))
        self.assertEqual(self.secrets(made), new)
        self.assertEqual(self.listed()[0].name, "Other")

    def test_delete(self) -> None:
        """Gone at once, though it was used a moment ago."""
        made = self.create()
        self.secrets(made)
        self.successResultOf(self.credentials.delete(made.id, self.project))
        for asked in (self.credentials.get, self.credentials.secrets, self.credentials.delete):
            self.failureResultOf(asked(made.id, self.project), NotFound)  # type: ignore[operator]

    def test_page(self) -> None:
        """Newest first, in pages."""
        names = ["a", "b", "c"]
        for name in names:
            self.create(name=name)
        page = self.successResultOf(self.credentials.page(self.project, 2, 2))
        self.assertEqual(([one.name for one in page.items], page.total), (["a"], 3))

    def test_kept_open(self) -> None:
        """For ten seconds it is not read again; after them it is."""
        made = self.create()
        self.secrets(made)
        self.database.write_now(lambda c: c.execute(table.delete()))
        self.clock.advance(TRUST - 0.1)
        self.assertEqual(self.secrets(made), VALUE)
        self.clock.advance(0.2)
        self.failureResultOf(self.credentials.secrets(made.id, self.project), NotFound)

    def test_changed_elsewhere(self) -> None:
        """Another process uses the new value when its ten seconds are over."""
        made = self.create()
        other = self.new_process()
        self.successResultOf(other.secrets(made.id, self.project))
        self.successResultOf(self.credentials.update(made.id, self.project, value={"a": "new"}))
        self.clock.advance(TRUST)
        found = self.successResultOf(other.secrets(made.id, self.project))
        self.assertEqual(found, {"a": "new"})

    def test_changed_meanwhile(self) -> None:
        """A value that was read before it was changed is not used after that."""
        made = self.create()
        slow = Slow(self.database)
        self.credentials._database = slow  # type: ignore[assignment]
        early = self.credentials.secrets(made.id, self.project)
        self.successResultOf(self.credentials.update(made.id, self.project, value={"a": "new"}))
        slow.reads.pop().callback(None)
        self.assertEqual(self.successResultOf(early), VALUE)
        late = self.credentials.secrets(made.id, self.project)
        slow.reads.pop().callback(None)
        self.assertEqual(self.successResultOf(late), {"a": "new"})

    def test_bounded(self) -> None:
        """At the bound the value that was longest in memory is forgotten; no old one stays."""
        self.patch(module, "_MOST_OPEN", 2)
        made = [self.create() for _ in range(3)]
        for one in made:
            self.secrets(one)
        self.assertEqual(list(self.credentials._opened), [made[1].id, made[2].id])
        self.clock.advance(TRUST)
        self.secrets(made[0])
        self.assertEqual(list(self.credentials._opened), [made[0].id])

    def test_last_used(self) -> None:
        """It is told when the house last used it, to the minute."""
        made = self.create()
        self.assertIsNone(self.listed()[0].last_used)
        for seconds, noted in ((5, START + 5), (30, START + 5), (31, START + 66)):
            self.clock.advance(seconds)
            self.secrets(made)
            self.assertEqual(self.listed()[0].last_used, noted)

    def test_use_cannot_be_noted(self) -> None:
        """Then the value is good all the same."""
        made = self.create()
        self.patch(self.database, "write", lambda work: _failed())
        self.assertEqual(self.secrets(made), VALUE)


def _failed() -> Deferred[None]:
    done: Deferred[None] = Deferred()
    done.errback(Unavailable("locked"))
    return done
