"""`rapida assistant`: who answers the calls."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.choice import add_choice, chosen
from rapida_tw.cli.opening import Nouns, an_id, command, document, noun, source
from rapida_tw.cli.output import Output, facts, pick, when
from rapida_tw.cli.source import MOST, Document, Usage

_SHORT = 60  # characters of a text in a table


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "assistant", "assistants: model, prompt, tools")
    create = command(verbs, common, "create", run_create, "make one")
    _contents(create)
    command(verbs, common, "list", run_list, "the newest hundred")
    show = command(verbs, common, "show", run_show, "one of them")
    show.add_argument("id", type=an_id)
    update = command(verbs, common, "update", run_update, "change what is given, keep the rest")
    update.add_argument("id", type=an_id)
    _contents(update)
    delete = command(verbs, common, "delete", run_delete, "its conversations stay")
    delete.add_argument("id", type=an_id)


def _contents(parser: ArgumentParser) -> None:
    parser.add_argument("--file", metavar="JSON", help="as the API has it; - reads standard input")
    parser.add_argument("--name")
    parser.add_argument("--description")
    parser.add_argument("--prompt", help="the text of one system message, instead of all others")
    add_choice(parser, "--model", "who thinks")


def _given(arguments: Namespace) -> Document:
    """The file's document with the short options put into it."""
    given = document(arguments.file) if arguments.file else {}
    model = given.get("model")
    model = dict(model) if isinstance(model, dict) else {}
    if arguments.prompt is not None:
        model["prompt"] = [{"role": "system", "content": arguments.prompt}]
    if (named := chosen(arguments.model)) is not None:
        # Another vendor does not know the options and credentials of the one before.
        model = {"credentialId": None, "options": {}, "fallbacks": [], **model, **named}
    if model:
        given["model"] = model
    for name in ("name", "description"):
        if getattr(arguments, name) is not None:
            given[name] = getattr(arguments, name)
    if not given:
        raise Usage("nothing is given: --file, or --name, --prompt, --description, --model")
    return given


def run_create(arguments: Namespace, out: Output) -> int:
    given = _given(arguments)
    with source(arguments) as books:
        made = books.create_assistant(given)
    out.document(made, f"assistant {made['id']} ({made['name']}) is made")
    return 0


def run_list(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        listing = books.assistants(MOST)
    rows = [
        (
            one["id"],
            when(one.get("updatedDate")),
            pick(one, "model", "provider") or "default",
            one["name"][:_SHORT],
        )
        for one in listing.items
    ]
    out.table(listing.items, ("id", "changed", "model", "name"), rows)
    if listing.total > len(rows):
        out.line(f"and {listing.total - len(rows)} older ones")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.assistant(arguments.id)
    prompt = pick(found, "model", "prompt") or []
    tools = [tool.get("name") or tool.get("type") for tool in found.get("tools", [])]
    lines = [
        ("assistant", found["id"]),
        ("name", found["name"]),
        ("description", found.get("description")),
        ("model", pick(found, "model", "provider") or "the server's default"),
        ("credential", pick(found, "model", "credentialId")),
        ("options", ", ".join(pick(found, "model", "options") or {})),
        *(("  or", one["provider"]) for one in pick(found, "model", "fallbacks") or ()),
        *((message["role"], message["content"]) for message in prompt),
        ("tools", ", ".join(str(name) for name in tools)),
        ("webhooks", len(found.get("webhooks", [])) or ""),
        ("made", when(found.get("createdDate"))),
        ("changed", when(found.get("updatedDate"))),
    ]
    out.document(found, facts(lines))
    return 0


def run_update(arguments: Namespace, out: Output) -> int:
    given = _given(arguments)
    with source(arguments) as books:
        changed = books.update_assistant(arguments.id, given)
    out.document(changed, f"assistant {changed['id']} ({changed['name']}) is changed")
    return 0


def run_delete(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        books.delete_assistant(arguments.id)
    out.document({"id": str(arguments.id), "deleted": True}, f"assistant {arguments.id} is deleted")
    return 0
