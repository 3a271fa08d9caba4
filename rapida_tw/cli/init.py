"""`rapida init`: a project, an API key and an assistant to begin with."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.opening import Nouns, command, local
from rapida_tw.cli.output import Output, facts


def add(nouns: Nouns, common: ArgumentParser) -> None:
    about = "make a project, an API key and an assistant, or a new key for those that are there"
    parser = command(nouns, common, "init", run, about)
    parser.add_argument(
        "--if-missing", action="store_true", help="make no new key where there is one already"
    )


def run(arguments: Namespace, out: Output) -> int:
    with local(arguments, "init") as books:
        installed = books.install()
        text = installed.api_key
        if not text and not arguments.if_missing:
            _, text = books.create_key("rapida init")
    shown = {
        "project_id": str(installed.project_id),
        "api_key": text or None,  # of a key that is there already, the text is not kept
        "assistant_id": str(installed.assistant_id),
    }
    lines = facts(
        [
            ("project", shown["project_id"]),
            ("API key", text or "there is one already; `rapida key create` makes another"),
            ("assistant", shown["assistant_id"]),
        ]
    )
    if text:
        lines += "\nThe key is shown this once: keep it."
    out.document(shown, lines)
    return 0
