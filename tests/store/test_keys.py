"""API keys: shown once, kept as a hash, believed for ten seconds, revoked at once."""

from __future__ import annotations

import re

from sqlalchemy import select
from twisted.internet.defer import Deferred

from rapida_tw.errors import NotFound, Unauthenticated
from rapida_tw.store import keys as module
from rapida_tw.store import schema
from rapida_tw.store.database import Database, T, Work
from rapida_tw.store.keys import TRUST, Keys
from rapida_tw.store.records import ApiKey
from tests.store.case import START, StoreCase


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


class KeysTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.keys = self.new_process()

    def new_process(self) -> Keys:
        return Keys(self.database, self.ids, self.clock.seconds)

    def create(self) -> tuple[ApiKey, str]:
        return self.successResultOf(self.keys.create(self.project, "phone"))

    def rows(self) -> list[object]:
        return self.database.read_now(lambda c: list(c.execute(select(schema.api_key))))

    def test_form(self) -> None:
        """`rpd-` and 43 characters that are safe in a URL; the first eight are for people."""
        key, text = self.create()
        self.assertTrue(re.fullmatch(r"rpd-[A-Za-z0-9_-]{43}", text))
        self.assertEqual(key.prefix, text[:8])

    def test_text_is_not_kept(self) -> None:
        """No column of the database holds the key, as text or as bytes."""
        _, text = self.create()
        self.assertNotIn(text[8:], repr(self.rows()))

    def test_salted(self) -> None:
        """The same key is stored differently in another installation."""
        _, text = self.create()
        other = Database("sqlite://")
        self.addCleanup(other.close)
        other.migrate()
        hashes = {db.read_now(lambda c: module._hash(c, text)) for db in (self.database, other)}
        self.assertEqual(len(hashes), 2)

    def test_check(self) -> None:
        """The text opens its project."""
        key, text = self.create()
        found = self.successResultOf(self.keys.check(text))
        self.assertEqual((found.id, found.project_id), (key.id, self.project))

    def test_wrong_keys(self) -> None:
        """Anything else opens nothing, and the answer does not repeat what was tried."""
        _, text = self.create()
        for tried in ("", "rpd-", text[:-1], text.swapcase(), f"{text} ", "rpd-" + "ü" * 43):
            failure = self.failureResultOf(self.keys.check(tried), Unauthenticated)
            self.assertNotIn(tried[4:] or "rpd-", failure.getErrorMessage())

    def test_believed(self) -> None:
        """Within ten seconds a key is not looked up again; after them it is."""
        _, text = self.create()
        self.successResultOf(self.keys.check(text))
        self.database.write_now(lambda c: c.execute(schema.api_key.delete()))
        self.clock.advance(TRUST - 0.1)
        self.successResultOf(self.keys.check(text))
        self.clock.advance(0.2)
        self.failureResultOf(self.keys.check(text), Unauthenticated)

    def test_revoked_at_once(self) -> None:
        """A revoked key opens nothing any more, though it was believed a moment ago."""
        key, text = self.create()
        self.successResultOf(self.keys.check(text))
        self.successResultOf(self.keys.revoke(key.id))
        self.failureResultOf(self.keys.check(text), Unauthenticated)

    def test_revoked_meanwhile(self) -> None:
        """A look-up that began before the revocation is not believed after it."""
        key, text = self.create()
        slow = Slow(self.database)
        keys = Keys(slow, self.ids, self.clock.seconds)  # type: ignore[arg-type]
        early = keys.check(text)
        self.successResultOf(keys.revoke(key.id))
        slow.reads.pop().callback(None)
        self.successResultOf(early)
        late = keys.check(text)
        slow.reads.pop().callback(None)
        self.failureResultOf(late, Unauthenticated)

    def test_revoked_elsewhere(self) -> None:
        """Another process notices a revocation when its ten seconds are over."""
        key, text = self.create()
        other = self.new_process()
        self.successResultOf(other.check(text))
        self.successResultOf(self.keys.revoke(key.id))
        self.clock.advance(TRUST)
        self.failureResultOf(other.check(text), Unauthenticated)

    def test_revoke_unknown(self) -> None:
        """What is not there, or not in the project, cannot be revoked."""
        key, text = self.create()
        self.failureResultOf(self.keys.revoke(1), NotFound)
        self.failureResultOf(self.keys.revoke(key.id, project_id=1), NotFound)
        self.successResultOf(self.keys.check(text))

    def test_first_revocation_stays(self) -> None:
        """Revoking twice is no error and does not move the date."""
        key, _ = self.create()
        self.successResultOf(self.keys.revoke(key.id))
        self.clock.advance(5)
        self.successResultOf(self.keys.revoke(key.id))
        (listed,) = self.successResultOf(self.keys.list(self.project))
        self.assertEqual(listed.revoked, START)

    def test_list(self) -> None:
        """A project's keys, newest first, with when they were last used."""
        old, text = self.create()
        new, _ = self.create()
        self.clock.advance(90)
        self.successResultOf(self.keys.check(text))
        listed = self.successResultOf(self.keys.list(self.project))
        self.assertEqual([key.id for key in listed], [new.id, old.id])
        self.assertEqual([key.last_used for key in listed], [None, START + 90])
        self.assertEqual(self.successResultOf(self.keys.list(1)), [])

    def test_bounded(self) -> None:
        """At the bound the key that was believed longest is forgotten."""
        self.patch(module, "_MOST_TRUSTED", 2)
        texts = [self.create()[1] for _ in range(3)]
        for text in texts:
            self.successResultOf(self.keys.check(text))
        self.database.write_now(lambda c: c.execute(schema.api_key.delete()))
        self.failureResultOf(self.keys.check(texts[0]), Unauthenticated)
        self.successResultOf(self.keys.check(texts[2]))

    def test_no_project(self) -> None:
        """A key needs a project."""
        self.failureResultOf(self.keys.create(1, "phone"), NotFound)
