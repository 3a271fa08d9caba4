"""`rapida call`: have an assistant call somebody, and see what comes of it."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence

from rapida_tw.cli.conversations import seconds
from rapida_tw.cli.opening import Nouns, an_id, command
from rapida_tw.cli.output import Output
from rapida_tw.cli.running import running
from rapida_tw.client import Rapida
from rapida_tw.client.records import Conversation

PAUSE = 1.0  # seconds between two looks at a call


def add(nouns: Nouns, common: ArgumentParser) -> None:
    parser = command(nouns, common, "call", run, "have an assistant call somebody")
    parser.add_argument("--assistant", type=an_id, metavar="ID", required=True)
    parser.add_argument("--to", metavar="NUMBER", required=True, help="E.164, such as +15550100")
    parser.add_argument(
        "--from", dest="caller", metavar="NUMBER", default="", help="its own number"
    )
    for name, what in (
        ("metadata", "kept with the conversation"),
        ("args", "for the templates of prompt and greeting"),
        ("option", "over the deployment's, for this call: listen.language=de"),
    ):
        parser.add_argument(
            f"--{name}", action="append", type=_pair, metavar="KEY=VALUE", default=[], help=what
        )
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same one dials once")
    parser.add_argument("--wait", action="store_true", help="until it is over; 1 unless completed")


def run(arguments: Namespace, out: Output) -> int:
    with running(arguments) as server:
        placed = server.calls.create(
            arguments.assistant,
            arguments.to,
            arguments.caller,
            metadata=dict(arguments.metadata),
            args=dict(arguments.args),
            options=dict(arguments.option),
            idempotency_key=arguments.idempotency_key,
        )
        what = f"call {placed.id} to {placed.identifier} is {placed.status}"
        if not arguments.wait:
            out.document(placed.data, f"{what}\nmore: rapida conversations show {placed.id}")
            return 0
        out.line(what)
        over = _followed(server, placed.conversation, out)
    lasted = seconds(over.duration)
    out.document(over.data, f"{over.outcome or over.status} ({over.end_reason}), {lasted}")
    return 0 if over.outcome == "completed" else 1


def _followed(server: Rapida, conversation: Conversation, out: Output) -> Conversation:
    """The conversation when it is over; each change of its state and each sentence is a line."""
    status, said = conversation.status, 0
    while True:
        conversation = server.conversations.get(conversation.id)
        if conversation.status != status:
            status = conversation.status
            out.line(status)
        said = _tell(conversation.messages, said, out)
        if conversation.is_over:
            return conversation
        time.sleep(PAUSE)


def _tell(messages: Sequence[dict[str, str]], said: int, out: Output) -> int:
    for message in messages[said:]:
        speaker = "callee" if message["role"] == "user" else message["role"]
        out.line(f"  {speaker}: {' '.join(message['text'].split())}")
    return len(messages)


def _pair(text: str) -> tuple[str, str]:
    """An argument's type."""
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return key.strip(), value
