"""Rotation of the server's key: wherever it is cut off, all opens, and it can be finished."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from rapida_tw.config import Server, former_key, secret_key
from rapida_tw.config.secret_key import exchanging
from rapida_tw.errors import BadRequest, Conflict, Unavailable
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import Assistant
from rapida_tw.store.rotation import Rotation, rotate
from rapida_tw.store.schema import api_key, credential
from rapida_tw.store.vault import CredentialUnreadable, Vault
from tests.store.case import StoreCase

SECRET = "e5c2-hunter2-0f3a"
GIVEN = "a new key that somebody has chosen"


class Killed(BaseException):
    """As by `kill -9`: nothing runs after it but what frees memory."""


class Process:
    """What a server or a command has of its own: caches, and the keys it has read."""

    def __init__(self, case: RotationCase, server: Server) -> None:
        vault = Vault(partial(secret_key, server), partial(former_key, server))
        now = case.clock.seconds
        self.credentials = Credentials(case.database, vault, case.ids, now)
        self.texts = KeyTexts(case.database, vault, now)
        self.keys = Keys(case.database, case.ids, now, self.texts)


class RotationCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = Server(data_dir=Path(self.mktemp()))
        self.running = Process(self, self.server)
        assistants = Assistants(self.database, self.ids, self.clock.seconds)
        made = assistants.create(Assistant(0, self.project, "reception"))
        self.assistant = self.successResultOf(made).id
        self.made = self.create(self.running)
        _, self.text = self.successResultOf(self.running.keys.create(self.project, "phone"))

    def open_database(self) -> Database:
        """In a file, with its log."""
        self.path = Path(self.mktemp())
        database = Database(f"sqlite:///{self.path}")
        self.addCleanup(lambda: self.successResultOf(database.close()))
        database.migrate()
        return database

    def create(self, process: Process) -> int:
        value = {"account_token": SECRET}
        made = process.credentials.create(self.project, "main", "twilio", value)
        return self.successResultOf(made).id

    def rotate(self, given: str = "", server: Server | None = None) -> Rotation:
        return rotate(self.database, server or self.server, given)

    def opens(self, process: Process, *made: int) -> None:
        """That process reads the credentials and the API key's text."""
        self.clock.advance(11)  # nothing is used that was opened before
        for one in made or (self.made,):
            value = self.successResultOf(process.credentials.secrets(one, self.project))
            self.assertEqual(value["account_token"], SECRET)
        texts = self.successResultOf(process.texts.of_assistant(self.assistant))
        self.assertEqual(list(texts), [self.text])

    def files(self) -> list[str]:
        return sorted(path.name for path in self.server.data_dir.iterdir())


class RotationTests(RotationCase):
    def test_rotated(self) -> None:
        """All is sealed with another key, for those who run and those who start."""
        old = secret_key(self.server)
        self.opens(self.running)
        self.assertEqual(self.rotate(), Rotation(1, 1))
        self.assertNotEqual(secret_key(self.server), old)
        self.opens(self.running)
        self.opens(Process(self, self.server))
        other = Process(self, Server(data_dir=self.server.data_dir, secret_key=old))
        self.failureResultOf(
            other.credentials.secrets(self.made, self.project), CredentialUnreadable
        )

    def test_file(self) -> None:
        """The new key is its owner's alone, and nothing of the old one is left."""
        self.rotate()
        self.assertEqual(self.files(), ["secret_key"])
        mode = (self.server.data_dir / "secret_key").stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_running_server_seals(self) -> None:
        """A server that has read the old key seals with the new one from the exchange on."""
        self.rotate()
        later = self.create(self.running)
        self.opens(Process(self, self.server), self.made, later)

    def test_nothing_left_to_open(self) -> None:
        """Neither the database's file nor its log has what the old key opens."""
        query = select(credential.c.wrapped_key)
        old = self.database.read_now(lambda c: c.execute(query).scalar_one())
        self.assertIn(old, self.left())
        self.rotate()
        self.assertNotIn(old, self.left())

    def left(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.path.parent.glob(f"{self.path.name}*"))

    def test_given(self) -> None:
        """A key that was chosen is taken as it is."""
        self.rotate(GIVEN)
        self.assertEqual(secret_key(self.server), GIVEN)
        self.opens(self.running)

    def test_twice(self) -> None:
        """A server that slept through two rotations goes on."""
        self.opens(self.running)
        for _ in range(2):
            self.assertEqual(self.rotate(), Rotation(1, 1))
        self.opens(self.running)

    def test_unreadable_before(self) -> None:
        """What did not open before is counted and left alone."""
        row = update(credential).values(wrapped_key=b"x" * 60)
        self.database.write_now(lambda c: c.execute(row))
        self.assertEqual(self.rotate(), Rotation(0, 1, unreadable=1))
        kept = self.database.read_now(lambda c: c.execute(select(credential)).one())
        self.assertEqual(kept.wrapped_key, b"x" * 60)

    def test_keys_without_text(self) -> None:
        """A key whose text is not kept has nothing to seal anew."""
        self.database.write_now(lambda c: c.execute(update(api_key).values(sealed=None)))
        self.assertEqual(self.rotate(), Rotation(1, 0))

    def test_late_writer(self) -> None:
        """Who read the old key before the exchange and wrote after it is not left behind."""
        late: list[int] = []

        def wait(seconds: float) -> None:
            old = Server(data_dir=self.server.data_dir, secret_key=former_key(self.server))
            late.append(self.create(Process(self, old)))

        done = rotate(self.database, self.server, wait=wait)
        self.assertEqual(done.credentials, 2)
        self.opens(Process(self, self.server), self.made, *late)

    def test_busy(self) -> None:
        """A database that cannot put all on the disk now: the old key stays until it has."""

        def busy(database: Database) -> None:
            raise Unavailable("busy; try again")

        told = self.assertRaisesRegex(Unavailable, "run the command again")
        with Patches([(Database, "settle", busy)]), told:
            self.rotate()
        self.assertEqual(self.files(), ["secret_key", "secret_key.old"])
        self.opens(self.running)
        self.assertTrue(self.rotate().resumed)
        self.assertEqual(self.files(), ["secret_key"])

    def test_wrong_keys(self) -> None:
        """Too short, too long, or the one in use: nothing is done."""
        before = secret_key(self.server)
        for given in ("x", "x" * 15, "x" * 1001, before):
            with self.assertRaises(BadRequest) as caught:
                self.rotate(given)
            self.assertNotIn(before, str(caught.exception))
        self.assertEqual((secret_key(self.server), self.files()), (before, ["secret_key"]))

    def test_two_at_once(self) -> None:
        """Only one command at a time."""
        before = secret_key(self.server)
        with exchanging(self.server), self.assertRaises(Conflict):
            self.rotate()
        self.assertEqual(secret_key(self.server), before)


