"""`rapida dialplan`: Asterisk's side of the connection, filled in."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rapida_tw.cli.local import Local, configuration
from rapida_tw.cli.opening import Nouns, command
from rapida_tw.cli.output import Output
from rapida_tw.cli.remote import checked_url
from rapida_tw.cli.source import Usage
from rapida_tw.config import Config
from rapida_tw.dialplan import AUDIOSOCKET, TRANSPORTS, Settings, dialplan, some_files
from rapida_tw.errors import CallError


def add(nouns: Nouns, common: ArgumentParser) -> None:
    about = "Asterisk configuration that works, filled in with what is known here"
    parser = command(nouns, common, "dialplan", run, about)
    parser.add_argument("--transport", choices=TRANSPORTS, default=AUDIOSOCKET)
    parser.add_argument("--outbound", action="store_true", help="for calls that the server makes")
    parser.add_argument("--assistant", metavar="ID", help="who answers")


def run(arguments: Namespace, out: Output) -> int:
    config = configuration(arguments)
    try:
        settings = _settings(arguments, config)
    except ValueError as error:
        raise Usage(str(error)) from None
    text = dialplan(settings, arguments.transport, outbound=arguments.outbound)
    files = some_files(settings, arguments.transport, outbound=arguments.outbound)
    out.document({"files": files}, text.rstrip("\n"))
    return 0


def _settings(arguments: Namespace, config: Config) -> Settings:
    """What the configuration and the options know; examples stand for the rest."""
    known: dict[str, object] = {
        "audiosocket_port": config.audiosocket.port,
        "sip_port": config.sip.port,
    }
    public = config.server.public_host
    if arguments.url:
        known["url"] = checked_url(arguments.url)
    elif public:
        known["url"] = f"{config.server.public_scheme}://{public}"
    host = public or (arguments.url and arguments.url.partition("://")[2].partition("/")[0])
    if host:
        known["audiosocket_host"] = known["sip_host"] = _without_port(host)
    if config.sip.external_ip:
        known["sip_host"] = config.sip.external_ip
    assistant = arguments.assistant or _only_assistant(config)
    if assistant:
        known["assistant_id"] = assistant
    if arguments.api_key:
        known["api_key"] = arguments.api_key
    return Settings(**known)  # type: ignore[arg-type]


def _only_assistant(config: Config) -> str:
    """The newest assistant of the database; "" where there is none, or no database."""
    try:
        books = Local(config)
    except CallError:
        return ""
    try:
        items = books.assistants(1).items
        return str(items[0]["id"]) if items else ""
    finally:
        books.close()


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
