"""`rapida key`: API keys, on the server's machine only."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.opening import Nouns, an_id, command, local, noun
from rapida_tw.cli.output import Output, when
from rapida_tw.store.documents import timestamp
from rapida_tw.store.records import ApiKey
from rapida_tw.store.scopes import SCOPES, read_scopes


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "key", "API keys")
    create = command(verbs, common, "create", run_create, "make a key, and show it this once")
    create.add_argument("--name", default="key", help="for people, to tell keys apart")
    create.add_argument(
        "--scope",
        action="append",
        choices=tuple(SCOPES),
        help="what it may do, and nothing else; give several; without any it may do everything",
    )
    command(verbs, common, "list", run_list, "all keys, revoked ones too, newest first")
    revoke = command(verbs, common, "revoke", run_revoke, "from now on the key opens nothing")
    revoke.add_argument("id", type=an_id)


def run_create(arguments: Namespace, out: Output) -> int:
    with local(arguments, "key") as books:
        key, text = books.create_key(
            arguments.name, arguments.scope and read_scopes(arguments.scope)
        )
    shown = _document(key) | {"api_key": text}
    out.document(shown, f"{text}\nThe key is shown this once: keep it. Its id is {key.id}.")
    return 0


def run_list(arguments: Namespace, out: Output) -> int:
    with local(arguments, "key") as books:
        keys = books.list_keys()
    rows = [
        (
            key.id,
            f"{key.prefix}…",
            when(key.created),
            when(key.last_used) or "never",
            "revoked" if key.revoked else "good",
            "everything" if key.scopes is None else " ".join(key.scopes),
            key.name,
        )
        for key in keys
    ]
    head = ("id", "key", "made", "last used", "state", "may", "name")
    out.table([_document(key) for key in keys], head, rows)
    return 0


def run_revoke(arguments: Namespace, out: Output) -> int:
    with local(arguments, "key") as books:
        books.revoke_key(arguments.id)
    out.document({"id": str(arguments.id), "revoked": True}, f"key {arguments.id} is revoked")
    return 0


def _document(key: ApiKey) -> dict[str, object]:
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": None if key.scopes is None else list(key.scopes),
        "created": timestamp(key.created),
        "last_used": timestamp(key.last_used) if key.last_used else None,
        "revoked": timestamp(key.revoked) if key.revoked else None,
    }
