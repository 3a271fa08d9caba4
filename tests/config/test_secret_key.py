"""The secret key: configured or made once."""

from __future__ import annotations

import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.config import Server, secret_key
from rapida_tw.config.secret_key import _make


class SecretKeyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = Server(data_dir=Path(self.mktemp()) / "deep" / "down")

    def test_configured(self) -> None:
        """A configured key is used, and nothing is written."""
        server = Server(data_dir=self.server.data_dir, secret_key="k" * 16)
        self.assertEqual(secret_key(server), "k" * 16)
        self.assertFalse(server.data_dir.exists())

    def test_made_once(self) -> None:
        """The first start makes a key; later ones find it."""
        first = secret_key(self.server)
        self.assertGreaterEqual(len(first), 43)
        self.assertEqual(secret_key(self.server), first)

    def test_private(self) -> None:
        """Only the owner may read the file, and no draft of it is left."""
        secret_key(self.server)
        files = list(self.server.data_dir.iterdir())
        self.assertEqual([file.name for file in files], ["secret_key"])
        self.assertEqual(stat.S_IMODE(files[0].stat().st_mode), 0o600)

    def test_race(self) -> None:
        """Of two workers that both found no key, the second keeps the first one's."""
        first = secret_key(self.server)
        _make(self.server.data_dir / "secret_key")
        self.assertEqual(secret_key(self.server), first)
        self.assertEqual(len(list(self.server.data_dir.iterdir())), 1)
