"""The key that protects stored credentials: configured, or made once and kept, or exchanged."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapida_tw.config.sections import Server


def secret_key(server: Server) -> str:
    """The configured key, else the one in `data_dir/secret_key`, which the first start makes.

    The file is readable by its owner alone. Workers that start together end up with one key.
    Raises OSError where the folder cannot be written.
    """
    if server.secret_key:
        return server.secret_key
    path = _path(server)
    if not path.exists():
        server.data_dir.mkdir(parents=True, exist_ok=True)
        _make(path)
    return path.read_text("utf-8").strip()


def former_key(server: Server) -> str:
    """The key before an exchange that has not come to its end; "" when there is none."""
    try:
        return "" if server.secret_key else _former(server).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


def new_key() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def exchange(server: Server, key: str) -> None:
    """Put a key in the file's place, and keep the one before beside it until `forget_former`.

    Whenever this is cut off, `secret_key` is one of both, and `former_key` the old one wherever the
    new one is in force.
    """
    path, former = _path(server), _former(server)
    former.unlink(missing_ok=True)
    os.link(path, former)
    draft = path.with_name("secret_key.new")
    _write(draft, key)
    owner = path.stat()
    if owner.st_uid != os.geteuid():
        os.chown(draft, owner.st_uid, owner.st_gid)  # the server must be able to read it
    _sync(server.data_dir)  # the old key's second name must not come after the new key
    os.replace(draft, path)
    _sync(server.data_dir)


def forget_former(server: Server) -> None:
    """Nothing needs the key before any more."""
    _former(server).unlink(missing_ok=True)
    _sync(server.data_dir)


@contextmanager
def exchanging(server: Server) -> Iterator[None]:
    """One exchange at a time; BlockingIOError while another process is at it."""
    folder = os.open(server.data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(folder)


def _path(server: Server) -> Path:
    return server.data_dir / "secret_key"


def _former(server: Server) -> Path:
    return server.data_dir / "secret_key.old"


def _make(path: Path) -> None:
    """Written whole under another name, then linked: nobody reads half a key, one maker wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    _write(draft, new_key())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another worker was first: its key is the one
    finally:
        draft.unlink()


def _write(draft: Path, key: str) -> None:
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Names are on the disk, not only in the kernel."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
