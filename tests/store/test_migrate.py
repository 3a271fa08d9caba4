"""Making and renewing tables, and what is said when a database cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.store.database import Database
from rapida_tw.store.engine import DatabaseUnusable
from rapida_tw.store.migrate import configuration
from rapida_tw.store.schema import metadata
from tests.store.case import StoreCase


class MigrateTests(StoreCase):
    def test_schema(self) -> None:
        """Walking all steps gives exactly the tables that the code works with."""
        differences = self.database.read_now(
            lambda c: compare_metadata(
                MigrationContext.configure(c, opts={"compare_type": True}), metadata
            )
        )
        self.assertEqual(differences, [])

    def test_again(self) -> None:
        """A second start changes nothing: the keys' salt stays, or every key would be lost."""
        salt = text("SELECT key_salt FROM installation")
        before = self.database.read_now(lambda c: c.execute(salt).scalar_one())
        self.database.migrate()
        self.assertEqual(self.database.read_now(lambda c: c.execute(salt).scalar_one()), before)

    def test_newer(self) -> None:
        """A database of a newer program is left alone, and the error tells both versions."""
        newer = text("UPDATE alembic_version SET version_num = '9999'")
        self.database.write_now(lambda c: c.execute(newer))
        known = ScriptDirectory.from_config(configuration()).get_current_head()
        with self.assertRaisesRegex(DatabaseUnusable, f"newer rapida_tw.*9999.*knows {known}"):
            self.database.migrate()
        self.database.write_now(
            lambda c: c.execute(text(f"UPDATE alembic_version SET version_num = '{known}'"))
        )


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.path = self.folder / "rapida.db"

    def refusal(self, path: Path) -> str:
        database = Database(f"sqlite:///{path}")
        self.addCleanup(lambda: self.successResultOf(database.close()))
        with self.assertRaises(DatabaseUnusable) as caught:
            database.migrate()
        self.assertIn(str(path), str(caught.exception))
        return str(caught.exception)

    def test_made(self) -> None:
        """The folder is made where it is missing, and nobody else may read the file."""
        database = Database(f"sqlite:///{self.path}")
        database.migrate()
        self.successResultOf(database.close())
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_folder_cannot_be_made(self) -> None:
        """A folder that cannot be made is named, with the reason."""
        self.folder.write_text("a file where a folder should be")
        self.assertIn("Not a directory", self.refusal(self.path))

    def test_not_a_file(self) -> None:
        """A folder in the file's place is named, with the reason."""
        self.path.mkdir(parents=True)
        self.assertIn("Is a directory", self.refusal(self.path))

    def test_read_only(self) -> None:
        """A file that may not be written is named, with the reason."""
        self.folder.mkdir()
        self.path.touch(0o400)
        if os.geteuid() == 0:  # who may write everything: be nobody for a moment
            self.addCleanup(os.seteuid, 0)
            os.seteuid(65534)
        self.assertIn("Permission denied", self.refusal(self.path))

    def test_not_a_database(self) -> None:
        """Another file is not overwritten."""
        self.folder.mkdir()
        self.path.write_text("Dear diary, " * 500)
        self.assertIn("not a database", self.refusal(self.path))
        self.assertTrue(self.path.read_text().startswith("Dear diary"))

    def test_damaged(self) -> None:
        """A database with garbage in its middle is named, with the reason."""
        database = Database(f"sqlite:///{self.path}")
        database.migrate()
        self.successResultOf(database.close())
        content = bytearray(self.path.read_bytes())
        content[100:8192] = b"\xa5" * (8192 - 100)
        self.path.write_bytes(content)
        self.assertIn("malformed", self.refusal(self.path))


class UrlTests(SynchronousTestCase):
    def test_unknown(self) -> None:
        """Only the two databases that are tested are accepted, and no password is repeated."""
        for url in ("mysql://rapida:s3cret@db/rapida", "postgresql://u:s3cret@db:port/x", "s3cret"):
            with self.assertRaises(DatabaseUnusable) as caught:
                Database(url)
            self.assertNotIn("s3cret", str(caught.exception))

    def test_password(self) -> None:
        """The name of a database is fit for a log."""
        database = Database("postgresql://rapida:s3cret@db/calls")
        self.assertIn("db/calls", str(database))
        self.assertNotIn("s3cret", str(database))
