"""`rapida doctor`: what is wrong with this installation, or with one call."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli import checks
from rapida_tw.cli.diagnosis import diagnose
from rapida_tw.cli.finding import BAD, DOUBTFUL, GOOD
from rapida_tw.cli.local import configuration
from rapida_tw.cli.opening import Nouns, an_id, command, source
from rapida_tw.cli.output import Output
from rapida_tw.cli.source import Usage

PARTS = ("recogniser", "voice", "model")
_MARKS = {GOOD: "ok  ", DOUBTFUL: "look", BAD: "BAD "}


def add(nouns: Nouns, common: ArgumentParser) -> None:
    about = "what is wrong with this installation, or with one call; 1 if something is"
    parser = command(nouns, common, "doctor", run, about)
    parser.add_argument("--call", type=an_id, metavar="ID", help="diagnose this conversation")
    parser.add_argument("--vendor", metavar="NAME", help="try a vendor, and time each step")
    parser.add_argument(
        "--credential", type=an_id, metavar="ID", help="for --vendor: not the newest of that name"
    )
    parser.add_argument("--part", choices=PARTS, help="for --vendor: nothing else of it")
    parser.add_argument(
        "--option",
        action="append",
        metavar="KEY=VALUE",
        help="for --vendor: as in a deployment, listen.model=... or speak.voice.id=...",
    )


def run(arguments: Namespace, out: Output) -> int:
    if arguments.call is not None:
        with source(arguments) as books:
            diagnosis = diagnose(books.conversation(arguments.call))
        out.document(diagnosis.document(), diagnosis.text())
        return 0 if diagnosis.went_well else 1
    if arguments.vendor is not None:
        # Here, because it loads all that a call is made of, which no other command waits for.
        from rapida_tw.cli.vendor import run_vendor

        return run_vendor(arguments, out)
    if arguments.url:
        raise Usage("doctor looks at this machine: leave --url out, or name a --call")
    config = configuration(arguments)
    findings = []
    for finding in checks.check(config):  # each is told as soon as it is known
        out.line(f"{_MARKS[finding.state]}  {finding.what}: {finding.detail}")
        findings.append(finding)
    bad = [finding for finding in findings if finding.state == BAD]
    verdict = f"{len(bad)} of {len(findings)} checks failed" if bad else "nothing is wrong"
    if out.json:
        found = [{"what": f.what, "state": f.state, "detail": f.detail} for f in findings]
        out.document({"ok": not bad, "checks": found}, "")
    out.line(verdict)
    return 1 if bad else 0