class ConfiguredTests(RotationCase):
    """The key stands in the configuration, not in our file."""

    def setUp(self) -> None:
        super().setUp()
        old = secret_key(self.server)
        self.configured = Server(data_dir=self.server.data_dir, secret_key=old)

    def test_not_by_itself(self) -> None:
        """We cannot change it there: what to do is told, and nothing is done."""
        with self.assertRaisesRegex(BadRequest, "--new-key-file"):
            self.rotate(server=self.configured)
        self.opens(Process(self, self.configured))

    def test_given(self) -> None:
        """All is sealed with the given key; the server is told it by a restart. Twice is once."""
        self.assertEqual(self.rotate(GIVEN, self.configured), Rotation(1, 1, restart=True))
        self.assertEqual(self.rotate(GIVEN, self.configured), Rotation(0, 0, restart=True))
        self.opens(Process(self, Server(data_dir=self.server.data_dir, secret_key=GIVEN)))
        self.assertEqual(self.files(), ["secret_key"])

    def test_same(self) -> None:
        """The key in use is no new key."""
        with self.assertRaises(BadRequest):
            self.rotate(self.configured.secret_key, self.configured)


class CutOffTests(RotationCase):
    """Killed before or after any call to the kernel or the database."""

    def counted(self, killed_at: int, after: bool) -> bool:
        """Rotate, killed at that call; False when there were fewer calls."""
        calls = 0

        def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls - 1 == killed_at and not after:
                    raise Killed
                answer = function(*arguments, **named)
                if calls - 1 == killed_at:
                    raise Killed
                return answer

            return call

        with self.patched(guarded):
            try:
                self.rotate()
            except Killed:
                return True
        return False

    def patched(self, guarded: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Patches:
        names: list[tuple[Any, str]] = [(os, name) for name in ("link", "replace", "fsync")]
        names += [(Path, "unlink"), (Database, "write_now"), (Database, "settle")]
        return Patches([(owner, name, guarded(getattr(owner, name))) for owner, name in names])

    def test_anywhere(self) -> None:
        """Everything opens then, for who runs and who starts; the next rotation finishes it."""
        ends = []
        for after in (False, True):
            at = 0
            while self.counted(at, after):
                self.opens(self.running)
                self.opens(Process(self, self.server))
                new = self.create(self.running)
                self.opens(Process(self, self.server), self.made, new)
                ends.append(self.rotate().resumed)
                self.opens(self.running, self.made, new)
                self.opens(Process(self, self.server), self.made, new)
                self.assertEqual(self.files(), ["secret_key"])
                at += 1
            self.assertGreater(at, 8)
        # Some were cut off before the exchange, some after it.
        self.assertEqual(set(ends), {False, True})

    def test_not_with_another_key(self) -> None:
        """What was cut off is finished with its own key first: three keys are one too many."""
        with self.patched_to_die(Database, "write_now"), self.assertRaises(Killed):
            self.rotate()
        with self.assertRaisesRegex(Conflict, "finish it first"):
            self.rotate(GIVEN)
        self.assertTrue(self.rotate().resumed)
        self.rotate(GIVEN)
        self.opens(self.running)

    def patched_to_die(self, owner: Any, name: str) -> Patches:
        def die(*arguments: Any) -> Any:
            raise Killed

        return Patches([(owner, name, die)])


class Patches:
    """Attributes that are others for a while."""

    def __init__(self, patches: list[tuple[Any, str, Any]]) -> None:
        self._patches = patches
        self._before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]

    def __enter__(self) -> None:
        for owner, name, value in self._patches:
            setattr(owner, name, value)

    def __exit__(self, *error: object) -> None:
        for owner, name, value in self._before:
            setattr(owner, name, value)
