"""`rapida credential`: secrets of carriers and vendors, which are never shown again."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from getpass import getpass

from rapida_tw.cli.opening import Nouns, an_id, command, document, local, noun, source
from rapida_tw.cli.output import Output, facts, table, when
from rapida_tw.cli.source import MOST, Document, Usage

_LONGEST = 2**20  # bytes that are read of a file
_SHORT = 60  # characters of a name in a table
_PASSED = {True: "yes", False: "NO", None: "unknown"}


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "credential", "secrets of carriers and vendors, in the vault")
    create = command(verbs, common, "create", run_create, "put one into the vault")
    create.add_argument("--name", required=True, help="for people, to tell credentials apart")
    create.add_argument("--provider", required=True, help="whose it is: twilio, vonage, deepgram …")
    _value(create)
    command(verbs, common, "list", run_list, "the newest hundred")
    show = command(verbs, common, "show", run_show, "one of them, without its value")
    show.add_argument("id", type=an_id)
    update = command(verbs, common, "update", run_update, "another name, or another value")
    update.add_argument("id", type=an_id)
    update.add_argument("--name")
    _value(update)
    verify = command(verbs, common, "verify", run_verify, "whether it can be used; 1 if not")
    verify.add_argument("id", type=an_id)
    delete = command(verbs, common, "delete", run_delete, "calls that need it fail from now on")
    delete.add_argument("id", type=an_id)
    about = "another key of the server for all that is sealed, on the server's machine"
    rotate = command(verbs, common, "rotate-key", run_rotate_key, about)
    rotate.add_argument(
        "--new-key-file",
        metavar="FILE",
        help="the new secret_key, for when the configuration has it; by itself a random one",
    )


def _value(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="a part of the value; KEY=@FILE reads it from a file, KEY=- asks for it "
        "or reads standard input (lists of processes show what stands here)",
    )
    parser.add_argument(
        "--from-file", metavar="JSON", help="the value, an object of texts; - reads standard input"
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        # Not what was given: it may be the secret.
        raise ArgumentTypeError("give KEY=VALUE, KEY=@FILE or KEY=-")
    return key, value


def _given(arguments: Namespace) -> Document | None:
    """The file's value with the parts put into it; None when nothing is given."""
    pairs: Sequence[tuple[str, str]] = arguments.set
    piped = [key for key, value in pairs if value == "-"]
    if piped and (arguments.from_file == "-" or (len(piped) > 1 and not sys.stdin.isatty())):
        raise Usage("standard input can be read once: give the others as KEY=@FILE")
    if not pairs and arguments.from_file is None:
        return None
    value = document(arguments.from_file) if arguments.from_file else {}
    return value | {key: _read(key, text) for key, text in pairs}


def _read(key: str, text: str) -> str:
    if text == "-":
        return getpass(f"{key}: ") if sys.stdin.isatty() else sys.stdin.read(_LONGEST)
    if not text.startswith("@"):
        return text
    try:
        with open(text[1:], encoding="utf-8") as file:
            return file.read(_LONGEST)
    except UnicodeDecodeError:
        raise Usage(f"{text[1:]}: this is no text in UTF-8") from None


def run_create(arguments: Namespace, out: Output) -> int:
    value = _given(arguments)
    if value is None:
        raise Usage("a credential needs a value: --set KEY=VALUE, or --from-file")
    given = {"name": arguments.name, "provider": arguments.provider, "value": value}
    with source(arguments) as books:
        made = books.create_credential(given)
    out.document(made, f"credential {made['id']} ({made['name']}) is in the vault")
    return 0


def run_list(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        listing = books.credentials(MOST)
    rows = [
        (
            one["id"],
            one["provider"],
            when(one["updatedDate"]),
            when(one["lastUsedDate"]) or "never",
            one["name"][:_SHORT],
        )
        for one in listing.items
    ]
    out.table(listing.items, ("id", "provider", "changed", "last used", "name"), rows)
    if listing.total > len(rows):
        out.line(f"and {listing.total - len(rows)} older ones")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.credential(arguments.id)
    lines = [
        ("credential", found["id"]),
        ("name", found["name"]),
        ("provider", found["provider"]),
        ("set are", ", ".join(found["keysSet"])),
        ("made", when(found["createdDate"])),
        ("changed", when(found["updatedDate"])),
        ("last used", when(found["lastUsedDate"]) or "never"),
    ]
    out.document(found, facts(lines))
    return 0


def run_update(arguments: Namespace, out: Output) -> int:
    given = {"name": arguments.name, "value": _given(arguments)}
    given = {key: value for key, value in given.items() if value is not None}
    if not given:
        raise Usage("nothing is given: --name, --set KEY=VALUE, or --from-file")
    with source(arguments) as books:
        changed = books.update_credential(arguments.id, given)
    out.document(changed, f"credential {changed['id']} ({changed['name']}) is changed")
    return 0


def run_verify(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        answer = books.verify_credential(arguments.id)
    rows = [(one["check"], _PASSED[one["passed"]], one["detail"]) for one in answer["checks"]]
    checks = table(("check", "passed", ""), rows)
    out.document(answer, f"{checks}\nverified: {_PASSED[answer['verified']]}")
    return 1 if answer["verified"] is False else 0


def run_rotate_key(arguments: Namespace, out: Output) -> int:
    given = _key_in(arguments.new_key_file) if arguments.new_key_file else ""
    with local(arguments, "credential rotate-key") as books:
        done = books.rotate_key(given)
    lines = [f"sealed anew: {done.credentials} credentials, {done.api_keys} API keys"]
    if done.resumed:
        lines.insert(0, "a rotation that was cut off is finished")
    if done.unreadable:
        lines.append(f"{done.unreadable} could not be opened before, and are as they were")
    if done.restart:
        lines.append(
            "Put the new key where the configuration has the old one, and restart the server: "
            "until then it opens nothing."
        )
    else:
        lines.append("Running servers go on with the new key.")
    out.document(asdict(done), "\n".join(lines))
    return 0


def _key_in(name: str) -> str:
    key = _read("secret_key", f"@{name}").strip()
    if not key:
        raise Usage(f"{name}: is empty")
    return key


def run_delete(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        books.delete_credential(arguments.id)
    gone = {"id": str(arguments.id), "deleted": True}
    out.document(gone, f"credential {arguments.id} is deleted")
    return 0
