"""A real PostgreSQL for the tests: made in a temporary folder, without a network port."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


def missing() -> str | None:
    """Why there is none on this machine; None when there is one. In CI there must be one."""
    if os.environ.get("CI") == "true":
        return None
    if _programs() is None:
        return "no PostgreSQL server is installed"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL refuses root, and there is no account postgres"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed: the extra `postgres`"
    return None


@cache
def url() -> str:
    """The database of a server that lives until the tests are over."""
    programs = _programs()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="rapida-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if (account := _account()) is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    _run(programs / "initdb", "-D", data, "-U", "rapida", "-A", "trust", "--no-sync")
    # Nothing of it needs to outlive the tests.
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    control = (programs / "pg_ctl", "-D", data, "-w")
    _run(*control, "-l", folder / "log", "-o", options, "start")
    atexit.register(_run, *control, "-m", "immediate", "stop")
    return f"postgresql://rapida@/postgres?host={folder}"


def _programs() -> Path | None:
    """The folder of the server's programs; Debian keeps one a version, outside of PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


def _account() -> pwd.struct_passwd | None:
    """The account to run it as; None when it may run as ourselves (or cannot run at all)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _run(*command: object) -> None:
    account = _account()
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/",
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=account and [],
    )
