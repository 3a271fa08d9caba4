"""`rapida message send`: have an assistant write to somebody by WhatsApp."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from rapida_tw.cli.opening import Nouns, an_id, command, noun
from rapida_tw.cli.output import Output
from rapida_tw.cli.running import running
from rapida_tw.cli.source import Usage


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "message", "messages by WhatsApp")
    parser = command(verbs, common, "send", run, "have an assistant write to somebody")
    parser.add_argument("--assistant", type=an_id, metavar="ID", required=True)
    parser.add_argument("--to", metavar="NUMBER", required=True, help="E.164, such as +15550100001")
    parser.add_argument("--from", dest="sender", metavar="NUMBER", default="", help="its number")
    parser.add_argument(
        "--text", default="", help="within 24 hours of the person's last message; else a template"
    )
    parser.add_argument("--template", metavar="HX…", default="", help="an approved one, by its SID")
    for name, what in (
        ("variable", "of the template: 1=Ada"),
        ("metadata", "kept with the conversation"),
    ):
        parser.add_argument(
            f"--{name}", action="append", type=_pair, metavar="KEY=VALUE", default=[], help=what
        )
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same one sends once")


def run(arguments: Namespace, out: Output) -> int:
    if bool(arguments.text) == bool(arguments.template):
        raise Usage("give either --text or --template")
    with running(arguments) as server:
        sent = server.messages.send(
            arguments.assistant,
            arguments.to,
            arguments.text,
            arguments.sender,
            content_sid=arguments.template,
            content_variables=dict(arguments.variable),
            metadata=dict(arguments.metadata),
            idempotency_key=arguments.idempotency_key,
        )
    conversation = sent.data["conversationId"]
    what = f"message {sent.id or '(unnamed)'} to {arguments.to} is {sent.data['status']}"
    out.document(sent.data, f"{what}\nmore: rapida conversations show {conversation}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    """An argument's type."""
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return key.strip(), value
