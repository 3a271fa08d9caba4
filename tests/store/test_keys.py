"""API keys: shown once, kept as a hash, limited to scopes, revoked at once everywhere."""

from __future__ import annotations

import re

from sqlalchemy import select
from twisted.internet.defer import Deferred

from rapida_tw.errors import NotFound, Unauthenticated
from rapida_tw.store import keys as module
from rapida_tw.store import schema
from rapida_tw.store.database import Database, T, Work
from rapida_tw.store.keys import Keys
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
        hashes = {
            db.read_now(lambda c: module._hashes(c, [text]))[0] for db in (self.database, other)
        }
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

    def test_scopes(self) -> None:
        """What it was limited to comes back with it; by itself it is not limited."""
        made = self.keys.create(self.project, "dialler", ["calls:write"])
        key, text = self.successResultOf(made)
        self.assertEqual(key.scopes, ("calls:write",))
        self.assertEqual(self.successResultOf(self.keys.check(text)).scopes, ("calls:write",))
        self.assertIsNone(self.successResultOf(self.keys.check(self.create()[1])).scopes)
        listed = self.successResultOf(self.keys.list(self.project))
        self.assertEqual([one.scopes for one in listed], [None, ("calls:write",)])

    def test_revoked_at_once(self) -> None:
        """A revoked key opens nothing any more, though it was good a moment ago."""
        key, text = self.create()
        self.successResultOf(self.keys.check(text))
        self.successResultOf(self.keys.revoke(key.id))
        self.failureResultOf(self.keys.check(text), Unauthenticated)

    def test_revoked_meanwhile(self) -> None:
        """Who asks after the revocation does not share a look-up that began before it."""
        key, text = self.create()
        slow = Slow(self.database)
        keys = Keys(slow, self.ids, self.clock.seconds)  # type: ignore[arg-type]
        early = keys.check(text)
        self.successResultOf(self.keys.revoke(key.id))
        late = keys.check(text)
        slow.reads.pop().callback(None)
        self.successResultOf(early)
        slow.reads.pop().callback(None)
        self.failureResultOf(late, Unauthenticated)

    def test_revoked_elsewhere(self) -> None:
        """So does one that another process has revoked: a command beside a server."""
        key, text = self.create()
        other = self.new_process()
        self.successResultOf(other.check(text))
        self.successResultOf(self.keys.revoke(key.id))
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

    def test_many_at_once(self) -> None:
        """Good, revoked and unknown keys in one question: each gets its own answer."""
        good, revoked = self.create()[1], self.create()
        self.successResultOf(self.keys.revoke(revoked[0].id))
        slow = Slow(self.database)
        keys = Keys(slow, self.ids, self.clock.seconds)  # type: ignore[arg-type]
        unknown = "rpd-" + "x" * 43
        asked = [keys.check(text) for text in (good, good, revoked[1], unknown)]
        while slow.reads:
            slow.reads.pop().callback(None)
        self.assertEqual(self.successResultOf(asked[1]).prefix, good[:8])
        self.successResultOf(asked[0])
        for refused in asked[2:]:
            self.failureResultOf(refused, Unauthenticated)

    def test_no_project(self) -> None:
        """A key needs a project."""
        self.failureResultOf(self.keys.create(1, "phone"), NotFound)
