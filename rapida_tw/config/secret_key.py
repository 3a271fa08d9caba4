"""The key that protects stored credentials: configured, or made once and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rapida_tw.config.sections import Server


def secret_key(server: Server) -> str:
    """The configured key, else the one in `data_dir/secret_key`, which the first start makes.

    The file is readable by its owner alone. Workers that start together end up with one key.
    Raises OSError where the folder cannot be written.
    """
    if server.secret_key:
        return server.secret_key
    path = server.data_dir / "secret_key"
    if not path.exists():
        server.data_dir.mkdir(parents=True, exist_ok=True)
        _make(path)
    return path.read_text("utf-8").strip()


def _make(path: Path) -> None:
    """Written whole under another name, then linked: nobody reads half a key, one maker wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another worker was first: its key is the one
    finally:
        draft.unlink()
