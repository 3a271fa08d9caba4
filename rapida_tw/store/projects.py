"""Projects: whose assistants, keys and conversations they are. An installation starts with one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from rapida_tw.errors import NotFound
from rapida_tw.ids import Ids
from rapida_tw.store.database import Database
from rapida_tw.store.schema import installation, project


def ensure_project(connection: Connection, new_id: int, name: str, now: float) -> int:
    """The id of the oldest project; one named `name` is made when there is none."""
    # The installation's only row is the lock of workers that start together (PostgreSQL).
    connection.execute(select(installation.c.id).with_for_update())
    oldest = select(project.c.id).order_by(project.c.created, project.c.id).limit(1)
    found: int | None = connection.execute(oldest).scalar()
    if found is None:
        connection.execute(insert(project).values(id=new_id, name=name, created=now))
        return new_id
    return found


def require_project(connection: Connection, project_id: int) -> None:
    """`NotFound` when there is no such project."""
    if connection.execute(select(project.c.id).where(project.c.id == project_id)).first() is None:
        raise NotFound(f"no project {project_id}")


class Projects:
    """The projects of a database."""

    def __init__(self, database: Database, ids: Ids, now: Callable[[], float]) -> None:
        self._database = database
        self._ids = ids
        self._now = now

    def ensure(self, name: str = "default") -> Deferred[int]:
        """The id of the first project, made under `name` when there is none yet."""
        new_id, now = self._ids.new(), self._now()
        return self._database.write(lambda c: ensure_project(c, new_id, name, now))
