"""`rapida insight`: what Vonage knows of a telephone number."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from rapida_tw.carriers.insight import APIS, LEVELS, Level, insight_document, read_question
from rapida_tw.cli.opening import Nouns, an_id, command, local
from rapida_tw.cli.output import Output, facts
from rapida_tw.cli.running import running

_TRUTH = {True: "yes", False: "no", None: ""}


def add(nouns: Nouns, common: ArgumentParser) -> None:
    parser = command(nouns, common, "insight", run, "what Vonage knows of a number; costs money")
    parser.add_argument("number", metavar="NUMBER", help="E.164, such as +15550100001")
    parser.add_argument(
        "--level",
        choices=LEVELS,
        default=Level.BASIC.value,
        help="form and country; the networks, too; and whether the phone is reachable",
    )
    parser.add_argument(
        "--credential", type=an_id, metavar="ID", help="by itself the newest one of vonage"
    )
    parser.add_argument(
        "--api", choices=APIS, default="", help="by itself what the credential is good for"
    )
    parser.add_argument(
        "--caller-name", action="store_true", help="its owner's name, too: USA, costs more"
    )
    parser.add_argument("--raw", action="store_true", help="with --json: Vonage's document, too")


def run(arguments: Namespace, out: Output) -> int:
    # Here too: what is no number need not travel.
    question = read_question(
        arguments.number, arguments.level, arguments.api, arguments.caller_name
    )
    found: Mapping[str, Any]
    if arguments.url:
        with running(arguments) as server:
            found = server.numbers.insight(
                f"+{question.digits}",
                arguments.level,
                credential_id=arguments.credential,
                api=arguments.api,
                caller_name=arguments.caller_name,
                raw=arguments.raw,
            ).data
    else:
        with local(arguments, "insight") as books:
            insight = books.look_up(question, arguments.credential)
        found = insight_document(insight, arguments.raw)
    out.document(found, _told(found))
    return 0


def _told(found: Mapping[str, Any]) -> str:
    reachable = _TRUTH[found["reachable"]]
    if found["reachability"] and found["reachability"] != "reachable":
        reachable = f"{reachable} ({found['reachability']})".strip()
    roaming = _TRUTH[found["roaming"]]
    if found["roamingCountries"]:
        roaming += f" ({', '.join(found['roamingCountries'])})"
    country = [found["countryName"] or "", found["countryCode"] or ""]
    owner = found["callerIdentity"] or {}
    lines = [
        ("number", found["number"]),
        ("national", found["nationalFormat"]),
        ("country", " ".join(f"({one})" if n else one for n, one in enumerate(country) if one)),
        ("valid", _TRUTH[found["valid"]]),
        ("reachable", reachable),
        ("ported", _TRUTH[found["ported"]]),
        ("roaming", roaming),
        ("network", _network(found["currentCarrier"])),
        ("at first", _network(found["originalCarrier"])),
        ("owner", ", ".join(one for one in (owner.get("name"), owner.get("type")) if one)),
        ("time zones", ", ".join(found["timeZones"])),
        ("by", found["source"]),
        *(("missing", one) for one in found["missing"]),
    ]
    return facts(lines)


def _network(network: Mapping[str, Any] | None) -> str:
    given = network or {}
    parts = (given.get(name) for name in ("name", "networkType", "countryCode", "networkCode"))
    return ", ".join(one for one in parts if one)
