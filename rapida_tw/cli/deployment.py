"""`rapida deployment`: how an assistant is on the phone."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.choice import add_choice, chosen
from rapida_tw.cli.opening import Nouns, an_id, command, document, noun, source
from rapida_tw.cli.output import Output, facts
from rapida_tw.cli.source import Document, Usage

_VENDORS = (("recognizer", "stt"), ("voice", "tts"), ("detector", "vad"))


def add(nouns: Nouns, common: ArgumentParser) -> None:
    verbs = noun(nouns, "deployment", "how an assistant is on the phone")
    change = command(verbs, common, "set", run_set, "replace it by a file, or change parts of it")
    change.add_argument("id", type=an_id, metavar="ASSISTANT")
    change.add_argument("--file", metavar="JSON", help="all of it; - reads standard input")
    change.add_argument("--carrier", metavar="PROVIDER", help="whose calls come and go")
    change.add_argument(
        "--credential",
        type=_reference,
        metavar="ID",
        help="the carrier's in the vault; '' for none",
    )
    change.add_argument("--greeting", help="what is said first")
    add_choice(change, "--recognizer", "who hears")
    add_choice(change, "--voice", "who speaks")
    change.add_argument("--idle-timeout", type=float, metavar="SECONDS")
    change.add_argument("--max-call-duration", type=float, metavar="SECONDS")
    show = command(verbs, common, "show", run_show, "as it is now")
    show.add_argument("id", type=an_id, metavar="ASSISTANT")


def run_set(arguments: Namespace, out: Output) -> int:
    parts = _parts(arguments)
    given = document(arguments.file) if arguments.file else None
    if given is None and not parts:
        raise Usage("nothing is given: --file, or one of --greeting, --voice, ...")
    with source(arguments) as books:
        whole = books.deployment(arguments.id) if given is None else given
        deployed = books.deploy(arguments.id, whole | parts)
    out.document(deployed, f"assistant {arguments.id} is deployed\n{_facts(deployed)}")
    return 0


def run_show(arguments: Namespace, out: Output) -> int:
    with source(arguments) as books:
        found = books.deployment(arguments.id)
    out.document(found, _facts(found))
    return 0


def _reference(text: str) -> str:
    return text and str(an_id(text))


def _parts(arguments: Namespace) -> Document:
    parts = {
        "provider": arguments.carrier,
        "credentialId": arguments.credential,
        "greeting": arguments.greeting,
        "idleTimeout": arguments.idle_timeout,
        "maxCallDuration": arguments.max_call_duration,
        # Another vendor does not know the options of the one before.
        "stt": chosen(arguments.recognizer),
        "tts": chosen(arguments.voice),
    }
    return {key: value for key, value in parts.items() if value is not None}


def _facts(found: Document) -> str:
    lines: list[tuple[str, object]] = [
        ("assistant", found["assistantId"]),
        ("carrier", found["provider"]),
        ("credential", found["credentialId"] or ""),
        ("greeting", found["greeting"] or "none: the caller speaks first"),
        ("interruptible", "yes" if found["greetingInterruptible"] else "not the greeting"),
        ("error message", found["errorMessage"]),
        ("idle after", f"{found['idleTimeout']:g} s, {found['idleTimeoutRetries']} times"),
        ("idle message", found["idleMessage"]),
        ("longest call", f"{found['maxCallDuration']:g} s"),
        ("recording", "yes" if found["recording"] else "no"),
    ]
    for name, key in _VENDORS:
        lines.append((name, _vendor(found[key])))
        lines += [("  or", _vendor(one)) for one in found[key].get("fallbacks", ())]
    return facts(lines)


def _vendor(choice: Document) -> str:
    options = choice["options"]
    words = [choice["provider"] or "the server's default"]
    if choice["credentialId"]:
        words.append(f"by credential {choice['credentialId']}")
    if options:
        words.append("with " + ", ".join(f"{key}={value}" for key, value in options.items()))
    return " ".join(words)
