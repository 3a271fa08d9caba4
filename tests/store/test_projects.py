"""The first project of an installation."""

from __future__ import annotations

from rapida_tw.store.projects import Projects
from tests.store.case import StoreCase


class ProjectsTests(StoreCase):
    def test_one(self) -> None:
        """Whoever asks again, under whatever name, gets the project that is there."""
        projects = Projects(self.database, self.ids, self.clock.seconds)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(projects.ensure("another")), self.project)
